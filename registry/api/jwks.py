"""The public keys of another issuer, from where it publishes them."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import orjson

from auth.keys import VerifyingKey, parse_jwks

_TIMEOUT_S = 5.0
_PATIENCE_S = 0.5
_BYTES_MAX = 256 * 1024

_LOG = logging.getLogger(__name__)


class JwksKeys:
    """Keys from a URL or a file. While it cannot be read, the keys that were known last stay good."""

    def __init__(self, place: str, *, fresh_s: float = 300.0, again_s: float = 2.0) -> None:
        """`place` is asked again after `fresh_s`, or for a key that is not known, but `again_s` after the last time."""
        self._place, self._fresh_s, self._again_s = place, fresh_s, again_s
        self._keys: dict[str, VerifyingKey] = {}
        self._read_at = self._tried_at = -math.inf
        self._refreshing: asyncio.Task[None] | None = None

    async def find(self, kid: str) -> VerifyingKey | None:
        """The issuer's key of that id. For one that is known nobody waits long, if the issuer is slow."""
        now, is_known = time.monotonic(), kid in self._keys
        if (not is_known or now - self._read_at > self._fresh_s) and now - self._tried_at > self._again_s:
            if self._refreshing is None or self._refreshing.done():
                self._refreshing = asyncio.create_task(self._refresh())
            await asyncio.wait([self._refreshing], timeout=_PATIENCE_S if is_known else None)
        return self._keys.get(kid)

    async def _refresh(self) -> None:
        try:
            self._keys = parse_jwks(orjson.loads(await self._read()))
            self._read_at = time.monotonic()
        except (OSError, ValueError, TimeoutError, aiohttp.ClientError) as error:
            _LOG.error("the keys of the issuer cannot be read from %s: %s", self._place, error)
        finally:
            # Any stranger can send tokens with keys that are not known: the issuer is not asked for each of them.
            self._tried_at = time.monotonic()

    async def _read(self) -> bytes:
        if "://" not in self._place:
            return await asyncio.to_thread(Path(self._place).read_bytes)
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
        async with (
            aiohttp.ClientSession(timeout=timeout) as client,
            client.get(self._place, allow_redirects=False) as answer,
        ):
            if answer.status != 200:
                raise ValueError(f"it answered {answer.status}")
            # One read may give less than there is.
            return b"".join([part async for part in _bounded(answer.content)])


async def _bounded(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    room = _BYTES_MAX
    async for part in content.iter_any():
        room -= len(part)
        if room < 0:
            raise ValueError(f"it is larger than {_BYTES_MAX} bytes")
        yield part
