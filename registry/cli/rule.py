"""`berth rule`: what somebody may do to some repositories of a registry, for what roles are too coarse for."""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING

from auth.actor import OPERATING
from registry.cli.nouns import Noun, row_id
from registry.cli.opening import all_of
from registry.cli.projects import REGISTRY, add_project, named_registry
from registry.cli.rights import WHO, actions_or_nothing, subject
from registry.cli.tables import Record, moment, print_done, print_list

if TYPE_CHECKING:
    from registry.api.rest.services import Management
    from registry.domain.rules import Rule

_COLUMNS = ("id", "pattern", "subject", "actions", "createdAt")

_DETAILS = f"""\
{REGISTRY}In PATTERN, the name of repositories, * stands for a part without /, ** for anything.
The longest pattern decides alone, so a rule can also take away what a role gives. Of two equally long ones that for
a user or robot comes first, then that for a group. No rule binds owners and administrators.

{WHO.rstrip()[:-1]},
or everyone, logged in or not.
"""


def register(noun: Noun) -> None:
    """Add the verbs."""
    listing = noun.verb(
        "list",
        _list,
        "list the rules of a registry",
        "berth rule list root",
        takes=["registry"],
        quiet="the ids",
        details=REGISTRY,
    )
    add_project(listing)
    add = noun.verb(
        "add",
        _add,
        "add a rule",
        "berth rule add root 'app/**' --for group:devs --actions pull,push",
        "berth rule add root 'app/secret/*' --for everyone --actions nothing",
        takes=["registry", "pattern"],
        details=_DETAILS,
    )
    add.add_argument("--for", dest="subject", metavar="WHO", type=subject, required=True, help="whom it is about")
    add.add_argument(
        "--actions",
        metavar="LIST",
        type=actions_or_nothing,
        required=True,
        help="some of pull,push,delete with commas between them, or nothing",
    )
    add_project(add)
    remove = noun.verb(
        "remove", _remove, "remove a rule", "berth rule remove root 1", takes=["registry"], details=REGISTRY
    )
    remove.add_argument("id", metavar="ID", type=row_id, help="as `berth rule list` shows it")
    add_project(remove)


async def _list(arguments: argparse.Namespace, management: Management) -> None:
    page = partial(management.rules.page, OPERATING, *named_registry(arguments))
    rules = await all_of(page, lambda rule: str(rule.id))
    print_list(arguments, [_record(rule) for rule in rules], _COLUMNS)


async def _add(arguments: argparse.Namespace, management: Management) -> None:
    rule = await management.rules.create(
        OPERATING, *named_registry(arguments), arguments.pattern, arguments.subject, arguments.actions
    )
    print_done(arguments, f"added rule {rule.id}", _record(rule))


async def _remove(arguments: argparse.Namespace, management: Management) -> None:
    await management.rules.delete(OPERATING, *named_registry(arguments), arguments.id)
    print_done(arguments, f"removed rule {arguments.id}", {"removed": arguments.id})


def _record(rule: Rule) -> Record:
    return {
        "id": rule.id,
        "registry": rule.registry,
        "pattern": rule.pattern,
        "subject": str(rule.subject),
        "actions": sorted(rule.actions),
        "createdAt": moment(rule.created_at),
    }
