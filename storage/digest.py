"""`Digest`: algorithm and hex, parsed at the edge so that no layer below handles unchecked text."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Protocol

from storage.errors import DigestInvalid

HEX_LENGTH = {"sha256": 64, "sha512": 128}
DEFAULT_ALGORITHM = "sha256"

_SHAPE = re.compile(r"([a-z0-9]+(?:[.+_-][a-z0-9]+)*):([a-zA-Z0-9=_-]+)")
_HEX = re.compile(r"[0-9a-f]+")


class Hasher(Protocol):
    """The part of `hashlib`'s objects that Berth uses."""

    def update(self, data: bytes, /) -> None: ...

    def hexdigest(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Digest:
    """A content address. Equal digests name equal bytes."""

    algorithm: str
    hex: str

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.hex}"


def parse_digest(text: str) -> Digest:
    """The digest, if it is well-formed and its algorithm is supported. Raises `DigestInvalid`."""
    match = _SHAPE.fullmatch(text)
    if match is None:
        raise DigestInvalid(text, "expected '<algorithm>:<hex>', such as sha256:4355a4…")
    algorithm, encoded = match.groups()
    check_algorithm(algorithm, text)
    if len(encoded) != HEX_LENGTH[algorithm] or not _HEX.fullmatch(encoded):
        raise DigestInvalid(text, f"{algorithm} takes {HEX_LENGTH[algorithm]} lower-case hex digits")
    return Digest(algorithm, encoded)


def check_algorithm(algorithm: str, text: str) -> None:
    """Raises `DigestInvalid` about `text` unless the algorithm is one that Berth computes."""
    if algorithm not in HEX_LENGTH:
        raise DigestInvalid(text, f"algorithm {algorithm[:40]!r} is not supported, only sha256 and sha512 are")


def digest_of(data: bytes, algorithm: str = DEFAULT_ALGORITHM) -> Digest:
    """The digest of bytes that are in memory already."""
    return Digest(algorithm, hashlib.new(algorithm, data).hexdigest())


def new_hasher(algorithm: str) -> Hasher:
    return hashlib.new(algorithm)
