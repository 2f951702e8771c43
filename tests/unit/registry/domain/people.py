"""A store with people in it, what each of them may do, and what was noted of what they did."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from auth.actor import OPERATING, Actor
from auth.passwords import Passwords
from auth.policy import Claimed
from auth.principals import ANONYMOUS, Kind, Principal
from auth.roles import Role, SystemRole
from auth.tokens import Holder
from registry.domain.access import Accesses, Identity
from registry.domain.access_tokens import AccessToken, AccessTokens
from registry.domain.audit import Audit
from registry.domain.groups import Groups
from registry.domain.robots import Robots
from registry.domain.sessions import Sessions
from registry.domain.users import Users
from storage.clock import FakeClock
from storage.errors import RegistryError
from storage.metadata import access, access_tokens, members, projects, refresh_tokens
from storage.metadata.refresh_tokens import RefreshTokenRow
from storage.metadata.store import MetadataStore, Transaction

PASSWORD = "correct horse"
# As dear as argon2 lets a hash be for nothing.
PASSWORDS = Passwords(time_cost=1, memory_kib=64)


class People:
    """The use cases of accounts on one store, which begins with the administrator `root`."""

    def __init__(self, store: MetadataStore) -> None:
        self.store, self.clock = store, FakeClock()
        audit = Audit(self.clock)
        self.users = Users(store, self.clock, audit, PASSWORDS)
        self.groups = Groups(store, self.clock, audit)
        self.robots = Robots(store, self.clock, audit)
        self.tokens = AccessTokens(store, self.clock, audit)
        self.sessions = Sessions(store, self.clock, audit)

    async def begin(self) -> None:
        """Add the administrator."""
        await self.users.create(OPERATING, "root", PASSWORD, SystemRole.ADMIN)

    async def add(self, *names: str) -> None:
        """Add users with the usual password."""
        for name in names:
            await self.users.create(OPERATING, name, PASSWORD)

    async def actor(self, name: str, token: AccessToken | None = None) -> Actor:
        """What the policy gives now to a user or a robot, logged in with the token if there is one."""
        row = await access.principal_by_name(self.store, name)
        assert row is not None
        found = None if token is None else await access_tokens.find(self.store, row.id, token.id)
        standing = await Accesses(self.store, self.clock).of_holder(Identity(row, found).holder)
        return Actor(standing.access, standing.token)

    async def nobody(self) -> Actor:
        """Who has not logged in."""
        return Actor((await Accesses(self.store, self.clock).of_holder(Holder(ANONYMOUS))).access)

    async def project(self, name: str, **roles: Role) -> int:
        """The id of the project, which is added if it is not there, with these users as members."""

        async def put(tx: Transaction) -> int:
            await projects.insert(tx, name, "", self.clock.now_ms())
            row = await projects.find(tx, name)
            assert row is not None
            for user, role in roles.items():
                member = await access.principal_by_name(tx, user)
                assert member is not None
                await members.put_principal(tx, row.id, member.id, role, self.clock.now_ms())
            return row.id

        return await self.store.transact(put)

    async def login(self, name: str, family: str, *, hours: int = 24, access_token: int | None = None) -> None:
        """Add a refresh token, as if a client had logged in."""
        row = await access.principal_by_name(self.store, name)
        assert row is not None
        now = self.clock.now_ms()
        token = RefreshTokenRow(
            0, family, row.id, access_token, "registry", "docker/28", "192.0.2.7", now, now, now + hours * 3_600_000
        )
        number = len(await self.store.fetch_all("SELECT id FROM refresh_tokens"))

        async def insert(tx: Transaction) -> None:
            await refresh_tokens.insert(tx, token, f"{number}-{family}")

        await self.store.transact(insert)

    async def rule(self, name: str) -> None:
        """Add a rule about a principal to a registry of the default project."""
        row = await access.principal_by_name(self.store, name)
        assert row is not None
        principal_id = row.id

        async def insert(tx: Transaction) -> None:
            await tx.execute(
                "INSERT INTO rules (registry_id, pattern, principal_id, actions, created_at)"
                " SELECT id, '**', ?, 'pull', 0 FROM registries WHERE name = 'root'",
                principal_id,
            )

        await self.store.transact(insert)

    async def epoch(self, name: str) -> int:
        """Which tokens of the principal are accepted."""
        row = await access.principal_by_name(self.store, name)
        assert row is not None
        return row.epoch

    async def count(self, table: str) -> int:
        """How many rows there are."""
        row = await self.store.fetch_one(f"SELECT COUNT(*) FROM {table}")
        assert row is not None
        return int(row[0])

    @asynccontextmanager
    async def noted(
        self, actor: Actor, action: str, target: str, project: str | None = None, detail: str | None = None
    ) -> AsyncIterator[None]:
        """What is done meanwhile leaves one row in the audit log, and makes every process read rights again."""
        rows, generation = await self._audit(), await access.generation(self.store)
        yield
        added = (await self._audit())[len(rows) :]
        assert added == [(actor.principal.kind, actor.principal.name, action, target, project, "allowed", detail)]
        assert await access.generation(self.store) > generation

    @asynccontextmanager
    async def refused(
        self, error: type[RegistryError], match: str | None = None
    ) -> AsyncIterator[pytest.ExceptionInfo[RegistryError]]:
        """What is tried meanwhile ends in this error, and changes nothing."""
        before = await self._everything()
        with pytest.raises(error, match=match) as caught:
            yield caught
        assert caught.type is error
        assert await self._everything() == before

    async def _audit(self) -> list[tuple[object, ...]]:
        return await self.store.fetch_all(
            "SELECT principal_kind, principal, action, target, project, outcome, detail FROM audit ORDER BY id"
        )

    async def _everything(self) -> list[list[tuple[object, ...]]]:
        tables = ["principals", "groups", "group_members", "members", "access_tokens", "refresh_tokens", "audit"]
        return [await self.store.fetch_all(f"SELECT * FROM {table}") for table in [*tables, "access_generation"]]


def outsider(name: str) -> Actor:
    """Whom another issuer calls by this name."""
    return Actor(Claimed(Principal(Kind.EXTERNAL, name), {}))
