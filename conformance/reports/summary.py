"""What came of a run, counted: the base of every report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from conformance.requirement import Level
from conformance.runner import Outcome, Result
from conformance.session import Scope


@dataclass(frozen=True, slots=True)
class Run:
    """A whole run: against which URL, when (ISO 8601), how long it took, and with which results.

    `left` says what could not be removed afterwards, or nothing. Without `complete`, only some checks were wanted.
    """

    url: str
    scope: Scope
    started: str
    seconds: float
    results: Sequence[Result]
    left: str = ""
    complete: bool = True

    @property
    def conforms(self) -> bool:
        """Whether something could be judged, and no MUST failed."""
        outcomes = {result.outcome for result in self.results}
        return Outcome.FAILED not in outcomes and bool(outcomes - {Outcome.SKIPPED})

    @property
    def verdict(self) -> str:
        """What came of it, as a sentence without its end."""
        failed = Counter(str(one.requirement.group) for one in self.results if one.outcome is Outcome.FAILED)
        judged = failed.total() + self.count(Outcome.PASSED, Level.MUST)
        if failed:
            where = ", ".join(f"{count} of {group}" for group, count in failed.items())
            return f"{failed.total()} of {judged} MUSTs do not hold: {where}"
        return f"all {judged} MUSTs that could be judged hold" if self.conforms else "nothing could be judged"

    @property
    def about(self) -> str:
        """Of what the verdict is, and how long it took."""
        return f"OCI distribution {self.scope.version}, {len(self.results)} checks in {self.seconds:.1f} s"

    def count(self, outcome: Outcome, level: Level | None = None) -> int:
        """How many checks had this outcome, of this level or of all."""
        return len(self.with_outcome(outcome, level))

    def with_outcome(self, outcome: Outcome, level: Level | None = None) -> list[Result]:
        """The results with this outcome, of this level or of all."""
        return [
            result
            for result in self.results
            if result.outcome is outcome and (level is None or result.requirement.level is level)
        ]

    def by_group(self) -> dict[str, Counter[Outcome]]:
        """The outcomes of each group, in the order in which the groups come."""
        found: dict[str, Counter[Outcome]] = {}
        for result in self.results:
            found.setdefault(result.requirement.group, Counter())[result.outcome] += 1
        return found


def as_dict(run: Run, *, exchanges: bool = True) -> dict[str, object]:
    """The run, as a JSON object."""
    return {
        "url": run.url,
        "version": run.scope.version,
        "started": run.started,
        "seconds": round(run.seconds, 3),
        "conforms": run.conforms,
        "complete": run.complete,
        "verdict": run.verdict,
        "left": run.left,
        "counts": {outcome: run.count(outcome) for outcome in Outcome},
        "results": [_result(result, exchanges=exchanges) for result in run.results],
    }


def _result(result: Result, *, exchanges: bool) -> dict[str, object]:
    requirement = result.requirement
    found: dict[str, object] = {
        "id": requirement.id,
        "level": requirement.level,
        "group": requirement.group,
        "category": requirement.category,
        "section": requirement.section,
        "text": requirement.text,
        "outcome": result.outcome,
        "message": result.message,
        "seconds": round(result.seconds, 4),
    }
    if exchanges:
        found["exchanges"] = [answer.shown() for answer in result.exchanges]
    return found
