"""A store with blobs and manifests, bytes that go wrong, and a time that passes only while somebody sleeps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from storage.blobs.driver import Span
from storage.blobs.memory import MemoryDriver, MemoryReader
from storage.clock import FakeClock
from storage.digest import DEFAULT_ALGORITHM, digest_of, parse_digest
from storage.metadata import blobs, damage, manifests, repositories
from storage.metadata.blobs import BlobRow
from storage.metadata.manifests import NewManifest, Reference
from storage.metadata.store import MetadataStore, Transaction
from storage.names import RepositoryName
from storage.scrub.journal import Progress
from storage.scrub.rate import Rate
from storage.scrub.scrubbing import Scrub
from tests.contract.blobs import store as put

Happening = Callable[[], Awaitable[None]]


class Time:
    """Seconds that pass while somebody sleeps. `meanwhile` happens during the next sleep."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.seconds = 0.0
        self.sleeps: list[float] = []
        self.meanwhile: Happening | None = None

    def now(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self.clock.advance(seconds)
        self.sleeps.append(seconds)
        if self.meanwhile is not None:
            happening, self.meanwhile = self.meanwhile, None
            await happening()


class WatchedDriver(MemoryDriver):
    """Keeps the keys that were opened. What is in `errors` is raised for a key as often as it is listed there."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.errors: dict[str, list[Exception]] = {}
        self.when_opened: dict[str, Happening] = {}

    async def open(self, key: str, size: int | None = None, span: Span | None = None) -> MemoryReader:
        self.opened.append(key)
        if self.errors.get(key):
            raise self.errors[key].pop(0)
        if key in self.when_opened:
            await self.when_opened[key]()
        return await super().open(key, size, span)


class World:
    """One installation, in which `scrub` makes as many processes as are wanted."""

    def __init__(self, store: MetadataStore) -> None:
        self.store, self.driver, self.time = store, WatchedDriver(), Time()

    def scrub(self, rate: int = 0, report: Callable[[Progress], None] = lambda _: None) -> Scrub:
        """The scrub of another process."""
        limit = Rate(rate, self.time.now, self.time.sleep)
        return Scrub(self.store, self.driver, self.time.clock, limit, report, self.time.sleep)

    async def blob(self, content: bytes, *names: str, algorithm: str = DEFAULT_ALGORITHM) -> str:
        """Store a blob, and link it in these repositories; return its digest."""
        stored, digest = await put(self.driver, content, algorithm), digest_of(content, algorithm)

        async def record(tx: Transaction) -> None:
            await blobs.insert(tx, digest, BlobRow(stored.size, stored.key), 0)
            for name in names or ("app",):
                await blobs.link(tx, await repositories.ensure(tx, RepositoryName(name), 0), digest, 0, 0)

        await self.store.transact(record)
        return str(digest)

    async def blobs(self, count: int) -> list[str]:
        """Store many blobs; return their digests in their order."""
        return sorted([await self.blob(b"content %d" % number) for number in range(count)])

    async def manifest(self, content: bytes, name: str = "app", needs: list[str] | None = None) -> int:
        """Store bytes as a manifest, which needs these digests; return its id."""

        async def record(tx: Transaction) -> int:
            new = NewManifest(digest_of(content), "type", None, None, None, content)
            references = [Reference(parse_digest(digest), "blob", required=True) for digest in needs or ()]
            repository_id = await repositories.ensure(tx, RepositoryName(name), 0)
            return await manifests.insert(tx, repository_id, new, references, 0)

        return await self.store.transact(record)

    async def sql(self, statement: str, *values: str | int | bytes) -> None:
        """Change rows behind everybody's back."""

        async def change(tx: Transaction) -> None:
            assert await tx.execute(statement, *values) > 0

        await self.store.transact(change)

    async def key(self, digest: str) -> str:
        """Where the blob's bytes are."""
        found = await damage.find(self.store, digest)
        assert found is not None
        return found.storage_key

    async def spoil(self, digest: str) -> None:
        """Flip a bit of the blob's bytes."""
        key = await self.key(digest)
        content = bytearray(self.driver.stored[key])
        content[0] ^= 1
        self.driver.stored[key] = bytes(content)

    async def push_again(self, digest: str, content: bytes) -> None:
        """Give the blob new bytes, as a push does that finds it damaged."""
        old, stored = await self.key(digest), await put(self.driver, content)

        async def move(tx: Transaction) -> bool:
            return await blobs.move(tx, parse_digest(digest), old, BlobRow(stored.size, stored.key))

        assert await self.store.transact(move)

    async def damaged(self) -> list[str]:
        """The digests of the blobs that nobody may read."""
        return [blob.digest for blob in await damage.damaged_after(self.store, "", 1000)]

    async def opened(self) -> list[str]:
        """The digests of the blobs that were opened since the last time this was asked, in their order."""
        keys = {blob.storage_key: blob.digest for blob in await damage.blobs_after(self.store, "", 10_000)}
        found, self.driver.opened = [keys[key] for key in self.driver.opened], []
        return found
