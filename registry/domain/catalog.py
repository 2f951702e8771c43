"""The catalog: which repositories there are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from storage.metadata import repositories
from storage.metadata.store import MetadataStore
from storage.names import RepositoryName

_SLICE = 1000


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
        while len(found) <= size:
            part = await repositories.names_after(self._store, last, _SLICE)
            found += [name for name in part if visible(RepositoryName(name))]
            if len(part) < _SLICE:
                break
            last = part[-1]
            await asyncio.sleep(0)
        return CatalogPage(found[:size], more=len(found) > size)
