"""A PostgreSQL server of the tests' own, on a socket in a temporary folder, and databases on it."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote

import pytest

START_SECONDS = 30.0
STOP_SECONDS = 30.0
ACCOUNT = "postgres"
# Waits for the end of its input, which is that of the tests, however they end; then stops the server and cleans up.
_WATCH = 'read -r _; kill -QUIT "$1"; sleep 2; rm -rf "$2"'
# An order of text that is none that Berth would expect.
_ORDER = ("--encoding", "UTF8", "--locale", "C", "--locale-provider", "icu", "--icu-locale", "en")


class PostgresServer:
    """A server in `folder`, stopped until `start`. Nothing is ever synced, unless `durable`.

    It listens on a socket in the folder, and on `port` of 127.0.0.1 if there is one. One with a `primary` begins as its
    copy, and is a standby until it is promoted.
    """

    def __init__(
        self,
        programs: Path,
        folder: Path,
        *,
        durable: bool = False,
        port: int | None = None,
        primary: PostgresServer | None = None,
    ) -> None:
        self._programs, self.folder, self._durable, self.port = programs, folder, durable, port
        # The server refuses to run as root.
        self._account = ACCOUNT if os.geteuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: subprocess.Popen[bytes] | None = None
        self._numbers = count(1)
        if self._account is not None:
            shutil.chown(folder, self._account)
        if primary is None:
            words = ["--auth", "trust", "--username", ACCOUNT, "--no-sync", *_ORDER]
            self._call("initdb", "--pgdata", self._data, *words)
        else:
            words = ["-U", ACCOUNT, "--write-recovery-conf", "--checkpoint", "fast", "--no-sync"]
            self._call("pg_basebackup", "--pgdata", self._data, *primary.client_options(), *words)

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def url(self, database: str = "postgres") -> str:
        port = f"&port={self.port}" if self.port else ""
        return f"postgresql://{ACCOUNT}@/{database}?host={quote(str(self.folder), safe='')}{port}"

    def client_options(self) -> list[str | Path]:
        """How PostgreSQL's own programs find the server."""
        return ["-h", self.folder, *(["-p", str(self.port)] if self.port else [])]

    @property
    def pid(self) -> int:
        """The process id of the server, while it runs; its other processes are its children."""
        assert self._process is not None, "the server does not run"
        return self._process.pid

    def start(self) -> None:
        """Start the server and return once it takes connections."""
        settings = {"listen_addresses": "", "unix_socket_directories": str(self.folder), "max_connections": "200"}
        if self.port:
            settings |= {"listen_addresses": "127.0.0.1", "port": str(self.port)}
        if not self._durable:
            settings |= {"fsync": "off", "full_page_writes": "off"}
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                user=self._account,
                group=self._account,
                cwd=self.folder,
            )
        watch = ["sh", "-c", _WATCH, "watch", str(self._process.pid), str(self.folder)]
        self._watcher = subprocess.Popen(watch, stdin=subprocess.PIPE, start_new_session=True)
        deadline = time.monotonic() + START_SECONDS
        while self._psql("SELECT 1").returncode:
            assert self._process.poll() is None, self.tail()
            assert time.monotonic() < deadline, self.tail()
            time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server: SIGINT breaks off what runs, SIGQUIT leaves everything as a crash would."""
        if self._watcher is not None:
            self._watcher.kill()
            self._watcher.communicate()
            self._watcher = None
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(STOP_SECONDS)
            self._process = None

    def execute(self, sql: str, database: str = "postgres") -> str:
        """Run statements as the administrator, and return what they find."""
        result = self._psql(sql, database)
        assert result.returncode == 0, result.stderr
        return result.stdout.strip()

    def create_database(self, template: str = "template1") -> str:
        """A new database, a copy of another one; returns its name."""
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database, whoever uses it."""
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def tail(self, lines: int = 30) -> str:
        """The last `lines` of the server's log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _psql(self, sql: str, database: str = "postgres") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self._programs / "psql", "-XAtq", *self.client_options(), "-U", ACCOUNT, "-c", sql, database],
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=False,
        )

    def _call(self, program: str, *arguments: str | Path) -> None:
        subprocess.run(
            [self._programs / program, *arguments],
            user=self._account,
            group=self._account,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            timeout=STOP_SECONDS,
            check=True,
        )


def require_programs() -> Path:
    """The folder of the server's programs; skip the test, or fail it in CI, where there is none."""
    found = shutil.which("postgres")
    folders = [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not folders:
        missing("PostgreSQL is not installed")
    if os.geteuid() == 0 and ACCOUNT not in {entry.pw_name for entry in pwd.getpwall()}:
        missing(f"root cannot run PostgreSQL, and there is no account {ACCOUNT}")
    return folders[-1]


def missing(reason: str) -> NoReturn:
    """Skip the test, or fail it in CI."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def running_server(
    *, durable: bool = False, port: int | None = None, primary: PostgresServer | None = None
) -> Iterator[PostgresServer]:
    """A server, until the generator ends. The path of a socket has to be short."""
    programs = require_programs()
    folder = Path(tempfile.mkdtemp(prefix="berth-pg-"))
    server = None
    try:
        server = PostgresServer(programs, folder, durable=durable, port=port, primary=primary)
        server.start()
        yield server
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(folder)
