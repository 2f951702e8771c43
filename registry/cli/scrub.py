"""`berth scrub`: read everything that is stored, and find what is damaged."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from typing import TYPE_CHECKING

from registry.cli.arguments import FAILED, Commands, add_command, add_settings, load_config
from registry.cli.progress import Progress
from registry.cli.tables import amount, moment, table

if TYPE_CHECKING:
    from registry.app.scrubbing import DamagedBlob, Scrubbed
    from storage.scrub import journal

_DETAILS = """\
The daemon does this by itself, every scrub.every. This goes on with its pass where that is under way or was broken
off, or makes a new one; the daemon leaves it the pass. Blobs whose bytes are not what their digest says are not sent
to anybody any more until they are pushed again, or found to be right by a later pass.
"""
_EXAMPLES = """\
examples:
  berth scrub
  berth scrub --all --rate 200MiB          from the beginning, for instance when a disk is back
  berth scrub --json | jq -r '.damaged[].tags[]'

exit codes: 0 nothing is damaged, 1 something is, or the pass did not end, 2 wrong arguments or settings
"""


def register(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands, "scrub", run, summary="find blobs that the disk has spoiled", details=_DETAILS, examples=_EXAMPLES
    )
    add_settings(parser)
    parser.add_argument("--all", action="store_true", help="begin with the first blob, whatever was read lately")
    parser.add_argument(
        "--rate", metavar="SIZE", type=_size, help="most bytes that are read in a second, 0 for no limit (scrub.rate)"
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def _size(text: str) -> int:
    from registry.config import kinds  # noqa: PLC0415

    try:
        return kinds.size().read(text)
    except kinds.BadValue as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def run(arguments: argparse.Namespace) -> int:
    """Make a pass, say how far it got meanwhile, and list what is damaged; 1 if anything is."""
    config = load_config(arguments)

    from registry.app.scrubbing import run_scrub  # noqa: PLC0415

    rate = config.scrub.rate if arguments.rate is None else arguments.rate
    with Progress(_progress) as progress:
        found = asyncio.run(run_scrub(config, rate, progress.show, anew=arguments.all))
    if arguments.json:
        print(json.dumps(_as_dict(found), indent=2))
    else:
        print(_told(found))
    if not found.finished:
        print("berth: another process goes on with this pass", file=sys.stderr)
    return 0 if found.finished and not found.damaged and not found.progress.spoiled else FAILED


def _progress(state: journal.Progress) -> str:
    return f"{state.blobs} blobs looked at, {amount(state.bytes)} read, {state.damaged} damaged"


def _as_dict(found: Scrubbed) -> dict[str, object]:
    state = found.progress
    return {
        "finished": found.finished,
        "blobs": state.blobs,
        "bytes": state.bytes,
        "manifests": state.manifests,
        "restored": state.restored,
        "unreadable": state.unreadable,
        "damaged": [
            {
                "digest": each.blob.digest,
                "size": each.blob.size,
                "damagedAt": _time(each),
                "repositories": each.repositories,
                "tags": each.tags,
            }
            for each in found.damaged
        ],
        "damagedManifests": state.spoiled,
    }


def _time(damaged: DamagedBlob) -> str:
    return f"{moment(damaged.blob.damaged_at):%Y-%m-%dT%H:%M:%SZ}"


def _told(found: Scrubbed) -> str:
    state, parts = found.progress, []
    if found.damaged:
        rows = [(each.blob.digest, _time(each), each.repositories, each.tags) for each in found.damaged]
        parts.append(table(["DAMAGED BLOB", "SINCE", "REPOSITORIES", "TAGS"], rows))
    if state.spoiled:
        parts.append(table(["DAMAGED MANIFEST"], [(name,) for name in state.spoiled]))
    wrong = len(found.damaged) + len(state.spoiled)
    summary = f"{f'{wrong} damaged' if wrong else 'nothing is damaged'}: {state.blobs} blobs and {state.manifests}"
    summary += f" manifests looked at, {amount(state.bytes)} read"
    if state.restored:
        summary += f"; {state.restored} blobs are whole again"
    if state.unreadable:
        summary += f"; {state.unreadable} could not be read"
    return "\n\n".join([*parts, summary])
