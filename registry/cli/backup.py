"""`berth backup`: copy what is in the data folder."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from registry.cli.arguments import Commands, add_command, add_settings, load_config

if TYPE_CHECKING:
    from registry.app.backing_up import Backup
    from registry.config import Config

_DETAILS = """\
Copies the database (SQLite), the signing keys and the blobs (files) to a folder, which is a data folder then:
put it in the place of the lost one, and start the daemon. May run beside the daemon. The folder is made if it is
not there; if it has a backup already, that is brought up to date, which takes only the time that new blobs take.
What is broken off leaves the backup as it was before.

Rows in PostgreSQL and objects in a bucket are not in the data folder. Dump the database before you run this, and
copy the bucket after it: docs/operations.md has the commands.
"""
_EXAMPLES = """\
examples:
  berth backup /mnt/backup/berth
  berth backup /mnt/backup/berth --data /var/lib/berth && berth check --bytes --data /mnt/backup/berth

exit codes: 0 the backup is whole, 1 it failed, or blobs are missing in it because the registry has lost them,
2 wrong arguments or settings
"""


def register(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands, "backup", run, summary="copy what is in the data folder", details=_DETAILS, examples=_EXAMPLES
    )
    parser.add_argument("folder", metavar="DIR", type=Path, help="folder of the backup")
    parser.add_argument("--json", action="store_true", help="print what was copied as JSON")
    add_settings(parser)


def run(arguments: argparse.Namespace) -> int:
    """Copy, and tell what the backup holds, and what it does not."""
    config = load_config(arguments)

    import asyncio  # noqa: PLC0415

    from registry.app.backing_up import back_up  # noqa: PLC0415

    backup = asyncio.run(back_up(config, arguments.folder))
    if arguments.json:
        import json  # noqa: PLC0415

        print(json.dumps(_record(backup), indent=2))
    else:
        for digest in backup.missing:
            print(f"blob {digest}: its bytes are missing in the data folder, too")
        print(_summary(config, backup, arguments.folder))
    return 1 if backup.missing else 0


def _record(backup: Backup) -> dict[str, object]:
    return {
        "database": backup.database,
        "keys": backup.keys,
        "blobs": backup.blobs.blobs,
        "bytes": backup.blobs.size_bytes,
        "copied": backup.blobs.new,
        "removed": backup.removed,
        "missing": backup.missing,
    }


def _summary(config: Config, backup: Backup, folder: Path) -> str:
    database = "the database" if backup.database else "no database, which is in PostgreSQL"
    blobs = f"{backup.blobs.blobs} blobs of {backup.blobs.size_bytes} bytes"
    if config.storage.blobs == "s3":
        blobs = f"no blobs, which are in the bucket {config.s3.bucket}"
    return (
        f"{folder} has {database}, {backup.keys} signing keys and {blobs};"
        f" {backup.blobs.new} blobs are new in it, {backup.removed} are gone"
    )
