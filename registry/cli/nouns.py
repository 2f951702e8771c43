"""Commands of the form `berth NOUN VERB`, which read and change what is in the data folder."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from registry.cli.arguments import BAD_CONFIGURATION, FAILED, Commands, add_command, add_settings, load_config
from registry.cli.tables import add_formats

if TYPE_CHECKING:
    from registry.api.rest.services import Management

Prepare = Callable[[argparse.Namespace], None]
Run = Callable[[argparse.Namespace, "Management"], Awaitable[None]]

_DETAILS = """\
Works on the data folder itself, also while a daemon serves it, and may do everything: whoever can write these
files needs no login.
"""
_EPILOG = """\
Every COMMAND takes --data and --config, or the variables BERTH_STORAGE__DATA and BERTH_CONFIG.
`berth {name} COMMAND --help` tells more about it, with examples.
"""
# More digits than these do not fit into a database's integer.
_ID = re.compile(r"[0-9]{1,18}")
# What attributes are called here.
_FLAGS = {
    "newPassword": "password",
    "patterns": "--repositories",
    "expiresAt": "--expires",
    "untaggedAfter": "--untagged-after",
    "orphanedAfter": "--orphaned-after",
}


class UsageError(Exception):
    """The command line makes no sense; the message says why."""


def _nothing(_arguments: argparse.Namespace) -> None:
    """Most commands need no preparation."""


class Noun:
    """A command with commands of its own, its verbs."""

    def __init__(self, commands: Commands[argparse.ArgumentParser], name: str, summary: str) -> None:
        parser = commands.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.\n\n{_DETAILS}",
            epilog=_EPILOG.format(name=name),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        self._verbs = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
        self._added: list[tuple[argparse.ArgumentParser, str]] = []

    def verb(
        self,
        name: str,
        run: Run,
        summary: str,
        *examples: str,
        takes: Sequence[str] = (),
        quiet: str = "",
        details: str = "",
        prepare: Prepare = _nothing,
    ) -> argparse.ArgumentParser:
        """Add a verb, which `run` carries out, and return its parser.

        Args:
            name: the verb.
            run: what is done.
            summary: what is done, in a line.
            examples: command lines.
            takes: the names of the arguments that have to be given, in their order.
            quiet: what `--quiet` prints; without it there is no such flag.
            details: what else the help says.
            prepare: what has to be done, or asked, before the data folder is opened.
        """
        lines = "".join(f"  {example}\n" for example in examples)
        parser = add_command(
            self._verbs, name, in_store(run, prepare), summary=summary, details=details, examples=f"examples:\n{lines}"
        )
        for argument in takes:
            parser.add_argument(argument, metavar=argument.upper())
        self._added.append((parser, quiet))
        return parser

    def complete(self) -> None:
        """Add the flags that every verb has. They come last in its help."""
        for parser, quiet in self._added:
            add_formats(parser, quiet=quiet)
            add_settings(parser)


def changes(arguments: argparse.Namespace, *names: str) -> Mapping[str, str | None]:
    """What was given for these flags, None for those that were not. Raises `UsageError` when none was."""
    given: dict[str, str | None] = {name: getattr(arguments, name) for name in names}
    if all(value is None for value in given.values()):
        raise UsageError(f"nothing is to be changed: give {' or '.join(f'--{name}' for name in names)}")
    return given


def row_id(text: str) -> int:
    """A number that lists show as an id. For argparse."""
    if not _ID.fullmatch(text):
        raise argparse.ArgumentTypeError("expected a number, as lists show it")
    return int(text)


def in_store(run: Run, prepare: Prepare = _nothing) -> Callable[[argparse.Namespace], int]:
    """What argparse is to call for a command that `run` carries out on the data folder."""

    def wrapped(arguments: argparse.Namespace) -> int:
        # Not at the top: other commands need neither.
        from registry.cli.opening import run_in_store  # noqa: PLC0415
        from registry.errors import AttributeInvalid  # noqa: PLC0415

        try:
            _expect_text(arguments)
            # First, so that a mistake in the settings is told before anything else is done.
            config = load_config(arguments)
            prepare(arguments)
            run_in_store(config, arguments, run)
        except UsageError as error:
            print(f"berth: {error}", file=sys.stderr)
            return BAD_CONFIGURATION
        except AttributeInvalid as error:
            print(f"berth: {_FLAGS.get(error.attribute, error.attribute)} {error.reason}", file=sys.stderr)
            return FAILED
        return 0

    return wrapped


def _expect_text(arguments: argparse.Namespace) -> None:
    # Paths may be any bytes; what is to be stored may not.
    given = [value for name, value in vars(arguments).items() if name not in {"data", "config"}]
    words = [word for value in given for word in (value if isinstance(value, list) else [value])]
    try:
        "".join(map(str, words)).encode()
    except UnicodeEncodeError:
        raise UsageError("the arguments are not UTF-8") from None
