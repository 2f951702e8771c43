"""`berth robot`: accounts of programs, each in a project."""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING

from auth.actor import OPERATING
from auth.roles import Role
from registry.cli.nouns import Noun, Run, changes
from registry.cli.opening import all_of
from registry.cli.projects import add_named_verb, add_project, named, wanted
from registry.cli.tables import Record, moment, print_done, print_list, print_record
from registry.domain.robots import Robot, RobotChanges, full_name

if TYPE_CHECKING:
    from registry.api.rest.services import Management

_COLUMNS = ("login", "role", "disabled", "createdAt", "description")
_SEPARATOR = "+"

_DETAILS = """\
A robot logs in as PROJECT+NAME with a token, which `berth token create` makes.
What the token is for narrows what the role gives.
"""
_NAME = "NAME may also be the name it logs in with, such as default+ci.\n"


def register(noun: Noun) -> None:
    """Add the verbs."""
    listing = noun.verb(
        "list", _list, "list robots", "berth robot list", "berth robot list -p acme", quiet="the names they log in with"
    )
    add_project(listing, or_all=True)
    _verb(noun, "show", _show, "show one robot", "berth robot show ci --json")
    create = _verb(noun, "create", _create, "add a robot", "berth robot create ci --role developer", _DETAILS)
    create.add_argument("--role", choices=tuple(Role), required=True, help="what it is in its project")
    create.add_argument("--description", default="", metavar="TEXT")
    updating = "change the role or the description of a robot"
    update = _verb(noun, "update", _update, updating, "berth robot update ci --role reader")
    update.add_argument("--role", choices=tuple(Role))
    update.add_argument("--description", metavar="TEXT")
    _verb(noun, "disable", _disable, "refuse a robot until it is enabled again", "berth robot disable ci")
    _verb(noun, "enable", _enable, "accept a disabled robot again", "berth robot enable ci")
    _verb(noun, "delete", _delete, "delete a robot and its tokens", "berth robot delete default+ci")


def _verb(noun: Noun, name: str, run: Run, summary: str, example: str, details: str = "") -> argparse.ArgumentParser:
    return add_named_verb(noun, name, run, summary, example, details=f"{details}{_NAME}")


async def _list(arguments: argparse.Namespace, management: Management) -> None:
    records: list[Record] = []
    async for project in wanted(arguments, management):
        page = partial(management.robots.page, OPERATING, project)
        records += [_record(robot) for robot in await all_of(page, lambda robot: robot.name)]
    print_list(arguments, records, _COLUMNS)


async def _show(arguments: argparse.Namespace, management: Management) -> None:
    print_record(arguments, _record(await management.robots.get(OPERATING, *_named(arguments))))


async def _create(arguments: argparse.Namespace, management: Management) -> None:
    robot = await management.robots.create(OPERATING, *_named(arguments), Role(arguments.role), arguments.description)
    print_done(arguments, f"created robot {robot.name}", _record(robot))


async def _update(arguments: argparse.Namespace, management: Management) -> None:
    given = changes(arguments, "role", "description")
    role = None if given["role"] is None else Role(given["role"])
    await _change(arguments, management, RobotChanges(role=role, description=given["description"]), "changed")


async def _disable(arguments: argparse.Namespace, management: Management) -> None:
    await _change(arguments, management, RobotChanges(disabled=True), "disabled")


async def _enable(arguments: argparse.Namespace, management: Management) -> None:
    await _change(arguments, management, RobotChanges(disabled=False), "enabled")


async def _change(arguments: argparse.Namespace, management: Management, changed: RobotChanges, word: str) -> None:
    robot = await management.robots.update(OPERATING, *_named(arguments), changed)
    print_done(arguments, f"{word} robot {robot.name}", _record(robot))


async def _delete(arguments: argparse.Namespace, management: Management) -> None:
    project, name = _named(arguments)
    await management.robots.delete(OPERATING, project, name)
    login = full_name(project, name)
    print_done(arguments, f"deleted robot {login}", {"deleted": login})


def _named(arguments: argparse.Namespace) -> tuple[str, str]:
    return named(arguments, arguments.name, _SEPARATOR)


def _record(robot: Robot) -> Record:
    return {
        "name": robot.name.removeprefix(full_name(robot.project, "")),
        "login": robot.name,
        "project": robot.project,
        "role": robot.role,
        "description": robot.description,
        "disabled": robot.disabled,
        "createdAt": moment(robot.created_at),
        "updatedAt": moment(robot.updated_at),
    }
