"""PgBouncer, a pooler, between the tests and a server of PostgreSQL."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.postgres import ACCOUNT, STOP_SECONDS, PostgresServer, missing

_START_SECONDS = 10.0
_PORT = 6432
_SETTINGS = f"""
[databases]
* = host={{server.folder}} {{port}}
[pgbouncer]
unix_socket_dir = {{folder}}
listen_port = {_PORT}
auth_type = trust
auth_file = {{folder}}/users
pool_mode = {{mode}}
default_pool_size = {{size}}
server_login_retry = 0.1
ignore_startup_parameters = extra_float_digits
log_connections = 0
log_disconnections = 0
log_stats = 0
"""


class PgBouncer:
    """A pooler on a socket in `folder`, stopped until `start`.

    It gives each database at most `size` connections of the server: to one transaction after another, or for as long
    as a client stays, as `mode` says ("transaction", "session").
    """

    def __init__(self, folder: Path, server: PostgresServer, mode: str = "transaction", size: int = 3) -> None:
        self._program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
        if self._program is None:
            missing("PgBouncer is not installed")
        self.folder, self._mode, self._size = folder, mode, size
        self._process: subprocess.Popen[bytes] | None = None
        # It refuses to run as root.
        self._account = ACCOUNT if os.geteuid() == 0 else None
        (folder / "users").write_text(f'"{ACCOUNT}" ""\n')
        self._lead_to(server)
        if self._account is not None:
            for path in (folder, *folder.iterdir()):
                shutil.chown(path, self._account)

    def url(self, database: str) -> str:
        """The URL of a database of the server, through the pooler."""
        return f"postgresql://{ACCOUNT}@/{database}?host={self.folder}&port={_PORT}"

    def start(self) -> None:
        """Start, and return once clients can connect."""
        assert self._program is not None
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, self.folder / "ini"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                user=self._account,
                group=self._account,
                cwd=self.folder,
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self._listens():
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop at once: whoever is connected is cut off."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(STOP_SECONDS)
            self._process = None

    def lead_to(self, server: PostgresServer) -> None:
        """Use another server from now on; connections to the one before are closed when nobody uses them."""
        self._lead_to(server)
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    def _lead_to(self, server: PostgresServer) -> None:
        port = f"port={server.port}" if server.port else ""
        settings = _SETTINGS.format(server=server, port=port, folder=self.folder, mode=self._mode, size=self._size)
        (self.folder / "ini").write_text(settings)

    def _listens(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe, suppress(OSError):
            probe.connect(str(self.folder / f".s.PGSQL.{_PORT}"))
            return True
        return False


@contextmanager
def pooling(server: PostgresServer, mode: str = "transaction", size: int = 3) -> Iterator[PgBouncer]:
    """A pooler before the server, for as long as the context is open. The path of a socket has to be short."""
    folder = Path(tempfile.mkdtemp(prefix="berth-pgb-"))
    pooler = None
    try:
        pooler = PgBouncer(folder, server, mode, size)
        pooler.start()
        yield pooler
    finally:
        if pooler is not None:
            pooler.stop()
        shutil.rmtree(folder)
