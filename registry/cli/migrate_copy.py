"""What `berth migrate copy` does with its arguments, and what it prints."""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from registry.app.copying import Place, copy_metadata
from registry.cli import progress
from registry.cli.arguments import BAD_CONFIGURATION, load_config
from registry.cli.tables import table
from registry.config import Config
from registry.config.kinds import BadValue
from registry.config.urls import database
from storage.metadata.copying import Copied, Progress

_SQLITE = "sqlite:"
_POSTGRESQL = "postgresql:"
_FILE_NAME = "metadata.db"
_SECRETS = {"password", "sslpassword"}
# Whatever else is wrong with it: a colon before an @ is what stands between a user and a password.
_LOGIN = re.compile(r"//[^?]*:[^?]*@")


class _WrongPlace(Exception):
    """The argument names no database; the message says why."""


def run(arguments: argparse.Namespace) -> int:
    """Copy, and print what is in the copy."""
    config = load_config(arguments)
    try:
        source, destination = _places(arguments, config)
    except _WrongPlace as error:
        print(f"berth: {error}", file=sys.stderr)
        return BAD_CONFIGURATION
    with progress.Progress(_line) as shown:
        copied = asyncio.run(copy_metadata(source, destination, shown.show, restart=arguments.restart))
    if arguments.json:
        print(json.dumps(_document(source, destination, copied), indent=2))
    else:
        _print(source, destination, copied)
    return 0


def _places(arguments: argparse.Namespace, config: Config) -> tuple[Place, Place]:
    source, destination = _place(arguments.source, config), _place(arguments.destination, config)
    if (source.data is None) == (destination.data is None):
        raise _WrongPlace("one of SOURCE and DESTINATION has to be sqlite:DIR, the other one postgresql://…")
    return source, destination


def _place(text: str, config: Config) -> Place:
    if text == _SQLITE:
        return Place(f"{_SQLITE}{config.storage.data}", config.storage, config.storage.data)
    if text.startswith(_SQLITE):
        path = Path(text.removeprefix(_SQLITE))
        return Place(text, config.storage, path.parent if path.name == _FILE_NAME else path)
    if text == _POSTGRESQL:
        if not config.storage.database:
            raise _WrongPlace("postgresql: is storage.database of the settings, which is not set")
        return Place(text, config.storage, None)
    return Place(text, replace(config.storage, database=_url(text)), None)


def _url(text: str) -> str:
    # No message has the text in it, which may have a password.
    try:
        given = parse_qs(urlsplit(text).query).keys()
        url = database().read(text)
    except BadValue as error:
        raise _WrongPlace(f"SOURCE and DESTINATION are sqlite:DIR and {error.expected}") from None
    except ValueError:
        raise _WrongPlace("the URL of the database cannot be understood") from None
    if _LOGIN.search(url) or _SECRETS & given:
        raise _WrongPlace(
            "there is a password in the arguments, which everybody on this machine can read: give it as PGPASSWORD, or"
            " the URL as BERTH_STORAGE__DATABASE, and postgresql: as the argument"
        )
    return url


def _document(source: Place, destination: Place, copied: Copied) -> dict[str, object]:
    tables = [
        {"table": name, "rows": found.rows, "digest": found.digest} for name, found in sorted(copied.tables.items())
    ]
    return {"source": source.name, "destination": destination.name, "copied": not copied.was_there, "tables": tables}


def _print(source: Place, destination: Place, copied: Copied) -> None:
    tables = sorted(copied.tables.items())
    print(table(["TABLE", "ROWS", "DIGEST"], ([name, found.rows, found.digest[:16]] for name, found in tables)))
    rows = sum(found.rows for _, found in tables)
    was = "was already" if copied.was_there else "is now"
    print(f"\nall of {source.name}, {rows} rows, {was} in {destination.name}, and the same on both sides")
    change = "set storage.database to its URL" if destination.data is None else "unset storage.database"
    print(f"next: {change}, keep storage.data, run `berth check`, and start the daemon")


def _line(state: Progress) -> str:
    of = "" if state.of is None else f" of {state.of}"
    return f"{state.doing} {state.table}: {state.rows}{of} rows"
