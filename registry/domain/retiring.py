"""Deleting manifests and tags as the policies of their registries say."""

from __future__ import annotations

from auth.actor import COLLECTING
from registry.domain.manifests import Manifests
from registry.domain.policies import Policies
from registry.domain.tags import Place, Tags
from registry.errors import OperationDisabled
from registry.oci.attachments import subject_of
from storage.clock import Clock
from storage.digest import parse_digest
from storage.garbage.collected import Collected
from storage.garbage.pace import Pace
from storage.metadata import retention
from storage.metadata.retention import AttachedTag, HeldManifest
from storage.metadata.store import MetadataStore, Queries, Transaction

# Each takes several statements: nobody should wait for many of them.
_AT_ONCE = 20
# Between these two are all tags that belong to another manifest.
_FIRST, _END = "sha256-", "sha512."


class Retiring:
    """One walk over all manifests and tags; `counts` goes up as it gets on. With `dry_run` it only counts.

    What goes is deleted as if somebody had asked for it: it is in the audit log, and can be brought back for a while.
    """

    def __init__(
        self,
        store: MetadataStore,
        clock: Clock,
        tagging: Tags,
        manifests: Manifests,
        policies: Policies,
        pace: Pace,
        counts: Collected,
        *,
        dry_run: bool,
    ) -> None:
        self._store, self._clock, self._tags, self._manifests = store, clock, tagging, manifests
        self._policies, self._pace, self._counts, self._dry_run = policies, pace, counts, dry_run

    async def attached_tags(self) -> None:
        """Delete tags that belong to a manifest which is gone, such as those of its signatures, with what they hold."""
        last = 0
        while repositories := await retention.repositories_after(self._store, last, self._pace.stride):
            for repository_id in repositories:
                await self._attached_tags_of(repository_id)
            last = repositories[-1]
            await self._pace.rest()

    async def _attached_tags_of(self, repository_id: int) -> None:
        last = _FIRST
        while tags := await retention.tags_between(self._store, repository_id, last, _END, self._pace.stride):
            self._counts.examined += len(tags)
            for tag in tags:
                if await self._is_left_behind(self._store, tag):
                    self._counts.tags += 1 if self._dry_run else await self._remove_tag(tag)
            last = tags[-1].name
            await self._pace.rest()

    async def _is_left_behind(self, queries: Queries, tag: AttachedTag) -> bool:
        subject, after = subject_of(tag.name), self._policies.of(tag.repository).orphaned_ms
        if subject is None or not after or await retention.has_manifest(queries, tag.repository_id, subject):
            return False
        return max(tag.updated_at, tag.held_at) + after <= self._clock.now_ms()

    async def _remove_tag(self, seen: AttachedTag) -> bool:
        async def remove(tx: Transaction) -> bool:
            tag = await retention.tag(tx, seen.repository_id, seen.name)
            if tag is None or not await self._is_left_behind(tx, tag):
                return False
            place = Place(tag.repository, tag.repository_id, COLLECTING)
            await self._tags.remove(tx, place, tag.name)
            manifest = await retention.manifest(tx, tag.manifest_id)
            if manifest is not None and not (manifest.tagged or manifest.referenced or manifest.has_subject):
                await self._manifests.remove(tx, place, manifest.id, parse_digest(manifest.digest))
            return True

        try:
            return await self._store.transact(remove)
        except OperationDisabled:
            return False

    async def manifests(self) -> None:
        """Delete manifests that nothing holds any more, and of which the time is over."""
        last = 0
        while seen := await retention.manifests_after(self._store, last, self._pace.stride):
            self._counts.examined += len(seen)
            due = [manifest for manifest in seen if self._is_due(manifest)]
            if self._dry_run:
                self._counts.manifests += len(due)
            else:
                for begin in range(0, len(due), _AT_ONCE):
                    self._counts.manifests += await self._remove(due[begin : begin + _AT_ONCE])
                    await self._pace.rest()
            last = seen[-1].id
            await self._pace.rest()

    def _is_due(self, manifest: HeldManifest) -> bool:
        due = self._policies.of(manifest.repository).due(manifest)
        return due is not None and due <= self._clock.now_ms()

    async def _remove(self, due: list[HeldManifest]) -> int:
        async def remove(tx: Transaction) -> int:
            removed = 0
            for seen in due:
                manifest = await retention.manifest(tx, seen.id)
                if manifest is not None and self._is_due(manifest):
                    place = Place(manifest.repository, manifest.repository_id, COLLECTING)
                    await self._manifests.remove(tx, place, manifest.id, parse_digest(manifest.digest))
                    removed += 1
            return removed

        return await self._store.transact(remove)
