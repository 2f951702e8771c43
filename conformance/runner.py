"""Running checks, some at the same time, and what came of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from enum import StrEnum

from conformance.cleaning import clean_up
from conformance.login import Login
from conformance.requirement import Failed, Level, NotApplicable, Requirement, Unsupported
from conformance.session import Litter, Scope, Session
from conformance.shown import redacted
from conformance.wire import Answer, Target, Wire


class Outcome(StrEnum):
    """What came of a check. Only `FAILED` breaks the specification; `WARNED` is a SHOULD that does not hold."""

    PASSED = "passed"
    FAILED = "failed"
    WARNED = "warned"
    UNSUPPORTED = "unsupported"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one check: in words, with everything that was sent and received, and how long it took."""

    requirement: Requirement
    outcome: Outcome
    message: str
    exchanges: Sequence[Answer]
    seconds: float


@dataclass(frozen=True, slots=True)
class Selection:
    """Which checks are run: of these groups and categories (all, if there are none), with this text in their id."""

    groups: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    text: str = ""

    @property
    def is_limited(self) -> bool:
        """Whether some checks are left out because nobody wants them."""
        return bool(self.groups or self.categories or self.text)

    def takes(self, requirement: Requirement, scope: Scope) -> bool:
        """Whether the check is wanted, and makes sense in this scope."""
        versions = list(type(scope.version))
        return (
            (not self.groups or requirement.group in self.groups)
            and (not self.categories or requirement.category in self.categories)
            and self.text in requirement.id
            and versions.index(requirement.since) <= versions.index(scope.version)
            and (requirement.until is None or versions.index(scope.version) < versions.index(requirement.until))
            and not (scope.read_only and requirement.writes)
        )


class Watcher:
    """Hears how a run goes, and does nothing about it."""

    def done(self, result: Result) -> None:
        """A check has ended."""

    def interrupted(self) -> None:
        """No more checks begin."""

    def cleaning(self) -> None:
        """What was pushed is being removed."""

    def cleaned(self, left: str) -> None:
        """All is removed but `left`, which is a part of a sentence, or nothing."""


def run(
    requirements: Sequence[Requirement], target: Target, scope: Scope, jobs: int, watcher: Watcher | None = None
) -> list[Result]:
    """Run the checks, at most `jobs` at a time, and clean up, also when this is interrupted.

    The results are in the order of the requirements.
    """
    wire, litter, watcher = Wire(target), Litter(), watcher or Watcher()
    login = Login(wire, scope.credentials)

    def new_session() -> Session:
        return Session(wire, scope, login, litter)

    try:
        return _run_all(requirements, new_session, jobs, watcher)
    finally:
        try:
            watcher.cleaning()
            watcher.cleaned(clean_up(new_session, litter, jobs))
        finally:
            wire.close()


def _run_all(
    requirements: Sequence[Requirement], new_session: Callable[[], Session], jobs: int, watcher: Watcher
) -> list[Result]:
    found: dict[int, Result] = {}
    threads = ThreadPoolExecutor(jobs)
    try:
        running = {
            threads.submit(run_one, requirement, new_session()): number
            for number, requirement in enumerate(requirements)
        }
        for future in as_completed(running):
            found[running[future]] = future.result()
            watcher.done(found[running[future]])
    except KeyboardInterrupt:
        watcher.interrupted()
        raise
    finally:
        # Checks that have begun go on to their end: only they know what has to be removed.
        threads.shutdown(cancel_futures=True)
    return [found[number] for number in range(len(requirements))]


def run_one(requirement: Requirement, session: Session) -> Result:
    """Run one check."""
    begun = time.monotonic()
    outcome, message = _judged(requirement, session)
    return Result(requirement, outcome, redacted(message), tuple(session.exchanges), time.monotonic() - begun)


def _judged(requirement: Requirement, session: Session) -> tuple[Outcome, str]:
    try:
        requirement.run(session)
    except Unsupported as error:
        return Outcome.UNSUPPORTED, str(error)
    except NotApplicable as error:
        return Outcome.SKIPPED, str(error)
    except Failed as error:
        return _OUTCOMES[requirement.level], str(error)
    except Exception as error:  # noqa: BLE001 - answers that nobody has thought of end one check, and not the run
        return _OUTCOMES[requirement.level], f"an answer could not be understood: {type(error).__name__}: {error}"
    return Outcome.PASSED, ""


# What a registry need not do is unsupported where it does not do it.
_OUTCOMES = {Level.MUST: Outcome.FAILED, Level.SHOULD: Outcome.WARNED, Level.MAY: Outcome.UNSUPPORTED}
