"""Two closing requests of one upload, of which the second comes at the worst moment of the first."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from auth.actor import OPERATING
from registry.api.call import Services
from registry.app.services import build_services
from registry.app.storing import Storage
from registry.config import Config
from storage.blobs.filesystem import FilesystemDriver
from storage.digest import digest_of
from storage.errors import RegistryError
from storage.metadata.sqlite import SqliteStore
from storage.metadata.store import Transaction
from storage.names import RepositoryName

T = TypeVar("T")
REPOSITORY = RepositoryName("app")
SECONDS = 10.0


class HeldStore(SqliteStore):
    """A store whose next transaction begins only when `go_on` is set, once `held` is true."""

    def __init__(self, data: Path) -> None:
        super().__init__(data)
        self.held = False
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()

    async def transact(self, work: Callable[[Transaction], Awaitable[T]], *, durable: bool = True) -> T:
        if self.held:
            self.held = False
            self.reached.set()
            await self.go_on.wait()
        return await super().transact(work, durable=durable)


@pytest.fixture
async def store(tmp_path: Path) -> HeldStore:
    """A store that can be held."""
    SqliteStore.migrate(tmp_path)
    FilesystemDriver.prepare(tmp_path)
    return HeldStore(tmp_path)


@pytest.fixture
async def services(store: HeldStore, tmp_path: Path) -> AsyncIterator[Services]:
    """The real use cases over `store`; in the end what is stored is with_body."""
    storage = Storage(store, FilesystemDriver(tmp_path), None)
    yield build_services(Config(), storage)
    await storage.close()


async def body(content: bytes) -> AsyncIterator[bytes]:
    """A request's body."""
    if content:
        yield content


@pytest.mark.parametrize("with_body", [True, False], ids=["with-body", "without-body"])
async def test_a_closing_request_between_bytes_and_row(
    services: Services,
    store: HeldStore,
    tmp_path: Path,
    with_body: bool,  # noqa: FBT001
) -> None:
    """A closing request that comes between another one's bytes and their row neither takes the blob nor spoils it."""
    content = b"precious"
    digest = digest_of(content)
    upload = await services.uploads.start(OPERATING, REPOSITORY)
    if not with_body:
        await services.uploads.append(OPERATING, REPOSITORY, upload.id, body(content))

    def finish() -> Awaitable[None]:
        return services.uploads.finish(OPERATING, REPOSITORY, upload.id, digest, body(content if with_body else b""))

    async with asyncio.timeout(SECONDS):
        store.held = True
        first = asyncio.ensure_future(finish())
        await store.reached.wait()
        second = asyncio.ensure_future(finish())
        await asyncio.wait([second], timeout=0.5)
        store.go_on.set()
        results = await asyncio.gather(first, second, return_exceptions=True)
    assert [isinstance(result, RegistryError) for result in results].count(True) == 1
    reader = await services.blobs.open(await services.blobs.find(REPOSITORY, digest))
    assert b"".join([piece async for piece in reader.read(0, reader.size)]) == content
    await reader.close()
