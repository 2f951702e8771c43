"""Reading the audit log: in pages, as a whole, and letting it expire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

from auth.actor import Actor
from auth.roles import Permission
from registry.domain.deciding import expect_project
from registry.domain.pages import Page
from registry.errors import Denied, NotFound, RequestInvalid
from storage.metadata import audit, projects
from storage.metadata.audit import AuditEntry, AuditFilter, Position
from storage.metadata.store import MetadataStore, Transaction

__all__ = ["AuditEntry", "AuditFilter", "AuditLog"]

# So many entries are read, or removed, at a time, so that other requests are not held up.
SLICE = 200
_EXPIRE_BATCH = 500


class AuditLog:
    def __init__(self, store: MetadataStore) -> None:
        self._store = store

    async def page(self, actor: Actor, wanted: AuditFilter, after: str, size: int) -> Page[AuditEntry]:
        """At most `size` entries that the filter wants, the newest first, from after the one with the id `after`.

        Nothing comes after an entry that is not there or not wanted: the oldest expire first. Who may not read the
        log of the whole installation reads that of one project, `wanted.project`, since that was created.
        Raises `Denied`, `NotFound`, and `RequestInvalid` when `after` is no id.
        """
        wanted = await self._permitted(actor, wanted)
        before = await self._position(wanted, after)
        found: list[AuditEntry] = []
        while before is not None and len(found) <= size:
            part = await audit.newest(self._store, wanted, before, SLICE)
            found += [entry for entry in part if wanted.matches(entry)]
            before = _end(part)
            await asyncio.sleep(0)
        return Page(found[:size], more=len(found) > size)

    async def export(self, actor: Actor, wanted: AuditFilter) -> AsyncIterator[AuditEntry]:
        """All entries that the filter wants, the oldest first; what is written meanwhile may be among them or not.

        Raises what `page` does, before the first entry.
        """
        wanted = await self._permitted(actor, wanted)
        after: Position | None = audit.BEGIN
        while after is not None:
            part = await audit.oldest(self._store, wanted, after, SLICE)
            for entry in part:
                if wanted.matches(entry):
                    yield entry
            after = _end(part)
            await asyncio.sleep(0)

    async def expire(self, before_ms: int) -> int:
        """Remove the entries from before that time, in small transactions; return how many they were."""

        async def delete(tx: Transaction) -> int:
            return await audit.delete_before(tx, before_ms, _EXPIRE_BATCH)

        expired = 0
        while True:
            deleted = await self._store.transact(delete, durable=False)
            expired += deleted
            if deleted < _EXPIRE_BATCH:
                return expired
            await asyncio.sleep(0)

    async def _permitted(self, actor: Actor, wanted: AuditFilter) -> AuditFilter:
        system = actor.access.permits(Permission.SYSTEM_AUDIT_READ)
        if system.granted:
            return wanted
        if wanted.project is None:
            raise Denied(system.reason)
        project_id = await expect_project(self._store, actor, wanted.project, Permission.AUDIT_READ)
        project = await projects.find(self._store, wanted.project)
        if project is None or project.id != project_id:
            raise NotFound("project", wanted.project)
        # What was done in an earlier project of this name is not for the members of this one.
        return replace(wanted, since_ms=max(wanted.since_ms or 0, project.created_at))

    async def _position(self, wanted: AuditFilter, after: str) -> Position | None:
        if not after:
            return audit.END
        if not (after.isascii() and after.isdigit() and len(after) <= 18):
            raise RequestInvalid(f"{after[:40]!r} is not the id of an entry of the audit log")
        entry = await audit.find(self._store, int(after))
        return (entry.at, entry.id) if entry is not None and wanted.matches(entry) else None


def _end(part: list[AuditEntry]) -> Position | None:
    """From where to read on, if there can be more."""
    return (part[-1].at, part[-1].id) if len(part) == SLICE else None
