"""`berth migrate`: bring the database to the schema of this version."""

from __future__ import annotations

import argparse
import asyncio

from registry.cli.arguments import Commands, add_command, add_settings, load_config

_DETAILS = """\
`berth serve` does the same when it starts. Use this to do it beforehand, or to see that it works.
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


def run(arguments: argparse.Namespace) -> int:
    """Migrate, and print the schema's version."""
    config = load_config(arguments)

    from registry.app.first_start import prepare  # noqa: PLC0415
    from registry.app.storing import schema_version  # noqa: PLC0415

    prepare(config)
    print(f"the database has schema version {asyncio.run(schema_version(config))}")
    return 0
