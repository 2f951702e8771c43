"""A few thousand requests that no honest client sends: none may fail the registry, stop it, or break its data."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import secrets
from collections.abc import Iterable
from pathlib import Path
from random import Random

import orjson
import pytest

from tests.api.content import BASICS, EMPTY, Document, artifact, blob, image, index, manifest
from tests.api.hello import HELLO, begin, finish, stored
from tests.api.server import Registry, assert_sound, configured, running
from tests.api.table import Step
from tests.hostile.requests import Hostile, Maker

ROUNDS = 14
PER_ROUND = 250
AT_ONCE = 16
ANSWER_SECONDS = 15.0
PAUSE_SECONDS = 0.02

PLAIN = image()
DOCUMENTS: list[Document] = [PLAIN, artifact(PLAIN.descriptor()), index([PLAIN.descriptor()])]
CONTENT: list[Step] = [*BASICS, blob(EMPTY), *(manifest(document, f"v{n}") for n, document in enumerate(DOCUMENTS))]

_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) [^\r\n]*\r\n")
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)


async def send(registry: Registry, hostile: Hostile) -> str | None:
    """Send one request on a connection of its own, and say what is wrong with the answer, if anything is."""
    reader, writer = await registry.connect()
    try:
        with contextlib.suppress(ConnectionError):
            if hostile.split is not None:
                writer.write(hostile.payload[: hostile.split])
                await writer.drain()
                await asyncio.sleep(PAUSE_SECONDS)
            writer.write(hostile.payload[hostile.split or 0 :])
            await writer.drain()
        if not hostile.patient:
            return None
        async with asyncio.timeout(ANSWER_SECONDS):
            return await judge(reader, hostile)
    except TimeoutError:
        return f"no answer in {ANSWER_SECONDS} s"
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def judge(reader: asyncio.StreamReader, hostile: Hostile) -> str | None:
    """What is wrong with the answer: it has to be below 500, and an error in the form of the specification."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"HTTP/1.1 100 "):
            head = await reader.readuntil(b"\r\n\r\n")
        status, length = _STATUS.match(head), _LENGTH.search(head)
        if status is None or int(status[1]) >= 500:
            return f"answered with {head!r}"
        if hostile.head_only or int(status[1]) < 400:
            return None
        body = b"" if length is None else await reader.readexactly(int(length[1]))
        return None if is_error(body) else f"answered with {head + body!r}"
    except asyncio.IncompleteReadError:
        return "no whole answer" if hostile.whole else None
    except ConnectionError:
        # What comes after a refusal meets a closed connection, and that may cost the client the answer.
        return "a broken connection" if hostile.whole and hostile.split is None else None


def is_error(body: bytes) -> bool:
    """Whether the body is an error of the specification."""
    try:
        return all(error["code"] and error["message"] for error in orjson.loads(body)["errors"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return False


async def refill(registry: Registry, maker: Maker) -> None:
    """Push what requests before may have deleted, and begin some uploads."""
    for step in CONTENT:
        answer = await registry.ask(step.method, step.url, headers=step.headers, body=step.body)
        assert answer.status == 201, answer
    paths = [await begin(registry, HELLO[:size]) for size in (0, 0, 1, 5, 12)]
    maker.uploads = [path.rpartition("/")[2] for path in paths]


async def attack(registry: Registry, requests: Iterable[Hostile]) -> list[str]:
    """Send the requests, several at a time, and say what was wrong with the answers."""
    faults: list[str] = []
    waiting = iter(requests)

    async def client() -> None:
        for hostile in waiting:
            fault = await send(registry, hostile)
            if fault is not None:
                faults.append(f"{fault}: {hostile.payload[:400]!r} … {hostile.payload[-200:]!r}")

    await asyncio.gather(*(client() for _ in range(AT_ONCE)))
    return faults


@pytest.fixture
def seed() -> str:
    """A new seed for every run, or the one in BERTH_TEST_SEED, to see a run again."""
    return os.environ.get("BERTH_TEST_SEED") or secrets.token_hex(8)


async def test_hostile_requests(tmp_path: Path, seed: str, caplog: pytest.LogCaptureFixture) -> None:
    """No request is answered with 5xx or hangs, the registry goes on serving, and its data stay sound."""
    print(f"BERTH_TEST_SEED={seed}")  # noqa: T201 - shown when the test fails
    caplog.set_level(logging.ERROR)
    config = configured(
        {
            "storage.data": str(tmp_path / "data"),
            "limits.stall_timeout": 0.3,
            # A place that is not given back would be missed at the end.
            "uploads.max_concurrent": AT_ONCE,
        }
    )
    maker = Maker(Random(seed), manifests=[document.content for document in DOCUMENTS])
    async with running(config) as registry:
        for number in range(ROUNDS):
            await refill(registry, maker)
            faults = await attack(registry, [maker.request() for _ in range(PER_ROUND)])
            assert faults == [], f"BERTH_TEST_SEED={seed}, round {number}:\n" + "\n".join(faults[:10])
        assert [record.getMessage() for record in caplog.records] == [], f"BERTH_TEST_SEED={seed}"
        await serves(registry)
    await assert_sound(config.storage.data)


async def serves(registry: Registry) -> None:
    """AssertionError unless the registry works as ever, with all its places for uploads."""
    paths = [await begin(registry) for _ in range(AT_ONCE)]
    assert await asyncio.gather(*(finish(registry, path, HELLO) for path in paths)) == [201] * AT_ONCE
    assert await stored(registry)
    for step in CONTENT:
        assert (await registry.ask(step.method, step.url, headers=step.headers, body=step.body)).status == 201
    assert (await registry.ask("GET", "/v2/app/manifests/v0")).body == PLAIN.content
