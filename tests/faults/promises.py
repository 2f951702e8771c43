"""What a registry has acknowledged and still has to keep, by the words of its documentation: a lower bound.

Everything that is known to be there is written down. `sync` finds out what the collector took away, and says which of
that it had no right to.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from registry.oci.attachments import subject_of
from storage.digest import Digest, digest_of
from storage.names import Tag
from tests.faults.world import Document, World

# How exactly it is known when something held a manifest, and how long a lease may be shorter than a new one.
_PRECISION_MS = 60_000
_LEASE_SLACK_MS = 600_000


@dataclass
class Held:
    """A manifest of a repository, when something held it last, and whether an index that it was a part of is gone."""

    document: Document
    at: int
    orphaned: bool = False


@dataclass
class Shelf:
    """A repository: leases of blobs with their ends, manifests, tags with the times at which they were set."""

    leases: dict[Digest, int] = field(default_factory=dict)
    manifests: dict[Digest, Held] = field(default_factory=dict)
    tags: dict[str, tuple[Digest, int]] = field(default_factory=dict)
    deleted: dict[Digest, tuple[Document, int]] = field(default_factory=dict)

    def needing(self, digest: Digest) -> list[Document]:
        """The indexes that need a manifest."""
        return [held.document for held in self.manifests.values() if digest in held.document.children]

    def tagged(self, digest: Digest) -> bool:
        return any(target == digest for target, _ in self.tags.values())


class Promises:
    """Of a world. Its clock stands still between `sync` and the next `sync`.

    `at` is when a request began, in milliseconds, which is not later than what it promises was written down.
    """

    def __init__(self, world: World, contents: list[bytes]) -> None:
        collector = world.config.collector
        self._world, self._contents = world, {digest_of(content): content for content in contents}
        self._grace, self._kept = int(collector.grace * 1000), int(collector.keep_deleted * 1000)
        self._untagged, self._orphaned = int(collector.untagged_after * 1000), int(collector.orphaned_after * 1000)
        self.shelves: dict[str, Shelf] = {}

    def shelf(self, repository: str) -> Shelf:
        return self.shelves.setdefault(repository, Shelf())

    @property
    def now(self) -> int:
        return self._world.clock.now_ms()

    # What was acknowledged -------------------------------------------------------------------------------

    def leased(self, repository: str, digest: Digest, at: int, *, anew: bool) -> None:
        """Somebody pushed or mounted a blob (`anew`), or was told that it is there."""
        slack = 0 if anew else min(_LEASE_SLACK_MS, self._grace // 4)
        leases = self.shelf(repository).leases
        leases[digest] = max(leases.get(digest, 0), at + self._grace - slack)

    def pushed(self, repository: str, document: Document, at: int, *tags: str) -> None:
        """A manifest was pushed, or restored, with these tags."""
        shelf = self.shelf(repository)
        shelf.deleted.pop(document.digest, None)
        shelf.manifests.setdefault(document.digest, Held(document, at))
        for digest in (document.digest, *document.children):
            self._hold(shelf, digest, at)
        for tag in tags:
            if shelf.tags.get(tag, (None, 0))[0] != document.digest:
                self.untagged(repository, tag, at)
                shelf.tags[tag] = (document.digest, at)

    def looked(self, repository: str, digest: Digest, at: int) -> None:
        """Somebody who may push was told that a manifest is there."""
        held = self.shelf(repository).manifests.get(digest)
        if held is not None:
            held.at = max(held.at, at - min(_LEASE_SLACK_MS, self._grace // 4))

    def untagged(self, repository: str, tag: str, at: int) -> None:
        """The tag was taken away, or moved."""
        shelf = self.shelf(repository)
        if tag in shelf.tags:
            self._hold(shelf, shelf.tags.pop(tag)[0], at)

    def deleted(self, repository: str, digest: Digest, at: int) -> None:
        """A manifest was deleted, by whomever, with the tags that point to it."""
        shelf = self.shelf(repository)
        if digest not in shelf.manifests:
            return
        document = shelf.manifests.pop(digest).document
        shelf.tags = {tag: target for tag, target in shelf.tags.items() if target[0] != digest}
        shelf.deleted[digest] = (document, at)
        attached = {target for tag, (target, _) in shelf.tags.items() if subject_of(Tag(tag)) == str(digest)}
        for other, held in shelf.manifests.items():
            if other in document.children:
                held.orphaned = held.orphaned or not (shelf.tagged(other) or shelf.needing(other))
            if other in document.children or other in attached or held.document.subject == digest:
                held.at = max(held.at, at)

    def unlinked(self, repository: str, digest: Digest) -> None:
        """A blob was deleted."""
        self.shelf(repository).leases.pop(digest, None)

    def _hold(self, shelf: Shelf, digest: Digest, at: int) -> None:
        held = shelf.manifests.get(digest)
        if held is not None:
            held.at, held.orphaned = max(held.at, at - _PRECISION_MS), False

    # What follows from it --------------------------------------------------------------------------------

    def has_manifest(self, repository: str, digest: Digest) -> bool:
        """Whether the manifest has to be there."""
        shelf = self.shelf(repository)
        held = shelf.manifests.get(digest)
        if held is None:
            return False
        if shelf.needing(digest) or held.document.subject in shelf.manifests:
            return True
        if any(self.has_tag(repository, tag) for tag, (target, _) in shelf.tags.items() if target == digest):
            return True
        if shelf.tagged(digest):
            return False  # it goes with the tag that may go
        is_orphan = held.orphaned or held.document.subject is not None
        after = self._orphaned if is_orphan else self._untagged
        return not after or self.now < held.at + after

    def has_tag(self, repository: str, tag: str) -> bool:
        """Whether the tag has to be there: one of its own has, one that belongs to another manifest while that is."""
        shelf = self.shelf(repository)
        if tag not in shelf.tags:
            return False
        subject = subject_of(Tag(tag))
        if subject is None or not self._orphaned or any(str(digest) == subject for digest in shelf.manifests):
            return True
        digest, since = shelf.tags[tag]
        held = shelf.manifests.get(digest)
        return self.now < max(since, held.at if held else 0) + self._orphaned

    def has_blob(self, repository: str, digest: Digest) -> bool:
        """Whether the repository has to have the blob."""
        shelf = self.shelf(repository)
        if shelf.leases.get(digest, 0) > self.now:
            return True
        return any(digest in held.document.blobs for held in shelf.manifests.values())

    def has_all(self, repository: str, document: Document) -> bool:
        """Whether everything that a push of the manifest needs has to be there."""
        return all(self.has_blob(repository, digest) for digest in document.blobs) and all(
            self.has_manifest(repository, digest) for digest in document.children
        )

    def can_be_restored(self, repository: str, digest: Digest) -> bool:
        """Whether the deleted manifest has to be there to be brought back."""
        _, at = self.shelf(repository).deleted.get(digest, (None, 0))
        return self.now < at + self._kept

    # What is there ---------------------------------------------------------------------------------------

    async def sync(self) -> list[str]:
        """Look at everything; return what is missing or wrong, and forget what the collector took with right."""
        return [problem for name in self.shelves for problem in await self._sync(name)]

    async def _sync(self, repository: str) -> list[str]:
        shelf = self.shelf(repository)
        wrong, tags = await self._tags(repository)
        more, manifests = await self._manifests(repository)
        for tag in tags:
            self.untagged(repository, tag, self.now)
        for digest in manifests:
            self.deleted(repository, digest, self.now)
        read = self._world.hands.read
        lost = [
            f"blob {content!r} is not in {repository}"
            for digest, content in self._contents.items()
            if self.has_blob(repository, digest) and await read(repository, digest) != content
        ]
        forgotten = [
            f"{document} cannot be brought back in {repository}"
            for digest, (document, _) in shelf.deleted.items()
            if self.can_be_restored(repository, digest) and not await self._is_kept(repository, document)
        ]
        return wrong + more + lost + forgotten

    async def _tags(self, repository: str) -> tuple[list[str], list[str]]:
        """Which tags are missing or wrong, and which went with right."""
        shelf, wrong, gone = self.shelf(repository), [], []
        for tag, (digest, _) in shelf.tags.items():
            content = await self._world.hands.pull(repository, tag)
            if content is None and not self.has_tag(repository, tag):
                gone.append(tag)
            elif content != shelf.manifests[digest].document.content:
                wrong.append(f"tag {repository}:{tag} does not lead to {shelf.manifests[digest].document}")
        return wrong, gone

    async def _manifests(self, repository: str) -> tuple[list[str], list[Digest]]:
        """Which manifests are missing, and which went with right."""
        wrong, gone = [], []
        for digest, held in self.shelf(repository).manifests.items():
            content = await self._world.hands.pull(repository, digest)
            if content is None and not self.has_manifest(repository, digest):
                gone.append(digest)
            elif content != held.document.content:
                wrong.append(f"{held} is not in {repository}")
        return wrong, gone

    async def _is_kept(self, repository: str, document: Document) -> bool:
        stored = [await self._world.stored(digest) == self._contents[digest] for digest in document.blobs]
        return all(stored) and await self._world.is_deleted(repository, document.digest)
