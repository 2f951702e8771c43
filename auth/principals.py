"""Who asks: principals, and how they are named where rights are given."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a principal is.

    `OPERATOR` is whoever uses `berth` on the machine itself, `SYSTEM` Berth's own background work, `EXTERNAL` whom
    another issuer vouches for.
    """

    ANONYMOUS = "anonymous"
    USER = "user"
    ROBOT = "robot"
    EXTERNAL = "external"
    OPERATOR = "operator"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody known by `name`, or nobody in particular. `id` is the row's, 0 where there is none."""

    kind: Kind
    name: str
    id: int = 0

    @property
    def key(self) -> str:
        """What tells this principal from every other, also from a later one of the same name."""
        return f"{self.kind}:{self.id or self.name}"


ANONYMOUS = Principal(Kind.ANONYMOUS, "anonymous")
OPERATOR = Principal(Kind.OPERATOR, "operator")
COLLECTOR = Principal(Kind.SYSTEM, "collector")


class SubjectKind(StrEnum):
    """To whom rights are given."""

    USER = "user"
    ROBOT = "robot"
    GROUP = "group"
    EVERYONE = "everyone"


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a membership or a rule is about, written `user:alice`, `robot:default+ci`, `group:devs` or `everyone`.

    Everyone includes who has not logged in.
    """

    kind: SubjectKind
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}" if self.name else str(self.kind)


def parse_subject(text: str) -> Subject:
    """Raises `ValueError`, with a message for whoever wrote the text."""
    kind, colon, name = text.partition(":")
    if text == SubjectKind.EVERYONE:
        return Subject(SubjectKind.EVERYONE)
    if kind in {SubjectKind.USER, SubjectKind.ROBOT, SubjectKind.GROUP} and colon and name:
        return Subject(SubjectKind(kind), name)
    raise ValueError("has to be user:NAME, robot:PROJECT+NAME, group:NAME or everyone")
