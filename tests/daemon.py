"""The real `berth`, run as a process of its own on a free port of the loopback."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

PROGRAM = Path(sys.executable).with_name("berth")
START_SECONDS = 20.0
STOP_SECONDS = 20.0
PORTS = (10_000, 32_000)
# Each process has its own, whatever seeds the other one.
_dice = random.SystemRandom()


class Daemon:
    """`berth serve` on the folder `data`, stopped until `start`, and startable again on the same port.

    Nobody is asked to log in, unless `auth` is "builtin" or "external". `flags` are further arguments of `berth serve`.
    `environment` holds settings such as `BERTH_LOG__LEVEL`;
    those of the caller's own environment do not reach the daemon. Its output is in `log`, beside `data`.
    """

    def __init__(
        self, data: Path, *flags: str, environment: Mapping[str, str] | None = None, auth: str = "open"
    ) -> None:
        self.data = data
        self.log = data.with_name(f"{data.name}.log")
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.address}"
        self._flags = flags
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("BERTH_")}
        self._environment = {**inherited, "BERTH_AUTH__MODE": auth, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self.stop()

    @property
    def pid(self) -> int:
        """The process id of the supervisor, while the daemon runs."""
        return self._running().pid

    def start(self) -> None:
        """Start the daemon and return once it is ready; AssertionError with the log's tail when it fails."""
        assert self._process is None, "the daemon runs already"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [PROGRAM, "serve", "--data", self.data, "--listen", self.address, *self._flags],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._ready():
            code = self._process.poll()
            if code is not None or time.monotonic() > deadline:
                self.kill()
                ending = "was not ready in time" if code is None else f"ended with {code}"
                raise AssertionError(f"berth {ending}:\n{self.tail()}")
            time.sleep(0.05)

    def stop(self) -> int:
        """Ask the daemon to stop with SIGTERM and return its exit code, -9 when it had to be killed."""
        process = self._running()
        process.terminate()
        try:
            code = process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            return -signal.SIGKILL
        self._process = None
        return code

    def freeze(self) -> None:
        """Let no thread of the daemon run any further, as when the machine ends, and return when all stand still.

        What the kernel is doing for one of them it may finish, but nobody hears of it.
        """
        process = self._running()
        family = [process.pid, *children(process.pid)]
        os.killpg(process.pid, signal.SIGSTOP)
        deadline = time.monotonic() + STOP_SECONDS
        while not all(_stands_still(pid) for pid in family):
            assert time.monotonic() < deadline, f"processes {family} go on"
            time.sleep(0.001)

    def kill(self) -> None:
        """Kill the supervisor and all its workers with SIGKILL and return when none of them is left."""
        process = self._running()
        family = [process.pid, *children(process.pid)]
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(STOP_SECONDS)
        wait_until_gone(family)
        self._process = None

    def workers(self) -> list[int]:
        """The process ids of the supervisor's children."""
        return children(self.pid)

    def tail(self, lines: int = 40) -> str:
        """The last `lines` of the daemon's output."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def check(self) -> None:
        """Let `berth check --bytes` verify what is stored; AssertionError with what is wrong with it."""
        self.command("check", "--bytes")

    def command(self, *words: str, code: int = 0) -> str:
        """Run another command of `berth` on the data of the daemon, and return what it prints.

        AssertionError if it does not end with `code`.
        """
        result = subprocess.run(
            [PROGRAM, *words, "--data", self.data],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self._environment,
            timeout=120,
            check=False,
        )
        assert result.returncode == code, f"berth {words[0]} ended with {result.returncode}:\n{result.stdout}"
        return result.stdout

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "the daemon does not run"
        return self._process

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except urllib.error.HTTPError as answer:
            answer.close()
            return False
        except OSError:
            return False


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nothing listens on.

    It is none of those that the system gives to clients: one of them could have it while a daemon is restarted.
    """
    while True:
        port = _dice.randrange(*PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def children(pid: int) -> list[int]:
    """The process ids of the living children of `pid`; none when it is gone."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent = _state(stat)
            if parent == pid and state != "Z":
                found.append(int(stat.parent.name))
    return sorted(found)


def wait_until_gone(pids: list[int], seconds: float = STOP_SECONDS) -> None:
    """Return when none of `pids` runs any more; AssertionError when one still does after `seconds`."""
    deadline = time.monotonic() + seconds
    while left := [pid for pid in pids if _runs(pid)]:
        assert time.monotonic() < deadline, f"processes {left} are still there"
        time.sleep(0.02)


def wait_until_asleep(pid: int, seconds: float = STOP_SECONDS) -> None:
    """Return when the process waits for something; AssertionError when it still runs after `seconds`."""
    deadline = time.monotonic() + seconds
    while _state(Path(f"/proc/{pid}/stat"))[0] != "S":
        assert time.monotonic() < deadline, f"process {pid} does not wait"
        time.sleep(0.002)


def _runs(pid: int) -> bool:
    try:
        # A killed process whose new parent has not collected it yet stays as a zombie.
        return _state(Path(f"/proc/{pid}/stat"))[0] != "Z"
    except OSError:
        return False


def _stands_still(pid: int) -> bool:
    """Whether each thread is stopped, or in a call of the kernel at whose end it will be."""
    return all(_state(stat)[0] in "TDZ" for stat in Path(f"/proc/{pid}/task").glob("*/stat"))


def _state(stat: Path) -> tuple[str, int]:
    # The second field is the program's name in brackets, and the name may contain spaces and brackets.
    state, parent, *_ = stat.read_text().rpartition(")")[2].split()
    return state, int(parent)
