"""`berth migrate`: bring the database to the schema of this version."""

from __future__ import annotations

import argparse
import asyncio

from registry.cli.arguments import Commands, add_command, add_settings, load_config

_DETAILS = """\
`berth serve` does the same when it starts. Use this to do it beforehand, or to see that it works.
"""
_COPY_DETAILS = """\
SOURCE and DESTINATION are databases, one of each kind:

  sqlite:DIR                       the file metadata.db in a data folder; sqlite: is the folder of the settings
  postgresql://USER@HOST/NAME      a database of PostgreSQL; postgresql: is storage.database of the settings

Copies users, tokens, repositories, manifests, tags, and all other rows, so that nothing has to be pushed again. Bytes
of blobs and signing keys stay where they are: the daemon needs the same storage.data as before, or the same bucket.
Nobody may use either database meanwhile, so stop the daemons first. The source is not changed.

The destination is new, and its tables are made here. When the command is broken off, the same command goes on where it
ended; until all rows are there and compared, no daemon starts on the destination.

A password in an argument could be read by everybody on the machine, so none is taken: give it as PGPASSWORD or in
~/.pgpass, or the whole URL as BERTH_STORAGE__DATABASE, and postgresql: here.
"""
_COPY_EXAMPLES = """\
examples:
  berth migrate copy sqlite:/var/lib/berth postgresql://berth@db.example/berth
  berth migrate copy sqlite: postgresql: --config /etc/berth.toml
  berth migrate copy postgresql://berth@db.example/berth sqlite:/var/lib/berth

exit codes: 0 all rows are in the destination, 1 they are not, 2 wrong arguments or settings
"""


def register(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands,
        "migrate",
        run,
        summary="bring the database to the schema of this version",
        details=_DETAILS,
    )
    add_settings(parser)
    _register_copy(parser.add_subparsers(title="commands", metavar="[COMMAND]"))


def run(arguments: argparse.Namespace) -> int:
    """Migrate, and print the schema's version."""
    config = load_config(arguments)

    from registry.app.first_start import prepare  # noqa: PLC0415
    from registry.app.storing import schema_version  # noqa: PLC0415

    prepare(config)
    print(f"the database has schema version {asyncio.run(schema_version(config))}")
    return 0


def _register_copy(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(
        commands,
        "copy",
        run_copy,
        summary="copy all rows to a database of the other engine",
        details=_COPY_DETAILS,
        examples=_COPY_EXAMPLES,
    )
    parser.add_argument("source", metavar="SOURCE")
    parser.add_argument("destination", metavar="DESTINATION")
    parser.add_argument(
        "--restart", action="store_true", help="throw away what an unfinished copy left in the destination"
    )
    parser.add_argument("--json", action="store_true", help="print what was copied as JSON")
    add_settings(parser, default=argparse.SUPPRESS)


def run_copy(arguments: argparse.Namespace) -> int:
    """Copy all rows, and print what is in the copy."""
    from registry.cli import migrate_copy  # noqa: PLC0415 - it loads the clients of both engines

    return migrate_copy.run(arguments)
