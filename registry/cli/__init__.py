"""The command line: `berth COMMAND`. Each command is a module of this package.

Only what the wanted command needs is imported, so that each starts fast.
"""

import argparse
import importlib
import io
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from registry import __version__
from registry.cli import backup, check, config, gc, key, migrate, restore, scrub, serve, version
from registry.cli.nouns import Noun

COMMANDS = (serve, migrate, check, scrub, gc, restore, backup, config, key, version)

# These have commands of their own. Each is a module too, imported only when it is wanted.
NOUNS = {
    "user": "manage users and their passwords",
    "group": "manage groups of users",
    "robot": "manage robots, the accounts of programs",
    "token": "manage access tokens of users and robots",
    "project": "manage projects",
    "member": "manage who has which role in a project",
    "registry": "manage registries and who may see them",
    "rule": "manage who may do what to which repositories",
    "tag": "see where tags pointed",
    "immutable": "manage which tags neither move nor go",
    "audit": "see who did what",
}

# These look at a registry from outside, over HTTP, whosever it is. Each is a module that is imported only when wanted.
TOOLS = {
    "conformance": "judge any registry, by the specification and by what its clients need",
    "doctor": "look at a deployment from outside, as its clients do, and say what to change",
}

_DESCRIPTION = "Berth, an OCI registry: docker, podman, helm, oras and the like push to it and pull from it."
_EPILOG = """\
examples:
  berth serve                              serve on 127.0.0.1:5000, keep data in ./berth-data
  berth serve --listen 0.0.0.0:5000 --data /var/lib/berth
  berth config --example > berth.toml      a file with all settings, to change and to pass with --config
  berth check --bytes                      verify everything that is stored
  berth user create alice                  then: docker login -u alice HOST
  berth token create alice laptop --actions pull,push

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
    words = sys.argv[1:] if argv is None else argv
    arguments = _parser(words).parse_args(words)
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


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="berth",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("-V", "--version", action="version", version=f"berth {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.register(commands)
    # What comes first is the command: no flag before it takes a value.
    wanted = next((word for word in words if not word.startswith("-")), None)
    for name, summary in NOUNS.items():
        noun = Noun(commands, name, summary)
        if name == wanted:
            importlib.import_module(f"registry.cli.{name}").register(noun)
            noun.complete()
    for name, summary in TOOLS.items():
        tool = commands.add_parser(name, help=summary, allow_abbrev=False)
        if name == wanted:
            importlib.import_module(f"registry.cli.{name}").complete(tool)
    return parser


def _ensure_streams() -> None:
    # A program that is started with closed descriptors has None here, which nothing expects.
    sys.stdout = sys.stdout or Path(os.devnull).open("w")  # noqa: SIM115 - open until the end
    sys.stderr = sys.stderr or Path(os.devnull).open("w")  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        # What is stored may have characters that this terminal does not know.
        sys.stdout.reconfigure(errors="backslashreplace")
