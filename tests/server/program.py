"""Starts the made-up application of `tests.server.application` and watches its processes."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from tests.daemon import children, wait_until_gone

SECONDS = 15.0


class Program:
    """A running daemon with its log lines as parsed JSON in `lines`; everything of it is gone at the end.

    `settings` are BERTH_ variables without the prefix, such as SERVER__WORKERS. `path` is a file of settings.
    `temporary` is where the daemon puts temporary files.
    """

    def __init__(self, settings: Mapping[str, str] | None = None, path: Path | None = None) -> None:
        self._folder = TemporaryDirectory(prefix="berth-test-")
        self.temporary = Path(self._folder.name)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("BERTH_")}
        environment["TMPDIR"] = self._folder.name
        environment |= {
            "BERTH_SERVER__WORKERS": "2",
            "BERTH_LOG__FORMAT": "json",
            "BERTH_LOG__REQUESTS": "none",
        }
        environment |= {f"BERTH_{name}": value for name, value in (settings or {}).items()}
        self.lines: list[dict[str, Any]] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.server.application", *([str(path)] if path else [])],
            stdout=subprocess.PIPE,
            env=environment,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        try:
            ready = self.wait_for_line("ready")
        except BaseException:
            self._end()
            raise
        address = urlsplit(ready["url"])
        self.url = ready["url"]
        self.host, self.port = str(address.hostname), int(address.port or 0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    @property
    def pid(self) -> int:
        """The supervisor's process id."""
        return self._process.pid

    def workers(self) -> list[int]:
        """The workers' process ids."""
        return children(self.pid)

    def send(self, number: signal.Signals) -> None:
        """Send the supervisor a signal."""
        self._process.send_signal(number)

    def wait(self, seconds: float = SECONDS) -> int:
        """Wait until the supervisor ends by itself, and return its exit code."""
        code = self._process.wait(seconds)
        self._reader.join(seconds)
        return code

    def wait_for_line(self, text: str, seconds: float = SECONDS) -> dict[str, Any]:
        """The first log line whose message contains `text`, as soon as there is one."""
        wait_until(lambda: self._find(text) is not None or self._process.poll() is not None, seconds)
        self._reader.join(0 if self._process.poll() is None else seconds)
        found = self._find(text)
        assert found is not None, f"no line with {text!r} in {self.lines}"
        return found

    def _find(self, text: str) -> dict[str, Any] | None:
        return next((line for line in self.lines if text in line.get("message", "")), None)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout:
            for line in self._process.stdout:
                self.lines.append(json.loads(line))

    def _end(self) -> None:
        family = [self.pid, *children(self.pid)]
        for pid in family:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.wait()
        wait_until_gone(family)
        self._folder.cleanup()


def wait_until(holds: Callable[[], bool], seconds: float = SECONDS) -> None:
    """Return once `holds` is true; AssertionError if it is not so after `seconds`."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
