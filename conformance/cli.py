"""The command line: `python -m conformance URL`."""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from conformance.arguments import UsageError, add_arguments, scope_of, selection_of, target_of
from conformance.checks import requirements
from conformance.preflight import NotReady, expect_ready
from conformance.reports.files import as_badge, as_json, as_junit
from conformance.reports.page import as_page
from conformance.reports.summary import Run
from conformance.reports.terminal import Terminal
from conformance.requirement import Requirement
from conformance.runner import run
from conformance.session import Scope
from conformance.wire import Target

INTERRUPTED = 128 + signal.SIGINT
CANNOT = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # What registries say may have characters that this terminal does not know.
        sys.stdout.reconfigure(errors="backslashreplace")
    parser = argparse.ArgumentParser(prog="python -m conformance", allow_abbrev=False)
    add_arguments(parser, "python -m conformance")
    try:
        code = execute(parser.parse_args(argv), "conformance")
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has enough of it. At exit Python would stumble over it once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    return code


def execute(arguments: argparse.Namespace, program: str) -> int:
    """Run what the arguments ask for, and report; the exit code. Errors are told as those of the `program`."""
    try:
        return _execute(arguments)
    except (UsageError, NotReady) as error:
        print(f"{program}: {error}", file=sys.stderr)
        return CANNOT
    except KeyboardInterrupt:
        return INTERRUPTED


def _execute(arguments: argparse.Namespace) -> int:
    target, scope, selection = target_of(arguments), scope_of(arguments), selection_of(arguments)
    chosen = [item for item in requirements() if selection.takes(item, scope)]
    if not chosen:
        raise UsageError("there is no such check: --list shows what there is")
    if arguments.list:
        for item in chosen:
            print(f"{item.level:<7}{item.id:<44}{item.text}")
        return 0
    for path, _ in _reports(arguments):
        _expect_writable(path)
    expect_ready(target, scope, writes=any(item.writes for item in chosen))
    terminal = Terminal(sys.stdout, len(chosen), verbose=arguments.verbose)
    whole = _run(chosen, target, scope, arguments.jobs, terminal)
    whole = replace(whole, complete=not (selection.is_limited or scope.read_only))
    try:
        for path, render in _reports(arguments):
            _write(path, render(whole))
    finally:
        terminal.finish(whole)
    return 0 if whole.conforms else 1


def _run(chosen: Sequence[Requirement], target: Target, scope: Scope, jobs: int, terminal: Terminal) -> Run:
    started, begun = datetime.now(UTC).isoformat(timespec="seconds"), time.monotonic()
    results = run(chosen, target, scope, jobs, terminal)
    return Run(target.url, scope, started, time.monotonic() - begun, results, left=terminal.left)


def _reports(arguments: argparse.Namespace) -> Iterator[tuple[Path, Callable[[Run], str]]]:
    """The files that are wanted, and what makes each of them."""
    for path, render in (
        (arguments.json, as_json),
        (arguments.junit, as_junit),
        (arguments.html, as_page),
        (arguments.badge, as_badge),
    ):
        if path is not None:
            yield path, render


def _expect_writable(path: Path) -> None:
    """Raises `UsageError` if a report cannot be written, which is better known before the run than after it."""
    try:
        is_new = not path.exists()
        with path.open("a"):
            pass
        if is_new:
            path.unlink()
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from error


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} could not be written: {error.strerror or error}") from error
