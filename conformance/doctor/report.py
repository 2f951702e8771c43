"""What the doctor found, for people and for programs."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from typing import TextIO

from conformance.doctor.advice import all_advice
from conformance.doctor.finding import Diagnosis, Finding, Level
from conformance.doctor.proxies import NAMES
from conformance.shown import redacted, redacted_headers
from conformance.wire import Answer

_COLORS = {Level.FAULT: "31;1", Level.WARNING: "33", Level.NOTE: "36"}
# So many examinations are not listed where they all have the same reason.
_MANY = 25
_ERASE = "\r\x1b[K"
_WIDTH = 110
_TELLING = {
    *("server", "via", "location", "www-authenticate", "content-type", "content-length", "content-encoding"),
    *("content-range", "retry-after", "date", "connection", "cf-ray", "x-cache", "age"),
}


class Progress:
    """One line on a terminal, which is gone in the end."""

    def __init__(self, out: TextIO) -> None:
        self._out = out if out.isatty() else None

    def __call__(self, done: int, total: int, text: str) -> None:
        if self._out is not None:
            self._out.write(f"{_ERASE}{done}/{total} · {text}")
            self._out.flush()

    def end(self) -> None:
        if self._out is not None:
            self._out.write(_ERASE)


def as_text(diagnosis: Diagnosis, *, colors: bool) -> str:
    """The report for people."""
    return "\n".join(_printable(line) for line in _lines(diagnosis, colors=colors)) + "\n"


def as_json(diagnosis: Diagnosis) -> str:
    """The report for programs."""
    document = {
        "url": diagnosis.url,
        "healthy": diagnosis.is_healthy,
        "proxies": list(diagnosis.proxies),
        "findings": [_entry(finding, diagnosis) for finding in diagnosis.findings],
        "examined": list(diagnosis.examined),
        "notExamined": [{"id": name, "why": why} for name, why in diagnosis.blind],
        "left": diagnosis.left,
        "seconds": round(diagnosis.seconds, 3),
    }
    return json.dumps(document, indent=2) + "\n"


def _entry(finding: Finding, diagnosis: Diagnosis) -> dict[str, object]:
    advice = all_advice()[finding.id]
    return {
        "id": finding.id,
        "level": finding.level,
        "seen": finding.seen,
        "who": advice.who,
        "why": advice.why,
        "change": advice.changes(diagnosis.proxies),
        "exchange": None if finding.answer is None else finding.answer.shown(),
    }


def _lines(diagnosis: Diagnosis, *, colors: bool) -> Iterator[str]:
    behind = " and ".join(NAMES[proxy] for proxy in diagnosis.proxies)
    yield f"{diagnosis.url}{f' behind {behind}' if behind else ', and no proxy that is recognised'}"
    for finding in diagnosis.findings:
        yield ""
        yield from _finding(finding, diagnosis, colors=colors)
    if diagnosis.blind:
        yield ""
        yield "Not examined:"
        for why in dict.fromkeys(why for _, why in diagnosis.blind):
            names = [name for name, reason in diagnosis.blind if reason == why]
            yield from _paragraph("  ", f"{', '.join(names) if len(names) < _MANY else 'all else'}: {why}")
    if diagnosis.left:
        yield ""
        yield f"What was pushed is still there: {diagnosis.left}"
    counts = {level: sum(one.level is level for one in diagnosis.findings) for level in Level}
    told = ", ".join(f"{count} {level}{'s' if count > 1 else ''}" for level, count in counts.items() if count)
    yield ""
    examined = len(diagnosis.examined)
    total = examined + len(diagnosis.blind)
    yield f"{told or 'nothing wrong'} ({examined} of {total} examinations, {diagnosis.seconds:.1f} s)"


def _finding(finding: Finding, diagnosis: Diagnosis, *, colors: bool) -> Iterator[str]:
    advice, word = all_advice()[finding.id], finding.level.upper()
    if colors:
        word = f"\x1b[{_COLORS[finding.level]}m{word}\x1b[0m"
    yield f"{word}  {finding.id}"
    for line in finding.seen.splitlines():
        yield from _paragraph("  seen    ", line)
    if finding.answer is not None:
        yield from _exchange(finding.answer)
    yield from _paragraph("  who     ", advice.who)
    yield from _paragraph("  why     ", advice.why)
    head = "  change  "
    for line in advice.changes(diagnosis.proxies):
        yield from _paragraph(head, line)
        head = " " * len(head)


def _exchange(answer: Answer) -> Iterator[str]:
    """The request and what was telling of its answer."""
    yield f"          → {answer.method} {redacted(answer.url)}"[: _WIDTH * 2]
    if answer.status:
        telling = [f"{name}: {value}" for name, value in redacted_headers(answer.headers) if name.lower() in _TELLING]
        yield from _paragraph("          ← ", f"{answer.status} {'; '.join(telling)}")


def _paragraph(head: str, text: str) -> Iterator[str]:
    yield from textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _printable(line: str) -> str:
    return "".join(one if one.isprintable() or one == "\x1b" else "?" for one in line)
