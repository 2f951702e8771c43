"""Blobs of a repository: looking, reading, deleting (spec, "Pulling blobs", "Deleting Blobs")."""

from __future__ import annotations

from contextlib import suppress

from auth.actor import Actor
from registry.domain.audit import Audit
from registry.domain.leases import Leases
from registry.domain.repositories import expect_repository
from registry.errors import StillReferenced
from storage.blobs.driver import BlobDriver, BlobReader, ObjectStore, Span
from storage.digest import Digest
from storage.errors import BlobDamaged, BlobUnknown, StorageFull
from storage.metadata import blobs, manifests
from storage.metadata.blobs import BlobRow, LinkedBlob
from storage.metadata.store import MetadataStore, Transaction
from storage.names import RepositoryName


class Blobs:
    """`objects` is the store behind the driver, where clients can read from it by themselves."""

    def __init__(
        self,
        store: MetadataStore,
        driver: BlobDriver,
        leases: Leases,
        audit: Audit,
        objects: ObjectStore | None = None,
    ) -> None:
        self._store, self._driver, self._leases = store, driver, leases
        self._audit, self._objects = audit, objects

    async def find(self, repository: RepositoryName, digest: Digest) -> LinkedBlob:
        """The blob, if the repository links it (end-2). Raises `BlobUnknown` and `NameUnknown`."""
        row = await blobs.linked(self._store, repository, digest)
        if row is None:
            await expect_repository(self._store, repository)
            raise BlobUnknown(digest)
        return row

    async def look(self, repository: RepositoryName, digest: Digest) -> LinkedBlob:
        """As `find`, for who asks before a push: a damaged blob is unknown, so that it is pushed again, and mended."""
        row = await self.find(repository, digest)
        if row.damaged:
            raise BlobUnknown(digest)
        return row

    async def keep(self, repository: RepositoryName, digest: Digest, row: LinkedBlob) -> None:
        """Protect a blob that `find` gave, so that a push which relies on it is not let down by the collector.

        Raises `BlobUnknown` when it has gone in between.
        """
        if not self._leases.is_short(row.protected_until):
            return

        async def protect(tx: Transaction) -> bool:
            return await blobs.protect(tx, repository, digest, self._leases.until())

        # Without room to write it down nothing can be pushed either.
        with suppress(StorageFull):
            if not await self._store.transact(protect, durable=False):
                raise BlobUnknown(digest)

    async def open(self, row: BlobRow, span: Span | None = None) -> BlobReader:
        """The bytes of a blob that `find` gave, of which only `span` will be read if it is given.

        Raises `BlobMissing` when the store has lost them, `BlobDamaged` when some are lost, or known to be wrong.
        """
        _expect_sound(row)
        return await self._driver.open(row.storage_key, row.size, span)

    async def signed_url(self, row: BlobRow, lifetime_s: int) -> str | None:
        """A URL by which anybody can read a blob that `find` gave for a while; None where there is no such thing.

        Raises `BlobDamaged`.
        """
        _expect_sound(row)
        return None if self._objects is None else await self._objects.signed_url(row.storage_key, lifetime_s)

    async def delete(self, actor: Actor, repository: RepositoryName, digest: Digest) -> None:
        """Unlink the blob from the repository (end-10). Its bytes stay while another repository links them.

        Raises `BlobUnknown`, `NameUnknown`, and `StillReferenced` while a manifest of the repository needs it.
        """

        async def unlink(tx: Transaction) -> None:
            repository_id = await expect_repository(tx, repository)
            user = await manifests.requiring(tx, repository_id, digest)
            if user is not None:
                raise StillReferenced(digest, user)
            if not await blobs.unlink(tx, repository_id, digest):
                raise BlobUnknown(digest)
            await self._audit.content(tx, actor, "blob.delete", repository, f"@{digest}")

        await self._store.transact(unlink)


def _expect_sound(row: BlobRow) -> None:
    if row.damaged:
        raise BlobDamaged(row.storage_key)
