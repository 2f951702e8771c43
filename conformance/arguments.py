"""What the command takes, and what it makes of it. Two programs have it: ours, and one that this is a part of."""

from __future__ import annotations

import argparse
import os
import re
import secrets
from pathlib import Path
from urllib.parse import urlsplit

from conformance.login import Credentials
from conformance.requirement import Category, Group, Version
from conformance.runner import Selection
from conformance.session import Scope
from conformance.wire import Target

PASSWORD_VARIABLE = "CONFORMANCE_PASSWORD"  # noqa: S105 - a name
OTHER_PASSWORD_VARIABLE = "CONFORMANCE_OTHER_PASSWORD"  # noqa: S105 - a name

_DESCRIPTION = """\
Tests whether a registry does what the OCI distribution specification requires, and what clients need beyond it.
It pushes to repositories of its own, and removes what it pushed where the registry lets it.
"""
_EPILOG = """\
examples:
  {program} http://localhost:5000
  {program} https://registry.example --user ci        (password in {password})
  {program} http://localhost:5000 --group spec --category pull --html report.html
  {program} https://registry.example --read-only --repository library/app --tag latest
  {program} http://localhost:5000 --filter push.chunk --list

exit codes: 0 no MUST failed, 1 one did, or nothing could be judged, 2 wrong arguments, or no registry to be judged
"""
_REPORTS = (
    ("--json", "all results with every exchange"),
    ("--junit", "results for CI servers"),
    ("--html", "a page with every exchange"),
    ("--badge", "a badge for a README, as SVG"),
)
_UNKNOWN = "{!r} is no URL of a registry: http[s]://HOST[:PORT] is expected"
_NAME = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")


class UsageError(Exception):
    """The arguments make no sense; the message says why."""


def add_arguments(parser: argparse.ArgumentParser, program: str) -> None:
    """Add what the command takes, and its help; `program` is how the command is called."""
    parser.description = _DESCRIPTION
    parser.epilog = _EPILOG.format(program=program, password=PASSWORD_VARIABLE)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("url", metavar="URL", help="the registry, as http[s]://HOST[:PORT]")
    _add_access(parser)
    _add_selection(parser)
    only_reading = parser.add_argument_group("only reading")
    only_reading.add_argument("--read-only", action="store_true", help="push and delete nothing; needs --repository")
    only_reading.add_argument("--tag", help="a tag that is there")
    only_reading.add_argument("--manifest", metavar="DIGEST", help="a manifest that is there")
    only_reading.add_argument("--blob", metavar="DIGEST", help="a blob that is there")
    reports = parser.add_argument_group("reports")
    reports.add_argument("-v", "--verbose", action="store_true", help="print every check, also those that passed")
    for name, what in _REPORTS:
        reports.add_argument(name, metavar="FILE", type=Path, help=f"write {what}")


def _add_access(parser: argparse.ArgumentParser) -> None:
    access = parser.add_argument_group("access")
    access.add_argument(
        "--user", metavar="NAME", default="", help=f"user name; the password comes from {PASSWORD_VARIABLE}"
    )
    access.add_argument(
        "--other-user",
        metavar="NAME",
        default="",
        help=f"somebody without rights here; password from {OTHER_PASSWORD_VARIABLE}",
    )
    access.add_argument(
        "--repository", metavar="NAME", default="", help="repository to work in and below (one with a random name)"
    )
    access.add_argument(
        "--other-repository", metavar="NAME", default="", help="another one, to mount from (one with a random name)"
    )
    access.add_argument("--insecure", action="store_true", help="do not verify the certificate")
    access.add_argument("--ca", metavar="FILE", help="certificates to trust")
    access.add_argument(
        "--timeout", type=_seconds, default=30.0, metavar="SECONDS", help="longest wait for an answer (30)"
    )


def _add_selection(parser: argparse.ArgumentParser) -> None:
    selection = parser.add_argument_group("what is judged")
    selection.add_argument(
        "--spec", choices=list(Version), default=Version.V1_1, help="version of the specification (1.1)"
    )
    selection.add_argument("--group", action="append", choices=list(Group), default=[], help="only this group (all)")
    selection.add_argument(
        "--category", action="append", choices=list(Category), default=[], help="only this category (all)"
    )
    selection.add_argument("--filter", default="", metavar="TEXT", help="only checks with this text in their id")
    selection.add_argument("--jobs", metavar="N", type=_jobs, default=4, help="checks at the same time (4)")
    selection.add_argument("--list", action="store_true", help="print the checks, and run none")


def _jobs(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= 64:
        raise argparse.ArgumentTypeError("expected a number from 1 to 64")
    return int(text)


def _seconds(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found <= 3600:
        raise argparse.ArgumentTypeError("expected a number of seconds, up to 3600")
    return found


def target_of(arguments: argparse.Namespace) -> Target:
    """The registry that is meant. Raises `UsageError`."""
    target = Target(_url(arguments.url), arguments.timeout, arguments.insecure, arguments.ca)
    try:
        target.context()
    except OSError as error:
        raise UsageError(f"--ca {arguments.ca} cannot be used: {error.strerror or error}") from error
    return target


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        is_known = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise UsageError(_UNKNOWN.format(text)) from None
    if not is_known or not text.isascii() or not text.isprintable():
        raise UsageError(_UNKNOWN.format(text))
    if parts.username is not None:
        raise UsageError(f"the URL must not hold a password: use --user, and {PASSWORD_VARIABLE}")
    if parts.path.rstrip("/") not in {"", "/v2"} or parts.query or parts.fragment:
        raise UsageError(f"a registry has no path: http[s]://HOST[:PORT] is expected, and not {text}")
    return f"{parts.scheme}://{parts.netloc}"


def scope_of(arguments: argparse.Namespace) -> Scope:
    """Where the run may work, and as whom. Raises `UsageError`."""
    for name in (arguments.repository, arguments.other_repository):
        if name and not _NAME.fullmatch(name):
            raise UsageError(f"{name!r} is no name of a repository")
    if arguments.read_only and not arguments.repository:
        raise UsageError("--read-only needs --repository")
    drawn = secrets.token_hex(4)
    return Scope(
        repository=arguments.repository or f"conformance-{drawn}/one",
        other=arguments.other_repository or f"conformance-{drawn}/two",
        credentials=_credentials(arguments.user, PASSWORD_VARIABLE),
        others=_credentials(arguments.other_user, OTHER_PASSWORD_VARIABLE) if arguments.other_user else None,
        version=Version(arguments.spec),
        read_only=arguments.read_only,
        tag=arguments.tag,
        manifest=arguments.manifest,
        blob=arguments.blob,
    )


def _credentials(user: str, variable: str) -> Credentials:
    password = os.environ.get(variable, "")
    if user and not password:
        raise UsageError(f"the password of {user} is expected in {variable}")
    return Credentials(user, password) if user else Credentials()


def selection_of(arguments: argparse.Namespace) -> Selection:
    """Which checks are wanted."""
    return Selection(frozenset(arguments.group), frozenset(arguments.category), arguments.filter)
