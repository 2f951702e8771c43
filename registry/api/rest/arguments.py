"""What paths name."""

from __future__ import annotations

from auth.principals import Subject, parse_subject
from registry.api.call import Call
from registry.errors import AttributeInvalid, NotFound

# More digits than these do not fit into a database's integer.
_ID_DIGITS_MAX = 18


def id_of(call: Call, kind: str) -> int:
    """The number that names something of this kind. Raises `NotFound` for what cannot be one."""
    text = call.arguments[kind]
    if not text.isascii() or not text.isdigit() or len(text) > _ID_DIGITS_MAX:
        raise NotFound(kind, text)
    return int(text)


def subject_of(call: Call) -> Subject:
    """Whom a membership is about. Raises `AttributeInvalid`."""
    try:
        return parse_subject(call.arguments["subject"])
    except ValueError as error:
        raise AttributeInvalid("subject", str(error)) from error
