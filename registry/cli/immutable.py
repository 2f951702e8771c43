"""`berth immutable`: tags that, once they are there, neither move nor go."""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING

from auth.actor import OPERATING
from registry.cli.nouns import Noun, row_id
from registry.cli.opening import all_of
from registry.cli.projects import REGISTRY, add_project, named_registry
from registry.cli.tables import Record, moment, print_done, print_list

if TYPE_CHECKING:
    from registry.api.rest.services import Management
    from registry.domain.immutability import ImmutableTag

_COLUMNS = ("id", "repositories", "tags", "createdAt")
_EVERY = "**"

_DETAILS = f"""\
{REGISTRY}In patterns, * stands for a part without /, ** for anything.
Signatures and the like, which clients keep under tags such as sha256-<digest>.sig, can always be replaced.
"""


def register(noun: Noun) -> None:
    """Add the verbs."""
    listing = noun.verb(
        "list",
        _list,
        "list the patterns of immutable tags of a registry",
        "berth immutable list root",
        takes=["registry"],
        quiet="the ids",
        details=REGISTRY,
    )
    add_project(listing)
    add = noun.verb(
        "add",
        _add,
        "make the tags immutable that a pattern matches",
        "berth immutable add root 'v*'",
        "berth immutable add root '*' --repositories 'app/**'",
        takes=["registry", "tags"],
        details=_DETAILS,
    )
    add.add_argument(
        "--repositories", metavar="PATTERN", default=_EVERY, help="in these repositories alone (default: all)"
    )
    add_project(add)
    remove = noun.verb(
        "remove",
        _remove,
        "let the tags move again that a pattern matches",
        "berth immutable remove root 1",
        takes=["registry"],
        details=REGISTRY,
    )
    remove.add_argument("id", metavar="ID", type=row_id, help="as `berth immutable list` shows it")
    add_project(remove)


async def _list(arguments: argparse.Namespace, management: Management) -> None:
    page = partial(management.immutable_tags.page, OPERATING, *named_registry(arguments))
    found = await all_of(page, lambda immutable: str(immutable.id))
    print_list(arguments, [_record(immutable) for immutable in found], _COLUMNS)


async def _add(arguments: argparse.Namespace, management: Management) -> None:
    immutable = await management.immutable_tags.create(
        OPERATING, *named_registry(arguments), arguments.repositories, arguments.tags
    )
    sentence = f"tags {immutable.tags} of {immutable.repositories} are immutable, by pattern {immutable.id}"
    print_done(arguments, sentence, _record(immutable))


async def _remove(arguments: argparse.Namespace, management: Management) -> None:
    await management.immutable_tags.delete(OPERATING, *named_registry(arguments), arguments.id)
    print_done(arguments, f"removed pattern {arguments.id}", {"removed": arguments.id})


def _record(immutable: ImmutableTag) -> Record:
    return {
        "id": immutable.id,
        "registry": immutable.registry,
        "repositories": immutable.repositories,
        "tags": immutable.tags,
        "createdAt": moment(immutable.created_at),
    }
