"""Manifests' bytes in memory: a digest always names the same ones, so a database elsewhere need not send them again."""

from __future__ import annotations

from storage.digest import Digest
from storage.metadata import manifests
from storage.metadata.manifests import StoredManifest
from storage.metadata.store import Queries
from storage.names import RepositoryName, Tag
from storage.recent import Recent

# One manifest takes no more than an eighth of the room, and what tags led to no more than a sixteenth besides.
_LARGEST, _TAGS = 8, 16


class ManifestContents:
    """Reads manifests, and keeps the bytes of those that were read last.

    Every read asks whether the repository has the manifest, and what a tag leads to: only bytes come from memory.
    """

    def __init__(self, capacity: int) -> None:
        """`capacity` bounds the memory that this takes, in bytes; 0 keeps nothing."""
        self._largest = capacity // _LARGEST
        self._contents: Recent[bytes] = Recent(capacity)
        # A read by tag says which bytes it can do without: those that the tag led to before.
        self._tags: Recent[str] = Recent(capacity // _TAGS)

    async def read(
        self, queries: Queries, repository: RepositoryName, reference: Digest | Tag
    ) -> StoredManifest | None:
        """The manifest, if the repository has it."""
        if isinstance(reference, Digest):
            found = await manifests.by_digest(queries, repository, reference, self._known(str(reference)))
        else:
            place = f"{repository}:{reference}"
            found = await manifests.by_tag(queries, repository, reference, self._known(self._tags.find(place)))
            if found is not None:
                self._tags.keep(place, found.digest, len(place))
        if found is not None and len(found.content) <= self._largest:
            self._contents.keep(found.digest, found.content, len(found.content))
        return found

    def _known(self, digest: str | None) -> tuple[str, bytes] | None:
        content = None if digest is None else self._contents.find(digest)
        return None if digest is None or content is None else (digest, content)
