"""The connection to the database is cut at each message that a life of an image costs, before it or after it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from registry.app.storing import run_check
from tests.api.content import CONFIG, IMAGE, LAYER, descriptor, digest_of, image
from tests.api.server import Answer, Registry, configured, running
from tests.contract.cutting import Cutter, cutting
from tests.faults import tally
from tests.faults.pushing import chance
from tests.postgres import PostgresServer

FIRST, SECOND = image(), image(layers=[descriptor(LAYER, "application/x"), descriptor(CONFIG, "application/y")])
TRIES = 5
MESSAGES = 200  # more than a life takes


@asynccontextmanager
async def cut_registry(server: PostgresServer, url: str, folder: Path) -> AsyncIterator[tuple[Registry, Cutter]]:
    """A registry on the database, and what cuts it off; at the end everything that is stored is sound."""
    async with cutting(server.folder, folder) as cutter:
        there = url.replace(quote(str(server.folder), safe=""), quote(str(folder), safe=""))
        config = configured({"storage.database": there, "storage.data": str(folder / "data"), "storage.pool_size": 2})
        async with running(config) as registry:
            yield registry, cutter
        report = await run_check(config, with_bytes=True)
        assert [str(problem) for problem in report.problems] == []


class Client:
    """A client that repeats what was answered with 503, and sees after each success that it is so."""

    def __init__(self, registry: Registry, repository: str) -> None:
        self._registry, self._repository = registry, repository

    async def ask(self, method: str, path: str, *statuses: int, body: bytes = b"") -> Answer:
        """Send a request until it is answered with one of the statuses, or with 404 when it was answered with 503."""
        allowed, headers = statuses, {"Content-Type": IMAGE} if "manifests" in path and body else {}
        for _ in range(TRIES):
            answer = await self._registry.ask(method, f"/v2/{self._repository}/{path}", headers=headers, body=body)
            if answer.status in allowed:
                return answer
            assert answer.status == 503, (method, path, answer)
            assert int(answer.headers["Retry-After"]) > 0
            # Nobody knows whether it was done.
            allowed = (*statuses, 404) if method == "DELETE" else statuses
        raise AssertionError("it does not go on")

    async def live(self) -> None:
        """Push an image, another one with the same tag, and delete everything again."""
        for content in (CONFIG, LAYER):
            await self.ask("POST", f"blobs/uploads/?digest={digest_of(content)}", 201, body=content)
            assert (await self.ask("GET", f"blobs/{digest_of(content)}", 200)).body == content
        for pushed in (FIRST, SECOND):
            await self.ask("PUT", "manifests/latest", 201, body=pushed.content)
            for reference in ("latest", pushed.digest):
                assert (await self.ask("GET", f"manifests/{reference}", 200)).body == pushed.content
        await self.ask("DELETE", "manifests/latest", 202)
        await self.ask("GET", "manifests/latest", 404)
        for pushed in (FIRST, SECOND):
            await self.ask("DELETE", f"manifests/{pushed.digest}", 202)
            await self.ask("GET", f"manifests/{pushed.digest}", 404)
        await self.ask("DELETE", f"blobs/{digest_of(LAYER)}", 202)
        await self.ask("GET", f"blobs/{digest_of(LAYER)}", 404)


async def cut_at(numbers: list[int], registry: Registry, cutter: Cutter, *, passes_on: bool) -> int:
    """Live once for each of the numbers, cut off at this message; how often there was such a message."""
    done = 0
    for number in numbers:
        before = cutter.cuts
        cutter.words, cutter.spared, cutter.passes_on = b"", number, passes_on
        await Client(registry, f"cut{number}").live()
        cutter.words = None
        done += cutter.cuts - before
    tally.injected("PostgreSQL cut off at a step", done)
    return done


@pytest.mark.parametrize("passes_on", [True, False])
async def test_cut_at_some_messages(
    postgres: PostgresServer, postgres_url: str, tmp_path: Path, *, passes_on: bool
) -> None:
    """Whatever is cut off, clients are told to repeat it at most, and what was acknowledged is so."""
    numbers = chance().sample(range(60), 6)
    async with cut_registry(postgres, postgres_url, tmp_path) as (registry, cutter):
        await Client(registry, "warm").live()
        assert await cut_at(numbers, registry, cutter, passes_on=passes_on) > 0


@pytest.mark.faults
@pytest.mark.timeout(600)
@pytest.mark.parametrize("passes_on", [True, False])
async def test_cut_at_each_message(
    postgres: PostgresServer, postgres_url: str, tmp_path: Path, *, passes_on: bool
) -> None:
    """As before, at every message."""
    async with cut_registry(postgres, postgres_url, tmp_path) as (registry, cutter):
        done = await cut_at(list(range(MESSAGES)), registry, cutter, passes_on=passes_on)
        assert 60 < done < MESSAGES
