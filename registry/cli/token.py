"""`berth token`: access tokens of users and robots, to be used in place of a password."""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING

from auth.actor import OPERATING
from registry.cli import times
from registry.cli.nouns import Noun
from registry.cli.opening import all_of
from registry.cli.rights import actions
from registry.cli.tables import Record, cell, moment, print_done, print_list, print_record, print_secret
from registry.domain.access_tokens import AccessToken, NewToken
from registry.errors import NotFound

if TYPE_CHECKING:
    from registry.api.rest.services import Management

_COLUMNS = ("id", "name", "actions", "patterns", "expiresAt", "lastUsedAt", "lastUsedFrom", "lastUsedClient")
_EVERY = "**"
_NEVER = "never"

_OWNER = "OWNER is the name of a user, or the full name of a robot, such as default+ci.\n"
_DETAILS = f"""\
{_OWNER}A token can do what its owner can do, and of that only what these flags say. Its secret is printed on standard
output, alone; it cannot be shown again.
"""
_TOKEN = f"{_OWNER}TOKEN is the id of the token, or its name, unless that is a number.\n"


def register(noun: Noun) -> None:
    """Add the verbs."""
    listing = "berth token list alice"
    noun.verb("list", _list, "list the tokens of an owner", listing, takes=["owner"], quiet="the ids", details=_OWNER)
    showing = "berth token show alice laptop"
    noun.verb("show", _show, "show one token", showing, takes=["owner", "token"], details=_TOKEN)
    revoking = "berth token revoke alice laptop"
    noun.verb("revoke", _revoke, "take a token away for good", revoking, takes=["owner", "token"], details=_TOKEN)
    create = noun.verb(
        "create",
        _create,
        "make a token",
        "berth token create alice laptop",
        "berth token create default+ci build --actions pull,push --repositories 'app/**' --expires 90d",
        "TOKEN=$(berth token create default+ci build --quiet)",
        takes=["owner", "name"],
        quiet="the secret",
        details=_DETAILS,
    )
    create.add_argument(
        "--actions",
        metavar="LIST",
        type=actions,
        default="pull",
        help="some of pull,push,delete, with commas between them; or manage, for all that is not"
        " about the content of repositories (default: pull)",
    )
    create.add_argument(
        "--repositories",
        metavar="PATTERN",
        action="append",
        help="only for these, * stands for a part without /, ** for anything; may be given several times",
    )
    create.add_argument("--expires", metavar="WHEN", type=_expiry, help=f"{times.FORMS}, or {_NEVER} (the default)")


def _expiry(text: str) -> int | None:
    return None if text == _NEVER else times.later(text)


async def _list(arguments: argparse.Namespace, management: Management) -> None:
    records = [_record(token) for token in await _tokens(arguments, management)]
    print_list(arguments, records, _COLUMNS)


async def _show(arguments: argparse.Namespace, management: Management) -> None:
    print_record(arguments, _record(await _find(arguments, management)))


async def _create(arguments: argparse.Namespace, management: Management) -> None:
    patterns = tuple(arguments.repositories or [_EVERY])
    new = NewToken(arguments.name, arguments.actions, patterns, arguments.expires)
    token, secret = await management.access_tokens.create(OPERATING, arguments.owner, new)
    record = _record(token)
    expiry = "does not expire" if token.expires_at is None else f"expires at {cell(record['expiresAt'])}"
    sentence = f"created token {token.id} of {token.owner}, which {expiry}; this is the only time that it is shown"
    print_secret(arguments, secret, "secret", sentence, record)


async def _revoke(arguments: argparse.Namespace, management: Management) -> None:
    token = await _find(arguments, management)
    await management.access_tokens.revoke(OPERATING, arguments.owner, token.id)
    print_done(arguments, f"revoked token {token.id} of {token.owner}", {"revoked": token.id})


async def _find(arguments: argparse.Namespace, management: Management) -> AccessToken:
    # Digits are never a name, so that nobody can name a token like the id of another.
    by_id = arguments.token.isdecimal()
    for token in await _tokens(arguments, management):
        if arguments.token == (str(token.id) if by_id else token.name):
            return token
    raise NotFound("token", arguments.token)


async def _tokens(arguments: argparse.Namespace, management: Management) -> list[AccessToken]:
    page = partial(management.access_tokens.page, OPERATING, arguments.owner)
    return await all_of(page, lambda token: str(token.id))


def _record(token: AccessToken) -> Record:
    return {
        "id": token.id,
        "name": token.name,
        "owner": token.owner,
        "actions": sorted(token.actions),
        "patterns": token.patterns,
        "createdAt": moment(token.created_at),
        "expiresAt": moment(token.expires_at),
        "lastUsedAt": moment(token.last_used_at),
        "lastUsedFrom": token.last_used_from,
        "lastUsedClient": token.last_used_client,
    }
