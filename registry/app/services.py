"""The use cases, over a storage."""

from __future__ import annotations

from auth.passwords import Passwords
from registry.api.call import Services
from registry.app.management import build_management
from registry.app.storing import Storage
from registry.config.settings import Config
from registry.domain.audit import Audit
from registry.domain.blobs import Blobs
from registry.domain.catalog import Catalog
from registry.domain.leases import Leases
from registry.domain.manifests import Manifests
from registry.domain.referrers import Referrers
from registry.domain.tags import Tags
from registry.domain.uploads import UploadLimits, Uploads
from storage.clock import Clock, SystemClock
from storage.metadata.manifest_contents import ManifestContents


def build_services(
    config: Config, storage: Storage, passwords: Passwords | None = None, clock: Clock | None = None
) -> Services:
    """The use cases over a storage."""
    clock = clock or SystemClock()
    limits = UploadLimits(
        blob_size=config.limits.blob_size,
        receiving=config.uploads.max_concurrent,
        idle_s=config.uploads.idle_timeout,
    )
    leases, audit = Leases(clock, config.collector.grace), Audit(clock)
    tags = Tags(storage.store, clock, audit, removable=config.delete.tags)
    return Services(
        blobs=Blobs(storage.store, storage.driver, leases, audit, storage.objects),
        uploads=Uploads(storage.store, storage.driver, clock, leases, limits),
        manifests=Manifests(
            storage.store,
            clock,
            tags,
            leases,
            audit,
            sparse_indexes=config.manifests.sparse_indexes,
            keep_deleted=config.collector.keep_deleted > 0,
            contents=ManifestContents(config.storage.manifest_cache) if config.storage.database else None,
        ),
        tags=tags,
        referrers=Referrers(storage.store),
        catalog=Catalog(storage.store),
        management=build_management(storage.store, clock, passwords or Passwords(), config),
    )
