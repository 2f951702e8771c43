"""Pages by key: `page[size]` and `page[after]`, and the link to the next page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlencode

from registry.api.answer import Answer
from registry.api.call import Call
from registry.api.jsonapi.problems import parameter_invalid
from registry.api.jsonapi.resources import Resource, document_answer
from registry.domain.pages import Page

T = TypeVar("T")

SIZE_DEFAULT = 25
SIZE_MAX = 100
_SIZE, _AFTER = "page[size]", "page[after]"
_AFTER_MAX = 300


@dataclass(frozen=True, slots=True)
class Asked:
    """Which page a client wants: `size` items after the one with the key `after`, from the beginning for ""."""

    after: str
    size: int


def asked_page(call: Call) -> Asked:
    """The page that the request's query asks for. Raises `MalformedRequest`."""
    return parse_page(call.request.query)


def parse_page(query: Mapping[str, str]) -> Asked:
    """As `asked_page`, from the parameters of a query."""
    after, size = query.get(_AFTER, ""), query.get(_SIZE, str(SIZE_DEFAULT))
    if len(after) > _AFTER_MAX or not after.isprintable():
        raise parameter_invalid(_AFTER, "is not what a link to the next page gave")
    # Compared by length first: a number of a million digits is never computed.
    if not size.isascii() or not size.isdigit() or len(size) > 3 or not 1 <= int(size) <= SIZE_MAX:
        raise parameter_invalid(_SIZE, f"has to be a whole number from 1 to {SIZE_MAX}")
    return Asked(after, int(size))


def paged(
    call: Call, asked: Asked, page: Page[T], resource_of: Callable[[T], Resource], key_of: Callable[[T], str]
) -> Answer:
    """The page as a document. `key_of` gives what the next page comes after."""
    following = key_of(page.items[-1]) if page.more and page.items else None
    return document_answer(
        call,
        {
            "data": [resource_of(item).render() for item in page.items],
            "links": {
                "self": _link(call, asked.after, asked.size),
                "next": None if following is None else _link(call, following, asked.size),
            },
        },
    )


def _link(call: Call, after: str, size: int) -> str:
    request = call.request
    # Filters go from page to page.
    kept = [(name, value) for name, value in request.query.items() if name.startswith("filter[")]
    page = [(_AFTER, after)] if after else []
    return f"{request.rel_url.raw_path}?{urlencode([*kept, *page, (_SIZE, str(size))])}"
