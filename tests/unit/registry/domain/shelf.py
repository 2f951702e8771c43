"""A registry with a collector, on a clock that stands still until it is moved."""

import json
from collections.abc import AsyncIterator, Sequence

from auth.actor import OPERATING
from registry.domain.audit import Audit
from registry.domain.blobs import Blobs
from registry.domain.collector import Collector, CollectorSettings
from registry.domain.explaining import Explaining, Keeper
from registry.domain.leases import Leases
from registry.domain.manifests import Manifests, Push, read_manifest
from registry.domain.policies import Retention
from registry.domain.tags import Tags
from registry.domain.uploads import UploadLimits, Uploads
from registry.oci import media_types
from storage.blobs.memory import MemoryDriver
from storage.check import Check
from storage.clock import FakeClock
from storage.digest import Digest, digest_of, parse_digest
from storage.errors import RegistryError
from storage.garbage.collected import Collected
from storage.metadata.store import MetadataStore
from storage.names import RepositoryName, Tag

HOUR = 3600.0
DAY = 24 * HOUR
APP, OTHER = RepositoryName("app"), RepositoryName("other")

GRACE, ORPHANED, KEPT, REMEMBERED = HOUR, 2 * DAY, 3 * DAY, 30 * DAY

_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"

Json = dict[str, object]


def _ms(seconds: float) -> int:
    return int(seconds * 1000)


class Shelf:
    """Leases last an hour, orphans go after two days, what was deleted can be brought back for three.

    Where tags pointed is known for thirty days.
    """

    def __init__(self, store: MetadataStore, untagged: float = 0, kept: float = KEPT, linger: float = 0) -> None:
        self.store, self.driver, self.clock = store, MemoryDriver(), FakeClock()
        audit, leases = Audit(self.clock), Leases(self.clock, GRACE)
        self.tags = Tags(store, self.clock, audit)
        self.manifests = Manifests(
            store, self.clock, self.tags, leases, audit, sparse_indexes=False, keep_deleted=kept > 0
        )
        limits = UploadLimits(blob_size=0, receiving=100, idle_s=DAY)
        self.uploads = Uploads(store, self.driver, self.clock, leases, limits)
        self.blobs = Blobs(store, self.driver, leases, audit)
        retention = Retention(_ms(untagged), _ms(ORPHANED))
        settings = CollectorSettings(retention, _ms(kept), _ms(REMEMBERED), _ms(linger), share=1.0, stride=200)
        self.collector = Collector(store, self.driver, self.clock, self.tags, self.manifests, settings)
        self.explaining = Explaining(store, self.clock, retention, _ms(kept))

    async def blob(self, content: bytes, repository: RepositoryName = APP) -> Digest:
        """Push a blob."""

        async def body() -> AsyncIterator[bytes]:
            yield content

        digest = digest_of(content)
        await self.uploads.push(OPERATING, repository, digest, body())
        return digest

    async def image(self, *layers: bytes, tag: str | None = None, repository: RepositoryName = APP) -> Digest:
        """Push an image with its blobs."""
        pushed = [await self.blob(layer, repository) for layer in layers]
        config = await self.blob(b"{}", repository)
        document: Json = {
            "schemaVersion": 2,
            "mediaType": media_types.OCI_MANIFEST,
            "config": _descriptor(_CONFIG, config, 2),
            "layers": [_descriptor(_LAYER, digest, len(layer)) for digest, layer in zip(pushed, layers, strict=True)],
        }
        return await self.manifest(document, tag, repository)

    async def index(self, *images: Digest, tag: str | None = None, repository: RepositoryName = APP) -> Digest:
        """Push an index of manifests that are there."""
        found = [await self.manifests.get(repository, image) for image in images]
        listed = [_descriptor(item.media_type, parse_digest(item.digest), len(item.content)) for item in found]
        document: Json = {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": listed}
        return await self.manifest(document, tag, repository)

    async def referrer(self, subject: Digest, tag: str | None = None, repository: RepositoryName = APP) -> Digest:
        """Push a manifest without layers that says to be about another one, which need not be there."""
        config = await self.blob(b"{}", repository)
        document: Json = {
            "schemaVersion": 2,
            "mediaType": media_types.OCI_MANIFEST,
            "artifactType": "text/note",
            "config": _descriptor(_CONFIG, config, 2),
            "layers": [],
            "subject": _descriptor(media_types.OCI_MANIFEST, subject, 1),
        }
        return await self.manifest(document, tag, repository)

    async def manifest(self, document: Json, tag: str | None, repository: RepositoryName = APP) -> Digest:
        """Push a manifest by tag, or by digest."""
        content, media_type = json.dumps(document).encode(), str(document["mediaType"])
        digest = digest_of(content)
        tags = [] if tag is None else [Tag(tag)]
        await self.manifests.put(OPERATING, repository, Push(content, media_type, None if tags else digest, tags))
        return digest

    async def delete(self, digest: Digest, repository: RepositoryName = APP) -> None:
        """Delete a manifest."""
        await self.manifests.delete(OPERATING, repository, digest)

    async def untag(self, tag: str, repository: RepositoryName = APP) -> None:
        await self.tags.delete(OPERATING, repository, Tag(tag))

    async def has(self, digest: Digest, repository: RepositoryName = APP) -> bool:
        """Whether the repository has the manifest."""
        try:
            await self.manifests.get(repository, digest)
        except RegistryError:
            return False
        return True

    async def has_blob(self, digest: Digest, repository: RepositoryName = APP) -> bool:
        """Whether the blob can be read through the repository, whole."""
        try:
            row = await self.blobs.find(repository, digest)
        except RegistryError:
            return False
        reader = await self.blobs.open(row)
        content = b"".join([piece async for piece in reader.read(0, reader.size)])
        await reader.close()
        return digest_of(content) == digest

    async def stored(self) -> int:
        """How many blobs the driver holds."""
        return len([item async for item in self.driver.blobs()])

    async def collect(self, after: float = 0, *, dry_run: bool = False) -> Collected:
        """Let so many seconds pass, and collect. After it everything is sound."""
        self.clock.advance(after)
        counts = await self.collector.run(dry_run=dry_run)
        await self.expect_sound()
        return counts

    async def expect_sound(self) -> None:
        check = Check(self.store, self.driver, read_manifest, with_bytes=True, sparse_indexes=False)
        report = await check.run()
        assert report.problems == []

    async def why(self, digest: Digest) -> Sequence[Keeper]:
        """What keeps the digest."""
        return (await self.explaining.explain(digest)).keepers

    def later(self, seconds: float) -> int:
        """The time in so many seconds, in milliseconds."""
        return self.clock.now_ms() + _ms(seconds)


def _descriptor(media_type: str, digest: Digest, size: int) -> Json:
    return {"mediaType": media_type, "digest": str(digest), "size": size}
