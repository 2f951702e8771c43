"""What the doctor says: what was seen, how bad that is, and with which request."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from conformance.wire import Answer

if TYPE_CHECKING:
    from conformance.doctor.visit import Visit

Look = Callable[["Visit"], Iterator["Finding"]]


class Level(StrEnum):
    """A fault breaks clients, a warning breaks some of them or some day, a note is good to know."""

    FAULT = "fault"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be.

    `id` is a section of advice.toml, which says who suffers, why, and what to change; `seen` is what was seen, and
    `answer` the exchange in which it was.
    """

    id: str
    level: Level
    seen: str
    answer: Answer | None = None


class Order(StrEnum):
    """When an examination is made: before all others, at the same time as others, or when all others are over."""

    FIRST = "first"
    AMONG = "among"
    LAST = "last"


@dataclass(frozen=True, slots=True)
class Examination:
    """One look at the deployment, independent of all others."""

    id: str
    text: str
    look: Look
    order: Order


class Examinations:
    """Those of a module. `add` makes a function one of them."""

    def __init__(self) -> None:
        self.all: list[Examination] = []

    def add(self, identifier: str, text: str, order: Order = Order.AMONG) -> Callable[[Look], Look]:
        """Make a function an examination. It yields what it finds.

        It raises `NotApplicable` where it cannot see anything, and may raise `Failed` and `Broken`.
        """

        def added(look: Look) -> Look:
            self.all.append(Examination(identifier, text, look, order))
            return look

        return added


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All that came of a visit: `blind` are examinations that saw nothing, each with the reason."""

    url: str
    proxies: Sequence[str]
    findings: Sequence[Finding]
    examined: Sequence[str]
    blind: Sequence[tuple[str, str]]
    left: str
    seconds: float

    @property
    def is_healthy(self) -> bool:
        return not any(finding.level is Level.FAULT for finding in self.findings)
