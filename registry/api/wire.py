"""Headers and parameters of the wire as values: ranges, conditions, pages, warnings. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlencode

from registry.domain.tags import Condition
from registry.domain.uploads import Chunk
from registry.errors import ChunkInvalid, RangeInvalid, RequestInvalid
from storage.digest import Digest

Span = tuple[int, int]

WARNING_BYTES_MAX = 4096

# Positions beyond any content are understood too: clients write the largest number that they know for "the rest".
_CONTENT_RANGE = re.compile(r"(?:bytes[ =])?([0-9]{1,32})-([0-9]{1,32})(?:/(?:[0-9]{1,32}|\*))?")
_SPEC = re.compile(r"([0-9]{0,32})-([0-9]{0,32})")
_ENTITY_TAG = re.compile(r'(?:W/)?"([^"]*)"|([^\s",]+)')
_NAMESPACE = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9.-]{0,253}[a-zA-Z0-9])?(?::[0-9]{1,5})?")


def parse_range(header: str, size: int, count_max: int) -> list[Span] | None:
    """The parts asked for, as (start, stop) in the order asked; None where the whole is to be sent (RFC 9110, 14.2).

    A header that is not understood, that has too many parts, or whose parts together are more than the whole, is
    ignored, as the RFC allows. Raises `RangeInvalid` when no part lies within the content.
    """
    unit, _, specs = header.partition("=")
    if unit.strip().lower() != "bytes":
        return None
    texts = [text.strip() for text in specs.split(",")]
    if len(texts) > count_max:
        return None
    spans: list[Span] = []
    for text in texts:
        match = _SPEC.fullmatch(text)
        if match is None or text == "-":
            return None
        first, last = match.groups()
        if first and last and int(last) < int(first):
            return None
        span = _span(first, last, size)
        if span is not None:
            spans.append(span)
    if not spans:
        raise RangeInvalid(size)
    if len(spans) > 1 and sum(stop - start for start, stop in spans) > size:
        return None
    return spans


def _span(first: str, last: str, size: int) -> Span | None:
    if not first:
        length = min(int(last), size)
        return (size - length, size) if length else None
    start = int(first)
    if start >= size:
        return None
    return start, min(int(last) + 1, size) if last else size


def parse_content_range(header: str | None, content_length: int | None) -> Chunk | None:
    """Which bytes a chunk brings. The spec writes `0-99`; `bytes 0-99/*` is understood too. Raises `ChunkInvalid`."""
    if header is None:
        return None
    match = _CONTENT_RANGE.fullmatch(header.strip())
    if match is None:
        raise ChunkInvalid(f"Content-Range {header[:100]!r} is malformed: expected '<first byte>-<last byte>'")
    start, stop = int(match[1]), int(match[2]) + 1
    if stop <= start:
        # `0--1` cannot be written, so an empty chunk comes as an empty body under any range.
        if content_length == 0:
            return Chunk(start, start)
        raise ChunkInvalid(f"Content-Range {header[:100]!r} ends before it begins")
    if content_length is not None and content_length != stop - start:
        raise ChunkInvalid(f"Content-Range {header!r} is {stop - start} bytes, but Content-Length is {content_length}")
    return Chunk(start, stop)


def entity_tag(digest: object) -> str:
    return f'"{digest}"'


def matches(header: str, digest: str) -> bool:
    """Whether an If-Match or If-None-Match list names the digest. Clients that forget the quotes are understood."""
    if header.strip() == "*":
        return True
    return any((quoted or bare) == digest for quoted, bare in _ENTITY_TAG.findall(header))


def parse_condition(if_match: str | None, if_none_match: str | None) -> Condition | None:
    """The condition of a write (RFC 9110, 13.1): `If-Match: "<digest>"`, `If-Match: *`, `If-None-Match: *`."""
    if if_match is None and if_none_match is None:
        return None

    def holds(current: Digest | None) -> bool:
        if if_match is not None and (current is None or not matches(if_match, str(current))):
            return False
        return if_none_match is None or current is None or not matches(if_none_match, str(current))

    return Condition(holds)


def parse_count(text: str | None, default: int, maximum: int) -> int:
    """The `n` of a page; more than the maximum becomes the maximum. Raises `RequestInvalid`."""
    if text is None or text == "":
        return min(default, maximum)
    if not text.isascii() or not text.isdigit():
        raise RequestInvalid(f"n={text[:40]!r} has to be a whole number, 0 or more")
    digits = text.lstrip("0") or "0"
    # Compared by length first: a number of a million digits is never computed.
    return maximum if len(digits) > len(str(maximum)) else min(int(digits), maximum)


def next_link(url: str, parameters: dict[str, str | int]) -> str:
    """A `Link` header to the next page (RFC 5988)."""
    return f'<{url}?{urlencode(parameters)}>; rel="next"'


def parse_namespace(text: str | None) -> str | None:
    """The `ns` of a proxied pull, if it is a host name that can be given back in a header."""
    return text if text is not None and _NAMESPACE.fullmatch(text) else None


def warning_headers(warnings: Iterable[str]) -> list[str]:
    """`Warning` values in the one form that the spec allows, as many as fit into its 4096 bytes."""
    values: list[str] = []
    room = WARNING_BYTES_MAX
    for text in dict.fromkeys(warnings):
        value = f'299 - "{_quoted(text)}"'
        if len(value) > room:
            break
        room -= len(value)
        values.append(value)
    return values


def _quoted(text: str) -> str:
    printable = "".join(character if " " <= character <= "~" else "?" for character in text)
    return printable.replace("\\", "\\\\").replace('"', '\\"')
