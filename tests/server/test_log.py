"""Log lines: what is in them, what is not, and how they are written."""

import io
import json
import logging
import os
import pty
import re
import signal
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from registry import log
from registry.log import COLLECTED_MOST, Entry, RequestLog
from registry.output import FLUSH_SECONDS, MOST_BYTES, BufferedOutput
from tests.server.program import Program, wait_until

STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
REQUEST = Entry(
    at=1795000000.123,
    request_id="42",
    method="GET",
    path="/v2/app/manifests/1",
    status=200,
    seconds=0.0012345678,
    received=0,
    sent=528,
    remote="192.0.2.7",
    user_agent="docker/24.0",
    principal=None,
    route="manifest",
    error=None,
)


class Lines:
    """An output that keeps what is written."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def write(self, line: bytes, *, hurry: bool = False) -> None:
        self.lines.append(line)

    def close(self) -> None:
        """Nothing to do."""

    def text(self) -> str:
        """The only line."""
        (line,) = self.lines
        return line.decode()


@pytest.fixture
def pipe() -> Iterator[tuple[io.FileIO, io.TextIOWrapper]]:
    """A pipe: the end to read bytes from, and a text stream to write to. Logging is as before afterwards."""
    reader, writer = os.pipe()
    root = logging.getLogger()
    before = root.handlers[:], root.level
    with open(reader, "rb", buffering=0) as source, open(writer, "w", encoding="utf-8") as sink:  # noqa: PTH123
        yield source, sink
    root.handlers[:], root.level = before
    logging.captureWarnings(capture=False)


def logged(style: str, requests: str = "all", **changes: Any) -> str:
    """The line of a request, or nothing."""
    lines = Lines()
    RequestLog(style, requests, lines).write(REQUEST._replace(**changes))
    return lines.text() if lines.lines else ""


def test_request_as_json() -> None:
    """A request's line in JSON has every column that has a value."""
    line = logged("json")
    assert line.endswith("}\n")
    fields = json.loads(line)
    assert fields == {
        "ts": "2026-11-18T11:06:40.123Z",
        "level": "info",
        "logger": "request",
        "request_id": "42",
        "method": "GET",
        "path": "/v2/app/manifests/1",
        "status": 200,
        "seconds": 0.001235,
        "received": 0,
        "sent": 528,
        "remote": "192.0.2.7",
        "user_agent": "docker/24.0",
        "route": "manifest",
    }


def test_request_as_text() -> None:
    """A request's line in text is one line that a person can read."""
    line = logged("text", principal="alice", error="it is gone", status=404)
    assert re.fullmatch(
        STAMP + r" INFO    GET /v2/app/manifests/1 404 1\.2ms in=0 out=528 192\.0\.2\.7 "
        r'"docker/24\.0" id=42 principal=alice error=it is gone\n',
        line,
    )


@pytest.mark.parametrize("style", ["json", "text"])
def test_what_clients_send_cannot_forge_lines(style: str) -> None:
    """Line ends, terminal sequences and bytes that are not UTF-8 come out as escapes."""
    line = logged(style, path="/a\nb\x1b[2J\x9b", user_agent='x" id=1\r\n\udcff', method="G\tT", error="\u2028")
    assert line.count("\n") == 1
    assert line.endswith("\n")
    assert re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", line) is None or style == "json"
    assert "\x1b" not in line
    if style == "text":
        assert r'"x\" id=1\r\n\udcff" id=42' in line
        assert r"/a\nb\x1b[2J\x9b" in line


@pytest.mark.parametrize("style", ["json", "text"])
def test_secrets_and_floods_stay_out(style: str) -> None:
    """A query string is not logged, and overlong values are cut."""
    line = logged(style, path="/token?password=secret", user_agent="a" * 5000)
    assert "secret" not in line
    assert "/token" in line
    assert len(logged(style, path="/" + "b" * 8000, user_agent="a" * 5000)) < 2000


@pytest.mark.parametrize(
    ("requests", "written"),
    [
        ("all", ["GET 200", "GET 404", "PUT 201", "PUT 400", "HEAD 200", "GET 500"]),
        ("changes", ["GET 404", "PUT 201", "PUT 400", "GET 500"]),
        ("errors", ["GET 404", "PUT 400", "GET 500"]),
        ("none", []),
    ],
)
def test_setting_decides_which_requests_are_logged(requests: str, written: list[str]) -> None:
    """`log.requests` leaves out what is not wanted, and nothing else."""
    every = ["GET 200", "GET 404", "PUT 201", "PUT 400", "HEAD 200", "GET 500"]
    found = [case for case in every if logged("json", requests, method=case.split()[0], status=int(case.split()[1]))]
    assert found == written


def test_level_of_a_failed_request_is_error() -> None:
    """Whoever looks for errors finds the requests that the registry failed."""
    assert json.loads(logged("json", status=500))["level"] == "error"
    assert " ERROR   GET " in logged("text", status=503)


def test_collected_lines_are_written_together() -> None:
    """Lines that are collected come out in order: when there are many, when time is up, or when asked for."""
    lines, timers = Lines(), list[Callable[[], None]]()
    requests = RequestLog("json", "all", lines)
    requests.collect(lambda _, function: timers.append(function))
    for number in range(COLLECTED_MOST - 1):
        requests.write(REQUEST._replace(request_id=str(number)))
    assert lines.lines == []
    assert len(timers) == 1
    requests.write(REQUEST._replace(request_id=str(COLLECTED_MOST - 1)))
    assert [json.loads(line)["request_id"] for line in lines.lines] == [str(n) for n in range(COLLECTED_MOST)]
    requests.write(REQUEST)
    timers[-1]()
    assert json.loads(lines.lines[-1])["request_id"] == "42"
    requests.write(REQUEST._replace(request_id="last"))
    requests.flush()
    assert json.loads(lines.lines[-1])["request_id"] == "last"
    assert len(lines.lines) == COLLECTED_MOST + 2


def test_events_as_json(pipe: tuple[io.FileIO, io.TextIOWrapper]) -> None:
    """An event's line in JSON has its extra fields and its traceback, whatever they hold."""
    source, sink = pipe
    log.setup("json", "info", sink)
    logging.getLogger("berth.test").error(
        "failed %d\n times", 3, extra={"blob": object, "size": 7}, exc_info=ValueError("bad\udcff")
    )
    logging.getLogger("berth.test").debug("not wanted")
    first = source.read(65536).splitlines()
    assert len(first) == 1
    fields = json.loads(first[0])
    assert re.fullmatch(STAMP, fields["ts"])
    assert (fields["level"], fields["logger"]) == ("error", "berth.test")
    assert fields["message"] == "failed 3\n times"
    assert fields["size"] == 7
    assert "class 'object'" in fields["blob"]
    assert "ValueError: bad" in fields["traceback"]


def test_events_as_text(pipe: tuple[io.FileIO, io.TextIOWrapper]) -> None:
    """An event's line in text is one line; its traceback is indented, so it cannot be taken for a line."""
    source, sink = pipe
    log.setup("text", "warning", sink)
    logging.getLogger("berth.test").error("failed\nbadly", extra={"size": 7}, exc_info=ValueError("one\ntwo"))
    logging.getLogger("berth.test").info("not wanted")
    lines = source.read(65536).decode().splitlines()
    assert re.fullmatch(STAMP + r" ERROR   failed\\nbadly size=7", lines[0])
    assert "    ValueError: one" in lines
    assert "    two" in lines
    assert all(line.startswith("    ") for line in lines[1:])


def test_colours_are_for_terminals(pipe: tuple[io.FileIO, io.TextIOWrapper], monkeypatch: pytest.MonkeyPatch) -> None:
    """Text on a terminal has colours, unless its owner does not want any; text in a pipe never has."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    main, side = pty.openpty()
    with open(main, "rb", buffering=0) as screen, open(side, "w", encoding="utf-8") as terminal:  # noqa: PTH123
        assert log.style_for("auto", terminal) == "text"
        assert log.style_for("auto", pipe[1]) == "json"
        assert log.style_for("json", terminal) == "json"
        log.setup("text", "info", terminal)
        logging.getLogger("berth.test").warning("colourful")
        assert b"\x1b[33mWARNING\x1b[0m colourful" in screen.read(1000)
        monkeypatch.setenv("NO_COLOR", "1")
        log.setup("text", "info", terminal)
        logging.getLogger("berth.test").warning("plain")
        assert b"\x1b" not in screen.read(1000)


def test_buffered_lines_arrive_whole_and_in_order() -> None:
    """Lines from several threads are complete, each thread's in order, and written within a moment."""
    reader, writer = os.pipe()
    output = BufferedOutput(writer)

    def write(name: str) -> None:
        for number in range(2000):
            output.write(f"{name} {number} {'x' * 100}\n".encode())

    threads = [threading.Thread(target=write, args=(name,)) for name in "abc"]
    with open(reader, "rb") as source:  # noqa: PTH123
        received: list[bytes] = []
        collector = threading.Thread(target=lambda: received.extend(source.readlines()))
        for thread in (collector, *threads):
            thread.start()
        for thread in threads:
            thread.join(10)
        output.close()
        os.close(writer)
        collector.join(10)
    assert len(received) == 6000
    for name in "abc":
        own = [line.split()[1] for line in received if line.startswith(name.encode())]
        assert own == [str(number).encode() for number in range(2000)]


def test_single_line_is_written_without_waiting_for_more() -> None:
    """A lonely line is there after a moment, and an urgent one at once."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    output = BufferedOutput(writer)
    with open(reader, "rb", buffering=0) as source, open(writer, "wb"):  # noqa: PTH123
        output.write(b"lonely\n")
        wait_until(lambda: source.read(100) == b"lonely\n")
        took = [FLUSH_SECONDS]
        # A machine that has much else to do can take that long itself, but not each time.
        while took[-1] >= FLUSH_SECONDS and len(took) < 5:
            started = time.monotonic()
            output.write(b"urgent\n", hurry=True)
            wait_until(lambda: source.read(100) == b"urgent\n")
            took.append(time.monotonic() - started)
        assert took[-1] < FLUSH_SECONDS, took
        output.close()


def test_stuck_reader_neither_blocks_nor_fills_the_memory(pipe: tuple[io.FileIO, io.TextIOWrapper]) -> None:
    """While nobody reads, lines are dropped beyond a limit; their number is told afterwards."""
    source, sink = pipe
    output = log.setup("text", "info", sink, buffered=True)
    line = b"x" * 999 + b"\n"
    started = time.monotonic()
    for _ in range(3 * MOST_BYTES // len(line)):
        output.write(line)
    assert time.monotonic() - started < 2
    received = b""
    while b"log lines were dropped" not in received[-200:]:
        received += source.read(1 << 20)
    lines = received.splitlines(keepends=True)
    dropped = re.search(rb"(\d+) log lines were dropped: nobody read them in time\n", lines[-1])
    assert dropped is not None
    assert len(lines) - 1 + int(dropped[1]) == 3 * MOST_BYTES // len(line)
    assert len(received) < MOST_BYTES + 200_000
    output.close()


def test_lines_without_a_reader_do_no_harm() -> None:
    """When whoever read the log is gone, writing and closing go on as if nothing was."""
    reader, writer = os.pipe()
    os.close(reader)
    output = BufferedOutput(writer)
    output.write(b"line\n", hurry=True)
    output.close()
    os.close(writer)


def test_workers_log_requests_and_events_to_standard_output() -> None:
    """Every request of every worker has its line, also those just before the end."""
    with Program({"LOG__REQUESTS": "all"}) as program:
        for number in range(20):
            urllib.request.urlopen(f"{program.url}/pid?{number}", timeout=5).close()
        program.send(signal.SIGTERM)
        assert program.wait() == 0
        requests = [line for line in program.lines if line["logger"] == "request"]
        assert len(requests) == 20
        assert {line["path"] for line in requests} == {"/pid"}
        assert requests[0]["user_agent"].startswith("Python-urllib/")
