"""The three ways in which lists of licensed distribution are paged: a limit, page numbers, and a cursor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from registry.api.jsonapi.problems import parameter_invalid
from registry.domain.licensing.ids import is_id

SIZE_DEFAULT = 10
SIZE_MAX = NUMBER_MAX = 100

_LIMIT, _NUMBER, _SIZE, _CURSOR = "limit", "page[number]", "page[size]", "page[cursor]"
# Credentials do not belong into links that are kept and passed on.
_LEFT_OUT = {_LIMIT, _NUMBER, _SIZE, _CURSOR, "token", "auth"}

Links = dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Limited:
    """The first `size` of a list, and nothing about the others."""

    size: int


@dataclass(frozen=True, slots=True)
class Numbered:
    """The page of that number, the first is 1, if each has `size` items."""

    number: int
    size: int

    @property
    def offset(self) -> int:
        """How many items come before it."""
        return (self.number - 1) * self.size

    def pages(self, count: int) -> int:
        """How many pages that many items make."""
        return -(-count // self.size)


@dataclass(frozen=True, slots=True)
class Continued:
    """`size` items after the one with the id `cursor`, from the beginning for ""."""

    cursor: str
    size: int


Paging = Limited | Numbered | Continued


def parse_paging(query: Mapping[str, str]) -> Paging:
    """Which part of a list the parameters ask for. Raises `MalformedRequest`, which names the parameter."""
    if "page" in query or (_NUMBER in query and _CURSOR in query):
        raise parameter_invalid("page", f"has to be {_NUMBER} or {_CURSOR}, with or without {_SIZE}")
    if _NUMBER in query:
        return Numbered(_whole(query, _NUMBER, NUMBER_MAX), _whole(query, _SIZE, SIZE_MAX))
    if _CURSOR in query:
        cursor = query[_CURSOR].lower()
        if cursor and not is_id(cursor):
            raise parameter_invalid(_CURSOR, "has to be empty, or the id of the last item before the page")
        return Continued(cursor, _whole(query, _SIZE, SIZE_MAX))
    if _SIZE in query:
        raise parameter_invalid("page", f"needs {_NUMBER} or {_CURSOR} beside {_SIZE}")
    return Limited(_whole(query, _LIMIT, SIZE_MAX))


def numbered_links(path: str, query: Iterable[tuple[str, str]], asked: Numbered, count: int) -> Links:
    """The links of a page of a list that has `count` items in all; null where there is no such page, or it is this."""
    kept, last = _kept(query), asked.pages(count)

    def link(number: int, *, given: bool = True) -> str | None:
        # What lies beyond the largest number could not be asked for.
        if not given or not 1 <= number <= NUMBER_MAX:
            return None
        return _link(path, kept, (_NUMBER, str(number)), asked.size)

    return {
        "self": link(asked.number),
        "prev": link(min(asked.number - 1, last)),
        "next": link(asked.number + 1, given=asked.number < last),
        "first": link(1, given=asked.number > 1),
        "last": link(last, given=asked.number < last),
    }


def numbered_meta(asked: Numbered, count: int) -> dict[str, int]:
    """What is said about the whole of a list with page numbers."""
    return {"pages": asked.pages(count), "count": count}


def continued_links(path: str, query: Iterable[tuple[str, str]], asked: Continued, following: str | None) -> Links:
    """The links of a page; `following` is the id of its last item if others come after it."""
    kept = _kept(query)
    return {
        "self": _link(path, kept, (_CURSOR, asked.cursor), asked.size),
        "next": None if following is None else _link(path, kept, (_CURSOR, following), asked.size),
    }


def _whole(query: Mapping[str, str], name: str, maximum: int) -> int:
    text = query.get(name, str(SIZE_DEFAULT))
    # Compared by length first: a number of a million digits is never computed.
    if not text.isascii() or not text.isdigit() or len(text) > 3 or not 1 <= int(text) <= maximum:
        raise parameter_invalid(name, f"has to be a whole number from 1 to {maximum}")
    return int(text)


def _kept(query: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in query if name not in _LEFT_OUT]


def _link(path: str, kept: list[tuple[str, str]], position: tuple[str, str], size: int) -> str:
    return f"{path}?{urlencode([*kept, position, (_SIZE, str(size))])}"
