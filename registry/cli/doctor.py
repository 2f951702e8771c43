"""`berth doctor`: look at a deployment from outside. The package `conformance` does it."""

from __future__ import annotations

import argparse

from conformance.doctor.arguments import add_arguments
from conformance.doctor.cli import execute


def complete(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    add_arguments(parser, "berth doctor")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Examine the deployment, and print what is found."""
    return execute(arguments, "berth")
