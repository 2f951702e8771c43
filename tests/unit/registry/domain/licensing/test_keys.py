"""License keys."""

import re

import pytest

from registry.domain.licensing.keys import KEY_BYTES_MAX, expect_key, key_hash, key_hint, new_key
from registry.errors import AttributeInvalid


def test_new_keys() -> None:
    """A key that is made up has 144 bits of chance, all of its digits are used, and none comes twice."""
    made = [new_key() for _ in range(200)]
    assert all(re.fullmatch(r"([0-9A-F]{6}-){6}V3", key) for key in made)
    assert len(set(made)) == 200
    for position in (0, 5, 7, 40):
        assert {key[position] for key in made} == set("0123456789ABCDEF")
    for key in made:
        expect_key(key)


@pytest.mark.parametrize("key", ["123456", "a key with blanks", "key/eyJ.sig==", "schlüssel", "x" * KEY_BYTES_MAX])
def test_given_keys(key: str) -> None:
    """A vendor may bring keys of any form."""
    expect_key(key)


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("", "TOO_SHORT"),
        ("12345", "TOO_SHORT"),
        ("x" * (KEY_BYTES_MAX + 1), "TOO_LONG"),
        ("é" * (KEY_BYTES_MAX // 2 + 1), "TOO_LONG"),
        ("abc\ndefg", "INVALID"),
        ("abc\0defg", "INVALID"),
        (" abcdefg", "INVALID"),
        ("abcdefg ", "INVALID"),
        ("abcdef\ud800", "INVALID"),
    ],
    ids=lambda text: ascii(text[:10]),
)
def test_bad_keys(key: str, problem: str) -> None:
    """A key that is guessed at once, or that no client could send, is refused."""
    with pytest.raises(AttributeInvalid) as raised:
        expect_key(key)
    assert (raised.value.attribute, raised.value.problem) == ("key", problem)


def test_hash() -> None:
    """A key is found by its hash; keys that differ in case are different keys."""
    assert key_hash("ABCDEF") == "e9c0f8b575cbfcb42ab3b78ecc87efa3b011d9a5d10b09fa4e96f240bf6a82f5"
    assert key_hash("abcdef") != key_hash("ABCDEF")


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("0A1B2C-0A1B2C-0A1B2C-0A1B2C-0A1B2C-3D4E5F-V3", "…4E5F-V3"),
        ("123456", "…6"),
        ("12345678", "…78"),
        ("x" * 4096, "…xxxxxxx"),
    ],
)
def test_hint(key: str, hint: str) -> None:
    """Of a key its end is shown, and no more than a quarter."""
    assert key_hint(key) == hint
