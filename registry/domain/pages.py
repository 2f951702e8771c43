"""Pages of lists. What a page begins after is the name, or the id, of the last item of the page before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items of a list, in its order; `more` says that others follow."""

    items: list[T]
    more: bool


def page_of(found: list[T], size: int) -> Page[T]:
    """The page, if one item more was asked for than it takes."""
    return Page(found[:size], more=len(found) > size)
