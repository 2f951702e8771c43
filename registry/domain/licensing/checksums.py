"""Checksums that vendors send with artifacts: any text, but compared with the bytes where it is a digest of them."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable

from storage.digest import Digest
from storage.errors import DigestMismatch

# By the bytes of the digest. Shorter ones prove nothing any more, and commits and serial numbers look like them.
_ALGORITHMS = {32: "sha256", 48: "sha384", 64: "sha512"}
_NAMED = re.compile(rf"({'|'.join(_ALGORITHMS.values())})[:-](.+)", re.IGNORECASE | re.DOTALL)
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})+")
_BASE64 = re.compile(r"([0-9A-Za-z+/_-]+)={0,2}")


def recognized(checksum: str) -> Digest | None:
    """The digest that the text is; None where it is opaque.

    A digest is written in hexadecimal digits or in base64 of either alphabet, padded or not, and may follow the name
    of its algorithm and ':' or '-'.
    """
    text = checksum.strip()
    named = _NAMED.fullmatch(text)
    value = _bytes_of(text if named is None else named[2])
    algorithm = None if value is None else _ALGORITHMS.get(len(value))
    if value is None or algorithm is None or (named is not None and named[1].lower() != algorithm):
        return None
    return Digest(algorithm, value.hex())


def agrees(checksum: str | None, digests: Iterable[Digest]) -> bool:
    """Whether the checksum is one of these digests of the bytes that arrived.

    False where nothing can be compared: it is opaque, or of an algorithm that is not among them.
    Raises `DigestMismatch` when the bytes are not those that the vendor announced.
    """
    announced = None if checksum is None else recognized(checksum)
    if announced is None:
        return False
    for digest in digests:
        if digest.algorithm == announced.algorithm:
            if digest != announced:
                raise DigestMismatch(announced, digest)
            return True
    return False


def _bytes_of(text: str) -> bytes | None:
    # Digits come first: 64 of them are a sha256, though they could be the base64 of a sha384.
    if _HEX.fullmatch(text):
        return bytes.fromhex(text)
    match = _BASE64.fullmatch(text)
    if match is None:
        return None
    return _decoded(match[1].replace("-", "+").replace("_", "/"), len(text))


def _decoded(characters: str, length: int) -> bytes | None:
    """The bytes, if these are all the characters of their base64, with all of its padding or none of it."""
    padded = characters + "=" * (-len(characters) % 4)
    if len(characters) % 4 == 1 or length not in {len(characters), len(padded)}:
        return None
    value = base64.b64decode(padded)
    # Bits beyond the last byte would be lost without a word.
    return value if base64.b64encode(value).decode() == padded else None
