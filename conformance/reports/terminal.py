"""The report on a terminal: a line of progress while it runs, then what is wrong, then the counts."""

from __future__ import annotations

import sys
import textwrap
from typing import TextIO

from conformance.reports.summary import Run
from conformance.runner import Outcome, Result
from conformance.wire import Answer

_COLORS = {Outcome.PASSED: "32", Outcome.FAILED: "31;1", Outcome.WARNED: "33", Outcome.UNSUPPORTED: "36"}
_ERASE = "\r\x1b[K"
_SHOWN_EXCHANGES = 3
_WIDTH = 100


class Terminal:
    """Writes to `out`, with colors and progress where that is a terminal."""

    def __init__(self, out: TextIO, total: int, *, verbose: bool = False) -> None:
        self._out, self._total, self._verbose = out, total, verbose
        self._progress = sys.stderr.isatty()
        self._colors = out.isatty()
        self._done = self._failed = 0

    def done(self, result: Result) -> None:
        """Show that one more check has ended."""
        self._done += 1
        self._failed += result.outcome is Outcome.FAILED
        if self._progress:
            sys.stderr.write(f"{_ERASE}{self._done}/{self._total}, {self._failed} failed · {result.requirement.id}")
            sys.stderr.flush()

    def finish(self, run: Run) -> None:
        """Show everything that is not as it should be, and the counts."""
        if self._progress:
            sys.stderr.write(_ERASE)
        for result in run.results:
            if self._verbose or result.outcome in {Outcome.FAILED, Outcome.WARNED}:
                self._result(result)
        self._counts(run)

    def _result(self, result: Result) -> None:
        requirement = result.requirement
        self._print(f"{self._word(result.outcome)}  {requirement.level} {requirement.id}")
        for line in textwrap.wrap(f"{requirement.text} ({requirement.section})", _WIDTH):
            self._print(f"    {line}")
        if result.message:
            self._print(f"    → {result.message}")
        if result.outcome is Outcome.FAILED:
            for answer in result.exchanges[-_SHOWN_EXCHANGES:]:
                self._exchange(answer)
        self._print("")

    def _exchange(self, answer: Answer) -> None:
        self._print(f"      {answer.method} {answer.path}")
        headers = "; ".join(f"{name}: {value}" for name, value in answer.headers if name.lower() in _TELLING)
        self._print(f"      ← {answer.status} {headers}")

    def _counts(self, run: Run) -> None:
        for group, counts in run.by_group().items():
            told = ", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome if counts[outcome])
            self._print(f"{group:<14}{told}")
        verdict = "conforms" if run.conforms else "does not conform"
        self._print(f"{run.url} {verdict} to {run.scope.version} ({len(run.results)} checks, {run.seconds:.1f} s)")

    def _word(self, outcome: Outcome) -> str:
        word = outcome.upper().ljust(11)
        return f"\x1b[{_COLORS.get(outcome, '0')}m{word}\x1b[0m" if self._colors else word

    def _print(self, line: str) -> None:
        print("".join(one if one.isprintable() or one == "\x1b" else "?" for one in line), file=self._out)


_TELLING = {
    *("content-type", "content-length", "content-range", "docker-content-digest", "location", "range", "link"),
    *("www-authenticate", "oci-subject", "oci-filters-applied", "oci-tag", "warning", "retry-after", "etag"),
}
