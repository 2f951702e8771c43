"""What management commands print."""

from datetime import UTC, datetime

import pytest

from registry.cli.tables import Record, Value, cell, json_line, length, moment, table

AT = datetime(2027, 1, 31, 18, 0, 0, 70_000, UTC)


def test_columns_are_aligned() -> None:
    """Every column begins where its title does; lines have no spaces at their ends."""
    assert table(["NAME", "ROLE", "X"], [["al", None, ""], ["benedict", "reader", "y"]]) == (
        "NAME       ROLE     X\nal         -        -\nbenedict   reader   y"
    )


def test_empty_table_is_its_titles() -> None:
    """A list without items still says what it is a list of."""
    assert table(["NAME", "ROLE"], []) == "NAME   ROLE"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"),
        ("", "-"),
        ([], "-"),
        (0, "0"),
        (True, "yes"),
        (False, "no"),
        (["pull", "push"], "pull, push"),
        (AT, "2027-01-31T18:00:00Z"),
        (length(36 * 3_600_000), "36h"),
        (length(14 * 86_400_000), "14d"),
        (length(0), "never"),
        ("Zoë 東京", "Zoë 東京"),
        ("a\nb\x1b[31m\x9b\u202e", r"a\nb\x1b[31m\x9b\u202e"),
    ],
)
def test_cells(value: Value, shown: str) -> None:
    """A value is shown in one line, without what a terminal would obey, and nothing as `-`."""
    assert cell(value) == shown


def test_json_line() -> None:
    """A record is one line of JSON, in ASCII, with its times to the millisecond."""
    record: Record = {"name": "Zo\u00eb\n", "at": AT, "after": length(90_000), "list": ("a",), "yes": True}
    assert json_line(record) == (
        r'{"name":"Zo\u00eb\n","at":"2027-01-31T18:00:00.070Z","after":90,"list":["a"],"yes":true}'
    )


def test_moment() -> None:
    """Times of the store are in milliseconds since 1970."""
    assert moment(1_801_418_400_070) == AT
    assert moment(None) is None
