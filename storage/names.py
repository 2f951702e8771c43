"""Grammar of repository names and tags (spec, "Pulling manifests"). Checked on decoded text, never on raw paths."""

from __future__ import annotations

import re
from typing import NewType

from storage.errors import NameInvalid, TagInvalid

RepositoryName = NewType("RepositoryName", str)
Tag = NewType("Tag", str)

NAME_LENGTH_MAX = 255
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")


def parse_repository_name(text: str) -> RepositoryName:
    """The name, if it follows the spec's grammar and is at most 255 characters. Raises `NameInvalid`."""
    if len(text) > NAME_LENGTH_MAX:
        raise NameInvalid(text, f"it is {len(text)} characters long, {NAME_LENGTH_MAX} are allowed")
    if not _NAME.fullmatch(text):
        raise NameInvalid(
            text,
            "parts between '/' are lower-case letters and digits, joined by single '.', '_', '__' or '-'",
        )
    return RepositoryName(text)


def parse_tag(text: str) -> Tag:
    """The tag, if it follows the spec's grammar. Raises `TagInvalid`."""
    if not _TAG.fullmatch(text):
        raise TagInvalid(text)
    return Tag(text)
