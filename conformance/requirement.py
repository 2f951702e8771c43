"""Requirements: what a registry has to do, where that is written, and the check that asks for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conformance.session import Session

Run = Callable[["Session"], None]


class Level(StrEnum):
    """How binding a requirement is, in the words of RFC 2119."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    MAY = "MAY"


class Group(StrEnum):
    """What a requirement comes from: the specification, or what clients and people need beyond it."""

    SPEC = "spec"
    CLIENTS = "clients"
    SECURITY = "security"
    CONCURRENCY = "concurrency"
    AUTH = "auth"


class Category(StrEnum):
    """The parts of the specification that a registry can claim."""

    PULL = "pull"
    PUSH = "push"
    DISCOVERY = "discovery"
    MANAGEMENT = "management"


class Version(StrEnum):
    """Versions of the specification, in their order."""

    V1_0 = "1.0"
    V1_1 = "1.1"
    V1_2 = "1.2-dev"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing that is required.

    `id` is dotted words that never change, `section` the heading in the specification (or what else it comes from),
    `text` what is required, `since` the first version that has it, `until` the first that has it no more, or that makes
    more of it. `writes` says that its check pushes or deletes.
    """

    id: str
    level: Level
    group: Group
    category: Category
    section: str
    text: str
    since: Version
    writes: bool
    run: Run
    until: Version | None = None


class Failed(AssertionError):
    """The registry did something else than is required; the message says what was seen, and what was expected."""


class Unsupported(Exception):
    """The registry says, in a way that the specification allows, that it does not offer this."""


class NotApplicable(Exception):
    """The check makes no sense here, for instance because what it builds on has failed; the message says so."""


class Checklist:
    """The requirements of one group and category. `check` adds one; modules of checks make one of these each."""

    def __init__(self, group: Group, category: Category, section: str, since: Version = Version.V1_0) -> None:
        self._group, self._category, self._section, self._since = group, category, section, since
        self.requirements: list[Requirement] = []

    def check(
        self,
        identifier: str,
        level: Level,
        text: str,
        *,
        section: str | None = None,
        since: Version | None = None,
        until: Version | None = None,
        writes: bool = True,
    ) -> Callable[[Run], Run]:
        """Make a function the check of a requirement. It returns if the registry does what is required.

        It raises `Failed`, `Unsupported` or `NotApplicable`.
        """

        def add(run: Run) -> Run:
            self.requirements.append(
                Requirement(
                    id=identifier,
                    level=level,
                    group=self._group,
                    category=self._category,
                    section=section or self._section,
                    text=text,
                    since=since or self._since,
                    writes=writes,
                    run=run,
                    until=until,
                )
            )
            return run

        return add
