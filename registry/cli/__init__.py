"""The command line: `berth COMMAND`. Each command is a module of this package.

Only what the wanted command needs is imported, so that each starts fast.
"""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from registry import __version__
from registry.cli import check, config, migrate, serve, version

COMMANDS = (serve, migrate, check, config, version)

_DESCRIPTION = "Berth, an OCI registry: docker, podman, helm, oras and the like push to it and pull from it."
_EPILOG = """\
examples:
  berth serve                              serve on 127.0.0.1:5000, keep data in ./berth-data
  berth serve --listen 0.0.0.0:5000 --data /var/lib/berth
  berth config --example > berth.toml      a file with all settings, to change and to pass with --config
  berth check --bytes                      verify everything that is stored

berth COMMAND --help tells more about each command.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: the arguments after the program's name; by default those of this process.

    Returns:
        The exit code: 0 if all is well, 1 if the command failed, 2 if it was called with wrong arguments
        or a wrong configuration.
    """
    _ensure_streams()
    arguments = _parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # Whoever read our output has enough of it. At exit Python would stumble over it once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="berth",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"berth {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.register(commands)
    return parser


def _ensure_streams() -> None:
    # A program that is started with closed descriptors has None here, which nothing expects.
    sys.stdout = sys.stdout or Path(os.devnull).open("w")  # noqa: SIM115 - open until the end
    sys.stderr = sys.stderr or Path(os.devnull).open("w")  # noqa: SIM115
