"""A registry in which there is somebody in every role."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from auth.actor import OPERATING
from auth.passwords import Passwords
from auth.principals import Subject, SubjectKind
from auth.roles import Action, Role, SystemRole
from registry.app.management import build_management
from registry.domain.access_tokens import NewToken
from storage.clock import SystemClock
from storage.metadata.store import MetadataStore
from tests.api.content import Document, digest_of
from tests.api.rest.client import Client
from tests.api.server import Registry

PASSWORD = "a password of nine words is long enough here"
PROJECT = "acme"

# Hashes that cost nothing: what they protect are tests.
CHEAP = Passwords(time_cost=1, memory_kib=8)


@dataclass
class World:
    """The project `acme` has a member for each role, of the role's name, and a robot `ci`, who is a developer there.

    `chief` is an administrator; `outsider` and `someone` have no role anywhere. `chief` and `outsider` are in the group
    `devs`. Clients use access tokens with which everything may be managed, so that no password has to be hashed for
    each request.
    """

    registry: Registry
    secrets: Mapping[str, str] = field(repr=False)

    @property
    def chief(self) -> Client:
        return self.client("chief")

    @property
    def anonymous(self) -> Client:
        return Client(self.registry)

    def client(self, name: str) -> Client:
        """The client of the user, or robot, of this name."""
        return Client(self.registry, name, self.secrets[name])

    def with_password(self, name: str, password: str = PASSWORD) -> Client:
        """The user of this name, logged in by password."""
        return Client(self.registry, name, password)


async def populate(store: MetadataStore) -> dict[str, str]:
    """Put everybody into the store, and return their access tokens by their names."""
    management = build_management(store, SystemClock(), CHEAP)
    await management.users.create(OPERATING, "chief", PASSWORD, SystemRole.ADMIN)
    await management.projects.create(OPERATING, PROJECT)
    for role in Role:
        await management.users.create(OPERATING, role, PASSWORD)
        await management.members.put(OPERATING, PROJECT, Subject(SubjectKind.USER, role), role)
    for name in ("outsider", "someone"):
        await management.users.create(OPERATING, name, PASSWORD)
    await management.robots.create(OPERATING, PROJECT, "ci", Role.DEVELOPER)
    await management.groups.create(OPERATING, "devs")
    for name in ("chief", "outsider"):
        await management.groups.add(OPERATING, "devs", name)
    new = NewToken("test", frozenset(Action), ("**",), None)
    names = ["chief", *Role, "outsider", "someone", f"{PROJECT}+ci"]
    return {name: (await management.access_tokens.create(OPERATING, name, new))[1] for name in names}


async def push(client: Client, repository: str) -> None:
    """Push a blob, so that there is something in the repository."""
    content = b"something"
    path = f"/v2/{repository}/blobs/uploads/?digest={digest_of(content)}"
    answer = await client.registry.ask("POST", path, headers=client.login(), body=content)
    assert answer.status == 201, answer.body


async def put_manifest(client: Client, repository: str, pushed: Document, reference: str) -> None:
    """Push a manifest to a tag, or by its digest."""
    path, headers = f"/v2/{repository}/manifests/{reference}", {"Content-Type": pushed.media_type}
    answer = await client.registry.ask("PUT", path, headers={**client.login(), **headers}, body=pushed.content)
    assert answer.status == 201, answer.body


async def delete_manifest(client: Client, repository: str, pushed: Document) -> None:
    """Delete a manifest with its tags."""
    path = f"/v2/{repository}/manifests/{pushed.digest}"
    answer = await client.registry.ask("DELETE", path, headers=client.login())
    assert answer.status == 202, answer.body
