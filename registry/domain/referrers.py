"""Referrers: which manifests are about a given one (spec, "Listing Referrers")."""

from __future__ import annotations

from dataclasses import dataclass

from storage.digest import Digest
from storage.metadata import manifests
from storage.metadata.store import MetadataStore
from storage.names import RepositoryName

# Many clients read one page only, so a page ends where the smallest limit of clients on a manifest's size is reached,
# and never because of a number of entries.
PAGE_BYTES_MAX = 4 * 1024 * 1024
_OVERHEAD = 1024
_SLICE = 500


@dataclass(frozen=True, slots=True)
class ReferrersPage:
    """`descriptors` are JSON texts; `next` continues after this page, if there is more."""

    descriptors: list[str]
    next: int | None


class Referrers:
    def __init__(self, store: MetadataStore, page_bytes: int = PAGE_BYTES_MAX) -> None:
        self._store = store
        self._room = page_bytes - _OVERHEAD

    async def page(
        self, repository: RepositoryName, subject: Digest, artifact_type: str | None, last: int
    ) -> ReferrersPage:
        """Referrers in the order in which they were pushed, after position `last`.

        Nobody needs to have pushed the subject, nor anything to the repository: then the page is empty.
        """
        descriptors: list[str] = []
        used = 0
        while True:
            part = await manifests.referrers_after(self._store, repository, subject, artifact_type, last, _SLICE)
            for referrer in part:
                size = len(referrer.descriptor.encode()) + 1
                if descriptors and used + size > self._room:
                    return ReferrersPage(descriptors, last)
                used += size
                last = referrer.manifest_id
                descriptors.append(referrer.descriptor)
            if len(part) < _SLICE:
                return ReferrersPage(descriptors, None)
