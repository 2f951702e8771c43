"""Why something is still there: what keeps a digest, in which repository, and until when."""

from __future__ import annotations

from dataclasses import dataclass, field

from registry.domain.policies import Policies, Retention, read_policies
from storage.clock import Clock
from storage.digest import Digest
from storage.metadata import blobs, keepers, retention
from storage.metadata.retention import HeldManifest
from storage.metadata.store import MetadataStore
from storage.names import RepositoryName

# Of each kind. Nobody reads more, and a common layer may be in thousands of manifests.
SHOWN_MAX = 50


@dataclass(frozen=True, slots=True)
class Keeper:
    """One thing that keeps a digest in a repository, or will give it up then (milliseconds; None is not by itself).

    `kind` is `tag`, `index`, `subject` or `policy` for a manifest; `manifest` or `lease` for a blob; and `deleted` for
    both: it can be brought back until then. `by` is the tag, or the digest, that keeps it; `tags` are those of the
    manifest `by`.
    """

    repository: RepositoryName
    kind: str
    by: str | None = None
    until: int | None = None
    tags: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Explanation:
    """What there is of a digest, and what keeps it. `blob_size` is in bytes, None where no blob is stored."""

    digest: Digest
    manifests: int
    blob_size: int | None
    keepers: list[Keeper]


class Explaining:
    """`default` is what holds where a registry has no policy of its own; `keep_deleted_ms` as in the settings."""

    def __init__(self, store: MetadataStore, clock: Clock, default: Retention, keep_deleted_ms: int) -> None:
        self._store, self._clock = store, clock
        self._default, self._keep_deleted_ms = default, keep_deleted_ms

    async def explain(self, digest: Digest) -> Explanation:
        """What keeps the digest in all repositories: for operators, who may know of all. At most so many of a kind."""
        policies = await read_policies(self._store, self._default)
        text = str(digest)
        found: list[Keeper] = []
        manifest_ids = await keepers.manifests_of(self._store, text, SHOWN_MAX)
        for manifest_id in manifest_ids:
            manifest = await retention.manifest(self._store, manifest_id)
            if manifest is not None:
                found += await self._of_manifest(manifest, policies)
        for name, deleted in await keepers.deleted_of(self._store, text, SHOWN_MAX):
            found.append(Keeper(name, "deleted", until=deleted + self._keep_deleted_ms))
        blob = await blobs.find(self._store, digest)
        if blob is not None:
            found += await self._of_blob(text)
        return Explanation(digest, len(manifest_ids), None if blob is None else blob.size, found)

    async def _of_manifest(self, manifest: HeldManifest, policies: Policies) -> list[Keeper]:
        name = manifest.repository
        tags = await keepers.tags_of(self._store, manifest.id, SHOWN_MAX)
        found = [Keeper(name, "tag", tag) for tag in tags]
        found += await self._referencing(manifest.repository_id, name, manifest.digest, "index")
        if manifest.has_subject:
            found.append(Keeper(name, "subject", manifest.subject))
        return found or [Keeper(name, "policy", until=policies.of(name).due(manifest))]

    async def _of_blob(self, digest: str) -> list[Keeper]:
        found = []
        for repository_id, name, until in await keepers.links_of(self._store, digest, SHOWN_MAX):
            found += await self._referencing(repository_id, name, digest, "manifest")
            if until >= self._clock.now_ms():
                found.append(Keeper(name, "lease", until=until))
        for name, by, deleted in await keepers.deleted_with(self._store, digest, SHOWN_MAX):
            found.append(Keeper(name, "deleted", by, until=deleted + self._keep_deleted_ms))
        return found

    async def _referencing(self, repository_id: int, name: RepositoryName, digest: str, kind: str) -> list[Keeper]:
        return [
            Keeper(name, kind, by, tags=await keepers.tags_of(self._store, manifest_id, SHOWN_MAX))
            for manifest_id, by in await keepers.referencing(self._store, repository_id, digest, SHOWN_MAX)
        ]
