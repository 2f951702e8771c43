"""`berth check`: verify what is stored."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from registry.cli.arguments import Commands, add_command, add_settings, load_config

if TYPE_CHECKING:
    from storage.check import Report

_DETAILS = """\
Verifies that database and blobs agree and that nothing is missing. Changes nothing, and may run beside the
daemon. With --bytes it also reads every blob and compares its digest, which takes as long as reading takes.
"""
_EXAMPLES = """\
examples:
  berth check
  berth check --bytes --data /var/lib/berth
  berth check --json | jq .problems

exit codes: 0 nothing is wrong, 1 something is, 2 wrong arguments or settings
"""


def register(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = add_command(commands, "check", run, summary="verify what is stored", details=_DETAILS, examples=_EXAMPLES)
    add_settings(parser)
    parser.add_argument("--bytes", action="store_true", help="read every blob and verify its digest, too")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Check, print one line for each problem, and return 1 if there is any."""
    config = load_config(arguments)

    import asyncio  # noqa: PLC0415

    from registry.app.storing import run_check  # noqa: PLC0415

    report = asyncio.run(run_check(config, with_bytes=arguments.bytes))
    if arguments.json:
        import json  # noqa: PLC0415

        print(json.dumps(report.as_dict(), indent=2))
    else:
        for problem in report.problems:
            print(problem)
        print(_summary(report))
    return 1 if report.problems else 0


def _summary(report: Report) -> str:
    found = f"{len(report.problems)} problems" if report.problems else "nothing is wrong"
    return (
        f"{found}: {report.repositories} repositories, {report.tags} tags, {report.manifests} manifests,"
        f" {report.blobs} blobs of {report.blob_bytes} bytes; {report.unreferenced} more blobs belong to none"
    )
