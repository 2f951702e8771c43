"""The keys of another issuer: read from where it publishes them, and kept while that cannot be reached."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from auth.keys import KeyRing, SigningKey
from registry.api.jwks import JwksKeys

OLD, NEW = SigningKey.generate(), SigningKey.generate()


def published(*keys: SigningKey) -> bytes:
    """What an issuer with these keys publishes."""
    return json.dumps(KeyRing(list(keys)).jwks()).encode()


class Issuer:
    """Publishes keys at `url`, and counts who asks. While `closed`, nobody gets an answer."""

    def __init__(self) -> None:
        self.body, self.status, self.headers = published(OLD), 200, dict[str, str]()
        self.asked = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.url = ""

    async def start(self) -> web.ServerRunner:
        """Begin to publish, on a free port."""
        runner = web.ServerRunner(web.Server(self._answer), shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/jwks.json"
        return runner

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked += 1
        await self.gate.wait()
        return web.Response(body=self.body, status=self.status, headers=self.headers)


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    """An issuer with one key."""
    issuer = Issuer()
    runner = await issuer.start()
    yield issuer
    issuer.gate.set()
    await runner.cleanup()


def always(place: str) -> JwksKeys:
    """Keys that are read again for each question."""
    return JwksKeys(place, fresh_s=0, again_s=0)


async def knows(keys: JwksKeys, key: SigningKey) -> bool:
    """Whether the key is one of the issuer."""
    found = await keys.find(key.kid)
    assert found is None or (found.kid, found.algorithm) == (key.kid, "ES256")
    return found is not None


async def test_keys_of_a_url(issuer: Issuer) -> None:
    """The issuer is asked once for keys that it has."""
    keys = JwksKeys(issuer.url)
    for _ in range(10):
        assert await knows(keys, OLD)
    assert issuer.asked == 1


async def test_nobody_is_asked_at_the_start(issuer: Issuer) -> None:
    """A registry starts without its issuer, which may start later."""
    JwksKeys(issuer.url)
    assert issuer.asked == 0


async def test_unknown_keys(issuer: Issuer) -> None:
    """A new key is found as soon as somebody comes with it, but strangers cannot make a registry ask all the time."""
    keys = JwksKeys(issuer.url, again_s=1)
    assert not await knows(keys, NEW)
    issuer.body = published(OLD, NEW)
    for number in range(100):
        assert await keys.find(f"made up {number}") is None
    assert not await knows(keys, NEW)
    assert issuer.asked == 1
    await asyncio.sleep(1.05)
    assert await knows(keys, NEW)
    assert await knows(keys, OLD)
    assert issuer.asked == 2


async def test_many_at_the_same_time(issuer: Issuer) -> None:
    """Whoever comes while the issuer is being asked waits for its answer, and does not ask, too."""
    keys = JwksKeys(issuer.url)
    assert await asyncio.gather(*(knows(keys, OLD) for _ in range(50))) == [True] * 50
    assert issuer.asked == 1


async def test_withdrawn_key(issuer: Issuer) -> None:
    """A key that the issuer does not publish any more is not trusted once the keys are read again."""
    keys = JwksKeys(issuer.url, fresh_s=1, again_s=0)
    assert await knows(keys, OLD)
    issuer.body = published(NEW)
    assert await knows(keys, OLD)
    await asyncio.sleep(1.05)
    assert not await knows(keys, OLD)
    assert await knows(keys, NEW)


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (500, published(NEW), {}),
        (404, b"not here", {}),
        (204, b"", {}),
        (302, published(NEW), {"Location": "http://127.0.0.1:1/"}),
        (200, b"", {}),
        (200, b"<html>", {}),
        (200, b"\xff\xfe", {}),
        (200, b"[" * 10_000, {}),
        (200, b"[]", {}),
        (200, b'{"keys": 5}', {}),
        (200, published(NEW)[:-1] + b" " * 300_000 + b"}", {}),
        (200, published(NEW), {"Content-Encoding": "gzip"}),
    ],
)
async def test_last_good_keys_stay(
    issuer: Issuer, caplog: pytest.LogCaptureFixture, status: int, body: bytes, headers: dict[str, str]
) -> None:
    """While the issuer answers anything but keys, those that were known stay good, and the log says why."""
    keys = always(issuer.url)
    assert await knows(keys, OLD)
    issuer.status, issuer.body, issuer.headers = status, body, headers
    with caplog.at_level(logging.ERROR):
        assert await knows(keys, OLD)
        assert not await knows(keys, NEW)
    assert "the keys of the issuer cannot be read" in caplog.text
    issuer.status, issuer.body, issuer.headers = 200, published(NEW), {}
    assert await knows(keys, NEW)
    assert not await knows(keys, OLD)


async def test_issuer_that_is_down(caplog: pytest.LogCaptureFixture) -> None:
    """While nobody answers at all, keys that were known stay good, and none becomes so."""
    issuer = Issuer()
    runner = await issuer.start()
    keys = always(issuer.url)
    assert await knows(keys, OLD)
    await runner.cleanup()
    assert await knows(keys, OLD)
    assert not await knows(always(issuer.url), OLD)
    assert issuer.url in caplog.text


async def test_issuer_that_hangs(issuer: Issuer) -> None:
    """An issuer that takes its time keeps nobody waiting for long who comes with a key that is known."""
    keys = always(issuer.url)
    assert await knows(keys, OLD)
    issuer.gate.clear()
    async with asyncio.timeout(2):
        assert await asyncio.gather(*(knows(keys, OLD) for _ in range(20))) == [True] * 20
    assert issuer.asked == 2
    issuer.body = published(NEW)
    issuer.gate.set()
    assert await knows(keys, NEW)


async def test_empty_set(issuer: Issuer) -> None:
    """An issuer that has withdrawn all of its keys has none."""
    keys = always(issuer.url)
    assert await knows(keys, OLD)
    issuer.body = b'{"keys": []}'
    assert not await knows(keys, OLD)


async def test_keys_of_a_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file does as well as a URL: it is read again, and what was known stays while it cannot be."""
    path = tmp_path / "jwks.json"
    keys = always(str(path))
    assert not await knows(keys, OLD)
    assert "No such file" in caplog.text
    path.write_bytes(published(OLD))
    assert await knows(keys, OLD)
    for content in [b"", b"{", b"\xff"]:
        path.write_bytes(content)
        assert await knows(keys, OLD)
    path.write_bytes(published(NEW))
    assert await knows(keys, NEW)
    assert not await knows(keys, OLD)
