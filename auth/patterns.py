"""Patterns for repository names and tags: `*` stands for a part of one component, `**` for anything."""

from __future__ import annotations

import re
from functools import lru_cache

PATTERN_LENGTH_MAX = 255
_ALLOWED = re.compile(r"[A-Za-z0-9._/*-]+")
_PART = re.compile(r"(\*{0,2})([^*]*)")


class Pattern:
    """Matches whole names. `weight`, the number of characters that are not wildcards, says how specific it is."""

    __slots__ = ("_head", "_steps", "text", "weight")

    def __init__(self, text: str) -> None:
        """Raises `ValueError`, with a message for whoever wrote the text."""
        if not 1 <= len(text) <= PATTERN_LENGTH_MAX or not _ALLOWED.fullmatch(text):
            raise ValueError(
                f"has to be 1 to {PATTERN_LENGTH_MAX} characters of a name, '*' for a part without '/', '**' for any"
            )
        if "***" in text:
            raise ValueError("'***' means nothing: '*' stands for a part without '/', '**' for any")
        self.text = text
        self.weight = len(text) - text.count("*")
        steps: list[tuple[str, str]] = _PART.findall(text)
        # What stands before the first wildcard, and then each wildcard with what follows it.
        self._head = "" if steps[0][0] else steps[0][1]
        self._steps = [(wildcard, literal) for wildcard, literal in steps if wildcard]

    def matches(self, name: str) -> bool:
        # Not a regular expression: whoever may write a pattern could make one that takes forever. The bits of `reached`
        # are all positions in the name up to which the pattern has matched, so no pattern takes longer than it is long.
        if not name.startswith(self._head):
            return False
        occurrences = _occurrences(name)
        reached = 1 << len(self._head)
        for wildcard, literal in self._steps:
            reached = _reach_anything(reached, len(name)) if wildcard == "**" else _reach_part(reached, occurrences)
            for character in literal:
                reached = (reached & occurrences.get(character, 0)) << 1
            if not reached:
                return False
        return bool(reached >> len(name) & 1)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Pattern({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pattern) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)


@lru_cache(maxsize=4096)
def pattern(text: str) -> Pattern:
    """The compiled pattern. Raises `ValueError`."""
    return Pattern(text)


@lru_cache(maxsize=256)
def _occurrences(name: str) -> dict[str, int]:
    """Where each character is in the name, as bits; under the empty text where a character is that is no '/'."""
    found = {"": 0}
    for position, character in enumerate(name):
        found[character] = found.get(character, 0) | 1 << position
        if character != "/":
            found[""] |= 1 << position
    return found


def _reach_anything(reached: int, length: int) -> int:
    """All positions from the first one that is reached to the end."""
    first = reached & -reached
    return (2 << length) - first if first else 0


def _reach_part(reached: int, occurrences: dict[str, int]) -> int:
    """All positions from those that are reached up to the next '/' or the end."""
    inside = occurrences[""]
    # The sum carries from each position to the end of its part: what changes is what lies between.
    return reached | (((reached & inside) + inside) ^ inside)
