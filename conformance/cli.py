"""The command line: `python -m conformance URL`."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from conformance.checks import requirements
from conformance.login import Credentials
from conformance.reports.files import as_badge, as_json, as_junit
from conformance.reports.page import as_page
from conformance.reports.summary import Run
from conformance.reports.terminal import Terminal
from conformance.requirement import Category, Group, Version
from conformance.runner import Selection, run
from conformance.session import Scope
from conformance.wire import Target

PASSWORD_VARIABLE = "CONFORMANCE_PASSWORD"  # noqa: S105 - a name
OTHER_PASSWORD_VARIABLE = "CONFORMANCE_OTHER_PASSWORD"  # noqa: S105 - a name

_DESCRIPTION = """\
Tests whether a registry does what the OCI distribution specification requires, and what clients need beyond it.
It pushes to repositories of its own, and removes what it pushed where the registry lets it.
"""
_EPILOG = f"""\
examples:
  python -m conformance http://localhost:5000
  python -m conformance https://registry.example --user ci        (password in {PASSWORD_VARIABLE})
  python -m conformance http://localhost:5000 --group spec --category pull --html report.html
  python -m conformance https://registry.example --read-only --repository library/app --tag latest

exit codes: 0 no MUST failed, 1 one did, 2 wrong arguments
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    parser.add_argument("url", metavar="URL", help="the registry, as http[s]://HOST[:PORT]")
    parser.add_argument("--user", default="", help=f"user name; the password comes from {PASSWORD_VARIABLE}")
    parser.add_argument(
        "--other-user", default="", help=f"somebody without rights here; password from {OTHER_PASSWORD_VARIABLE}"
    )
    parser.add_argument("--repository", default="", help="repository to work in and below (one with a random name)")
    parser.add_argument("--other-repository", default="", help="another one, to mount from (one with a random name)")
    parser.add_argument("--spec", choices=list(Version), default=Version.V1_1, help="version of the specification")
    parser.add_argument("--group", action="append", choices=list(Group), default=[], help="only this group (all)")
    parser.add_argument(
        "--category", action="append", choices=list(Category), default=[], help="only this category (all)"
    )
    parser.add_argument("--filter", default="", metavar="TEXT", help="only checks with this text in their id")
    parser.add_argument("--jobs", type=int, default=4, help="checks at the same time (4)")
    parser.add_argument(
        "--timeout", type=float, default=30.0, metavar="SECONDS", help="longest wait for an answer (30)"
    )
    parser.add_argument("--insecure", action="store_true", help="do not verify the certificate")
    parser.add_argument("--ca", metavar="FILE", help="certificates to trust")
    parser.add_argument("--read-only", action="store_true", help="push and delete nothing; needs --repository")
    parser.add_argument("--tag", help="read-only: a tag that is there")
    parser.add_argument("--manifest", metavar="DIGEST", help="read-only: a manifest that is there")
    parser.add_argument("--blob", metavar="DIGEST", help="read-only: a blob that is there")
    parser.add_argument("--list", action="store_true", help="print the checks, and run none")
    parser.add_argument("-v", "--verbose", action="store_true", help="print the checks that passed, too")
    for name, what in (
        ("--json", "all results with every exchange"),
        ("--junit", "results for CI servers"),
        ("--html", "a page with every exchange"),
        ("--badge", "a badge for a README, as SVG"),
    ):
        parser.add_argument(name, metavar="FILE", type=Path, help=f"write {what}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    parser = argparse.ArgumentParser(
        prog="conformance",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_arguments(parser)
    return execute(parser.parse_args(argv))


def execute(arguments: argparse.Namespace) -> int:
    """Run what the arguments ask for, and report; the exit code."""
    scope, target = _scope(arguments), Target(arguments.url, arguments.timeout, arguments.insecure, arguments.ca)
    if not arguments.url.startswith(("http://", "https://")):
        print("conformance: the URL has to begin with http:// or https://", file=sys.stderr)
        return 2
    if arguments.read_only and not arguments.repository:
        print("conformance: --read-only needs --repository", file=sys.stderr)
        return 2
    selection = Selection(frozenset(arguments.group), frozenset(arguments.category), arguments.filter)
    chosen = [item for item in requirements() if selection.takes(item, scope)]
    if arguments.list:
        for item in chosen:
            print(f"{item.level:<7}{item.id:<44}{item.text}")
        return 0
    terminal = Terminal(sys.stdout, len(chosen), verbose=arguments.verbose)
    started, begun = datetime.now(UTC).isoformat(timespec="seconds"), time.monotonic()
    results = run(chosen, target, scope, max(1, arguments.jobs), terminal.done)
    whole = Run(arguments.url, scope, started, time.monotonic() - begun, results)
    terminal.finish(whole)
    _write(arguments, whole)
    return 0 if whole.conforms else 1


def _scope(arguments: argparse.Namespace) -> Scope:
    drawn = secrets.token_hex(4)
    others = Credentials(arguments.other_user, os.environ.get(OTHER_PASSWORD_VARIABLE, ""))
    return Scope(
        repository=arguments.repository or f"conformance-{drawn}/one",
        other=arguments.other_repository or f"conformance-{drawn}/two",
        credentials=Credentials(arguments.user, os.environ.get(PASSWORD_VARIABLE, "")),
        others=others if arguments.other_user else None,
        version=Version(arguments.spec),
        read_only=arguments.read_only,
        tag=arguments.tag,
        manifest=arguments.manifest,
        blob=arguments.blob,
    )


def _write(arguments: argparse.Namespace, whole: Run) -> None:
    for path, render in (
        (arguments.json, as_json),
        (arguments.junit, as_junit),
        (arguments.html, as_page),
        (arguments.badge, as_badge),
    ):
        if path is not None:
            path.write_text(render(whole), encoding="utf-8")
