"""The clients' programs: whether they are there, one run of them, and daemons of theirs."""

import contextlib
import importlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.daemon import children, wait_until_gone

RUN_SECONDS = 60.0
READY_SECONDS = 30.0
STOP_SECONDS = 15.0


def require(*programs: str, root: bool = False) -> None:
    """Skip the test, or fail it in CI, unless all `programs` are installed (and, for `root`, may be used)."""
    for program in programs:
        if shutil.which(program) is None:
            _missing(f"{program} is not installed")
    if root and os.geteuid() != 0:
        _missing(f"{programs[0]} can only be started by root")


def require_module(name: str) -> Any:
    """The Python module `name`; skip the test, or fail it in CI, when its package is not installed."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        _missing(f"the Python package of {name} is not installed")


def _missing(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def run(*command: str | Path, stdin: bytes = b"", seconds: float = RUN_SECONDS) -> str:
    """Run `command` and return what it prints; AssertionError with all its output when it fails."""
    result = subprocess.run(command, input=stdin, capture_output=True, timeout=seconds, check=False)
    output, errors = result.stdout.decode(), result.stderr.decode()
    shown = " ".join(map(str, command))
    assert result.returncode == 0, f"{shown} ended with {result.returncode}:\n{output}{errors}"
    return output.strip()


@contextlib.contextmanager
def service(*command: str | Path, folder: Path, ready: Callable[[], object]) -> Iterator[None]:
    """Run the daemon `command` for the block, once `ready` no longer raises AssertionError.

    `folder` is where it keeps everything. It is stopped together with its children and mounts.
    """
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    try:
        _wait_until_ready(process, ready, log)
        yield
    finally:
        _stop(process)
        _unmount_below(folder)


def _wait_until_ready(process: subprocess.Popen[bytes], ready: Callable[[], object], log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            ready()
            return
        except AssertionError:
            if process.poll() is not None or time.monotonic() > deadline:
                output = log.read_text(errors="replace")[-5000:]
                raise AssertionError(f"{process.args!r} did not get ready:\n{output}") from None
        time.sleep(0.1)


def _stop(process: subprocess.Popen[bytes]) -> None:
    family = [process.pid, *children(process.pid)]
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        for pid in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait(STOP_SECONDS)
    wait_until_gone(family)


def _unmount_below(folder: Path) -> None:
    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for mount in sorted(mounts, reverse=True):
        if Path(mount).is_relative_to(folder):
            run("umount", "--lazy", mount)
