"""What is made ready before the workers start, and the first user of all."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys

from auth.actor import OPERATING
from auth.passwords import Passwords
from auth.roles import SystemRole
from registry.app.engines import engine_of
from registry.app.keys import prepare_keys
from registry.app.storing import prepare_storage
from registry.config.settings import Config
from registry.domain.audit import Audit
from registry.domain.users import Users
from registry.errors import AttributeInvalid, AttributeTaken, StartError
from storage.clock import SystemClock
from storage.metadata import access
from storage.metadata.store import MetadataStore

ADMIN = "admin"
ADMIN_PASSWORD_VARIABLE = "BERTH_ADMIN_PASSWORD"  # noqa: S105 - the name of a variable


def prepare(config: Config) -> None:
    """Make everything ready that the workers share: data folder, database, keys, and the first user.

    Meant for the process that starts the workers: blocks, and leaves nothing open. Raises `StartError`, `SchemaTooNew`.
    """
    if not config.storage.ephemeral:
        prepare_storage(config)
    if config.auth.mode == "open":
        return
    # A folder of keys can be given for what is in memory, too.
    prepare_keys(config)
    if not config.storage.ephemeral:
        asyncio.run(_first_start(config))


async def _first_start(config: Config) -> None:
    store = engine_of(config).open()
    try:
        await ensure_admin(store, Passwords())
    finally:
        await store.close()


async def ensure_admin(store: MetadataStore, passwords: Passwords) -> None:
    """Create the user admin if there is no user at all, and tell its password, unless the environment gave it."""
    if await access.has_users(store):
        return
    # An empty one is none: that is how compose files and the like pass on what nobody set.
    given = os.environ.get(ADMIN_PASSWORD_VARIABLE) or None
    password = given or secrets.token_urlsafe(18)
    clock = SystemClock()
    users = Users(store, clock, Audit(clock), passwords)
    try:
        await users.create(OPERATING, ADMIN, password, SystemRole.ADMIN)
    except AttributeTaken:
        return  # another daemon was faster, and tells
    except AttributeInvalid as error:
        raise StartError(f"{ADMIN_PASSWORD_VARIABLE}: {error}") from error
    if given is None:
        # Not through the log, which others read, and which is kept.
        sys.stderr.write(
            f"\nThe user {ADMIN!r} was created. Its password, which is shown this once:\n\n    {password}\n\n"
            f"Change it with `berth user password {ADMIN}`.\n\n"
        )
        sys.stderr.flush()
