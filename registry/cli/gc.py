"""`berth gc`: remove what nothing needs any more."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from registry.cli.arguments import FAILED, Commands, add_command, add_settings, load_config
from registry.cli.progress import Progress
from registry.cli.tables import amount, moment, table

if TYPE_CHECKING:
    from registry.config import Config
    from registry.domain.explaining import Explanation, Keeper
    from storage.garbage.collected import Collected

_DETAILS = """\
The daemon does this by itself, every collector.every. It may run beside a daemon, and beside another one; pushes
and pulls go on. What a tag, a manifest, a push under way or a grace period protects stays. With --dry-run nothing
is changed, and the numbers say what would go now.
"""
_EXAMPLES = """\
examples:
  berth gc
  berth gc --dry-run
  berth gc --forget-deleted
  berth gc --json | jq .bytes
  berth gc explain sha256:4bd2f1c3…

exit codes: 0 all that should go went, 1 something failed, 2 wrong arguments or settings
"""
_EXPLAIN_DETAILS = """\
Says in which repositories a manifest or blob is, and what keeps it there: tags, an index or another manifest, its
subject, a lease (it was pushed lately, or somebody who may push asked for it), a policy, or that what was deleted
can be brought back for a while.
"""
_EXPLAIN_EXAMPLES = """\
examples:
  berth gc explain sha256:4bd2f1c3…
  berth gc explain sha256:4bd2f1c3… --json | jq '.keepers[].kind'
"""


def register(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands, "gc", run, summary="remove what nothing needs any more", details=_DETAILS, examples=_EXAMPLES
    )
    add_settings(parser)
    parser.add_argument("--dry-run", action="store_true", help="change nothing, and say what would go")
    parser.add_argument(
        "--forget-deleted", action="store_true", help="free what was deleted now, so that it cannot be restored"
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    verbs = parser.add_subparsers(title="commands", metavar="COMMAND")
    explain = add_command(
        verbs,
        "explain",
        run_explain,
        summary="say what keeps a digest",
        details=_EXPLAIN_DETAILS,
        examples=_EXPLAIN_EXAMPLES,
    )
    explain.add_argument("digest", metavar="DIGEST")
    explain.add_argument("--json", action="store_true", help="print JSON")
    add_settings(explain)


def run(arguments: argparse.Namespace) -> int:
    """Collect, say how far it got meanwhile, and print what was done."""
    config = load_config(arguments)
    if arguments.forget_deleted:
        config = replace(config, collector=replace(config.collector, keep_deleted=0.0))
    with Progress(_progress) as progress:
        counts = asyncio.run(_collect(config, progress, dry_run=arguments.dry_run))
    if arguments.json:
        print(json.dumps(counts.as_dict() | {"dry_run": arguments.dry_run}, indent=2))
    else:
        print(_summary(counts, dry_run=arguments.dry_run))
    return FAILED if counts.failed else 0


async def _collect(config: Config, progress: Progress[Collected], *, dry_run: bool) -> Collected:
    from registry.app.collecting import open_collector  # noqa: PLC0415

    async with open_collector(config) as collector:
        return await collector.run(dry_run=dry_run, report=progress.show)


def _progress(counts: Collected) -> str:
    return f"{counts.phase}: {counts.examined} looked at, {amount(counts.bytes)} in {counts.blobs} blobs to free"


def _summary(counts: Collected, *, dry_run: bool) -> str:
    rows: list[tuple[str, int | str]] = [
        ("tags deleted by policy", counts.tags),
        ("manifests deleted by policy", counts.manifests),
        ("old changes of tags forgotten", counts.history),
        ("deleted manifests given up", counts.forgotten),
        ("blobs taken from repositories", counts.links),
        ("blobs freed", counts.blobs),
        ("bytes freed", amount(counts.bytes)),
        ("stray bytes found", amount(counts.stray_bytes)),
    ]
    if counts.failed:
        rows.append(("not removed by the store", counts.failed))
    note = "\nThis was a dry run: nothing was changed." if dry_run else ""
    return table([], rows) + note


def run_explain(arguments: argparse.Namespace) -> int:
    """Print what keeps the digest; 1 if there is no such thing."""
    config = load_config(arguments)
    found = asyncio.run(_explain(config, arguments.digest))
    if arguments.json:
        print(json.dumps(_as_dict(found), indent=2))
    elif found.manifests or found.blob_size is not None or found.keepers:
        print(_explained(found))
    else:
        print(f"berth: {found.digest} is not stored here", file=sys.stderr)
    return 0 if found.manifests or found.blob_size is not None or found.keepers else FAILED


async def _explain(config: Config, digest: str) -> Explanation:
    from registry.app.collecting import open_explaining  # noqa: PLC0415
    from storage.digest import parse_digest  # noqa: PLC0415

    async with open_explaining(config) as explaining:
        return await explaining.explain(parse_digest(digest))


def _as_dict(found: Explanation) -> dict[str, object]:
    return {
        "digest": str(found.digest),
        "manifests": found.manifests,
        "blobSize": found.blob_size,
        "keepers": [
            {
                "repository": keeper.repository,
                "kind": keeper.kind,
                "by": keeper.by,
                "tags": keeper.tags,
                "until": None if keeper.until is None else f"{moment(keeper.until):%Y-%m-%dT%H:%M:%SZ}",
            }
            for keeper in found.keepers
        ],
    }


def _explained(found: Explanation) -> str:
    is_blob = f"blob of {amount(found.blob_size)}" if found.blob_size is not None else ""
    places = "1 repository" if found.manifests == 1 else f"{found.manifests} repositories"
    is_manifest = f"manifest in {places}" if found.manifests else ""
    head = f"{found.digest}: {' and '.join(filter(None, (is_manifest, is_blob))) or 'deleted'}"
    if not found.keepers:
        return f"{head}\nNothing keeps it: the next collection removes it."
    return f"{head}\n" + table([], [(keeper.repository, *_said(keeper)) for keeper in found.keepers])


def _said(keeper: Keeper) -> tuple[str, str]:
    by = keeper.by or ""
    if keeper.tags:
        by += f" ({', '.join(keeper.tags)})"
    until = "" if keeper.until is None else f"{moment(keeper.until):%Y-%m-%dT%H:%M:%SZ}"
    words = {
        "tag": ("the tag", by),
        "index": ("a part of", by),
        "subject": ("attached to", by),
        "manifest": ("needed by", by),
        "lease": ("protected until", until),
        "deleted": ("can be restored until", f"{until} {by}".rstrip()),
        "policy": ("is deleted after", until) if until else ("kept", "no policy deletes it"),
    }
    return words[keeper.kind]
