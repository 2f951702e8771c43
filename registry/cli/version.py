"""`berth version`: say which version this is."""

from __future__ import annotations

import argparse
import platform

from registry import __version__
from registry.cli.arguments import Commands, add_command


def register(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    add_command(commands, "version", run, summary="print the version of Berth, and of Python")


def run(_arguments: argparse.Namespace) -> int:
    """Print the version."""
    print(f"berth {__version__} (Python {platform.python_version()}, {platform.system()} {platform.machine()})")
    return 0
