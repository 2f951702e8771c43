"""Where the matrix asks: two projects, one of which is public, and what is not there."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Place(StrEnum):
    """`MISSING` is a repository that nobody pushed to in the private registry, `NOWHERE` one of no project at all."""

    PUBLIC = "public"
    PRIVATE = "private"
    MISSING = "missing"
    NOWHERE = "nowhere"


EVERYWHERE = tuple(Place)
PROJECTS = (Place.PUBLIC, Place.PRIVATE, Place.NOWHERE)
"""For what is in a project, but not in a repository."""
THERE_OR_NOT = (Place.PRIVATE, Place.NOWHERE)
"""For what is in no project: users and groups."""

# The names of what is there are as long as those of what is not, so that answers about them are as long, too.
PROJECT: Mapping[Place, str] = {
    Place.PUBLIC: "plaza",
    Place.PRIVATE: "vault",
    Place.MISSING: "vault",
    Place.NOWHERE: "north",
}
REPOSITORY: Mapping[Place, str] = {
    Place.PUBLIC: "plaza/app",
    Place.PRIVATE: "vault/app",
    Place.MISSING: "vault/non",
    Place.NOWHERE: "north/app",
}
USER: Mapping[Place, str] = {Place.PRIVATE: "target", Place.NOWHERE: "absent"}
GROUP: Mapping[Place, str] = {Place.PRIVATE: "team", Place.NOWHERE: "none"}
