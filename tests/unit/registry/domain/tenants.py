"""A store with people, and with a project in which each of them has a role of its own."""

from dataclasses import replace

from auth.actor import OPERATING, Actor
from auth.patterns import pattern
from auth.policy import Restriction, Rights
from auth.principals import Subject, SubjectKind, parse_subject
from auth.roles import Action, Role
from registry.domain.audit import Audit
from registry.domain.immutability import ImmutableTags
from registry.domain.members import Members
from registry.domain.projects import Projects
from registry.domain.registries import Registries
from registry.domain.rules import Rules
from storage.metadata import repositories
from storage.metadata.store import MetadataStore, Transaction
from storage.names import RepositoryName
from tests.unit.registry.domain.people import People

# Members of the project `acme`, by role. `stranger` is a member of none, `neighbour` owns the project `zeta`.
MEMBERS = [role.value for role in Role]
EVERYONE = Subject(SubjectKind.EVERYONE)
CONTENT = frozenset(Action) - {Action.MANAGE}
_TABLES = ["projects", "registries", "rules", "immutable_tags"]


class Tenants(People):
    """The use cases of projects, on one store."""

    def __init__(self, store: MetadataStore) -> None:
        super().__init__(store)
        audit = Audit(self.clock)
        self.projects = Projects(store, self.clock, audit)
        self.registries = Registries(store, self.clock, audit)
        self.members = Members(store, self.clock, audit)
        self.rules = Rules(store, self.clock, audit)
        self.immutable_tags = ImmutableTags(store, self.clock, audit)

    async def begin(self) -> None:
        """Add the projects `acme` and `zeta`, and everybody who has to do with them."""
        await super().begin()
        await self.add(*MEMBERS, "stranger", "neighbour")
        await self.groups.create(OPERATING, "devs")
        await self.projects.create(OPERATING, "acme")
        await self.projects.create(OPERATING, "zeta")
        for role in Role:
            await self.members.put(OPERATING, "acme", parse_subject(f"user:{role}"), role)
        await self.members.put(OPERATING, "zeta", parse_subject("user:neighbour"), Role.OWNER)
        await self.robots.create(OPERATING, "acme", "ci", Role.DEVELOPER)

    async def somebody(self, name: str) -> Actor:
        """The user or robot of this name, `nobody`, or the owner with an access token for content alone."""
        if name == "nobody":
            return await self.nobody()
        if name == "owner's token":
            return limited(await self.actor("owner"))
        return await self.actor(name)

    async def fill(self, name: str) -> None:
        """Put a manifest into the repository."""

        async def insert(tx: Transaction) -> None:
            repository_id = await repositories.ensure(tx, RepositoryName(name), 0)
            await tx.execute(
                "INSERT INTO manifests (repository_id, digest, media_type, size, created_at, content)"
                " VALUES (?, 'sha256:00', 'text/plain', 1, 0, 'x')",
                repository_id,
            )

        await self.store.transact(insert)

    async def link(self, name: str) -> None:
        """Put a blob into the repository."""

        async def insert(tx: Transaction) -> None:
            repository_id = await repositories.ensure(tx, RepositoryName(name), 0)
            await tx.execute(
                "INSERT INTO blobs (digest, size, storage_key, created_at) VALUES ('sha256:11', 1, 'key', 0)"
                " ON CONFLICT (digest) DO NOTHING"
            )
            await tx.execute(
                "INSERT INTO blob_links (repository_id, digest, created_at) VALUES (?, 'sha256:11', 0)", repository_id
            )

        await self.store.transact(insert)

    async def drain(self) -> None:
        """Take everything out of all repositories, which themselves stay."""

        async def delete(tx: Transaction) -> None:
            await tx.execute("DELETE FROM manifests")
            await tx.execute("DELETE FROM blob_links")

        await self.store.transact(delete)

    async def _everything(self) -> list[list[tuple[object, ...]]]:
        own = [await self.store.fetch_all(f"SELECT * FROM {table}") for table in _TABLES]
        return [*await super()._everything(), *own]


def limited(actor: Actor, actions: frozenset[Action] = CONTENT) -> Actor:
    """The actor with an access token for these actions, for content and not to manage with where none are named."""
    assert isinstance(actor.access, Rights)
    restriction = Restriction("laptop", actions, (pattern("**"),))
    return Actor(replace(actor.access, restriction=restriction), token="laptop")
