"""`berth conformance`: judge any registry. The package `conformance` does it, which knows nothing of Berth."""

from __future__ import annotations

import argparse

from conformance.arguments import add_arguments
from conformance.cli import execute


def complete(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    add_arguments(parser, "berth conformance")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Judge the registry, and report."""
    return execute(arguments, "berth")
