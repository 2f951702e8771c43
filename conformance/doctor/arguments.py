"""What the doctor's command line takes, and what it makes of it. Two programs have it, as with the suite itself."""

from __future__ import annotations

import argparse
import os
import re
import secrets
from urllib.parse import SplitResult, urlsplit

from conformance.arguments import PASSWORD_VARIABLE, UsageError
from conformance.doctor.examining import examinations
from conformance.doctor.visit import Orders
from conformance.login import Credentials
from conformance.wire import Target

WAIT_S = 65.0
LARGEST = 64 << 20

_DESCRIPTION = """\
Looks at a deployment from outside: pushes and pulls as docker, containerd, podman and others do, and looks for what
gets lost on the way, by proxies, certificates, clocks and limits. Says who suffers, and which setting to change, in the
words of the proxy that it recognises. It works with any registry. What it pushes goes to a repository of its own, and
is removed.
"""
_EPILOG = """\
examples:
  {program} https://registry.example
  {program} https://registry.example --user ci          (password in {password})
  {program} https://registry.example --read-only --repository library/app --tag latest
  {program} https://registry.example --wait 0 --json | jq '.findings[].change'

exit codes: 0 no fault (there may be warnings), 1 a fault, 2 wrong arguments
"""
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_SIZE = re.compile(r"(\d{1,12})\s*([KMG]?)(?:iB|B)?", re.IGNORECASE)


def add_arguments(parser: argparse.ArgumentParser, program: str) -> None:
    """Add what the command takes, and its help; `program` is how the command is called."""
    parser.description = _DESCRIPTION
    parser.epilog = _EPILOG.format(program=program, password=PASSWORD_VARIABLE)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("url", metavar="URL", help="the registry as its clients see it: http[s]://HOST[:PORT]")
    access = parser.add_argument_group("access")
    access.add_argument("--user", default="", help=f"user name; the password comes from {PASSWORD_VARIABLE}")
    access.add_argument("--repository", default="", help="repository to push to (one with a random name)")
    access.add_argument("--read-only", action="store_true", help="push nothing; say what could not be examined then")
    access.add_argument("--tag", help="read-only: an image of --repository that is there, to look at")
    access.add_argument("--insecure", action="store_true", help="do not verify the certificate")
    access.add_argument("--ca", metavar="FILE", help="certificates to trust")
    access.add_argument(
        "--timeout", type=_seconds, default=30.0, metavar="SECONDS", help="longest wait for an answer (30)"
    )
    extent = parser.add_argument_group("what is examined")
    extent.add_argument(
        "--largest", type=_size, default=LARGEST, metavar="SIZE", help="how large a body is sent, and cancelled (64MiB)"
    )
    extent.add_argument(
        "--wait",
        type=_seconds,
        default=WAIT_S,
        metavar="SECONDS",
        help=f"how long a slow upload takes; another one is silent for half of it ({WAIT_S:.0f}; 0: neither)",
    )
    extent.add_argument(
        "--filter", default="", metavar="TEXT", help="only those with this text in their id, and what all begin with"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def target_of(arguments: argparse.Namespace) -> Target:
    """The deployment that is meant. Raises `UsageError`."""
    text = str(arguments.url)
    parts = _parts(text)
    if parts is None or not text.isascii() or not text.isprintable():
        raise UsageError(f"{text!r} is no URL of a registry: http[s]://HOST[:PORT] is expected")
    if parts.username is not None:
        raise UsageError(f"the URL must not hold a password: use --user, and {PASSWORD_VARIABLE}")
    # Some give the URL of the first request. Another path is a finding, and no mistake here.
    url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/').removesuffix('/v2')}"
    target = Target(url, arguments.timeout or 30.0, arguments.insecure, arguments.ca)
    try:
        target.context()
    except OSError as error:
        raise UsageError(f"--ca {arguments.ca} cannot be used: {error.strerror or error}") from error
    return target


def _parts(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text)
        is_known = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if is_known else None


def orders_of(arguments: argparse.Namespace) -> Orders:
    """What the user wants. Raises `UsageError`."""
    if arguments.tag and not (arguments.read_only and arguments.repository):
        raise UsageError("--tag needs --read-only and --repository")
    if not any(arguments.filter in one.id for one in examinations()):
        raise UsageError(f"no examination has {arguments.filter!r} in its id")
    password = os.environ.get(PASSWORD_VARIABLE, "")
    if arguments.user and not password:
        raise UsageError(f"the password of {arguments.user} is expected in {PASSWORD_VARIABLE}")
    return Orders(
        repository=arguments.repository or f"doctor-{secrets.token_hex(4)}/visit",
        credentials=Credentials(arguments.user, password) if arguments.user else Credentials(),
        tag=arguments.tag,
        read_only=arguments.read_only,
        largest=arguments.largest,
        wait_s=arguments.wait,
    )


def _seconds(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found <= 3600:
        raise argparse.ArgumentTypeError("expected a number of seconds, up to 3600")
    return found


def _size(text: str) -> int:
    match = _SIZE.fullmatch(text)
    if match is None:
        raise argparse.ArgumentTypeError("expected a size such as 64MiB")
    return int(match[1]) * _UNITS[match[2].upper()]
