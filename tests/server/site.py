"""A daemon of two workers that asks for logins, and another process that changes what is in its data folder."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from auth.actor import OPERATING
from auth.passwords import Passwords
from auth.principals import parse_subject
from auth.roles import Action, Role
from registry.api.rest.services import Management
from registry.app.management import build_management
from registry.domain.access_tokens import NewToken
from storage.clock import SystemClock
from storage.metadata.sqlite import SqliteStore
from tests.api.content import LAYER, digest_of
from tests.daemon import Daemon
from tests.server.workers import Workers, basic

T = TypeVar("T")

PASSWORD = "a password of nine words is long enough here"
DIGEST = digest_of(LAYER)


class Site:
    """Has the project `acme`, the blob `DIGEST` in its repository `acme/app`, and the user `admin`."""

    def __init__(self, folder: Path, **settings: str) -> None:
        """`settings` are variables without the prefix, such as AUTH__SERVICE."""
        environment = {f"BERTH_{name}": value for name, value in settings.items()}
        # Far from UTC, so that no local time is taken for that of the world.
        environment |= {"BERTH_ADMIN_PASSWORD": PASSWORD, "TZ": "Pacific/Kiritimati"}
        self.daemon = Daemon(folder / "data", "--workers", "2", auth="builtin", environment=environment)
        self._numbers = itertools.count(1)

    def manage(self, work: Callable[[Management], Awaitable[T]]) -> T:
        """Change something as the commands of `berth` do: from another process than those that serve."""

        async def run() -> T:
            store = SqliteStore(self.daemon.data)
            try:
                return await work(build_management(store, SystemClock(), Passwords()))
            finally:
                await store.close()

        return asyncio.run(run())

    def populate(self, workers: Workers) -> None:
        """Make the project and the repository."""
        self.manage(lambda m: m.projects.create(OPERATING, "acme"))
        self.push(workers, "acme/app")

    def push(self, workers: Workers, name: str) -> None:
        """Put the blob into a repository."""
        for worker in workers:
            path = f"/v2/{name}/blobs/uploads/?digest={DIGEST}"
            assert worker.ask("POST", path, basic("admin", PASSWORD), LAYER).status == 201
            return

    def user(self, role: Role | None = None) -> str:
        """The name of a new user, with the usual password and this role in the project."""
        name = f"user{next(self._numbers)}"

        async def create(m: Management) -> None:
            await m.users.create(OPERATING, name, PASSWORD)
            if role is not None:
                await m.members.put(OPERATING, "acme", parse_subject(f"user:{name}"), role)

        self.manage(create)
        return name

    def access_token(self, owner: str) -> str:
        """The secret of a new access token for all content."""
        new = NewToken(f"token {next(self._numbers)}", frozenset({Action.PULL, Action.PUSH, Action.DELETE}), ("**",))
        return self.manage(lambda m: m.access_tokens.create(OPERATING, owner, new))[1]
