"""`berth config`: show and verify the settings."""

from __future__ import annotations

import argparse

from registry.cli.arguments import Commands, add_command, add_settings, load_config

_DETAILS = """\
Prints the settings that `berth serve` would run with, or all that is wrong with them. Secrets are not shown.
"""
_EXAMPLES = """\
examples:
  berth config                             what file, environment and flags make together
  berth config --config new.toml           is this file right?
  berth config --example > berth.toml      every setting with its meaning and its default

exit codes: 0 the settings are right, 2 they are not
"""


def register(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands,
        "config",
        run,
        summary="show and verify the settings",
        details=_DETAILS,
        examples=_EXAMPLES,
    )
    add_settings(parser)
    parser.add_argument("--example", action="store_true", help="print a file with every setting instead")


def run(arguments: argparse.Namespace) -> int:
    """Print the settings, or the example file."""
    from registry.config import render, render_example  # noqa: PLC0415 - `berth --help` need not load it

    print(render_example() if arguments.example else render(load_config(arguments)), end="")
    return 0
