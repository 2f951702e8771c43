"""`berth member`: who has which role in a project."""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING

from auth.actor import OPERATING
from auth.roles import Role
from registry.cli.nouns import Noun
from registry.cli.opening import all_of
from registry.cli.projects import add_project, chosen
from registry.cli.rights import WHO, subject
from registry.cli.tables import Record, moment, print_done, print_list

if TYPE_CHECKING:
    from registry.api.rest.services import Management
    from registry.domain.members import Member

_COLUMNS = ("subject", "role", "createdAt")

_DETAILS = f"""\
{WHO}
roles: owner may do everything in the project, maintainer everything but change its members, developer pull and
push, reader pull, guest what is public and what rules give.
"""


def register(noun: Noun) -> None:
    """Add the verbs."""
    listing = noun.verb("list", _list, "list the members of a project", "berth member list -p acme", quiet="who it is")
    add_project(listing)
    add = noun.verb(
        "add",
        _add,
        "make somebody a member of a project, or change a member's role",
        "berth member add alice owner -p acme",
        "berth member add group:devs developer -p acme",
        details=_DETAILS,
    )
    add.add_argument("subject", metavar="WHO", type=subject)
    add.add_argument("role", metavar="ROLE", choices=tuple(Role))
    add_project(add)
    remove = noun.verb(
        "remove",
        _remove,
        "take somebody out of a project",
        "berth member remove group:devs -p acme",
        details=WHO,
    )
    remove.add_argument("subject", metavar="WHO", type=subject)
    add_project(remove)


async def _list(arguments: argparse.Namespace, management: Management) -> None:
    page = partial(management.members.page, OPERATING, chosen(arguments))
    members = await all_of(page, lambda member: str(member.subject))
    print_list(arguments, [_record(member) for member in members], _COLUMNS)


async def _add(arguments: argparse.Namespace, management: Management) -> None:
    project = chosen(arguments)
    member = await management.members.put(OPERATING, project, arguments.subject, Role(arguments.role))
    print_done(arguments, f"{member.subject} is {member.role} of project {project}", _record(member))


async def _remove(arguments: argparse.Namespace, management: Management) -> None:
    project = chosen(arguments)
    await management.members.remove(OPERATING, project, arguments.subject)
    print_done(arguments, f"removed {arguments.subject} from project {project}", {"removed": str(arguments.subject)})


def _record(member: Member) -> Record:
    return {"subject": str(member.subject), "role": member.role, "createdAt": moment(member.created_at)}
