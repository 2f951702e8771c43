"""Metadata of resources."""

from typing import Any

import pytest

from registry.domain.licensing.metadata import BYTES_MAX, KEYS_MAX, expect_metadata, read_metadata
from registry.errors import AttributeInvalid


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"fooBar": 1, "foo_bar": 2, "foo-bar": 3, "FOO bar": 4, "": 5, "é": 6},
        {"a": {"b": {"c": 1}}},
        {"a": [["b"]]},
        {"a": [{"b": 1}], "c": None, "d": 1.5, "e": True},
    ],
)
def test_kept(value: dict[str, Any]) -> None:
    """Metadata comes back as it was sent: keys that differ in nothing but their form are different keys."""
    found = read_metadata(value)
    expect_metadata(found)
    assert found == value
    assert list(found) == list(value)


def test_nothing() -> None:
    """Null is empty metadata."""
    assert read_metadata(None) == {}


@pytest.mark.parametrize("value", [[], "x", 1, True, [{}]])
def test_no_object(value: object) -> None:
    """Metadata is an object."""
    with pytest.raises(ValueError, match=r"^has to be an object$"):
        read_metadata(value)


@pytest.mark.parametrize("value", [{"a": {"b": {"c": {}}}}, {"a": [[[]]]}, {"x": 1, "a": [{"b": []}, {"b": [[]]}]}])
def test_too_deep(value: object) -> None:
    """No more than two levels of containers lie in it."""
    with pytest.raises(ValueError, match=r"^exceeds the maximum depth of 2$"):
        read_metadata(value)


def test_very_deep() -> None:
    """How deep it is costs nothing to find out."""
    value: object = {}
    for _ in range(10_000):
        value = [value]
    with pytest.raises(ValueError, match="depth"):
        read_metadata({"a": value})


def test_many_keys() -> None:
    """Keys are counted wherever they are."""
    inner = [{"a": 1, "b": {"c": 2}}] * 20
    expect_metadata({"list": inner, "x": 1, "y": 2, "z": 3})
    with pytest.raises(AttributeInvalid) as raised:
        expect_metadata({"list": inner, "x": 1, "y": 2, "z": 3, "one": "more"})
    assert (raised.value.attribute, raised.value.problem) == ("metadata", "TOO_LONG")
    assert f"{KEYS_MAX} keys" in str(raised.value)


def test_many_bytes() -> None:
    """The whole is bounded as it is written in JSON."""
    room = BYTES_MAX - len('{"a":""}')
    expect_metadata({"a": "x" * room})
    for text in ["x" * (room + 1), "é" * (room // 2 + 1), '"' * (room // 2 + 1)]:
        with pytest.raises(AttributeInvalid, match="bytes as JSON"):
            expect_metadata({"a": text})
