"""The three ways in which lists of licensed distribution are paged."""

import pytest
from multidict import MultiDict

from registry.api.jsonapi.pagination import (
    Continued,
    Limited,
    Numbered,
    continued_links,
    numbered_links,
    numbered_meta,
    parse_paging,
)
from registry.api.jsonapi.problems import MalformedRequest

ID = "0dad8516-f071-4573-bcea-d774e81c4a37"


@pytest.mark.parametrize(
    ("query", "paging"),
    [
        ({}, Limited(10)),
        ({"limit": "1"}, Limited(1)),
        ({"limit": "100", "channel": "beta"}, Limited(100)),
        ({"page[number]": "1"}, Numbered(1, 10)),
        ({"page[number]": "100", "page[size]": "100"}, Numbered(100, 100)),
        ({"page[number]": "4", "page[size]": "5", "limit": "x"}, Numbered(4, 5)),
        ({"page[cursor]": ""}, Continued("", 10)),
        ({"page[cursor]": ID, "page[size]": "5"}, Continued(ID, 5)),
        ({"page[cursor]": ID.upper()}, Continued(ID, 10)),
    ],
)
def test_parse(query: dict[str, str], paging: object) -> None:
    """A list is cut to a limit, unless a page is asked for by its number or by what comes before it."""
    assert parse_paging(query) == paging


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": ""}, "limit"),
        ({"page[number]": "0"}, "page[number]"),
        ({"page[number]": "101"}, "page[number]"),
        ({"page[number]": "-1"}, "page[number]"),
        ({"page[number]": "\u0663"}, "page[number]"),
        ({"page[number]": "9" * 1_000_000}, "page[number]"),
        ({"page[number]": "1", "page[size]": "250"}, "page[size]"),
        ({"page[cursor]": "", "page[size]": "0"}, "page[size]"),
        ({"page[cursor]": "foo"}, "page[cursor]"),
        ({"page[cursor]": f"{ID}\n"}, "page[cursor]"),
        ({"page[size]": "5"}, "page"),
        ({"page": "2"}, "page"),
        ({"page[number]": "1", "page[cursor]": ""}, "page"),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_refused(query: dict[str, str], parameter: str) -> None:
    """What is no part of a list is refused, and the parameter is named."""
    with pytest.raises(MalformedRequest) as raised:
        parse_paging(query)
    assert [problem.parameter for problem in raised.value.problems] == [parameter]
    assert len(str(raised.value)) < 200


def page(number: int) -> str:
    """A link to a page of five."""
    return f"/v1/artifacts?channel=beta&page%5Bnumber%5D={number}&page%5Bsize%5D=5"


@pytest.mark.parametrize(
    ("number", "count", "others"),
    [
        (1, 19, {"next": page(2), "last": page(4)}),
        (2, 19, {"prev": page(1), "next": page(3), "first": page(1), "last": page(4)}),
        (4, 19, {"prev": page(3), "first": page(1)}),
        (4, 20, {"prev": page(3), "first": page(1)}),
        (7, 19, {"prev": page(4), "first": page(1)}),
        (1, 5, {}),
        (1, 0, {}),
        (100, 1000, {"prev": page(99), "first": page(1)}),
    ],
)
def test_links_of_numbers(number: int, count: int, others: dict[str, str]) -> None:
    """A page leads to those beside it and to both ends, with its filters, where there is another page."""
    query = MultiDict([("channel", "beta"), ("page[number]", "x"), ("token", "secret"), ("auth", "license:K")])
    links = numbered_links("/v1/artifacts", query.items(), Numbered(number, 5), count)
    nowhere = dict.fromkeys(["prev", "next", "first", "last"])
    assert links == {**nowhere, "self": page(number), **others}


def test_numbers() -> None:
    """A page begins where those before it end, and the whole is counted."""
    assert (Numbered(1, 5).offset, Numbered(4, 5).offset) == (0, 15)
    assert numbered_meta(Numbered(4, 5), 19) == {"pages": 4, "count": 19}
    assert numbered_meta(Numbered(1, 5), 0) == {"pages": 0, "count": 0}


def test_links_beyond_the_largest_number() -> None:
    """No link leads to a page that could not be asked for."""
    links = numbered_links("/v1/x", [], Numbered(100, 1), 500)
    assert (links["next"], links["last"]) == (None, None)


def test_links_of_cursors() -> None:
    """A page leads to the next one, until there is none."""
    query = [("token", "secret"), ("product", "a b"), ("page[cursor]", "")]
    asked = Continued("", 5)
    own = "/v1/x?product=a+b&page%5Bcursor%5D=&page%5Bsize%5D=5"
    assert continued_links("/v1/x", query, asked, None) == {"self": own, "next": None}
    following = f"/v1/x?product=a+b&page%5Bcursor%5D={ID}&page%5Bsize%5D=5"
    assert continued_links("/v1/x", query, asked, ID) == {"self": own, "next": following}
