"""The report on a terminal: a line of progress while it runs, then what is wrong, then the counts."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from collections import Counter
from collections.abc import Sequence
from itertools import zip_longest
from typing import TextIO

from conformance.reports.summary import Run
from conformance.runner import Outcome, Result, Watcher
from conformance.wire import Answer

_RED, _GREEN, _BOLD, _DIM = "31;1", "32;1", "1", "2"
_COLORS = {Outcome.PASSED: "32", Outcome.FAILED: _RED, Outcome.WARNED: "33", Outcome.UNSUPPORTED: "36"}
_ERASE = "\r\x1b[K"
_SHOWN_EXCHANGES = 3
_WIDTH = 110
_LINE_MAX = 250
_MESSAGE_MAX = 600
_INDENT = " " * 8
_PATH = re.compile(r"/v2/\S*")
# Of a parameter of a URL.
_LONG_VALUE = re.compile(r"([?&][\w-]+=[^&\s]{16})[^&\s]{16,}")
# These are neither right nor wrong, so it is enough to say why.
_OPEN = (Outcome.UNSUPPORTED, Outcome.SKIPPED)


class Terminal(Watcher):
    """Writes to `out`, with colors where that is a terminal, and progress to standard error where that is one."""

    def __init__(self, out: TextIO, total: int, *, verbose: bool = False) -> None:
        self._out, self._total, self._verbose = out, total, verbose
        self._progress = sys.stderr.isatty()
        self._colors = out.isatty()
        self._done = self._failed = 0
        self.left = ""

    def done(self, result: Result) -> None:
        """Show that one more check has ended."""
        self._done += 1
        self._failed += result.outcome is Outcome.FAILED
        self._show(f"{self._done}/{self._total} checks, {self._failed} failed: {result.requirement.id}")

    def interrupted(self) -> None:
        """Tell what is done yet."""
        self._tell("interrupted: removing what was pushed, unless you interrupt once more")

    def cleaning(self) -> None:
        """Show that what was pushed is being removed."""
        self._show("removing what was pushed")

    def cleaned(self, left: str) -> None:
        """Erase the progress, and tell what is left."""
        self.left = left
        self._show("")
        if left:
            self._tell(left)

    def finish(self, run: Run) -> None:
        """Show everything that is not as it should be, and the counts."""
        for result in run.results:
            if self._verbose or result.outcome in {Outcome.FAILED, Outcome.WARNED}:
                self._result(result)
        for outcome in _OPEN:
            self._reasons(outcome, run.with_outcome(outcome))
        self._counts(run)
        self._print(f"{run.url}, {run.about}")
        verdict = f"{run.verdict[0].upper()}{run.verdict[1:]}."
        self._print(self._colored(verdict, _GREEN if run.conforms else _RED))

    def _show(self, line: str) -> None:
        """Show how far it is, in place of what was shown before."""
        if self._progress:
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write(f"{_ERASE}{line[:width]}")
            sys.stderr.flush()

    def _tell(self, line: str) -> None:
        begin = _ERASE if self._progress else ""
        print(f"{begin}{_printable(line)}", file=sys.stderr, flush=True)

    def _result(self, result: Result) -> None:
        requirement = result.requirement
        word = self._colored(f"{result.outcome.upper():<11}", _COLORS.get(result.outcome, _DIM))
        self._print(f"{word} {requirement.level:<6} {self._colored(requirement.id, _BOLD)}")
        if result.outcome is Outcome.PASSED:
            return
        for line in textwrap.wrap(f"{requirement.text} ({requirement.section})", _WIDTH - len(_INDENT)):
            self._print(f"{_INDENT}{line}")
        if result.message:
            self._print(f"{_INDENT}→ {self._colored(_cut(result.message, _MESSAGE_MAX), _BOLD)}")
        if result.outcome is Outcome.FAILED:
            for answer in _telling(result.exchanges)[-_SHOWN_EXCHANGES:]:
                self._exchange(answer)
        self._print("")

    def _exchange(self, answer: Answer) -> None:
        shown = answer.shown()
        headers = "; ".join(f"{name}: {value}" for name, value in answer.headers if name.lower() in _TELLING)
        for line in (str(shown["request"]), f"← {answer.status or 'no answer'} {headers}"):
            self._print(self._colored(f"{_INDENT}  {_cut(line, _LINE_MAX)}", _DIM))

    def _reasons(self, outcome: Outcome, results: Sequence[Result]) -> None:
        """Why, and how often: which checks these are is printed when all is."""
        if not results or self._verbose:
            return
        self._print(f"{self._colored(outcome.upper(), _COLORS.get(outcome, _DIM))} (which: --verbose)")
        reasons = Counter(_PATH.sub("…", result.message) for result in results)
        for reason, count in reasons.most_common():
            first, *rest = textwrap.wrap(_printable(reason), _WIDTH - len(_INDENT)) or [""]
            self._print(f"{count:>6}  {first}")
            for line in rest:
                self._print(f"{_INDENT}{line}")
        self._print("")

    def _counts(self, run: Run) -> None:
        shown = [outcome for outcome in Outcome if run.count(outcome)]
        self._print(" " * 12 + "".join(f"{outcome:>13}" for outcome in shown))
        for group, counts in run.by_group().items():
            cells = "".join(
                self._colored(f"{counts[outcome] or '-':>13}", _COLORS.get(outcome, _DIM) if counts[outcome] else _DIM)
                for outcome in shown
            )
            self._print(f"{group:<12}{cells}")
        self._print("")

    def _colored(self, text: str, color: str) -> str:
        return f"\x1b[{color}m{text}\x1b[0m" if self._colors else text

    def _print(self, line: str) -> None:
        print(line, file=self._out)


def _telling(exchanges: Sequence[Answer]) -> list[Answer]:
    """The exchanges without the challenges that were answered at once."""
    return [
        one
        for one, after in zip_longest(exchanges, exchanges[1:])
        if one.status != 401 or after is None or (one.method, one.url) != (after.method, after.url)
    ]


def _cut(text: str, length: int) -> str:
    shown = _LONG_VALUE.sub(r"\1…", _printable(text))
    return shown if len(shown) <= length else f"{shown[:length]}…"


def _printable(text: str) -> str:
    """A text of the registry, which cannot do anything to a terminal."""
    return "".join(one if one.isprintable() else "?" for one in text)


_TELLING = {
    *("content-type", "content-length", "content-range", "docker-content-digest", "location", "range", "link"),
    *("www-authenticate", "oci-subject", "oci-filters-applied", "oci-tag", "warning", "retry-after", "etag"),
}
