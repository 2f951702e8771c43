"""`berth key`: the keys that sign tokens."""

from __future__ import annotations

import argparse

from registry.cli.arguments import Commands, add_command, add_settings, load_config
from registry.cli.tables import add_formats, moment, print_list

_DETAILS = """\
`list` shows the keys, the one that signs first. `rotate` makes a new one, which signs from now on; a daemon
that runs takes it up within seconds. What older keys have signed stays good, and they are removed after a day.
Keys are replaced by themselves after auth.key_lifetime: rotate them by hand when one may have been seen.
"""
_EXAMPLES = """\
examples:
  berth key list
  berth key rotate --data /var/lib/berth
"""


def register(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands, "key", run, summary="list or replace the keys that sign tokens", details=_DETAILS, examples=_EXAMPLES
    )
    parser.add_argument("verb", choices=("list", "rotate"), metavar="list|rotate")
    add_formats(parser, quiet="the ids")
    add_settings(parser)


def run(arguments: argparse.Namespace) -> int:
    """List the keys, after a new one was made if that was asked for."""
    config = load_config(arguments)

    from registry.app.keys import list_keys, rotate_key  # noqa: PLC0415

    if arguments.verb == "rotate":
        rotate_key(config)
    keys = [
        {"kid": kid, "signs": number == 0, "createdAt": moment(made_ms)}
        for number, (made_ms, kid) in enumerate(list_keys(config))
    ]
    print_list(arguments, keys, ("kid", "signs", "createdAt"))
    return 0
