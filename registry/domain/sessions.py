"""Sessions: the logins of a user that a client keeps with refresh tokens, as `docker login` does."""

from __future__ import annotations

from dataclasses import dataclass

from auth.actor import Actor
from registry.domain.accounts import expect_keys_of_user
from registry.domain.audit import Audit
from registry.domain.pages import Page, page_of
from registry.errors import NotFound
from storage.clock import Clock
from storage.metadata import access, refresh_tokens
from storage.metadata.refresh_tokens import FamilyRow
from storage.metadata.store import MetadataStore, Transaction


@dataclass(frozen=True, slots=True)
class Session:
    """One login: `client` and `address` are those of its last use. Times are in ms since the Unix epoch."""

    family: str
    client: str | None
    address: str | None
    created_at: int
    used_at: int
    expires_at: int


class Sessions:
    """For the user itself, logged in without access token, and for who manages users."""

    def __init__(self, store: MetadataStore, clock: Clock, audit: Audit) -> None:
        self._store, self._clock, self._audit = store, clock, audit

    async def get(self, actor: Actor, user: str, family: str) -> Session:
        """One session, if it has not expired. Raises `NotFound` and `Denied`."""
        found = await expect_keys_of_user(self._store, actor, user)
        row = await refresh_tokens.find_family(self._store, found.id, self._clock.now_ms(), family)
        if row is None:
            raise NotFound("session", family)
        return _session(row)

    async def page(self, actor: Actor, user: str, after: str, size: int) -> Page[Session]:
        """At most `size` sessions after that family, without those that expired. Raises `NotFound` and `Denied`."""
        found = await expect_keys_of_user(self._store, actor, user)
        now = self._clock.now_ms()
        rows = await refresh_tokens.families_of(self._store, found.id, now, after, size + 1)
        return page_of([_session(row) for row in rows], size)

    async def revoke(self, actor: Actor, user: str, family: str) -> None:
        """End a session: nobody gets a token for it any more. Raises `NotFound` and `Denied`."""

        async def revoke(tx: Transaction) -> None:
            found = await expect_keys_of_user(tx, actor, user)
            if not await refresh_tokens.delete_family_of(tx, found.id, family):
                raise NotFound("session", family)
            await access.changed(tx)
            await self._audit.allowed(tx, actor, "session.revoke", f"session:{user}/{family}")

        await self._store.transact(revoke)


def _session(row: FamilyRow) -> Session:
    return Session(row.family, row.client, row.address, row.created_at, row.used_at, row.expires_at)
