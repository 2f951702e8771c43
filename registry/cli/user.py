"""`berth user`: people, their passwords, and the places where they are logged in."""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING

from auth.actor import OPERATING
from auth.roles import SystemRole
from registry.cli import passwords
from registry.cli.nouns import Noun, changes
from registry.cli.opening import all_of
from registry.cli.tables import Record, moment, print_done, print_list, print_record, print_secret
from registry.domain.users import User, UserChanges

if TYPE_CHECKING:
    from registry.api.rest.services import Management
    from registry.domain.sessions import Session

_NO_ROLE = "none"
_COLUMNS = ("name", "systemRole", "disabled", "hasPassword", "createdAt", "description")
_SESSION_COLUMNS = ("id", "client", "address", "createdAt", "usedAt", "expiresAt")

_WHERE_FROM = """\
The password is asked for on the terminal, unless a flag says where else it comes from. What is made up with
--generate is printed on standard output, alone, and kept nowhere else.
"""


def register(noun: Noun) -> None:
    """Add the verbs."""
    noun.verb("list", _list, "list all users", "berth user list", "berth user list --quiet", quiet="the names")
    noun.verb("show", _show, "show one user", "berth user show alice --json", takes=["name"])
    _register_create(noun)
    password = noun.verb(
        "password",
        _password,
        "give a user another password",
        "berth user password alice",
        "berth user password alice --generate --quiet > password.txt",
        takes=["name"],
        quiet="a generated password",
        details=f"{_WHERE_FROM}\nEnds every session of the user.\n",
        prepare=passwords.obtain,
    )
    passwords.add_sources(password, optional=False)
    update = noun.verb(
        "update",
        _update,
        "change the role or the description of a user",
        "berth user update alice --role admin",
        "berth user update alice --role none",
        takes=["name"],
    )
    update.add_argument("--role", choices=(*SystemRole, _NO_ROLE))
    update.add_argument("--description", metavar="TEXT")
    disabling = "refuse a user until it is enabled again, and end its sessions"
    noun.verb("disable", _disable, disabling, "berth user disable alice", takes=["name"])
    noun.verb("enable", _enable, "accept a disabled user again", "berth user enable alice", takes=["name"])
    deleting = "delete a user, with its tokens and memberships"
    noun.verb("delete", _delete, deleting, "berth user delete alice", takes=["name"])
    _register_sessions(noun)


def _register_create(noun: Noun) -> None:
    create = noun.verb(
        "create",
        _create,
        "add a user",
        "berth user create alice",
        "berth user create alice --password-stdin < password.txt",
        "berth user create grafana --role monitor --no-password",
        takes=["name"],
        quiet="a generated password",
        details=_WHERE_FROM,
        prepare=passwords.obtain,
    )
    create.add_argument("--role", choices=tuple(SystemRole), help="admin may do everything, monitor read the metrics")
    create.add_argument("--description", default="", metavar="TEXT")
    passwords.add_sources(create, optional=True)


def _register_sessions(noun: Noun) -> None:
    noun.verb(
        "sessions",
        _sessions,
        "list where a user is logged in",
        "berth user sessions alice",
        takes=["name"],
        quiet="the ids",
        details="A session is what `docker login` and the like keep in place of the password.\n",
    )
    logout = noun.verb(
        "logout",
        _logout,
        "end the sessions of a user",
        "berth user logout alice",
        "berth user logout alice --session ID",
        takes=["name"],
    )
    logout.add_argument("--session", metavar="ID", help="end this one alone; `berth user sessions` shows the ids")


async def _list(arguments: argparse.Namespace, management: Management) -> None:
    users = await all_of(partial(management.users.page, OPERATING), lambda user: user.name)
    print_list(arguments, [_record(user) for user in users], _COLUMNS)


async def _show(arguments: argparse.Namespace, management: Management) -> None:
    print_record(arguments, _record(await management.users.get(OPERATING, arguments.name)))


async def _create(arguments: argparse.Namespace, management: Management) -> None:
    role = None if arguments.role is None else SystemRole(arguments.role)
    user = await management.users.create(OPERATING, arguments.name, arguments.password, role, arguments.description)
    _print_with_password(arguments, f"created user {user.name}", user)


async def _password(arguments: argparse.Namespace, management: Management) -> None:
    await management.users.set_password(OPERATING, arguments.name, arguments.password)
    user = await management.users.get(OPERATING, arguments.name)
    _print_with_password(arguments, f"changed the password of user {user.name}", user)


def _print_with_password(arguments: argparse.Namespace, sentence: str, user: User) -> None:
    if arguments.generate:
        print_secret(arguments, arguments.password, "password", sentence, _record(user))
    else:
        print_done(arguments, sentence, _record(user))


async def _update(arguments: argparse.Namespace, management: Management) -> None:
    given = changes(arguments, "role", "description")
    role = given["role"]
    wanted = UserChanges(
        description=given["description"],
        system_role=None if role in {None, _NO_ROLE} else SystemRole(role),
        clear_system_role=role == _NO_ROLE,
    )
    await _change(arguments, management, wanted, "changed")


async def _disable(arguments: argparse.Namespace, management: Management) -> None:
    await _change(arguments, management, UserChanges(disabled=True), "disabled")


async def _enable(arguments: argparse.Namespace, management: Management) -> None:
    await _change(arguments, management, UserChanges(disabled=False), "enabled")


async def _change(arguments: argparse.Namespace, management: Management, wanted: UserChanges, word: str) -> None:
    user = await management.users.update(OPERATING, arguments.name, wanted)
    print_done(arguments, f"{word} user {user.name}", _record(user))


async def _delete(arguments: argparse.Namespace, management: Management) -> None:
    await management.users.delete(OPERATING, arguments.name)
    print_done(arguments, f"deleted user {arguments.name}", {"deleted": arguments.name})


async def _sessions(arguments: argparse.Namespace, management: Management) -> None:
    records = [_session(session) for session in await _all_sessions(management, arguments.name)]
    print_list(arguments, records, _SESSION_COLUMNS)


async def _logout(arguments: argparse.Namespace, management: Management) -> None:
    which, ended = f"session {arguments.session}", [arguments.session]
    if arguments.session is None:
        which, ended = "all sessions", [session.family for session in await _all_sessions(management, arguments.name)]
    for family in ended:
        await management.sessions.revoke(OPERATING, arguments.name, family)
    print_done(arguments, f"ended {which} of user {arguments.name}", {"ended": ended})


async def _all_sessions(management: Management, name: str) -> list[Session]:
    return await all_of(partial(management.sessions.page, OPERATING, name), lambda session: session.family)


def _record(user: User) -> Record:
    return {
        "name": user.name,
        "systemRole": user.system_role,
        "description": user.description,
        "disabled": user.disabled,
        "hasPassword": user.has_password,
        "createdAt": moment(user.created_at),
        "updatedAt": moment(user.updated_at),
    }


def _session(session: Session) -> Record:
    return {
        "id": session.family,
        "client": session.client,
        "address": session.address,
        "createdAt": moment(session.created_at),
        "usedAt": moment(session.used_at),
        "expiresAt": moment(session.expires_at),
    }
