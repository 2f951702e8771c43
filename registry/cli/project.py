"""`berth project`: projects, which own registries, robots and members."""

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
    from registry.domain.projects import Project

_COLUMNS = ("name", "createdAt", "description")


def register(noun: Noun) -> None:
    """Add the verbs."""
    noun.verb("list", _list, "list all projects", "berth project list", quiet="the names")
    noun.verb("show", _show, "show one project", "berth project show acme --json", takes=["name"])
    create = noun.verb(
        "create",
        _create,
        "add a project",
        'berth project create acme --description "All that Acme ships"',
        takes=["name"],
        details="With it comes a private registry named main, for repositories below <project>/.\n",
    )
    create.add_argument("--description", default="", metavar="TEXT")
    updating = 'berth project update acme --description "What Acme ships"'
    update = noun.verb("update", _update, "change the description of a project", updating, takes=["name"])
    update.add_argument("--description", metavar="TEXT", required=True)
    noun.verb(
        "delete",
        _delete,
        "delete a project, with its registries, robots and members",
        "berth project delete acme",
        takes=["name"],
        details="Refused while one of its repositories holds anything.\n",
    )


async def _list(arguments: argparse.Namespace, management: Management) -> None:
    projects = await all_of(partial(management.projects.page, OPERATING), lambda project: project.name)
    print_list(arguments, [_record(project) for project in projects], _COLUMNS)


async def _show(arguments: argparse.Namespace, management: Management) -> None:
    print_record(arguments, _record(await management.projects.get(OPERATING, arguments.name)))


async def _create(arguments: argparse.Namespace, management: Management) -> None:
    project = await management.projects.create(OPERATING, arguments.name, arguments.description)
    print_done(arguments, f"created project {project.name}", _record(project))


async def _update(arguments: argparse.Namespace, management: Management) -> None:
    project = await management.projects.update(OPERATING, arguments.name, arguments.description)
    print_done(arguments, f"changed project {project.name}", _record(project))


async def _delete(arguments: argparse.Namespace, management: Management) -> None:
    await management.projects.delete(OPERATING, arguments.name)
    print_done(arguments, f"deleted project {arguments.name}", {"deleted": arguments.name})


def _record(project: Project) -> Record:
    return {
        "name": project.name,
        "description": project.description,
        "createdAt": moment(project.created_at),
    }
