"""What several commands have in common: how they find their configuration."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from registry.config import Config

CONFIG_VARIABLE = "BERTH_CONFIG"
FAILED = 1
BAD_CONFIGURATION = 2

Commands = argparse._SubParsersAction  # noqa: SLF001 - argparse has no public name for it

_SETTINGS = """\
Settings come from the file given with --config or named by BERTH_CONFIG, then from variables such as
BERTH_SERVER__LISTEN, then from the flags above; the later wins. `berth config --example` explains them all.
"""


def add_command(
    commands: Commands[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace], int],
    *,
    summary: str,
    details: str = "",
    examples: str = "",
) -> argparse.ArgumentParser:
    """Add the command `name`, which `run` carries out, and return its parser.

    `summary` is one line for the list of commands, `details` what else its help says,
    `examples` command lines, each with what it does.
    """
    parser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.\n\n{details}".rstrip(),
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run)
    return parser


def add_settings(parser: argparse.ArgumentParser, *, default: str | None = None) -> None:
    """Add what every command with a configuration has: its flags, and how its mistakes are told.

    `default` is argparse.SUPPRESS where the flags may also come before the name of the command.
    """
    parser.set_defaults(run=_explained(parser.get_default("run")))
    parser.add_argument(
        "--config",
        metavar="FILE",
        type=Path,
        default=default,
        help="file with settings (default: $BERTH_CONFIG, if set)",
    )
    parser.add_argument("--data", metavar="DIR", default=default, help="folder for all data (default: ./berth-data)")
    parser.epilog = f"{_SETTINGS}\n{parser.epilog or ''}"


def _explained(run: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """Wrap a command so that errors that are to be expected go to standard error, without a traceback."""

    def wrapped(arguments: argparse.Namespace) -> int:
        # Not at the top: `berth --help` and `berth version` need neither.
        from registry.config import ConfigError  # noqa: PLC0415
        from storage.errors import RegistryError  # noqa: PLC0415

        try:
            return run(arguments)
        except ConfigError as error:
            for problem in error.problems:
                print(f"berth: {problem}", file=sys.stderr)
            return BAD_CONFIGURATION
        except RegistryError as error:
            print(f"berth: {error}", file=sys.stderr)
            return FAILED

    return wrapped


def load_config(arguments: argparse.Namespace) -> Config:
    """Read the configuration that the flags, the environment and the file make together.

    Raises:
        ConfigError: something in it is wrong.
    """
    from registry.config import load  # noqa: PLC0415 - `berth --help` need not load it

    environ = dict(os.environ)
    variable = environ.pop(CONFIG_VARIABLE, "")
    path = arguments.config or (Path(variable) if variable else None)
    flags = {
        "storage.data": arguments.data,
        "storage.ephemeral": getattr(arguments, "ephemeral", None),
        "server.listen": getattr(arguments, "listen", None),
        "server.workers": getattr(arguments, "workers", None),
        "log.format": getattr(arguments, "log_format", None),
        "auth.mode": getattr(arguments, "auth_mode", None),
    }
    return load(path, environ, flags)
