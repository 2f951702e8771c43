"""The catalog: which repositories there are."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from storage.metadata import repositories
from storage.metadata.store import MetadataStore
from storage.names import RepositoryName

_SLICE = 1000
# To decide what is visible may take long, where there are many rules: others get their turn.
_TURN_S = 0.005


@dataclass(frozen=True, slots=True)
class CatalogPage:
    repositories: list[str]
    more: bool


class Catalog:
    def __init__(self, store: MetadataStore) -> None:
        self._store = store

    async def page(self, last: str, size: int, visible: Callable[[RepositoryName], bool]) -> CatalogPage:
        """At most `size` names after `last` for which `visible` is true, in ASCII order."""
        found: list[str] = []
        until = time.monotonic() + _TURN_S
        while len(found) <= size:
            part = await repositories.names_after(self._store, last, _SLICE)
            for name in part:
                if visible(RepositoryName(name)):
                    found.append(name)
                if time.monotonic() > until:
                    await asyncio.sleep(0)
                    until = time.monotonic() + _TURN_S
            if len(part) < _SLICE:
                break
            last = part[-1]
            await asyncio.sleep(0)
        return CatalogPage(found[:size], more=len(found) > size)
