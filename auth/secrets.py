"""The secrets that Berth hands out: access tokens of users and robots, and refresh tokens.

A secret is shown once and only its hash is kept. The prefix says what it is to whoever finds one, and the checksum lets
scanners for leaked secrets, and the token service, tell it from any other text without asking the store.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import zlib
from enum import StrEnum

_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM_BYTES = 32
# The fewest digits that hold any 32 bytes, and any CRC32.
_RANDOM_DIGITS = 43
_CHECKSUM_DIGITS = 6


class SecretKind(StrEnum):
    """What a secret is for: its prefix is `berth_<kind>_`."""

    PAT = "pat"
    ROBOT = "robot"
    REFRESH = "refresh"


_SECRET = re.compile(rf"berth_({'|'.join(SecretKind)})_[0-9A-Za-z]{{{_RANDOM_DIGITS + _CHECKSUM_DIGITS}}}")


def new_secret(kind: SecretKind) -> str:
    """A secret that nobody can guess, with its checksum."""
    number = int.from_bytes(secrets.token_bytes(_RANDOM_BYTES))
    text = f"berth_{kind}_{_base62(number, _RANDOM_DIGITS)}"
    return text + _checksum(text)


def secret_hash(text: str) -> str:
    """What is kept of a secret, in hexadecimal digits. It need not be slow to compute: secrets cannot be guessed."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def looks_like_secret(text: str) -> bool:
    """Whether this can be a secret of ours, known or not: it has a prefix of ours and the right checksum."""
    return _SECRET.fullmatch(text) is not None and text.endswith(_checksum(text[:-_CHECKSUM_DIGITS]))


def _checksum(text: str) -> str:
    return _base62(zlib.crc32(text.encode()), _CHECKSUM_DIGITS)


def _base62(number: int, width: int) -> str:
    digits = ""
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits = _DIGITS[digit] + digits
    return digits
