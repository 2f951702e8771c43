"""Runs the suite on a registry, and says what came of it."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from conformance.checks import requirements
from conformance.content import Manifest, new_image
from conformance.login import Credentials, Login
from conformance.requirement import Group, Requirement, Version
from conformance.runner import Outcome, Result, Selection, Watcher, run
from conformance.session import Litter, Scope, Session
from conformance.wire import Target, Wire
from tests.clients.accounts import Account

JOBS = 4


@dataclass
class Judged(Watcher):
    """What came of a run, and what it could not remove."""

    results: list[Result] = field(default_factory=list)
    left: str = ""

    def cleaned(self, left: str) -> None:
        self.left = left

    def said(self, *outcomes: Outcome) -> list[str]:
        """What is to be said of the checks with these outcomes."""
        return [
            f"{one.outcome} {one.requirement.level} {one.requirement.id}: {one.message}"
            for one in self.results
            if one.outcome in outcomes
        ]

    def ids(self, outcome: Outcome) -> set[str]:
        """The checks with this outcome."""
        return {one.requirement.id for one in self.results if one.outcome is outcome}


NOT_PASSED = tuple(outcome for outcome in Outcome if outcome is not Outcome.PASSED)


def scope(version: Version, *who: Account) -> Scope:
    """Where a run may work: two repositories that nobody has used before, as the first account, or as nobody.

    The second account is a stranger to them.
    """
    drawn = secrets.token_hex(4)
    mine, *others = [Credentials(account.name, account.secret) for account in who] or [Credentials()]
    return Scope(f"{drawn}/one", f"{drawn}/two", mine, others[0] if others else None, version)


def chosen(where: Scope, groups: Iterable[Group] = (), text: str = "") -> list[Requirement]:
    """The checks of these groups, or of all, that the scope's version has."""
    selection = Selection(groups=frozenset(groups), text=text)
    return [item for item in requirements() if selection.takes(item, where)]


def judge(url: str, where: Scope, checks: Sequence[Requirement], *, timeout: float = 30.0) -> Judged:
    """Run these checks."""
    judged = Judged()
    judged.results = run(checks, Target(url, timeout), where, JOBS, judged)
    return judged


def pushed(url: str, where: Scope) -> Manifest:
    """An image that is there with the tag 1, and stays."""
    wire, manifest = Wire(Target(url)), new_image()
    Session(wire, where, Login(wire, where.credentials), Litter()).manifest(manifest, "1")
    wire.close()
    return manifest
