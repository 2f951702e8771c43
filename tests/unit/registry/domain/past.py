"""A registry whose past can be looked at, and brought back."""

from collections.abc import Sequence

from auth.actor import OPERATING, Actor
from registry.domain.audit import Audit
from registry.domain.history import TagChange, TagHistory
from registry.domain.leases import Leases
from registry.domain.restoring import DeletedManifest, DeletedTag, Restored, Restoring
from storage.digest import Digest
from storage.metadata import repositories
from storage.metadata.store import MetadataStore
from storage.names import RepositoryName, Tag
from tests.unit.registry.domain.shelf import APP, GRACE, KEPT, Shelf

# In the project of `tenants`.
ACME = RepositoryName("acme/app")
NOTHING = RepositoryName("acme/nothing")


class Past(Shelf):
    """Does everything as the operator where nobody else is named."""

    def __init__(self, store: MetadataStore, *, kept: float = KEPT, sparse_indexes: bool = False) -> None:
        super().__init__(store, kept=kept)
        self.audit, leases = Audit(self.clock), Leases(self.clock, GRACE)
        self.history = TagHistory(store)
        self.restoring = Restoring(
            store, self.clock, self.tags, leases, self.audit, keep_s=kept, sparse_indexes=sparse_indexes
        )

    async def changes(
        self,
        repository: RepositoryName = APP,
        tag: str | None = None,
        after: str = "",
        size: int = 100,
        actor: Actor = OPERATING,
    ) -> list[TagChange]:
        """A page of the history."""
        wanted = None if tag is None else Tag(tag)
        return (await self.history.page(actor, repository, wanted, after, size)).items

    async def moves(self, repository: RepositoryName = APP) -> list[tuple[str, str | None, str | None]]:
        """Tag, old and new digest of each change, the oldest first."""
        return [(change.tag, change.old, change.new) for change in reversed(await self.changes(repository))]

    async def deleted_manifests(
        self, repository: RepositoryName = APP, actor: Actor = OPERATING
    ) -> list[DeletedManifest]:
        return (await self.restoring.manifests(actor, repository, "", 100)).items

    async def deleted_tags(self, repository: RepositoryName = APP, actor: Actor = OPERATING) -> list[DeletedTag]:
        return (await self.restoring.tags(actor, repository, "", 100)).items

    async def restore(
        self, digest: Digest, *tags: str, repository: RepositoryName = APP, actor: Actor = OPERATING
    ) -> Restored:
        """Bring a manifest back. After it everything is sound."""
        restored = await self.restoring.restore_manifest(actor, repository, digest, [Tag(tag) for tag in tags])
        await self.expect_sound()
        return restored

    async def restore_tag(self, tag: str, repository: RepositoryName = APP, actor: Actor = OPERATING) -> Restored:
        """Bring a tag back. After it everything is sound."""
        restored = await self.restoring.restore_tag(actor, repository, Tag(tag))
        await self.expect_sound()
        return restored

    async def points(self, tag: str, repository: RepositoryName = APP) -> str:
        """The digest that the tag points to."""
        return (await self.manifests.get(repository, Tag(tag))).digest

    async def held(self, digest: Digest, repository: RepositoryName = APP) -> tuple[float, bool]:
        """How many seconds ago something held the manifest last, and whether it is orphaned."""
        repository_id = await repositories.find(self.store, repository)
        row = await self.store.fetch_one(
            "SELECT held_at, orphaned FROM manifests WHERE repository_id = ? AND digest = ?",
            repository_id,
            str(digest),
        )
        assert row is not None
        return (self.clock.now_ms() - row[0]) / 1000, bool(row[1])

    async def rows(self, *tables: str) -> list[Sequence[tuple[object, ...]]]:
        """All that is in some tables."""
        return [await self.store.fetch_all(f"SELECT * FROM {table}") for table in tables]
