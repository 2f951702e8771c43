"""The command line: `python -m conformance.doctor URL`."""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
from collections.abc import Sequence

from conformance.arguments import UsageError
from conformance.doctor.arguments import add_arguments, orders_of, target_of
from conformance.doctor.examining import examine
from conformance.doctor.report import Progress, as_json, as_text

_PROGRAM = "python -m conformance.doctor"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # What proxies say may have characters that this terminal does not know.
        sys.stdout.reconfigure(errors="backslashreplace")
    parser = argparse.ArgumentParser(prog=_PROGRAM, allow_abbrev=False)
    add_arguments(parser, _PROGRAM)
    try:
        code = execute(parser.parse_args(argv), "doctor")
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has enough of it. At exit Python would stumble over it once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    return code


def execute(arguments: argparse.Namespace, program: str) -> int:
    """Examine what the arguments name, and report; the exit code. Errors are told as those of the `program`."""
    progress = Progress(sys.stderr)
    try:
        target, orders = target_of(arguments), orders_of(arguments)
        diagnosis = examine(target, orders, arguments.filter, progress)
    except UsageError as error:
        sys.stderr.write(f"{program}: {error}\n")
        return 2
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    finally:
        progress.end()
    sys.stdout.write(as_json(diagnosis) if arguments.json else as_text(diagnosis, colors=sys.stdout.isatty()))
    return 0 if diagnosis.is_healthy else 1
