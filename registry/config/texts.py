"""The kinds of settings that are a text of a certain form, or nothing."""

import re

from registry.config.kinds import BadValue, Kind, quote

_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]")
_PREFIX = re.compile(r"(?:[A-Za-z0-9._-]{1,100}/){1,10}")
_WORD = re.compile(r"[\x21-\x7e]{1,500}")


def _text(pattern: re.Pattern[str], expected: str) -> Kind[str]:
    def read(value: object) -> str:
        if isinstance(value, str) and (not value or pattern.fullmatch(value)):
            return value
        raise BadValue(expected, value)

    return Kind(read, quote)


def bucket() -> Kind[str]:
    """Return the kind of a bucket's name."""
    return _text(_BUCKET, "the name of a bucket: 3 to 63 lower-case letters, digits and any of . _ -")


def prefix() -> Kind[str]:
    """Return the kind of what names of objects begin with."""
    return _text(_PREFIX, 'folders that end in "/", such as "berth/"')


def word() -> Kind[str]:
    """Return the kind of a text without spaces."""
    return _text(_WORD, "a text without spaces")
