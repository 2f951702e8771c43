"""How commands come by a password. It is never an argument: everybody on the machine could read it."""

from __future__ import annotations

import argparse
import getpass
import secrets
import sys

from registry.cli.nouns import UsageError

# More than a password can have, so that a wrong file is not read to its end.
_BYTES_MAX = 64 * 1024
_GENERATED_BYTES = 18


def add_sources(parser: argparse.ArgumentParser, *, optional: bool) -> None:
    """Add the flags that say where the password comes from, and, where it is optional, that there is none."""
    sources = parser.add_mutually_exclusive_group()
    sources.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    sources.add_argument("--generate", action="store_true", help="make up a password and print it")
    if optional:
        sources.add_argument("--no-password", action="store_true", help="let the user log in by access tokens only")


def obtain(arguments: argparse.Namespace) -> None:
    """Set `password` to what comes from where the flags say, or else is asked for on the terminal. Raises `UsageError`.

    Not for use in an event loop: that would keep Ctrl-C from ending the question.
    """
    if getattr(arguments, "no_password", False):
        arguments.password = None
    elif arguments.generate:
        arguments.password = secrets.token_urlsafe(_GENERATED_BYTES)
    else:
        arguments.password = _read() if arguments.password_stdin else _ask()


def _read() -> str:
    # It may be closed.
    line = sys.stdin.buffer.readline(_BYTES_MAX) if sys.stdin else b""
    try:
        password = line.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise UsageError("the password on standard input is not UTF-8") from None
    if not password:
        raise UsageError("there is no password on standard input")
    return password


def _ask() -> str:
    if not sys.stdin or not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask for a password: use --password-stdin or --generate")
    try:
        password = getpass.getpass("Password: ")
        again = getpass.getpass("Again: ")
    except EOFError:
        raise UsageError("no password was given") from None
    if password != again:
        raise UsageError("the two passwords differ")
    return password
