"""For how long a registry keeps manifests that nothing holds any more."""

from __future__ import annotations

from dataclasses import dataclass

from auth.policy import prefixes_of
from storage.metadata import registries
from storage.metadata.retention import HeldManifest
from storage.metadata.store import Queries
from storage.names import RepositoryName


@dataclass(frozen=True, slots=True)
class Retention:
    """After how many milliseconds manifests are deleted that nothing holds any more; 0 is never.

    Those that belonged to an index or a subject which is gone are orphaned, all others untagged.
    """

    untagged_ms: int
    orphaned_ms: int

    def due(self, manifest: HeldManifest) -> int | None:
        """From when on the manifest may be deleted, in milliseconds since the Unix epoch; None while it is held."""
        if manifest.tagged or manifest.referenced or manifest.has_subject:
            return None
        is_orphan = manifest.orphaned or manifest.subject is not None
        after = self.orphaned_ms if is_orphan else self.untagged_ms
        return manifest.held_at + after if after else None


class Policies:
    """What each registry says, as it was when it was read."""

    def __init__(self, default: Retention, by_prefix: dict[str, Retention]) -> None:
        self._default, self._by_prefix = default, by_prefix

    @property
    def keep_everything(self) -> bool:
        """Whether no registry ever deletes anything by itself."""
        return not any(item.untagged_ms or item.orphaned_ms for item in (self._default, *self._by_prefix.values()))

    def of(self, repository: RepositoryName) -> Retention:
        """What holds for the repository: that of the registry with the longest prefix of its name."""
        for prefix in prefixes_of(repository):
            if prefix in self._by_prefix:
                return self._by_prefix[prefix]
        return self._default


async def read_policies(queries: Queries, default: Retention) -> Policies:
    """The policies of all registries; `default` is for what they leave open."""
    return Policies(
        default,
        {
            row.prefix: Retention(
                default.untagged_ms if row.untagged_after is None else row.untagged_after,
                default.orphaned_ms if row.orphaned_after is None else row.orphaned_after,
            )
            for row in await registries.policies(queries)
        },
    )
