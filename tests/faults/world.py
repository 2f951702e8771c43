"""A registry in memory whose clock stands still, and whose operations can be stopped before any of their steps."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from auth.actor import OPERATING
from auth.passwords import Passwords
from registry.app.collecting import build_collector
from registry.app.services import build_services
from registry.app.storing import Storage
from registry.config import load
from registry.domain.manifests import Push, read_manifest
from registry.errors import Conflict, ManifestUnknown, NameUnknown, NotFound, ReferencesUnknown, StillReferenced
from registry.oci import media_types
from storage.blobs.memory import MemoryDriver
from storage.check import Check
from storage.clock import FakeClock
from storage.digest import Digest, digest_of
from storage.errors import BlobUnknown
from storage.garbage.collected import Collected
from storage.metadata import blobs
from storage.metadata.sqlite import MemoryStore
from storage.metadata.store import Row
from storage.names import RepositoryName, Tag
from tests.faults.stepping import Before, Kind, SteppedDriver, SteppedStore

CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"
GONE = (BlobUnknown, ManifestUnknown, NameUnknown)

Json = dict[str, Any]


@dataclass(frozen=True)
class Document:
    """A manifest, and what it needs. `name` is for people."""

    name: str
    content: bytes = field(repr=False)
    media_type: str = field(repr=False)
    blobs: tuple[Digest, ...] = field(default=(), repr=False)
    children: tuple[Digest, ...] = field(default=(), repr=False)
    subject: Digest | None = field(default=None, repr=False)

    @property
    def digest(self) -> Digest:
        return digest_of(self.content)


def image(name: str, *contents: bytes, subject: Document | None = None) -> Document:
    """An image whose config and layers are these."""
    config, *layers = [_descriptor(LAYER_TYPE, content) for content in contents]
    fields: Json = {"config": {**config, "mediaType": CONFIG_TYPE}, "layers": layers, "annotations": {"name": name}}
    if subject is not None:
        fields["subject"] = _descriptor(subject.media_type, subject.content)
    digests = tuple(digest_of(content) for content in contents)
    content = _manifest(media_types.OCI_MANIFEST, fields)
    subject_digest = None if subject is None else subject.digest
    return Document(name, content, media_types.OCI_MANIFEST, digests, subject=subject_digest)


def index(name: str, *children: Document) -> Document:
    """An index of these."""
    listed = [_descriptor(child.media_type, child.content) for child in children]
    content = _manifest(media_types.OCI_INDEX, {"manifests": listed, "annotations": {"name": name}})
    return Document(name, content, media_types.OCI_INDEX, children=tuple(child.digest for child in children))


class Hands:
    """What clients and operators do, on steps that `before` comes before."""

    def __init__(self, world: World, before: Before) -> None:
        storage = Storage(SteppedStore(world.store, before), SteppedDriver(world.driver, before), None)
        self._do = build_services(world.config, storage, world.passwords, world.clock)
        self._collector = build_collector(world.config, storage, self._do, share=1.0, clock=world.clock)

    async def push(self, repository: str, content: bytes) -> None:
        async def body() -> AsyncIterator[bytes]:
            yield content

        await self._do.uploads.push(OPERATING, RepositoryName(repository), digest_of(content), body())

    async def look(self, repository: str, digest: Digest) -> bool:
        """Whether a blob or a manifest is there, as somebody asks who may push."""
        name = RepositoryName(repository)
        try:
            row = await self._do.blobs.look(name, digest)
            await self._do.blobs.keep(name, digest, row)
        except GONE:
            return False
        return True

    async def look_for_manifest(self, repository: str, digest: Digest) -> bool:
        """As `look`."""
        name = RepositoryName(repository)
        try:
            manifest = await self._do.manifests.get(name, digest)
            await self._do.manifests.keep(name, digest, manifest)
        except GONE:
            return False
        return True

    async def mount(self, repository: str, digest: Digest, source: str) -> bool:
        return await self._do.uploads.mount(
            RepositoryName(repository), digest, RepositoryName(source), readable=lambda _: True
        )

    async def put(self, repository: str, document: Document, *tags: str) -> bool:
        """Push a manifest; false if something that it needs is not there."""
        digest = None if tags else document.digest
        push = Push(document.content, document.media_type, digest, [Tag(tag) for tag in tags])
        try:
            await self._do.manifests.put(OPERATING, RepositoryName(repository), push)
        except ReferencesUnknown:
            return False
        return True

    async def untag(self, repository: str, tag: str) -> bool:
        """Delete a tag; false if there is none."""
        try:
            await self._do.tags.delete(OPERATING, RepositoryName(repository), Tag(tag))
        except GONE:
            return False
        return True

    async def delete(self, repository: str, digest: Digest) -> bool | None:
        """Delete a manifest; false if it is needed, None if there is none."""
        try:
            await self._do.manifests.delete(OPERATING, RepositoryName(repository), digest)
        except StillReferenced:
            return False
        except GONE:
            return None
        return True

    async def delete_blob(self, repository: str, digest: Digest) -> bool:
        """Delete a blob; false if it is needed, or not there."""
        try:
            await self._do.blobs.delete(OPERATING, RepositoryName(repository), digest)
        except (StillReferenced, *GONE):
            return False
        return True

    async def restore(self, repository: str, digest: Digest, *tags: str) -> list[Digest] | None:
        """Bring a manifest back; returns all that were brought back for that, None if it cannot be done."""
        restoring, names = self._do.management.restoring, [Tag(tag) for tag in tags]
        try:
            restored = await restoring.restore_manifest(OPERATING, RepositoryName(repository), digest, names)
        except (Conflict, NotFound):
            return None
        return restored.manifests

    async def collect(self, *, dry_run: bool = False) -> Collected:
        return await self._collector.run(dry_run=dry_run)

    async def pull(self, repository: str, reference: str | Digest) -> bytes | None:
        """The bytes of a manifest."""
        wanted = reference if isinstance(reference, Digest) else Tag(reference)
        try:
            found = await self._do.manifests.get(RepositoryName(repository), wanted)
        except GONE:
            return None
        return found.content

    async def read(self, repository: str, digest: Digest) -> bytes | None:
        """The bytes of a blob. Raises `BlobMissing`."""
        try:
            row = await self._do.blobs.find(RepositoryName(repository), digest)
        except GONE:
            return None
        reader = await self._do.blobs.open(row)
        return b"".join([piece async for piece in reader.read(0, reader.size)])


class World:
    """The registry. `settings` are those of a configuration; `hands` do everything without a stop."""

    def __init__(self, settings: Mapping[str, object]) -> None:
        self.config = load(None, {}, {"storage.ephemeral": True, "auth.mode": "open", **settings})
        self.store, self.driver, self.clock = MemoryStore(), MemoryDriver(), FakeClock()
        self.passwords = Passwords()
        self.hands = Hands(self, _nothing)

    def stepped(self, before: Before) -> Hands:
        """Hands for one operation that can be stopped."""
        return Hands(self, before)

    async def problems(self) -> list[str]:
        """What `berth check --bytes` would complain of."""
        report = await Check(self.store, self.driver, read_manifest, with_bytes=True, sparse_indexes=False).run()
        return [str(problem) for problem in report.problems]

    async def stored(self, digest: Digest) -> bytes | None:
        """The bytes of a blob, whether a repository has it or not."""
        row = await blobs.find(self.store, digest)
        return None if row is None else self.driver.stored.get(row.storage_key)

    async def is_deleted(self, repository: str, digest: Digest) -> bool:
        """Whether the manifest is there to be brought back."""
        query = (
            "SELECT 1 FROM deleted_manifests d JOIN repositories r ON r.id = d.repository_id"
            " WHERE r.name = ? AND d.digest = ?"
        )
        return await self.store.fetch_one(query, repository, str(digest)) is not None

    async def rows(self) -> dict[str, list[Row]]:
        """All rows of all tables."""
        names = await self.store.fetch_all("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        return {name: await self.store.fetch_all(f"SELECT * FROM {name}") for (name,) in names}

    async def garbage(self) -> set[tuple[str, ...]]:
        """What nothing needs, whether its time has come or not: links, blobs, bytes, and marks of bytes."""
        links = await self.store.fetch_all(
            "SELECT 'link', repository_id || '', digest FROM blob_links l WHERE NOT EXISTS (SELECT 1"
            " FROM manifest_references x WHERE x.repository_id = l.repository_id AND x.digest = l.digest)"
        )
        unlinked = await self.store.fetch_all(
            "SELECT 'blob', digest FROM blobs WHERE digest NOT IN (SELECT digest FROM blob_links)"
            " AND digest NOT IN (SELECT digest FROM deleted_references)"
        )
        marks = await self.store.fetch_all("SELECT 'mark', storage_key FROM unwanted_bytes")
        named = {row[0] for row in await self.store.fetch_all("SELECT storage_key FROM blobs")}
        return {*links, *unlinked, *marks, *(("bytes", key) for key in self.driver.stored.keys() - named)}

    async def close(self) -> None:
        await self.store.close()


async def _nothing(_: Kind) -> None:
    return


def _descriptor(media_type: str, content: bytes) -> Json:
    return {"mediaType": media_type, "digest": str(digest_of(content)), "size": len(content)}


def _manifest(media_type: str, fields: Json) -> bytes:
    return json.dumps({"schemaVersion": 2, "mediaType": media_type, **fields}).encode()
