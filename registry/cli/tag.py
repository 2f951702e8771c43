"""`berth tag`: where tags pointed, and who moved them."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from auth.actor import OPERATING
from registry.cli.limits import add_limit
from registry.cli.nouns import Noun, UsageError
from registry.cli.references import reference
from registry.cli.tables import Record, moment, print_list

if TYPE_CHECKING:
    from registry.api.rest.services import Management
    from registry.domain.history import TagChange

_COLUMNS = ("at", "tag", "oldDigest", "newDigest", "principal")

_DETAILS = """\
A digest that a tag has left can still be pulled, until a policy of its registry removes it.
"""


def register(noun: Noun) -> None:
    """Add the verb."""
    history = noun.verb(
        "history",
        _history,
        "list where the tags of a repository pointed, the newest change first",
        "berth tag history app",
        "berth tag history acme/app:latest --limit 10",
        quiet="the digests that tags were moved to",
        details=_DETAILS,
    )
    history.add_argument("reference", metavar="REPOSITORY[:TAG]", type=reference, help="of all tags, or of one")
    add_limit(history, "changes")


async def _history(arguments: argparse.Namespace, management: Management) -> None:
    wanted = arguments.reference
    if wanted.digest is not None:
        raise UsageError("a digest never moves: give a repository, or a tag of it")
    page = await management.tag_history.page(OPERATING, wanted.repository, wanted.tag, "", arguments.limit)
    print_list(arguments, [_record(change) for change in page.items], _COLUMNS, lambda record: record["newDigest"])


def _record(change: TagChange) -> Record:
    return {
        "id": change.id,
        "tag": change.tag,
        "at": moment(change.at),
        "oldDigest": change.old,
        "newDigest": change.new,
        "kind": change.kind,
        "principal": change.principal,
        "token": change.token,
    }
