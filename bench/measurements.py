"""What a measurement is, and how it is taken: registries in turn, several rounds, problems kept."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from bench.servers import Registry

Result = TypeVar("Result")


class Invalid(Exception):
    """The registry answered wrongly under load, so the figure would mean nothing."""


class NotMeasured(Exception):
    """There is no figure for this registry, for the reason given."""


@dataclass(frozen=True)
class Settings:
    """How long and how big: durations in seconds, sizes in bytes, `folder` for what is made on the way."""

    folder: Path
    rounds: int = 3
    seconds: int = 4
    big: int = 512 << 20
    tags: int = 100_000
    fill_seconds: int = 300

    def quoted(self) -> dict[str, int]:
        """What a reader of the results needs to know; not the folder."""
        return {name: value for name, value in vars(self).items() if isinstance(value, int)}


@dataclass(frozen=True)
class Sample:
    """One figure; `details` holds others that belong to it by name, `note` what a reader must know."""

    value: float
    details: dict[str, float] = field(default_factory=dict)
    note: str = ""


class Measurement:
    """One row of the table. `once`: it is measured in one round only."""

    name: str
    title: str
    unit: str
    more_is_better: bool = True
    once: bool = False

    def prepare(self, registry: Registry) -> None:
        """Pushes what is needed; called once for every registry, before the first round."""

    def measure(self, registry: Registry) -> Sample:
        """One figure. Raises Invalid or NotMeasured when there is none, Unexpected when a push failed."""
        raise NotImplementedError


@dataclass
class Outcome:
    """The figures of one registry for one measurement; with a `problem` there are none."""

    samples: list[Sample] = field(default_factory=list)
    problem: str = ""
    failed: bool = False

    @property
    def median(self) -> float:
        """The median of the rounds; StatisticsError without samples."""
        return statistics.median(sample.value for sample in self.samples)

    @property
    def values(self) -> list[float]:
        """The figures of all rounds in their order."""
        return [sample.value for sample in self.samples]

    @property
    def notes(self) -> list[str]:
        """The different notes of the rounds."""
        return list(dict.fromkeys(sample.note for sample in self.samples if sample.note))

    def detail(self, name: str) -> float | None:
        """The median of a detail over the rounds, or None where it was not measured."""
        values = [sample.details[name] for sample in self.samples if name in sample.details]
        return statistics.median(values) if values else None

    def give_up(self, problem: str, *, failed: bool = False) -> None:
        """Keeps the reason instead of figures."""
        self.samples.clear()
        self.problem, self.failed = problem, failed


@dataclass
class Row:
    """A measurement and what came out, by registry name."""

    measurement: Measurement
    outcomes: dict[str, Outcome]

    def ratio(self, ours: str, peer: str) -> float | None:
        """How many times better `ours` is than `peer` (over 1: better); None when either has no figure."""
        mine, other = self.outcomes[ours], self.outcomes[peer]
        if not mine.samples or not other.samples or 0 in (mine.median, other.median):
            return None
        return mine.median / other.median if self.measurement.more_is_better else other.median / mine.median


def run(measurement: Measurement, registries: Sequence[Registry], rounds: int) -> Row:
    """Measures the registries in turn, round after round, and keeps going when one of them has a problem."""
    row = Row(measurement, {registry.name: Outcome() for registry in registries})
    for registry in registries:
        _attempt(row, registry, measurement.prepare)
    for number in range(1 if measurement.once else rounds):
        # Each registry is the first in its turn, in case one leaves the machine busy for the next.
        for registry in registries if number % 2 == 0 else reversed(registries):
            sample = _attempt(row, registry, measurement.measure)
            if sample is not None:
                row.outcomes[registry.name].samples.append(sample)
    return row


def _attempt(row: Row, registry: Registry, step: Callable[[Registry], Result]) -> Result | None:
    """Takes a step unless the registry had a problem before; an error becomes its problem."""
    outcome = row.outcomes[registry.name]
    if outcome.problem:
        return None
    try:
        return step(registry)
    except Invalid as error:
        outcome.give_up(f"invalid: {error}")
    except NotMeasured as error:
        outcome.give_up(f"not measured ({error})")
    except Exception as error:  # noqa: BLE001 - whatever went wrong here, the other figures are still wanted
        outcome.give_up(f"failed: {type(error).__name__}: {error}", failed=True)
    return None
