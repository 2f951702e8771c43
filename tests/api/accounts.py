"""A registry in which people log in, and the requests for tokens that clients send."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import jwt

from auth.actor import OPERATING
from auth.passwords import Passwords
from auth.principals import parse_subject
from auth.roles import Action, Role, SystemRole
from registry.api.rest.services import Management
from registry.app.first_start import prepare
from registry.app.management import build_management
from registry.domain.access_tokens import NewToken
from storage.clock import SystemClock
from storage.metadata.store import MetadataStore
from tests.api.content import BASICS, image, manifest
from tests.api.prepared import Prepared
from tests.api.server import Answer, Registry, configured, running
from tests.api.table import Step

PASSWORD = "a password of nine words is long enough here"
FORM = "application/x-www-form-urlencoded"
# What they protect are tests.
PASSWORDS = Passwords(time_cost=1, memory_kib=64)

_CONTENT = (Action.PULL, Action.PUSH, Action.DELETE)

Fields = Mapping[str, str] | Sequence[tuple[str, str]]


class Accounts:
    """Who there is: `alice` is a developer in the project `acme`, `rita` a reader, `nora` nothing, `admin` everything.

    The robot `acme+ci` is a developer. All users have the same password. Repositories below `acme` are for members,
    those below `acme/open` for everyone to pull.
    """

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.management: Management = build_management(registry.storage.store, SystemClock(), PASSWORDS)

    async def member(self, name: str, role: Role) -> None:
        """Give a user a role in the project."""
        await self.management.members.put(OPERATING, "acme", parse_subject(f"user:{name}"), role)

    async def access_token(self, owner: str, *actions: Action, patterns: tuple[str, ...] = ("**",)) -> str:
        """The secret of a new access token, for all that can be done to repositories if no action is named."""
        tokens = (await self.management.access_tokens.page(OPERATING, owner, "", 99)).items
        new = NewToken(f"token {len(tokens)}", frozenset(actions or _CONTENT), patterns)
        return (await self.management.access_tokens.create(OPERATING, owner, new))[1]

    async def ask(
        self, method: str, path: str, authorization: str | None = None, *, body: bytes = b"", **headers: str
    ) -> Answer:
        """Send one request; underscores in the names of headers stand for hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if authorization is not None:
            named["Authorization"] = authorization
        return await self.registry.ask(method, path, headers=named, body=body)

    async def get(self, query: str = "", login: str | None = None, **headers: str) -> Answer:
        """Ask the token service by GET, with the query exactly as given."""
        return await self.ask("GET", f"/token?{query}" if query else "/token", login, body=b"", **headers)

    async def post(self, fields: Fields, **headers: str) -> Answer:
        """Ask the token service with a form."""
        headers.setdefault("Content_Type", FORM)
        return await self.ask("POST", "/token", body=urlencode(fields).encode(), **headers)

    async def token(self, login: str | None, *scopes: str) -> str:
        """The Authorization header that a client has after it asked for a token for these scopes."""
        answer = await self.get(urlencode([("service", "berth"), *(("scope", scope) for scope in scopes)]), login)
        assert answer.status == 200, answer.body
        return f"Bearer {answer.json()['token']}"

    async def push(self, *names: str) -> None:
        """Put an image into repositories, as the administrator: the manifest is tagged `v1`."""
        for name in names:
            for step in (*BASICS, manifest(image(), "v1")):
                await self._do(step, step.url.replace("/v2/app/", f"/v2/{name}/"))

    async def _do(self, step: Step, path: str) -> None:
        headers = {**step.headers, "Authorization": basic("admin")}
        answer = await self.registry.ask(step.method, path, headers=headers, body=step.body)
        assert answer.status == step.status, answer.body


def basic(name: str, secret: str = PASSWORD) -> str:
    """The Authorization header of somebody with this name and password or access token."""
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


def claims(answer: Answer) -> dict[str, Any]:
    """What the token in an answer of the token service says, which nobody verifies here."""
    assert answer.status == 200, answer.body
    said: dict[str, Any] = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
    return said


def granted(answer: Answer) -> str:
    """The scopes that the token in an answer is for, in its order."""
    return " ".join(f"{item['type']}:{item['name']}:{','.join(item['actions'])}" for item in claims(answer)["access"])


async def populate(store: MetadataStore) -> None:
    """Add all of them."""
    manage = build_management(store, SystemClock(), PASSWORDS)
    await manage.users.create(OPERATING, "admin", PASSWORD, SystemRole.ADMIN)
    await manage.projects.create(OPERATING, "acme")
    await manage.registries.create(OPERATING, "acme", "open", "acme/open", "public")
    for name in ("alice", "rita", "nora"):
        await manage.users.create(OPERATING, name, PASSWORD)
    await manage.robots.create(OPERATING, "acme", "ci", Role.DEVELOPER)
    for name, role in (("alice", Role.DEVELOPER), ("rita", Role.READER)):
        await manage.members.put(OPERATING, "acme", parse_subject(f"user:{name}"), role)


EVERYBODY = Prepared(populate)


@contextlib.asynccontextmanager
async def inhabited(settings: Mapping[str, object], passwords: Passwords = PASSWORDS) -> AsyncIterator[Accounts]:
    """A registry in memory that asks for logins, with further settings, and everybody in it."""
    config = configured({"storage.ephemeral": True, "auth.mode": "builtin", **settings})
    await asyncio.to_thread(prepare, config)
    storage, _ = await EVERYBODY.storage()
    async with running(config, storage, passwords) as registry:
        yield Accounts(registry)
