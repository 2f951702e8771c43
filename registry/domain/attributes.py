"""What requests about several kinds of things have in common: names, descriptions, patterns, and where pages begin."""

from __future__ import annotations

import re
import unicodedata

from auth.patterns import Pattern, pattern
from registry.errors import AttributeInvalid, RequestInvalid

NAME_LENGTH_MAX = 64
DESCRIPTION_LENGTH_MAX = 1000
_COMPONENT = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*")
_ID = re.compile(r"[0-9]{1,18}")


def expect_component(attribute: str, text: str) -> None:
    """Raises `AttributeInvalid` unless the text can be one part of a repository's name, and is short enough."""
    if len(text) > NAME_LENGTH_MAX or not _COMPONENT.fullmatch(text):
        raise AttributeInvalid(
            attribute,
            f"has to be 1 to {NAME_LENGTH_MAX} lower-case letters and digits, joined by single '.', '_', '__' or '-'",
        )


def expect_description(text: str) -> None:
    """Raises `AttributeInvalid` unless it is short enough, and text."""
    if len(text) > DESCRIPTION_LENGTH_MAX or any(_is_control(character) for character in text):
        raise AttributeInvalid(
            "description", f"has to be at most {DESCRIPTION_LENGTH_MAX} characters, none of them a control character"
        )


def _is_control(character: str) -> bool:
    # Cs are halves of characters: they cannot be stored.
    return unicodedata.category(character) in {"Cc", "Cs"} and character not in "\n\t"


def expect_pattern(attribute: str, text: str) -> Pattern:
    """The pattern. Raises `AttributeInvalid`."""
    try:
        return pattern(text)
    except ValueError as error:
        raise AttributeInvalid(attribute, str(error)) from error


def parse_after(text: str) -> int:
    """The id after which a page begins, 0 for the first page. Raises `RequestInvalid`."""
    if not text:
        return 0
    if not _ID.fullmatch(text):
        raise RequestInvalid(f"no page of this list begins after {text[:80]!r}")
    return int(text)
