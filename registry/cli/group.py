"""`berth group`: users who are given rights together."""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING

from auth.actor import OPERATING
from registry.cli.nouns import Noun
from registry.cli.opening import all_of
from registry.cli.tables import Record, moment, print_done, print_list, print_record

if TYPE_CHECKING:
    from registry.api.rest.services import Management
    from registry.domain.groups import Group

_COLUMNS = ("name", "members", "createdAt", "description")


def register(noun: Noun) -> None:
    """Add the verbs."""
    noun.verb("list", _list, "list all groups", "berth group list", quiet="the names")
    noun.verb("show", _show, "show one group", "berth group show devs --json", takes=["name"])
    create = noun.verb("create", _create, "add a group", "berth group create devs", takes=["name"])
    create.add_argument("--description", default="", metavar="TEXT")
    deleting = "delete a group, with the rights that it gave"
    noun.verb("delete", _delete, deleting, "berth group delete devs", takes=["name"])
    members = "list the users in a group"
    noun.verb("members", _members, members, "berth group members devs", takes=["name"], quiet="the names")
    adding, removing = "berth group add devs alice", "berth group remove devs alice"
    noun.verb("add", _add, "take a user into a group", adding, takes=["name", "user"])
    noun.verb("remove", _remove, "take a user out of a group", removing, takes=["name", "user"])


async def _list(arguments: argparse.Namespace, management: Management) -> None:
    groups = await all_of(partial(management.groups.page, OPERATING), lambda group: group.name)
    print_list(arguments, [_record(group) for group in groups], _COLUMNS)


async def _show(arguments: argparse.Namespace, management: Management) -> None:
    print_record(arguments, _record(await management.groups.get(OPERATING, arguments.name)))


async def _create(arguments: argparse.Namespace, management: Management) -> None:
    group = await management.groups.create(OPERATING, arguments.name, arguments.description)
    print_done(arguments, f"created group {group.name}", _record(group))


async def _delete(arguments: argparse.Namespace, management: Management) -> None:
    await management.groups.delete(OPERATING, arguments.name)
    print_done(arguments, f"deleted group {arguments.name}", {"deleted": arguments.name})


async def _members(arguments: argparse.Namespace, management: Management) -> None:
    names = await all_of(partial(management.groups.members, OPERATING, arguments.name), str)
    print_list(arguments, [{"name": name} for name in names], ("name",))


async def _add(arguments: argparse.Namespace, management: Management) -> None:
    await management.groups.add(OPERATING, arguments.name, arguments.user)
    print_done(arguments, f"{arguments.user} is in group {arguments.name}", {"name": arguments.user})


async def _remove(arguments: argparse.Namespace, management: Management) -> None:
    await management.groups.remove(OPERATING, arguments.name, arguments.user)
    print_done(arguments, f"removed {arguments.user} from group {arguments.name}", {"removed": arguments.user})


def _record(group: Group) -> Record:
    return {
        "name": group.name,
        "description": group.description,
        "members": group.members,
        "createdAt": moment(group.created_at),
    }
