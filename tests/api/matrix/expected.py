"""Who may do what, and how the others are refused: the specification that the matrix holds the registry to.

Nothing here comes from `auth` or `registry`: what is written down twice has to agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from tests.api.matrix.places import REPOSITORY, Place

# What each may do to the content of the two projects. Everybody, logged in or not, may pull from the public one;
# an administrator may do everything everywhere.
CONTENT: Mapping[str, str] = {
    "nobody": "",
    "foreign user": "",
    "monitor": "",
    "guest": "",
    "reader": "pull",
    "pull token": "pull",
    "developer": "pull push",
    "robot": "pull push",
    "maintainer": "pull push delete",
    "owner": "pull push delete",
    "admin": "pull push delete",
}

# What each may do with the two projects themselves. Everybody who is logged in sees the public one, but for a token
# that is for pulls: with that nothing is managed, and nothing of it seen.
PROJECTS: Mapping[str, str] = {
    "foreign user": "",
    "monitor": "",
    "pull token": "",
    "guest": "see",
    "reader": "see know",
    "developer": "see know",
    "robot": "see know",
    "maintainer": "see know maintain",
    "owner": "see know maintain own",
    "admin": "see know maintain own",
}

METRICS = {"monitor", "admin"}


class Who(StrEnum):
    """What the credentials are that somebody sends: none, a token for anybody, good ones, or bad ones."""

    NOBODY = "nobody"
    ANONYMOUS = "anonymous"
    KNOWN = "known"
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What is to be known of a caller to say how it is answered.

    `elsewhere`: the token is for another repository. `logs_in`: the credentials are good for more than the registry.
    `error` is what is said in a challenge about bad credentials.
    """

    who: Who
    role: str = "nobody"
    elsewhere: bool = False
    logs_in: bool = True
    error: str | None = None

    def content(self, place: Place) -> set[str]:
        """The actions that are allowed on the repository."""
        public = {"pull"} if place is Place.PUBLIC else set()
        if place is Place.NOWHERE and self.role != "admin":
            return set()
        return public | set(CONTENT[self.role].split())

    def project(self, place: Place) -> set[str]:
        """What is allowed with the project."""
        if place is Place.NOWHERE:
            return set()
        public = {"see"} if place is Place.PUBLIC and self.role != "pull token" else set()
        return public | set(PROJECTS[self.role].split())


@dataclass(frozen=True)
class Expected:
    """An answer. `code` is that of its error, where it is a refusal; `challenge` the scheme of its challenge."""

    status: int
    code: str | None = None
    challenge: str | None = None
    scope: str | None = None
    error: str | None = None


_BASIC = Expected(401, "UNAUTHORIZED", "Basic")
_BEARER = Expected(401, "UNAUTHORIZED", "Bearer")
_DENIED = Expected(403, "DENIED")


@dataclass(frozen=True)
class Content:
    """What is done to a repository needs these actions; then the answer is `there`, or `missing` where nothing is.

    `asks` is what the challenge wants a token for, where that is more.
    """

    needs: str
    there: int
    missing: int
    asks: str = ""

    def answer(self, to: Standing, place: Place) -> Expected:
        scope = f"repository:{REPOSITORY[place]}:{(self.asks or self.needs).replace(' ', ',')}"
        unauthorized = replace(_BEARER, scope=scope)
        if to.who in {Who.NOBODY, Who.REFUSED}:
            return replace(unauthorized, error=to.error)
        may = to.content(place)
        if set(self.needs.split()) <= may and not to.elsewhere:
            return Expected(self.missing if place in {Place.MISSING, Place.NOWHERE} else self.there)
        if to.who is Who.ANONYMOUS or set(self.needs.split()) <= may:
            return replace(unauthorized, error="insufficient_scope")
        # Who may see the content is told no. So is who wants to add to it, which says nothing about what is there.
        # And so is whose token is for less than they may.
        if "pull" in may or "push" in self.needs or (to.role == "pull token" and self.needs != "pull"):
            return _DENIED
        return Expected(404, "NAME_UNKNOWN")


@dataclass(frozen=True)
class Catalog:
    def answer(self, to: Standing, place: Place) -> Expected:
        unauthorized = replace(_BEARER, scope="registry:catalog:*")
        if to.who in {Who.NOBODY, Who.REFUSED}:
            return replace(unauthorized, error=to.error)
        return replace(unauthorized, error="insufficient_scope") if to.elsewhere else Expected(200)


@dataclass(frozen=True)
class Base:
    """Any token does."""

    def answer(self, to: Standing, place: Place) -> Expected:
        if to.who in {Who.NOBODY, Who.REFUSED}:
            return replace(_BEARER, error=to.error)
        return Expected(200)


def _logged_in(to: Standing) -> bool:
    return to.who is Who.KNOWN and to.logs_in


@dataclass(frozen=True)
class Anybody:
    """Who is logged in."""

    def answer(self, to: Standing, place: Place) -> Expected:
        return Expected(200) if _logged_in(to) else _BASIC


@dataclass(frozen=True)
class OfProject:
    """Who may do this in the project is answered `there`; who may see the project, that this may not be done."""

    needs: str
    there: int

    def answer(self, to: Standing, place: Place) -> Expected:
        if not _logged_in(to):
            return _BASIC
        may = to.project(place)
        if self.needs in may:
            return Expected(self.there)
        return _DENIED if "see" in may else Expected(404, "NOT_FOUND")


@dataclass(frozen=True)
class OfRegistry:
    """Whether there is a registry. Guests are not told what is not public."""

    def answer(self, to: Standing, place: Place) -> Expected:
        if not _logged_in(to):
            return _BASIC
        may = to.project(place)
        known = "see" in may if place is Place.PUBLIC else "know" in may
        return Expected(200) if known else Expected(404, "NOT_FOUND")


@dataclass(frozen=True)
class OfRepository:
    """The past of a repository, for those who may do this to its content; who may pull is told that this may not be."""

    needs: str
    there: int

    def answer(self, to: Standing, place: Place) -> Expected:
        if not _logged_in(to):
            return _BASIC
        may = to.content(place)
        if "pull" in may and not set(self.needs.split()) <= may:
            return _DENIED
        if "pull" not in may or place in {Place.MISSING, Place.NOWHERE}:
            return Expected(404, "NOT_FOUND")
        return Expected(self.there)


@dataclass(frozen=True)
class OfProjectLog:
    """The audit log of a project. Administrators can also look for what there was in a project that is gone."""

    def answer(self, to: Standing, place: Place) -> Expected:
        if _logged_in(to) and to.role == "admin":
            return Expected(200)
        return OfProject("maintain", 200).answer(to, place)


@dataclass(frozen=True)
class OfAdministrators:
    """All others are told no, whatever is there."""

    there: int
    missing: int = 404

    def answer(self, to: Standing, place: Place) -> Expected:
        if not _logged_in(to):
            return _BASIC
        if to.role != "admin":
            return _DENIED
        return Expected(self.missing if place is Place.NOWHERE else self.there)


@dataclass(frozen=True)
class OfUser:
    """What is about another user: there is no such user, but for administrators."""

    there: int

    def answer(self, to: Standing, place: Place) -> Expected:
        if not _logged_in(to):
            return _BASIC
        if to.role != "admin" or place is Place.NOWHERE:
            return Expected(404, "NOT_FOUND")
        return Expected(self.there)


@dataclass(frozen=True)
class Measurements:
    def answer(self, to: Standing, place: Place) -> Expected:
        if not _logged_in(to):
            return _BASIC
        return Expected(200) if to.role in METRICS else _DENIED


@dataclass(frozen=True)
class Unguarded:
    """Nobody is asked who they are."""

    def answer(self, to: Standing, place: Place) -> Expected:
        return Expected(200)


@dataclass(frozen=True)
class TokenByLogin:
    """The token service: for nobody in particular too, but then without credentials."""

    def answer(self, to: Standing, place: Place) -> Expected:
        return Expected(200) if to.who is Who.NOBODY or _logged_in(to) else _BASIC


@dataclass(frozen=True)
class TokenByForm:
    """The token service, where the name and the secret are in the body."""

    def answer(self, to: Standing, place: Place) -> Expected:
        return Expected(200) if _logged_in(to) else _BASIC


Rule = (
    Content
    | Catalog
    | Base
    | Anybody
    | OfProject
    | OfRegistry
    | OfRepository
    | OfProjectLog
    | OfAdministrators
    | OfUser
    | Measurements
    | Unguarded
    | TokenByLogin
    | TokenByForm
)
