"""License keys. A key is shown once, when its license is made: only its hash and its last characters are kept."""

from __future__ import annotations

import secrets
import unicodedata

from auth.secrets import secret_hash
from registry.errors import AttributeInvalid

KEY_LENGTH_MIN = 6
# It is sent in an Authorization header, where it is a third longer; none may have more than 16 KiB.
KEY_BYTES_MAX = 8 * 1024

_GROUPS, _DIGITS = 6, 6
_VERSION = "V3"
_HINT_MAX = 7


def new_key() -> str:
    """A key that nobody can guess: six groups of six hexadecimal digits, 144 bits, and what form this is."""
    digits = secrets.token_hex(_GROUPS * _DIGITS // 2).upper()
    groups = [digits[start : start + _DIGITS] for start in range(0, len(digits), _DIGITS)]
    return "-".join([*groups, _VERSION])


def expect_key(key: str) -> None:
    """Raises `AttributeInvalid` unless a vendor may choose this key. Keys that differ in case are different keys."""
    if len(key) < KEY_LENGTH_MIN:
        raise AttributeInvalid("key", f"has to have at least {KEY_LENGTH_MIN} characters", "TOO_SHORT")
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in key) or key != key.strip():
        raise AttributeInvalid("key", "may not contain control characters, nor begin or end with a blank")
    if len(key.encode()) > KEY_BYTES_MAX:
        raise AttributeInvalid("key", f"may have at most {KEY_BYTES_MAX} bytes", "TOO_LONG")


def key_hash(key: str) -> str:
    """By what a license is found, and all that is kept of its key."""
    return secret_hash(key)


def key_hint(key: str) -> str:
    """The last characters of the key, by which its holder knows it again: never more than a quarter of it."""
    return "…" + key[-min(_HINT_MAX, len(key) // 4) :]
