"""What resources of licensed distribution have in common, and what releases have beside their versions."""

from __future__ import annotations

import unicodedata
from urllib.parse import urlsplit

from registry.domain.licensing.ids import is_id
from registry.domain.licensing.versions import version_of_tag
from registry.errors import AttributeInvalid
from storage.errors import TagInvalid
from storage.names import parse_tag

TEXT_LENGTH_MAX = 255
DESCRIPTION_LENGTH_MAX = 16_384

# They are parts of paths beside ids, codes, keys and tags.
_RESERVED = {"action", "actions"}
_UNSTORABLE = {"Cc", "Cs"}


def expect_length(attribute: str, text: str, maximum: int) -> None:
    """Raises `AttributeInvalid` when the text is longer."""
    if len(text) > maximum:
        raise AttributeInvalid(attribute, f"may have at most {maximum} characters", "TOO_LONG")


def expect_name(name: str | None, attribute: str = "name") -> None:
    """Raises `AttributeInvalid` unless this can be shown as a name, or there is none."""
    _expect_line(attribute, name or "")


def expect_description(description: str | None) -> None:
    """Raises `AttributeInvalid` unless this is a text of bounded length, or nothing."""
    expect_length("description", description or "", DESCRIPTION_LENGTH_MAX)
    if any(unicodedata.category(one) in _UNSTORABLE and one not in "\t\r\n" for one in description or ""):
        raise AttributeInvalid("description", "may not contain control characters")


def expect_alias(attribute: str, alias: str) -> None:
    """Raises `AttributeInvalid` unless a resource can be named so in a path, in place of its id."""
    _expect_line(attribute, alias)
    if not alias or alias != alias.strip() or "/" in alias:
        raise AttributeInvalid(attribute, "may not be empty, contain '/', nor begin or end with a blank")
    if is_id(alias) or alias.lower() in _RESERVED:
        raise AttributeInvalid(attribute, "may not be an id, 'action' or 'actions'", "NOT_ALLOWED")


def expect_tag(tag: str | None) -> None:
    """Raises `AttributeInvalid` unless a release can be pulled by this tag beside its version, or there is none."""
    if tag is None:
        return
    expect_alias("tag", tag)
    try:
        parse_tag(tag)
    except TagInvalid as error:
        raise AttributeInvalid("tag", "has to be 1 to 128 of A-Z a-z 0-9 _ . -, the first no '.' or '-'") from error
    if version_of_tag(tag) is not None:
        raise AttributeInvalid("tag", "may not be a version, which has its own", "NOT_ALLOWED")


def expect_backdated(backdated: int | None, now_ms: int) -> None:
    """Raises `AttributeInvalid` unless it is past, in milliseconds since the Unix epoch, or nothing."""
    if backdated is not None and backdated > now_ms:
        raise AttributeInvalid("backdated", "has to be in the past")


def expect_url(url: str | None) -> None:
    """Raises `AttributeInvalid` unless it is the address of a page, or nothing."""
    if url is None:
        return
    _expect_line("url", url)
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.hostname or any(one.isspace() for one in url):
        raise AttributeInvalid("url", "has to begin with http:// or https:// and the name of a host")


def _expect_line(attribute: str, text: str) -> None:
    expect_length(attribute, text, TEXT_LENGTH_MAX)
    if any(unicodedata.category(one) in _UNSTORABLE for one in text):
        raise AttributeInvalid(attribute, "may not contain control characters")
