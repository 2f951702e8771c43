"""The keys that tokens are signed and verified with, as they are now."""

from __future__ import annotations

import asyncio
import math
import time
from typing import Protocol

from auth.keyfiles import KeyFolder
from auth.keys import KeyRing, SigningKey, VerifyingKey
from storage.errors import StorageUnavailable

# A key that is not known may be one that another process has just made; a stranger may send any number of such.
_LOOK_AGAIN_S = 1.0


class Keys(Protocol):
    """Where verifying keys come from."""

    async def find(self, kid: str) -> VerifyingKey | None:
        """The key of that id, if it is one that is trusted now."""
        ...


class OwnKeys:
    """Keys in a folder that all daemons of the installation share, or, without one, a key of this process alone."""

    def __init__(self, folder: KeyFolder | None) -> None:
        self._folder = folder
        self._ring = KeyRing([SigningKey.generate()]) if folder is None else None
        self._looked_at = self._published_at = -math.inf

    async def ring(self) -> KeyRing:
        """All keys. Raises `StorageUnavailable` when there are none to be read."""
        if self._ring is None:
            await self.refresh()
        if self._ring is None:
            raise StorageUnavailable("the keys that sign tokens cannot be read")
        return self._ring

    async def find(self, kid: str) -> VerifyingKey | None:
        """See `Keys`. An unknown key may be one that another process has just made: the folder is looked at again."""
        found = (await self.ring()).verifying.get(kid)
        if found is None and time.monotonic() - self._looked_at > _LOOK_AGAIN_S:
            self._looked_at = time.monotonic()
            await self.refresh()
            found = (await self.ring()).verifying.get(kid)
        return found

    async def published(self) -> dict[str, list[dict[str, str]]]:
        """The public keys, for others: they ask when they have met one that another process has just made."""
        if time.monotonic() - self._published_at > _LOOK_AGAIN_S:
            self._published_at = time.monotonic()
            await self.refresh()
        return (await self.ring()).jwks()

    async def refresh(self) -> None:
        """Notice keys that were made or retired. What cannot be read leaves the keys as they were."""
        if self._folder is None:
            return
        self._ring = await asyncio.to_thread(self._folder.load) or self._ring
