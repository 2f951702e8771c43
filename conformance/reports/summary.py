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
    """A whole run: against which URL, when (ISO 8601), how long it took, and with which results."""

    url: str
    scope: Scope
    started: str
    seconds: float
    results: Sequence[Result]

    @property
    def conforms(self) -> bool:
        """Whether no MUST failed."""
        return not any(result.outcome is Outcome.FAILED for result in self.results)

    def count(self, outcome: Outcome, level: Level | None = None) -> int:
        """How many checks had this outcome, of this level or of all."""
        return sum(
            result.outcome is outcome and (level is None or result.requirement.level is level)
            for result in self.results
        )

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
