"""The registries that are measured: started here on a free port and an empty folder, or given by URL."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.client import Client, Unexpected

OURS = "berth"
DOCKER_REGISTRY = "docker-registry"
START_TIMEOUT = 60.0
STOP_TIMEOUT = 20.0
POLL = 0.002

# Debian's defaults for logging; the cache and delete settings of Debian's own configuration file.
DOCKER_REGISTRY_CONFIG = """\
version: 0.1
storage:
  filesystem:
    rootdirectory: {data}
  delete:
    enabled: true
  cache:
    blobdescriptor: inmemory
http:
  addr: 127.0.0.1:{port}
"""


class StartFailed(Exception):
    """A registry did not come up; the message carries the end of its output."""


@dataclass(frozen=True)
class Program:
    """A registry that can be started here; `command` makes a command line of an empty folder and a port."""

    name: str
    version: str
    command: Callable[[Path, int], list[str]]


@dataclass(frozen=True)
class Server:
    """A running process of ours; `start_seconds` passed from its start to the first 200 on /v2/."""

    url: str
    process: subprocess.Popen[bytes]
    start_seconds: float

    def stop(self) -> None:
        """Asks the process to end, and kills its whole session when it does not within 20 s."""
        self.process.terminate()
        try:
            self.process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            # The process leads a session of its own, so this reaches its workers and nobody else.
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@dataclass(frozen=True)
class Registry:
    """A registry that can be measured; `program` and `server` are None when only its URL is known."""

    name: str
    version: str
    url: str
    program: Program | None = None
    server: Server | None = None


def berth(*, login: bool = False) -> Program:
    """The Berth that is installed beside this Python; StartFailed when there is none.

    The others are measured as they are by default, without login, and so is Berth, unless `login` says otherwise.
    """
    executable = Path(sys.executable).with_name("berth")
    if not executable.exists():
        raise StartFailed("berth is not installed in this Python environment: run `make setup`")

    def command(folder: Path, port: int) -> list[str]:
        mode = [] if login else ["--open"]
        return [str(executable), "serve", *mode, "--data", str(folder / "data"), "--listen", f"127.0.0.1:{port}"]

    return Program(OURS, _version([str(executable), "version"]), command)


def docker_registry() -> Program | None:
    """Debian's docker-registry, or None when it is not installed."""
    executable = shutil.which(DOCKER_REGISTRY)
    if executable is None:
        return None

    def command(folder: Path, port: int) -> list[str]:
        config = folder / "config.yml"
        config.write_text(DOCKER_REGISTRY_CONFIG.format(data=folder / "data", port=port))
        return [executable, "serve", str(config)]

    return Program(DOCKER_REGISTRY, _version([executable, "--version"]), command)


def start(program: Program, folder: Path) -> Server:
    """Starts `program` with its data and output in `folder`, which is made if it is not there, and waits for it.

    Raises StartFailed when it ends or does not answer on /v2/ within 60 s; nothing is left running then.
    """
    folder.mkdir(exist_ok=True)
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    command = program.command(folder, port)
    log = folder / "output.log"
    started = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=_plain_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_ready(url, process)
    except BaseException as error:
        Server(url, process, 0.0).stop()
        if isinstance(error, TimeoutError):
            tail = log.read_bytes()[-2000:].decode("utf-8", "replace")
            raise StartFailed(f"{program.name}: {error}\n{tail}") from None
        raise
    return Server(url, process, time.perf_counter() - started)


def launch(program: Program, folder: Path) -> Registry:
    """Starts `program` and describes it as a registry to measure."""
    server = start(program, folder)
    return Registry(program.name, program.version, server.url, program, server)


def _wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.perf_counter() + START_TIMEOUT
    answered = "nothing"
    while time.perf_counter() < deadline:
        if process.poll() is not None:
            raise TimeoutError(f"ended with status {process.returncode}")
        try:
            with Client(url, timeout=5) as client:
                status = client.request("GET", "/v2/").status
            # A registry that asks for a login is ready, too.
            if status in {200, 401}:
                return
            answered = str(status)
        except (OSError, Unexpected):
            pass
        time.sleep(POLL)
    raise TimeoutError(f"answered {answered} on /v2/ for {START_TIMEOUT:.0f} s")


def _plain_environment() -> dict[str, str]:
    """Ours without the settings of a registry: defaults are measured."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("BERTH_", "REGISTRY_"))}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _version(command: list[str]) -> str:
    run = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    found = re.search(r"\bv?\d+\.\d+\S*", run.stdout)
    return found[0] if found else "unknown"
