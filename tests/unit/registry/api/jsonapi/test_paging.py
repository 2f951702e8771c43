"""Pages by key."""

import pytest
from multidict import MultiDict

from registry.api.jsonapi.paging import Asked, parse_page
from registry.api.jsonapi.problems import MalformedRequest


def test_default() -> None:
    """Without parameters the first 25 are asked for; other parameters change nothing."""
    assert parse_page({}) == parse_page({"page": "7", "sort": "name"}) == Asked("", 25)


@pytest.mark.parametrize(("size", "wanted"), [("1", 1), ("100", 100), ("007", 7)])
def test_size(size: str, wanted: int) -> None:
    """A page can have from 1 to 100 items."""
    assert parse_page({"page[size]": size}) == Asked("", wanted)


@pytest.mark.parametrize("size", ["0", "101", "-1", "1.5", "", "ten", "1e1", "\u0663", "9" * 1_000_000])
def test_bad_size(size: str) -> None:
    """Any other size is refused, and its parameter named."""
    with pytest.raises(MalformedRequest) as raised:
        parse_page({"page[size]": size})
    (problem,) = raised.value.problems
    assert (problem.code, problem.parameter, problem.pointer) == ("PARAMETER_INVALID", "page[size]", None)
    assert problem.detail == "page[size] has to be a whole number from 1 to 100"


def test_after() -> None:
    """The key after which the page begins is taken as it is."""
    assert parse_page({"page[after]": "default+ci"}) == Asked("default+ci", 25)


@pytest.mark.parametrize("after", ["a\0", "a\nb", "x" * 301])
def test_bad_after(after: str) -> None:
    """What no link can have given is refused."""
    with pytest.raises(MalformedRequest) as raised:
        parse_page({"page[after]": after})
    assert [problem.parameter for problem in raised.value.problems] == ["page[after]"]
    assert len(str(raised.value)) < 200


def test_repeated_parameters() -> None:
    """Of a parameter that is sent twice the first counts."""
    query = MultiDict([("page[size]", "3"), ("page[size]", "4")])
    assert parse_page(query).size == 3
