"""The catalog where it takes long to find out who may see what."""

import asyncio
import time

from registry.domain.catalog import Catalog
from storage.metadata import repositories
from storage.metadata.sqlite import MemoryStore
from storage.metadata.store import Transaction
from storage.names import RepositoryName

NAMES = [f"app{number:03}" for number in range(100)]


async def test_others_get_their_turn() -> None:
    """However long it takes to decide what is visible, other requests are answered meanwhile."""
    store = MemoryStore()

    async def insert(tx: Transaction) -> None:
        for name in NAMES:
            await repositories.ensure(tx, RepositoryName(name), 0)

    def decide_slowly(name: RepositoryName) -> bool:
        time.sleep(0.001)
        return True

    await store.transact(insert)
    page = asyncio.create_task(Catalog(store).page("", 1000, decide_slowly))
    turns = 0
    while not page.done():
        turns += 1
        await asyncio.sleep(0)
    assert turns > 10
    assert page.result().repositories == NAMES
    await store.close()
