"""Who asks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody known by `name`, or nobody in particular."""

    name: str


ANONYMOUS = Principal("anonymous")
