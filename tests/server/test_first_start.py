"""The first start: who gets in, by which password, and what is written where."""

import json
import os
import re
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.daemon import PROGRAM, free_port
from tests.server.workers import basic

SECONDS = 30.0
PASSWORD = "a password of nine words is long enough here"
SHOWN = re.compile(
    r"\nThe user 'admin' was created\. Its password, which is shown this once:\n\n    (\S+)\n\n"
    r"Change it with `berth user password admin`\.\n\n"
)


@dataclass
class Start:
    """One run of `berth serve` on the folder `data`: what it writes to its output and to its error output."""

    data: Path
    flags: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    listen: str = ""

    def __post_init__(self) -> None:
        self.listen = self.listen or f"127.0.0.1:{free_port()}"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("BERTH_")}
        self._process = subprocess.Popen(
            [PROGRAM, "serve", "--data", self.data, "--listen", self.listen, "--workers", "1", *self.flags],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**inherited, **self.environment},
            text=True,
        )
        self.out = self.errors = ""

    def wait_until_ready(self) -> None:
        """AssertionError with what it said if it ends before."""
        deadline = time.monotonic() + SECONDS
        while self.status("/readyz") != 200:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(self.end())
            time.sleep(0.05)

    def status(self, path: str, authorization: str | None = None) -> int:
        """The status of the answer to a request; 0 while nobody answers."""
        headers = {} if authorization is None else {"Authorization": authorization}
        try:
            with urllib.request.urlopen(
                urllib.request.Request(f"http://{self.listen}{path}", headers=headers), timeout=10
            ) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code
        except OSError:
            return 0

    def token(self, login: str) -> str:
        """A token for nothing in particular."""
        request = urllib.request.Request(f"http://{self.listen}/token", headers={"Authorization": login})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return str(json.load(answer)["token"])

    def end(self) -> int:
        """Stop it, unless it has ended by itself, and return its exit code."""
        if self._process.poll() is None and self.status("/healthz") == 200:
            self._process.terminate()
        out, errors = self._process.communicate(timeout=SECONDS)
        self.out, self.errors = self.out + out, self.errors + errors
        return self._process.returncode


@contextmanager
def started(data: Path, *flags: str, environment: Mapping[str, str] | None = None) -> Iterator[Start]:
    """A daemon that runs, and has been stopped at the end."""
    start = Start(data, flags, environment or {})
    try:
        start.wait_until_ready()
        yield start
    finally:
        code = start.end()
    assert code == 0, start.out


def shown(start: Start) -> str:
    """The password that a daemon which was stopped has shown, and nothing else."""
    match = SHOWN.fullmatch(start.errors)
    assert match is not None, start.errors
    return match[1]


def test_password_is_shown_once(tmp_path: Path) -> None:
    """The first start shows a password that nobody else has, on the error output alone; the next one shows nothing."""
    data = tmp_path / "data"
    with started(data) as first:
        pass
    password = shown(first)
    assert len(password) >= 20
    with started(data, environment={"BERTH_ADMIN_PASSWORD": "another password"}) as second:
        assert second.status("/token", basic("admin", password)) == 200
        assert second.status("/v1/users", basic("admin", password)) == 200
        for wrong in ["admin", "another password", ""]:
            assert second.status("/token", basic("admin", wrong)) == 401
    assert second.errors == ""
    for said in [first.out, second.out, *(path.read_text("latin-1") for path in data.rglob("*") if path.is_file())]:
        assert password not in said
        assert "another password" not in said


def test_password_that_cannot_be_one(tmp_path: Path) -> None:
    """One that is too short ends the start with a clear line, which does not hold it."""
    start = Start(tmp_path / "data", environment={"BERTH_ADMIN_PASSWORD": "hunter2"})
    assert start.end() == 1
    assert start.errors == "berth: BERTH_ADMIN_PASSWORD: password has to have 8 to 256 characters, not 7\n"
    assert "hunter2" not in start.out


def test_in_memory(tmp_path: Path) -> None:
    """What is kept in memory has an administrator, too, whose password is shown, and leaves nothing on disk."""
    with started(tmp_path / "data", "--ephemeral") as start:
        assert start.status("/v2/") == 401
        assert start.status("/token") == 200
    assert shown(start)
    assert not (tmp_path / "data").exists()


def test_two_at_once(tmp_path: Path) -> None:
    """Of two daemons that start on one folder at the same time one makes the administrator, and both know it."""
    environment = {"BERTH_ADMIN_PASSWORD": PASSWORD}
    with ExitStack() as stack:
        starts = [Start(tmp_path / "data", environment=environment) for _ in range(2)]
        for start in starts:
            stack.callback(start.end)
        for start in starts:
            start.wait_until_ready()
        assert [start.status("/v1/users/admin", basic("admin", PASSWORD)) for start in starts] == [200, 200]
        token = starts[0].token(basic("admin", PASSWORD))
        assert [start.status("/v2/", f"Bearer {token}") for start in starts] == [200, 200]
    assert [start.errors for start in starts] == ["", ""]


def test_keys_that_cannot_be_made(tmp_path: Path) -> None:
    """A folder of keys that cannot be one ends the start with a clear line."""
    keys = tmp_path / "keys"
    keys.write_text("a file")
    start = Start(tmp_path / "data", environment={"BERTH_AUTH__KEYS": str(keys)})
    assert start.end() == 1
    assert start.errors.startswith("berth: the folder of signing keys cannot be used: ")
    assert "Traceback" not in start.errors


def test_open(tmp_path: Path) -> None:
    """With --open nobody logs in: there is no administrator and no key, and the log says so loudly."""
    with started(tmp_path / "data", "--open") as start:
        assert start.status("/v2/") == 200
        assert start.status("/v2/_catalog", "Bearer nonsense") == 200
        assert start.status("/token") == 404
        assert start.status("/v1/users") == 401
    assert start.errors == ""
    (warning,) = [line for line in start.out.splitlines() if "NO LOGIN" in line]
    assert '"warning"' in warning
    assert not (tmp_path / "data" / "keys").exists()


@pytest.mark.parametrize(
    ("listen", "flags"),
    [("0.0.0.0:0", ["--open"]), ("[::]:0", ["--open"]), ("192.0.2.1:0", ["--open", "--ephemeral"]), ("0.0.0.0:0", [])],
)
def test_open_on_loopback_only(tmp_path: Path, listen: str, flags: list[str]) -> None:
    """A registry that asks nobody is not started where others can reach it, however it is asked for."""
    environment = {} if flags else {"BERTH_AUTH__MODE": "open"}
    start = Start(tmp_path / "data", tuple(flags), environment, listen)
    assert start.end() == 2
    assert "a registry that asks nobody who they are listens on loopback only" in start.errors
    assert start.out == ""
    assert not (tmp_path / "data").exists()
