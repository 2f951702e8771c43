"""The use cases of management."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from auth.passwords import Passwords
from registry.api.rest.services import Management
from registry.app.storing import open_metadata
from registry.config.settings import Config
from registry.domain.access_tokens import AccessTokens
from registry.domain.audit import Audit
from registry.domain.audit_log import AuditLog
from registry.domain.groups import Groups
from registry.domain.history import TagHistory
from registry.domain.immutability import ImmutableTags
from registry.domain.leases import Leases
from registry.domain.members import Members
from registry.domain.projects import Projects
from registry.domain.registries import Registries
from registry.domain.restoring import Restoring
from registry.domain.robots import Robots
from registry.domain.rules import Rules
from registry.domain.sessions import Sessions
from registry.domain.tags import Tags
from registry.domain.users import Users
from storage.clock import Clock, SystemClock
from storage.metadata.store import MetadataStore


def build_management(
    store: MetadataStore, clock: Clock, passwords: Passwords, config: Config | None = None
) -> Management:
    config = config or Config()
    audit = Audit(clock)
    return Management(
        users=Users(store, clock, audit, passwords),
        groups=Groups(store, clock, audit),
        robots=Robots(store, clock, audit),
        access_tokens=AccessTokens(store, clock, audit),
        sessions=Sessions(store, clock, audit),
        projects=Projects(store, clock, audit),
        registries=Registries(store, clock, audit),
        members=Members(store, clock, audit),
        rules=Rules(store, clock, audit),
        immutable_tags=ImmutableTags(store, clock, audit),
        audit_log=AuditLog(store),
        tag_history=TagHistory(store),
        restoring=Restoring(
            store,
            clock,
            Tags(store, clock, audit),
            Leases(clock, config.collector.grace),
            audit,
            keep_s=config.collector.keep_deleted,
            sparse_indexes=config.manifests.sparse_indexes,
        ),
    )


@asynccontextmanager
async def open_management(config: Config) -> AsyncIterator[Management]:
    """The use cases over the data folder, beside a daemon or without one. Raises `StartError` if there is no data."""
    store = await open_metadata(config)
    try:
        yield build_management(store, SystemClock(), Passwords(), config)
    finally:
        await store.close()
