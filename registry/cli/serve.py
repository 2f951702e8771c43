"""`berth serve`: run the daemon."""

from __future__ import annotations

import argparse
from functools import partial

from registry.cli.arguments import Commands, add_command, add_settings, load_config

_DETAILS = """\
Answers requests until it gets SIGTERM or SIGINT (Ctrl-C), then finishes those under way and ends; a second
signal ends it at once. SIGHUP makes it read its settings again, without losing a request.
The log goes to standard output; the reason why it cannot start, to standard error.
"""
_EXAMPLES = """\
examples:
  berth serve                                      the first start prints the password of the user admin
  berth serve --open                               without login
  berth serve --listen 0.0.0.0:5000 --data /var/lib/berth
  berth serve --ephemeral --listen 127.0.0.1:0     everything in memory, any free port: for tests
  BERTH_LOG__REQUESTS=changes berth serve --config /etc/berth.toml

exit codes: 0 every request was answered, 1 it could not start or requests were cut off,
2 wrong arguments or settings
"""


def register(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands,
        "serve",
        run,
        summary="run the registry",
        details=_DETAILS,
        examples=_EXAMPLES,
    )
    add_settings(parser)
    parser.add_argument(
        "--listen",
        metavar="HOST:PORT",
        help="where to listen (default: 127.0.0.1:5000); port 0 is any free port",
    )
    parser.add_argument("--workers", metavar="N", help="worker processes (default: one per processor core)")
    parser.add_argument(
        "--ephemeral",
        action="store_const",
        const=True,
        help="keep everything in memory, in one worker; all is gone at stop",
    )
    parser.add_argument(
        "--open",
        dest="auth_mode",
        action="store_const",
        const="open",
        help="ask nobody who they are: for trying things out, on loopback only",
    )
    parser.add_argument(
        "--log-format",
        choices=("auto", "json", "text"),
        help="auto (the default) is text on a terminal, else JSON",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the daemon until it is told to stop."""
    # First, so that a mistake in the settings is told before the rest is loaded.
    config = load_config(arguments)

    from registry.app.first_start import prepare  # noqa: PLC0415
    from registry.app.serving import open_application  # noqa: PLC0415
    from registry.server.supervisor import Supervisor  # noqa: PLC0415

    supervisor = Supervisor(
        config,
        reload=partial(load_config, arguments),
        prepare=prepare,
        open_application=open_application,
    )
    return supervisor.run()
