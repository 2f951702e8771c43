"""What comes from a registry that may be anything: bodies that need not end, and links that need not be URLs."""

from __future__ import annotations

import http.client
import re
import time
from urllib.parse import urljoin, urlsplit

from conformance.requirement import Failed

BODY_MAX = 256 << 20
"""What is more has no end, as far as anybody can tell."""
_PIECE = 1 << 16
# An answer that trickles has to end after so many times the longest wait for a part of it.
_WAITS_MAX = 10
_NOT_OF_URLS = re.compile(r"[^!-~]")


def url_of(base: str, reference: str, otherwise: str) -> str:
    """The URL that something is called by at another one. Raises `Failed`, beginning with `otherwise`."""
    try:
        found = urljoin(base, reference)
        is_one = urlsplit(found).port != 0 and not _NOT_OF_URLS.search(found)
    except ValueError:
        found, is_one = reference, False
    if not is_one:
        raise Failed(f"{otherwise}: {reference}")
    return found


def read_body(response: http.client.HTTPResponse, timeout_s: float) -> bytes:
    """What comes after the headers. Raises `IncompleteRead` if it breaks off, or seems to have no end."""
    deadline = time.monotonic() + _WAITS_MAX * timeout_s
    wanted, content = response.length, bytearray()
    while wanted is None or len(content) < wanted:
        try:
            piece = response.read1(_PIECE if wanted is None else min(_PIECE, wanted - len(content)))
        except http.client.IncompleteRead as error:
            raise http.client.IncompleteRead(bytes(content) + error.partial) from error
        content += piece
        if not piece:
            break
        if len(content) > BODY_MAX or time.monotonic() > deadline:
            raise http.client.IncompleteRead(bytes(content))
    response.close()
    if wanted is not None and len(content) < wanted:
        raise http.client.IncompleteRead(bytes(content), wanted - len(content))
    return bytes(content)


def difference(found: bytes, wanted: bytes) -> str:
    """How a body differs from what it has to be."""
    if len(found) != len(wanted):
        return f"{len(found)} bytes, expected {len(wanted)}"
    position = next(index for index, (one, other) in enumerate(zip(found, wanted, strict=True)) if one != other)
    return f"bytes that differ from the expected ones at {position}"
