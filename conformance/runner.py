"""Running checks, some at the same time, and what came of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from enum import StrEnum

from conformance.login import Login
from conformance.requirement import Failed, Level, NotApplicable, Requirement, Unsupported
from conformance.session import Litter, Scope, Session, blob_path, manifest_path
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


def run(
    requirements: Sequence[Requirement],
    target: Target,
    scope: Scope,
    jobs: int,
    done: Callable[[Result], None] | None = None,
) -> list[Result]:
    """Run the checks, at most `jobs` at a time, and clean up; `done` is called with each result as it comes.

    The results are in the order of the requirements.
    """
    wire, litter = Wire(target), Litter()
    login = Login(wire, scope.credentials)
    try:
        with ThreadPoolExecutor(jobs) as threads:
            running = {
                threads.submit(run_one, requirement, Session(wire, scope, login, litter)): number
                for number, requirement in enumerate(requirements)
            }
            found: dict[int, Result] = {}
            for future in as_completed(running):
                found[running[future]] = future.result()
                if done is not None:
                    done(found[running[future]])
        clean_up(Session(wire, scope, login, litter), litter)
    finally:
        wire.close()
    return [found[number] for number in range(len(requirements))]


def run_one(requirement: Requirement, session: Session) -> Result:
    """Run one check."""
    begun = time.monotonic()
    outcome, message = _judged(requirement, session)
    return Result(requirement, outcome, message, tuple(session.exchanges), time.monotonic() - begun)


def _judged(requirement: Requirement, session: Session) -> tuple[Outcome, str]:
    try:
        requirement.run(session)
    except Unsupported as error:
        return Outcome.UNSUPPORTED, str(error)
    except NotApplicable as error:
        return Outcome.SKIPPED, str(error)
    except Failed as error:
        return _OUTCOMES[requirement.level], str(error)
    return Outcome.PASSED, ""


# What a registry need not do is unsupported where it does not do it.
_OUTCOMES = {Level.MUST: Outcome.FAILED, Level.SHOULD: Outcome.WARNED, Level.MAY: Outcome.UNSUPPORTED}


def clean_up(session: Session, litter: Litter) -> None:
    """Remove what was pushed, as far as the registry lets one; whoever cannot delete keeps it."""
    for path in _litter(litter):
        try:
            session.send("DELETE", path)
        except Failed:
            continue
    session.exchanges.clear()


def _litter(litter: Litter) -> Iterator[str]:
    yield from dict.fromkeys(litter.uploads)
    # What came last may need what came before it.
    for name, reference in dict.fromkeys(reversed(litter.manifests)):
        yield manifest_path(name, reference)
    for name, digest in dict.fromkeys(reversed(litter.blobs)):
        yield blob_path(name, digest)
