"""A small store with one of everything, made by the use cases, and hands to break it with."""

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from auth.actor import OPERATING
from registry.domain.audit import Audit
from registry.domain.leases import Leases
from registry.domain.manifests import Manifests, Push, read_manifest
from registry.domain.tags import Tags
from registry.domain.uploads import UploadLimits, Uploads
from registry.oci import media_types
from storage.blobs.filesystem import FilesystemDriver
from storage.check import Check, Report
from storage.clock import FakeClock
from storage.digest import Digest, digest_of
from storage.metadata.sqlite import SqliteStore
from storage.names import RepositoryName, parse_repository_name, parse_tag

LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"
FOREIGN_TYPE = "application/vnd.oci.image.layer.nondistributable.v1.tar"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"

Json = dict[str, object]


def descriptor(media_type: str, digest: Digest, size: int) -> Json:
    """A descriptor as it stands in manifests."""
    return {"mediaType": media_type, "digest": str(digest), "size": size}


@dataclass
class SoundStore:
    """What lies where. `digests` has the digest of everything by a name of the tests' own."""

    place: Path
    digests: dict[str, Digest] = field(default_factory=dict)

    def sql(self, statement: str) -> None:
        """Change rows behind the registry's back. `:name` is the digest of that name."""
        values = {name: str(digest) for name, digest in self.digests.items()}
        with closing(sqlite3.connect(self.place / "metadata.db", isolation_level=None)) as connection:
            connection.execute("PRAGMA foreign_keys = OFF")
            changed = connection.execute(statement, values).rowcount
        assert changed > 0, f"nothing to break: {statement}"

    def file_of(self, name: str) -> Path:
        """The file with a blob's bytes, writable."""
        with closing(sqlite3.connect(self.place / "metadata.db")) as connection:
            query = "SELECT storage_key FROM blobs WHERE digest = ?"
            key = connection.execute(query, (str(self.digests[name]),)).fetchone()[0]
        path: Path = self.place / "blobs" / key
        path.chmod(0o600)
        return path

    async def check(self, *, with_bytes: bool = True, sparse_indexes: bool = False) -> Report:
        """What the oracle says."""
        store, driver = SqliteStore(self.place), FilesystemDriver(self.place)
        try:
            check = Check(store, driver, read_manifest, with_bytes=with_bytes, sparse_indexes=sparse_indexes)
            return await check.run()
        finally:
            await store.close()
            await driver.close()


class _Maker:
    """Fills a store through the use cases."""

    def __init__(self, place: Path) -> None:
        SqliteStore.migrate(place)
        FilesystemDriver.prepare(place)
        self.store, self.driver = SqliteStore(place), FilesystemDriver(place)
        clock = FakeClock()
        tags = Tags(self.store, clock, Audit(clock))
        limits = UploadLimits(blob_size=0, receiving=10, idle_s=3600)
        leases = Leases(clock, 3600)
        self.uploads = Uploads(self.store, self.driver, clock, leases, limits)
        self.manifests = Manifests(
            self.store, clock, tags, leases, Audit(clock), sparse_indexes=False, keep_deleted=True
        )
        self.digests: dict[str, Digest] = {}

    async def blob(self, repository: RepositoryName, name: str, content: bytes, algorithm: str = "sha256") -> Json:
        async def body() -> AsyncIterator[bytes]:
            yield content

        digest = self.digests[name] = digest_of(content, algorithm)
        await self.uploads.push(OPERATING, repository, digest, body())
        return descriptor(CONFIG_TYPE if name == "config" else LAYER_TYPE, digest, len(content))

    async def manifest(self, repository: RepositoryName, name: str, tag: str | None, document: Json) -> Json:
        content, media_type = json.dumps(document).encode(), str(document["mediaType"])
        digest = self.digests[name] = digest_of(content)
        tags = [] if tag is None else [parse_tag(tag)]
        await self.manifests.put(OPERATING, repository, Push(content, media_type, None if tags else digest, tags))
        return descriptor(media_type, digest, len(content))

    async def delete(self, repository: RepositoryName, name: str) -> None:
        await self.manifests.delete(OPERATING, repository, self.digests[name])

    async def close(self) -> None:
        await self.store.close()
        await self.driver.close()


async def make_sound_store(place: Path) -> SoundStore:
    """Two repositories; in `app` an index of an image, and what refers to the image, in `other` another image.

    The tag of the index was at an image before that was deleted, and can be brought back.
    """
    make, app, other = _Maker(place), parse_repository_name("app"), parse_repository_name("other")
    config = await make.blob(app, "config", b"{}")
    layer = await make.blob(app, "layer", b"layer one")
    second = await make.blob(app, "second", b"layer two", "sha512")
    foreign = descriptor(FOREIGN_TYPE, digest_of(b"elsewhere"), 9)
    image: Json = {"schemaVersion": 2, "mediaType": media_types.OCI_MANIFEST, "config": config}
    pushed = await make.manifest(app, "image", "v1", {**image, "layers": [layer, second, foreign]})
    await make.manifest(app, "gone", "latest", {**image, "layers": [second]})
    index: Json = {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": [pushed]}
    await make.manifest(app, "index", "latest", index)
    await make.delete(app, "gone")
    about: Json = {**image, "layers": [], "subject": pushed, "artifactType": "text/note", "annotations": {"a": "b"}}
    await make.manifest(app, "referrer", None, about)
    await make.blob(other, "config", b"{}")
    await make.manifest(other, "foreign image", "v1", {**image, "layers": [], "annotations": {"of": "other"}})
    await make.close()
    return SoundStore(place, {name.replace(" ", "_"): digest for name, digest in make.digests.items()})
