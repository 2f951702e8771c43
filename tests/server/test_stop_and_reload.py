"""Stopping, reloading and crashing: what happens to the requests meanwhile."""

import asyncio
import os
import pty
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from registry.server.connection import LINGER_SECONDS
from registry.server.supervisor import SAME_SIGNAL_SECONDS
from tests.daemon import children, wait_until_gone
from tests.server.application import DONE
from tests.server.load import Load, running
from tests.server.program import SECONDS, Program, wait_until


def get(program: Program, path: str) -> str:
    """The body of the answer to a GET request."""
    with urllib.request.urlopen(f"{program.url}{path}", timeout=10) as answer:
        return str(answer.read().decode())


@contextmanager
def slow_request(program: Program, seconds: float) -> Iterator[socket.socket]:
    """A connection on which the answer to a request has begun, and takes so many seconds to end."""
    with socket.create_connection((program.host, program.port), timeout=SECONDS) as client:
        client.sendall(f"GET /slow/{seconds} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += client.recv(1)
        assert head.startswith(b"HTTP/1.1 200 ")
        yield client


async def test_stop_under_load_loses_no_request() -> None:
    """Every request that was sent before or during a stop is answered, and the exit code says so."""
    with Program() as program:
        load = Load(program.host, program.port)
        async with running(load):
            await asyncio.to_thread(wait_until, lambda: load.answered > 100)
            program.send(signal.SIGTERM)
            code = await asyncio.to_thread(program.wait)
        assert load.lost == []
        assert load.refused > 0
        assert code == 0


async def test_stop_answers_a_request_that_has_just_begun() -> None:
    """A client that connected before the stop may send its request, slowly, after it."""
    with Program({"SERVER__WORKERS": "1"}) as program:
        reader, writer = await asyncio.open_connection(program.host, program.port)
        program.send(signal.SIGTERM)
        await asyncio.to_thread(program.wait_for_line, "stopping")
        for piece in (b"GET /pid HT", b"TP/1.1\r\nHo", b"st: test\r\n\r\n"):
            writer.write(piece)
            await asyncio.sleep(0.3)
        answer = await asyncio.wait_for(reader.read(), SECONDS)
        assert answer.startswith(b"HTTP/1.1 200 OK")
        assert b"Connection: close" in answer
        writer.close()
        assert await asyncio.to_thread(program.wait) == 0


def test_stop_answers_connections_that_wait_to_be_accepted() -> None:
    """What the kernel has accepted before a stop, and no worker yet, is answered like any other request."""
    with Program({"SERVER__WORKERS": "1"}) as program, ExitStack() as stack:
        (worker,) = program.workers()
        os.kill(worker, signal.SIGSTOP)
        clients = [
            stack.enter_context(socket.create_connection((program.host, program.port), timeout=SECONDS))
            for _ in range(20)
        ]
        for client in clients:
            client.sendall(b"GET /pid HTTP/1.1\r\nHost: test\r\n\r\n")
        program.send(signal.SIGTERM)
        program.wait_for_line("stopping")
        time.sleep(0.2)
        os.kill(worker, signal.SIGCONT)
        for client in clients:
            assert client.recv(65536).startswith(b"HTTP/1.1 200")
        assert program.wait() == 0


def test_stop_does_not_wait_for_idle_connections() -> None:
    """Connections without a request do not hold up a stop, and new ones are refused."""
    took = [LINGER_SECONDS]
    # A machine that has much else to do can take that long itself, but not each time.
    while took[-1] >= LINGER_SECONDS and len(took) < 5:
        with Program() as program, socket.create_connection((program.host, program.port)) as idle:
            time.sleep(LINGER_SECONDS + 0.2)
            started = time.monotonic()
            program.send(signal.SIGTERM)
            assert program.wait() == 0
            took.append(time.monotonic() - started)
            idle.settimeout(SECONDS)
            assert idle.recv(1) == b""
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((program.host, program.port))
    assert took[-1] < LINGER_SECONDS, took


@pytest.mark.parametrize("stays", [True, False])
def test_stop_does_not_wait_for_bodies_that_nobody_wants(stays: bool) -> None:  # noqa: FBT001
    """A client that was answered at once, and never sends what it has announced, does not hold up a stop."""
    with Program() as program, socket.create_connection((program.host, program.port), timeout=SECONDS) as client:
        client.sendall(b"GET /pid HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000\r\n\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 200")
        if not stays:
            client.close()
        started = time.monotonic()
        program.send(signal.SIGTERM)
        assert program.wait() == 0
        # What aiohttp would wait for.
        assert time.monotonic() - started < 10


def test_stop_cuts_off_what_takes_too_long() -> None:
    """After the drain time-out a request is cut off, and the exit code and the log tell of it."""
    with Program({"SERVER__DRAIN_TIMEOUT": "300ms"}) as program:
        with slow_request(program, 60):
            program.send(signal.SIGINT)
            assert program.wait(SECONDS) == 1
        assert "1 requests were cut off" in program.wait_for_line("cut off")["message"]


def test_second_signal_ends_at_once() -> None:
    """Whoever asks twice does not want to wait for requests under way."""
    with Program() as program, slow_request(program, 60):
        workers = program.workers()
        program.send(signal.SIGINT)
        program.wait_for_line("stopping")
        time.sleep(SAME_SIGNAL_SECONDS + 0.2)
        assert program.workers() != []
        program.send(signal.SIGINT)
        assert program.wait(SECONDS) == 1
        wait_until_gone(workers)


def test_the_same_signal_twice_in_a_moment_is_one() -> None:
    """A program that signals both the process and its group does not cut requests off."""
    with Program() as program, slow_request(program, 1) as client:
        program.send(signal.SIGTERM)
        time.sleep(0.05)
        program.send(signal.SIGTERM)
        assert client.recv(65536) == DONE
        assert program.wait() == 0


def test_closed_terminal_ends_the_daemon() -> None:
    """A daemon that was started in a terminal does not outlive it, though a hang-up otherwise means reload."""
    main, side = pty.openpty()
    process = subprocess.Popen([sys.executable, "-m", "tests.server.application"], stdout=side)
    os.close(side)
    try:
        shown = b""
        while b"Ctrl-C" not in shown:
            shown += os.read(main, 1000)
        workers = children(process.pid)
        os.close(main)
        process.send_signal(signal.SIGHUP)
        assert process.wait(10) == 0
        wait_until_gone(workers)
    finally:
        process.kill()
        process.wait(SECONDS)


def test_workers_go_when_the_supervisor_was_killed() -> None:
    """Workers without a supervisor answer what is under way and end."""
    with Program() as program, slow_request(program, 0.5) as client:
        workers = program.workers()
        os.kill(program.pid, signal.SIGKILL)
        assert client.recv(65536) == DONE
        wait_until_gone(workers)
        assert list(program.temporary.iterdir()) == []


async def test_reload_under_load_loses_no_request(tmp_path: Path) -> None:
    """A good configuration brings new workers, a bad one changes nothing; no request notices either."""
    path = tmp_path / "berth.toml"
    path.write_text("[server]\nkeepalive_timeout = 10\n")
    with Program(path=path) as program:
        load = Load(program.host, program.port)
        async with running(load):
            await asyncio.sleep(0.3)
            old = program.workers()
            path.write_text("[server]\nkeepalive_timeout = 20\n")
            program.send(signal.SIGHUP)
            await asyncio.to_thread(program.wait_for_line, "is in force")
            await asyncio.to_thread(wait_until, lambda: len(program.workers()) == 2)
            new = program.workers()
            assert set(old).isdisjoint(new)

            path.write_text("[server]\nkeepalive_timeot = 20\n")
            program.send(signal.SIGHUP)
            await asyncio.to_thread(program.wait_for_line, "stays as it was")
            assert "keepalive_timeout" in program.wait_for_line("keepalive_timeot")["message"]
            await asyncio.sleep(0.3)
            assert program.workers() == new
        assert load.lost == []
        assert load.refused == 0
        assert load.answered > 100


def test_reload_of_what_does_not_work_changes_nothing(tmp_path: Path) -> None:
    """A configuration that cannot be used, even if only its workers find out, leaves the old ones alone."""
    path = tmp_path / "berth.toml"
    path.write_text("")
    changes = {
        "[storage]\ndata = 'elsewhere'\n": "storage.data has changed: that needs a restart",
        "[server]\npublic_url = 'http://refused'\n": "the worker refuses to start",
        "[server]\npublic_url = 'http://broken'\n": "the worker failed",
        "[server]\ntls_key = 'no'\ntls_certificate = 'no'\n": "cannot read server.tls_certificate",
    }
    with Program(path=path) as program:
        old = program.workers()
        for change, message in changes.items():
            program.lines.clear()
            path.write_text(change)
            program.send(signal.SIGHUP)
            program.wait_for_line("the configuration stays as it was")
            program.wait_for_line(message)
            wait_until(lambda: program.workers() == old)
            assert int(get(program, "/pid")) in old


def test_crashed_worker_is_replaced() -> None:
    """Another worker takes the place of one that ended, and those that crash often wait longer."""
    with Program() as program:
        first = program.workers()
        os.kill(first[0], signal.SIGKILL)
        wait_until(lambda: len(program.workers()) == 2 and first[0] not in program.workers())
        assert "killed by SIGKILL; another one starts in 0 s" in program.wait_for_line("SIGKILL")["message"]
        with pytest.raises(OSError):  # noqa: PT011 - how the connection ends depends on the moment
            get(program, "/die/7")
        assert "ended with exit code 7; another one starts in 1 s" in program.wait_for_line("code 7")["message"]
        assert int(get(program, "/pid")) in program.workers()
        wait_until(lambda: len(program.workers()) == 2)
