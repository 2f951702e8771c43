"""Filters of the audit log, as queries have them."""

import pytest

from registry.api.jsonapi.problems import MalformedRequest
from registry.api.rest.audit import parse_filter
from registry.domain.audit_log import AuditFilter


def test_no_filter() -> None:
    """Without filters all is wanted; other parameters are not looked at."""
    assert parse_filter({"page[size]": "5", "principal": "alice"}) == AuditFilter()


def test_all_filters() -> None:
    """Each filter narrows what is wanted."""
    query = {
        "filter[principal]": "alice",
        "filter[action]": "tag.move",
        "filter[project]": "default",
        "filter[target]": "app:1",
        "filter[outcome]": "refused",
        "filter[since]": "1970-01-01T00:00:01Z",
        "filter[until]": "1970-01-01T01:00:02+01:00",
    }
    assert parse_filter(query) == AuditFilter("alice", "tag.move", "default", "app:1", "refused", 1000, 2000)


def test_plus_that_was_not_encoded() -> None:
    """A zone is understood also where its sign arrives as a space, as it does when it was not encoded."""
    assert parse_filter({"filter[since]": "1970-01-01T01:00:00 01:00"}).since_ms == 0


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("filter[principle]", "alice"),
        ("filter[]", "x"),
        ("filter[principal", "x" * 513),
        ("filter[since]", "yesterday"),
        ("filter[until]", ""),
    ],
)
def test_refused(parameter: str, value: str) -> None:
    """A filter that is not understood is refused: without it, more would be shown than was asked for."""
    with pytest.raises(MalformedRequest) as raised:
        parse_filter({parameter: value})
    assert [problem.parameter for problem in raised.value.problems] == [parameter]


def test_all_problems_at_once() -> None:
    """Everything that is wrong is told at once."""
    with pytest.raises(MalformedRequest) as raised:
        parse_filter({"filter[a]": "x", "filter[since]": "x", "filter[principal]": "x"})
    assert len(raised.value.problems) == 2
