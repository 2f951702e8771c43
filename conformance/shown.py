"""What reports show of what was sent and received: no secrets, and only the beginning of what is long."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence

SHOWN_MAX = 2000
_BINARY_MAX = 32
_SECRET = {"authorization", "cookie", "set-cookie", "proxy-authorization", "x-registry-auth"}
# The signatures of URLs that storage services sign, and tokens in a query.
_SIGNED = re.compile(
    r"((?:[?&]|&amp;)(?:[a-z-]*signature|x-(?:amz|goog)-(?:credential|security-token)|awsaccesskeyid|policy|sig"
    r"|(?:[a-z]+_)?token|password)=)[^&\s\"'>]+",
    re.IGNORECASE,
)
_TOKEN = re.compile(r'("(?:[a-z]+_)?token"\s*:\s*")[^"]+')


def redacted(text: str) -> str:
    """A text with URLs, without what in them lets one in, and without characters that no file can hold."""
    return _SIGNED.sub(r"\1(secret)", text).encode("utf-8", "backslashreplace").decode()


def redacted_headers(headers: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, "(secret)" if name.lower() in _SECRET else redacted(value)) for name, value in headers]


def body_text(body: bytes) -> str:
    """The beginning of a body: as text, or, of what is no text, as hexadecimal digits."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(body[:SHOWN_MAX])
    except UnicodeDecodeError:
        more = "…" if len(body) > _BINARY_MAX else ""
        return f"({len(body)} bytes, no text: {body[:_BINARY_MAX].hex()}{more})"
    text = redacted(_TOKEN.sub(r"\1(secret)", text))
    return text if len(body) <= SHOWN_MAX else f"{text}… ({len(body)} bytes)"
