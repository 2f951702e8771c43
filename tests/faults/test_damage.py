"""Files of blobs that somebody truncated, deleted or changed behind the daemon's back."""

import contextlib
import http.client
import os
import random
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.daemon import PROGRAM, Daemon
from tests.faults import tally
from tests.faults.client import Registry
from tests.faults.hanging_up import End, connection, head, read_until
from tests.faults.trapped import find_problems

REPOSITORY = "app"
Damage = Callable[[Path], object]
Damaged = Callable[[bytes, Damage], str]

RANGES: list[dict[str, str]] = [{}, {"Range": "bytes=10-"}, {"Range": "bytes=0-9,2000-"}]
SIZES = {"small": 5_000, "large": 300_000, "huge": 8 << 20}


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A running daemon."""
    with Daemon(tmp_path_factory.mktemp("damage") / "data", "--workers", "2") as daemon:
        yield daemon
        assert daemon.stop() == 0, daemon.tail()
    daemon.check()


@pytest.fixture
def registry(daemon: Daemon) -> Registry:
    """A client of the daemon."""
    return Registry(daemon.address)


@pytest.fixture
def damaged(daemon: Daemon) -> Iterator[Damaged]:
    """Pushes a blob, damages its file, and returns its digest; the damage is repaired after the test."""
    repairs: list[tuple[Path, bytes]] = []

    def push_and_damage(content: bytes, damage: Damage) -> str:
        digest = Registry(daemon.address).push(REPOSITORY, content)
        path = file_of(daemon.data, digest)
        repairs.append((path, content))
        damage(path)
        tally.injected("bytes damaged")
        return digest

    yield push_and_damage
    for path, content in repairs:
        path.write_bytes(content)
    assert find_problems(daemon.data) == []


def file_of(data: Path, digest: str) -> Path:
    """The file that holds, or held, a blob."""
    with contextlib.closing(sqlite3.connect(data / "metadata.db")) as database:
        (key,) = database.execute("SELECT storage_key FROM blobs WHERE digest = ?", (digest,)).fetchone()
    return data / "blobs" / str(key)


def truncate(path: Path) -> None:
    """Cut a file in the middle."""
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    """Leave nothing of a file but its name, as some file systems do after a power cut."""
    os.truncate(path, 0)


def lengthen(path: Path) -> None:
    """Add something to a file."""
    with path.open("ab") as file:
        file.write(b"more")


def flip(path: Path) -> None:
    """Change one bit in the middle of a file."""
    middle = path.stat().st_size // 2
    with path.open("r+b") as file:
        file.seek(middle)
        (byte,) = file.read(1)
        file.seek(middle)
        file.write(bytes([byte ^ 1]))


def check(data: Path, *flags: str) -> tuple[int, str]:
    """The exit code of `berth check` and what it prints."""
    command = [str(PROGRAM), "check", "--data", str(data), *flags]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return result.returncode, result.stdout


def looks_complete(registry: Registry, path: str, headers: Mapping[str, str]) -> bool:
    """Whether the answer to a GET is a success of which nothing seems to be missing."""
    try:
        answer = registry.request("GET", path, headers=headers)
    except (http.client.IncompleteRead, ConnectionError):
        return False
    return answer.expect(200, 206, 500, 503).status < 300


@pytest.mark.parametrize("damage", [os.unlink, truncate, empty, lengthen])
@pytest.mark.parametrize("size", SIZES)
def test_a_wrong_answer_is_seen_to_be_wrong(
    daemon: Daemon, registry: Registry, damaged: Damaged, size: str, damage: Damage
) -> None:
    """A client that asks for bytes that are gone gets an error or a short body, until they are there again."""
    content = os.urandom(SIZES[size])
    digest = damaged(content, damage)
    path = f"/v2/{REPOSITORY}/blobs/{digest}"
    for headers in RANGES:
        # Often enough to ask both workers.
        assert not any(looks_complete(registry, path, headers) for _ in range(4)), headers
    file_of(daemon.data, digest).write_bytes(content)
    assert all(registry.request("GET", path).expect(200).body == content for _ in range(4))


def test_a_push_repairs_the_blob(tmp_path: Path) -> None:
    """Who pushes a blob whose file is not whole is answered with 201, and from then on the blob can be pulled."""
    with Daemon(tmp_path / "data") as daemon:
        registry = Registry(daemon.address)
        for damage in (os.unlink, truncate):
            content = os.urandom(SIZES["large"])
            damage(file_of(daemon.data, registry.push(REPOSITORY, content)))
            tally.injected("bytes damaged")
            digest = registry.push(REPOSITORY, content)
            assert registry.blob(REPOSITORY, digest).expect(200).body == content
    daemon.check()


def test_a_file_that_shrinks_under_a_download(daemon: Daemon, registry: Registry) -> None:
    """A download whose bytes vanish under way breaks off before it looks complete."""
    content = random.Random(1).randbytes(64 << 20)
    digest = registry.push(REPOSITORY, content)
    path = file_of(daemon.data, digest)
    with connection(daemon.address, End.CLOSE, receive_buffer=65536) as client:
        client.sendall(head("GET", f"/v2/{REPOSITORY}/blobs/{digest}"))
        received = read_until(client, b"\r\n\r\n").partition(b"\r\n\r\n")[2]
        os.truncate(path, 40 << 20)
        tally.injected("bytes damaged")
        size, deadline = len(received), time.monotonic() + 20
        while piece := receive(client):
            size += len(piece)
            assert time.monotonic() < deadline
    assert size < len(content)
    path.write_bytes(content)
    assert registry.blob(REPOSITORY, digest).expect(200).body == content


def receive(client: socket.socket) -> bytes:
    """What comes next; nothing when the connection is gone."""
    try:
        return client.recv(1 << 20)
    except ConnectionError:
        return b""


@pytest.mark.parametrize("damage", [os.unlink, truncate, empty, lengthen])
def test_check_names_what_is_missing(daemon: Daemon, damaged: Damaged, damage: Damage) -> None:
    """`berth check` names a blob whose file is gone or has another size, and ends with 1."""
    digest = damaged(os.urandom(1000), damage)
    code, output = check(daemon.data)
    assert code == 1
    assert [line for line in output.splitlines() if digest in line] == output.splitlines()[:-1]


def test_check_names_a_changed_byte(daemon: Daemon, damaged: Damaged) -> None:
    """`berth check --bytes` names a blob of which one bit is wrong; without --bytes nobody reads it."""
    digest = damaged(os.urandom(3 << 20), flip)
    code, output = check(daemon.data, "--bytes")
    assert code == 1
    assert digest in output.splitlines()[0]
    assert check(daemon.data)[0] == 0


def test_bytes_that_nobody_names_are_counted(daemon: Daemon) -> None:
    """A file without a row is no damage, since a broken push leaves one, and `berth check` tells how many there are."""
    stray = daemon.data / "blobs" / "sha256" / "00" / f"{'0' * 64}.{'0' * 32}"
    before = check(daemon.data)[1]
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"stray")
    code, output = check(daemon.data, "--bytes")
    stray.unlink()
    assert code == 0
    assert strays(output) == strays(before) + 1


def strays(output: str) -> int:
    """How many blobs belong to none, as `berth check` says."""
    return int(output.partition("; ")[2].split()[0])
