"""The kinds of values: what each takes, and what it refuses."""

from ipaddress import ip_network

import pytest

from registry.config import Address
from registry.config.kinds import Kind, address, choice, count, duration, flag, networks, origin, size


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (flag(), "Yes", True),
        (flag(), "off", False),
        (flag(), "0", False),
        (count(0), "12", 12),
        (count(0), 12, 12),
        (choice("a", "b"), "b", "b"),
        (size(), 5, 5),
        (size(), "5", 5),
        (size(), "4MiB", 4 * 2**20),
        (size(), "4 GiB", 4 * 2**30),
        (size(), "500MB", 500_000_000),
        (duration(), 90, 90.0),
        (duration(), 0.5, 0.5),
        (duration(), "90s", 90.0),
        (duration(), "1.5h", 5400.0),
        (duration(), "250ms", 0.25),
        (duration(), "7d", 604_800.0),
        (address(), "0.0.0.0:0", Address("0.0.0.0", 0)),
        (address(), "localhost:65535", Address("localhost", 65_535)),
        (address(), "[::1]:5000", Address("::1", 5000)),
        (origin(), "", ""),
        (origin(), "https://registry.example/", "https://registry.example"),
        (origin(), "http://[::1]:5000", "http://[::1]:5000"),
        (networks(), "", ()),
        (networks(), "10.0.0.0/8, ::1", (ip_network("10.0.0.0/8"), ip_network("::1"))),
        (networks(), ["10.0.0.1"], (ip_network("10.0.0.1/32"),)),
    ],
)
def test_values_are_read(kind: Kind[object], value: object, expected: object) -> None:
    """A value in any of its notations becomes what the code works with."""
    assert kind.read(value) == expected


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (flag(), ["", "maybe", 2, []]),
        (count(0, 9), ["", "x", "1.0", 1.0, True, "-1", 10, "9" * 5000, [1]]),
        (choice("a"), ["", "A", 1, ["a"]]),
        (size(1), ["", "MiB", "1.5MiB", "4mib", "4Q", "-1", -1, 0, True, 1.0, []]),
        (duration(1.0), ["", "s", "1w", "-1s", -1, 0, "999ms", True, float("inf"), float("nan"), []]),
        (
            address(),
            [
                "",
                "5000",
                ":5000",
                "x:",
                "x:65536",
                "x:-1",
                "::1:5000",
                "[::1]",
                "[x]:1",
                "a b:1",
                "x:1/",
                5000,
            ],
        ),
        (
            origin(),
            [
                "registry.example",
                "ftp://x",
                "https://",
                "https://x/y",
                "https://u@x",
                "https://x?y",
                "https://x:y",
                1,
            ],
        ),
        (networks(), ["x", "10.0.0.1/8", "10.0.0.0/33", [1], 1]),
    ],
)
def test_values_that_do_not_fit_are_refused(kind: Kind[object], values: list[object]) -> None:
    """A value outside the notation or the bounds is refused with what was expected and what was given."""
    for value in values:
        with pytest.raises(ValueError, match=r"^expected .+, not "):
            kind.read(value)
