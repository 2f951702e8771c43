"""How commands name whom rights are given to, and what may be done."""

from __future__ import annotations

import argparse

from auth.principals import Subject, SubjectKind, parse_subject
from auth.roles import Action

WHO = """\
WHO is a user (alice or user:alice), a robot (acme+ci or robot:acme+ci) or a group (group:devs).
"""
_NOTHING = "nothing"


def subject(text: str) -> Subject:
    """Whom the text names; users and robots need no word before their names. For argparse."""
    if ":" not in text and text != SubjectKind.EVERYONE:
        return Subject(SubjectKind.ROBOT if "+" in text else SubjectKind.USER, text)
    try:
        return parse_subject(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def actions(text: str) -> frozenset[Action]:
    """The actions in a list with commas between them. For argparse."""
    try:
        return frozenset(Action(word.strip()) for word in text.split(","))
    except ValueError:
        known = ", ".join(Action)
        raise argparse.ArgumentTypeError(f"expected some of {known}, with commas between them") from None


def actions_or_nothing(text: str) -> frozenset[Action]:
    """As `actions`, or none of them. For argparse."""
    return frozenset() if text == _NOTHING else actions(text)
