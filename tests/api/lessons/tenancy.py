"""Two projects that must not know of each other, and a public one: where the lessons are tried out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from auth.actor import OPERATING
from auth.principals import Subject, SubjectKind
from auth.roles import Action, Role
from registry.api.rest.services import Management
from registry.domain.access_tokens import NewToken
from tests.api.accounts import PASSWORD, basic
from tests.api.content import CONFIG, LAYER, Document, digest_of, image
from tests.api.server import Answer, Body, Registry

JSON_API = "application/vnd.api+json"
IMAGE = image()
VAULT = "/v1/projects/vault"
MAIN = f"{VAULT}/registries/main"


@dataclass
class Tenancy:
    """The project `vault` is private: `alice` owns it, `marta` is a maintainer, `carol` a developer, `rita` a reader.

    `bob` owns the project `berth`, which is private too; `plaza` is public. `admin` is the administrator, and `eve` a
    user without any role. In `vault/app` there is the image `v1`.
    """

    registry: Registry
    management: Management

    async def populate(self) -> None:
        management = self.management
        for name in ("alice", "marta", "carol", "rita", "bob", "eve"):
            await management.users.create(OPERATING, name, PASSWORD)
        for project in ("vault", "berth", "plaza"):
            await management.projects.create(OPERATING, project)
        await management.registries.update(OPERATING, "plaza", "main", "public")
        await self.join("vault", alice=Role.OWNER, marta=Role.MAINTAINER, carol=Role.DEVELOPER, rita=Role.READER)
        await self.join("berth", bob=Role.OWNER)
        await self.push("alice", "vault/app")

    async def join(self, project: str, **roles: Role) -> None:
        """Make users members of a project."""
        for name, role in roles.items():
            await self.management.members.put(OPERATING, project, Subject(SubjectKind.USER, name), role)

    async def ask(
        self,
        who: str | None,
        method: str,
        path: str,
        *,
        body: Body = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask as a user with a password, or as whom a whole header says, or as nobody."""
        authorization = {} if who is None else {"Authorization": who if " " in who else basic(who)}
        return await self.registry.ask(method, path, headers={**authorization, **(headers or {})}, body=body)

    async def send(self, who: str | None, method: str, path: str, kind: str, **attributes: object) -> Answer:
        """Send a document of JSON:API."""
        document = orjson.dumps({"data": {"type": kind, "attributes": attributes}})
        return await self.ask(who, method, path, body=document, headers={"Content-Type": JSON_API})

    async def token(self, who: str | None, *scopes: str) -> str:
        """The header with a token for the registry, for what of these scopes is allowed."""
        path = "/token?service=berth" + "".join(f"&scope={scope}" for scope in scopes)
        answer = await self.ask(who, "GET", path)
        assert answer.status == 200, answer
        return f"Bearer {answer.json()['token']}"

    async def access_token(self, owner: str, *actions: Action, name: str = "test") -> str:
        """The secret of a new access token."""
        new = NewToken(name, frozenset(actions), ("**",))
        return (await self.management.access_tokens.create(OPERATING, owner, new))[1]

    async def push(self, who: str, repository: str, *tags: str) -> None:
        """Push the image, as `v1` if nothing else is said, with what it needs."""
        for content in (CONFIG, LAYER):
            await self.push_blob(who, repository, content)
        for tag in tags or ("v1",):
            answer = await self.put(who, repository, tag, IMAGE)
            assert answer.status == 201, answer

    async def push_blob(self, who: str, repository: str, content: bytes) -> str:
        """Push a blob, and return its path."""
        answer = await self.ask(
            who, "POST", f"/v2/{repository}/blobs/uploads/?digest={digest_of(content)}", body=content
        )
        assert answer.status == 201, answer
        return f"/v2/{repository}/blobs/{digest_of(content)}"

    async def put(self, who: str, repository: str, reference: str, document: Document) -> Answer:
        """Push a manifest."""
        path, headers = f"/v2/{repository}/manifests/{reference}", {"Content-Type": document.media_type}
        return await self.ask(who, "PUT", path, body=document.content, headers=headers)

    async def tags(self, repository: str) -> list[str]:
        """The tags that there are, as an administrator sees them."""
        answer = await self.ask("admin", "GET", f"/v2/{repository}/tags/list")
        return list(answer.json()["tags"]) if answer.status == 200 else []
