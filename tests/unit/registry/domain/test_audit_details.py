"""What the audit log says of every change there is: which one, to what, in which project, and what was changed."""

import ast
import json
import re
from collections.abc import Awaitable, Callable

import pytest

from auth.actor import OPERATING
from auth.principals import Subject, parse_subject
from auth.roles import Action, Role, SystemRole
from registry.domain.access_tokens import PATTERNS_MAX, NewToken
from registry.domain.audit import Audit
from registry.domain.blobs import Blobs
from registry.domain.leases import Leases
from registry.domain.manifests import Manifests, Push
from registry.domain.restoring import Restoring
from registry.domain.robots import RobotChanges
from registry.domain.tags import Tags
from registry.domain.users import UserChanges
from registry.oci.media_types import OCI_INDEX
from storage.blobs.memory import MemoryDriver
from storage.clock import FakeClock
from storage.digest import Digest, digest_of
from storage.metadata import blobs, repositories
from storage.metadata.blobs import BlobRow
from storage.metadata.store import Transaction
from storage.names import RepositoryName, parse_tag
from tests.architecture.source import name_of, sources
from tests.unit.registry.domain.people import PASSWORD
from tests.unit.registry.domain.tenants import EVERYONE, Tenants

# Action, target, project and detail.
Entry = tuple[str, str, str | None, str | None]


class Place(Tenants):
    """Projects, what lies in a repository of one of them, and all secrets that were given out."""

    def __init__(self, tenants: Tenants) -> None:
        super().__init__(tenants.store)
        audit, leases = Audit(self.clock), Leases(self.clock, 3600)
        self.tags = Tags(self.store, self.clock, audit)
        self.manifests = Manifests(
            self.store, self.clock, self.tags, leases, audit, sparse_indexes=False, keep_deleted=True
        )
        self.restoring = Restoring(self.store, self.clock, self.tags, leases, audit, keep_s=3600, sparse_indexes=False)
        self.blobs = Blobs(self.store, MemoryDriver(), leases, audit)
        self.secrets = [PASSWORD]

    async def entries(self, after: int = 0) -> list[Entry]:
        """What was written, but for the first entries."""
        rows = await self.store.fetch_all("SELECT action, target, project, detail FROM audit ORDER BY id")
        return [(action, target, project, detail) for action, target, project, detail in rows[after:]]

    async def password(self, name: str, new: str) -> None:
        """Give a user another password."""
        self.secrets.append(new)
        await self.users.set_password(OPERATING, name, new)

    async def token(self, owner: str, name: str, *patterns: str, days: int | None = None) -> None:
        """Make an access token to push and pull."""
        expires_at = None if days is None else self.clock.now_ms() + days * 86_400_000
        new = NewToken(name, frozenset({Action.PUSH, Action.PULL}), patterns, expires_at)
        _, secret = await self.tokens.create(OPERATING, owner, new)
        self.secrets += [secret, secret.rpartition("_")[2]]

    async def revoke(self, owner: str) -> None:
        """Revoke the oldest token."""
        (token, *_) = (await self.tokens.page(OPERATING, owner, "", 1)).items
        await self.tokens.revoke(OPERATING, owner, token.id)

    async def end_session(self) -> None:
        """Log bob in and out."""
        await self.login("bob", "laptop")
        await self.sessions.revoke(OPERATING, "bob", "laptop")

    async def put(self, subject: Subject, role: Role) -> None:
        """Give a role in the project `acme`."""
        await self.members.put(OPERATING, "acme", subject, role)

    async def push(self, content: bytes, *tags: str) -> None:
        """Push an index."""
        pushed = Push(content, OCI_INDEX, None if tags else digest_of(content), list(map(parse_tag, tags)))
        await self.manifests.put(OPERATING, APP, pushed)

    async def blob(self) -> None:
        """Have a blob, and delete it."""
        await self.store.transact(_link)
        await self.blobs.delete(OPERATING, APP, BLOB)


async def _link(tx: Transaction) -> None:
    await blobs.insert(tx, BLOB, BlobRow(4, "key"), 0)
    await blobs.link(tx, await repositories.ensure(tx, APP, 0), BLOB, 0, 0)


APP = RepositoryName("acme/app")
BLOB = digest_of(b"blob")
BOB, DEVS = parse_subject("user:bob"), parse_subject("group:devs")
PULL = frozenset({Action.PULL})


def index(note: str) -> tuple[bytes, Digest]:
    """A manifest that refers to nothing, and its digest."""
    document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [], "annotations": {"note": note}}
    content = json.dumps(document).encode()
    return content, digest_of(content)


OLD, OLD_DIGEST = index("old")
NEW, NEW_DIGEST = index("new")

Table = list[tuple[Callable[[Place], Awaitable[object]], list[Entry]]]

ACCOUNTS: Table = [
    (lambda p: p.users.create(OPERATING, "bob", PASSWORD), [("user.create", "user:bob", None, None)]),
    (
        lambda p: p.users.create(OPERATING, "eve", None, SystemRole.MONITOR, "x"),
        [("user.create", "user:eve", None, "system role monitor")],
    ),
    (
        lambda p: p.users.update(OPERATING, "bob", UserChanges("Bob", disabled=True, system_role=SystemRole.ADMIN)),
        [("user.update", "user:bob", None, "system role none -> admin, disabled, description")],
    ),
    (
        lambda p: p.users.update(OPERATING, "bob", UserChanges("Bob", disabled=False, clear_system_role=True)),
        [("user.update", "user:bob", None, "system role admin -> none, enabled")],
    ),
    (lambda p: p.users.update(OPERATING, "bob", UserChanges("Bob")), [("user.update", "user:bob", None, None)]),
    (lambda p: p.password("bob", "another one"), [("user.password", "user:bob", None, None)]),
    (
        lambda p: p.token("bob", "the laptop", "**", days=1),
        [("token.create", "token:bob/the laptop", None, "pull,push until 2023-11-15T22:13:20Z: **")],
    ),
    (lambda p: p.revoke("bob"), [("token.revoke", "token:bob/the laptop", None, None)]),
    (Place.end_session, [("session.revoke", "session:bob/laptop", None, None)]),
    (lambda p: p.groups.create(OPERATING, "ops", "x"), [("group.create", "group:ops", None, None)]),
    (lambda p: p.groups.add(OPERATING, "ops", "bob"), [("group.add", "group:ops", None, "user:bob")]),
    (lambda p: p.groups.add(OPERATING, "ops", "bob"), []),
    (lambda p: p.groups.remove(OPERATING, "ops", "bob"), [("group.remove", "group:ops", None, "user:bob")]),
    (lambda p: p.groups.delete(OPERATING, "ops"), [("group.delete", "group:ops", None, None)]),
    (lambda p: p.put(BOB, Role.READER), [("member.put", "user:bob", "acme", "reader")]),
    (lambda p: p.put(BOB, Role.OWNER), [("member.put", "user:bob", "acme", "reader -> owner")]),
    (lambda p: p.put(BOB, Role.OWNER), [("member.put", "user:bob", "acme", None)]),
    (lambda p: p.put(DEVS, Role.GUEST), [("member.put", "group:devs", "acme", "guest")]),
    (lambda p: p.members.remove(OPERATING, "acme", BOB), [("member.remove", "user:bob", "acme", "owner")]),
    (lambda p: p.users.delete(OPERATING, "bob"), [("user.delete", "user:bob", None, None)]),
]

PROJECTS: Table = [
    (lambda p: p.projects.create(OPERATING, "shop", "x"), [("project.create", "project:shop", "shop", None)]),
    (lambda p: p.projects.update(OPERATING, "shop", "y"), [("project.update", "project:shop", "shop", "description")]),
    (lambda p: p.projects.update(OPERATING, "shop", None), [("project.update", "project:shop", "shop", None)]),
    (
        lambda p: p.robots.create(OPERATING, "shop", "ci", Role.DEVELOPER),
        [("robot.create", "robot:shop+ci", "shop", "role developer")],
    ),
    (
        lambda p: p.robots.update(OPERATING, "shop", "ci", RobotChanges(Role.READER, "x", disabled=True)),
        [("robot.update", "robot:shop+ci", "shop", "role developer -> reader, disabled, description")],
    ),
    (
        lambda p: p.members.remove(OPERATING, "shop", parse_subject("robot:shop+ci")),
        [("member.remove", "robot:shop+ci", "shop", "reader")],
    ),
    (
        lambda p: p.robots.update(OPERATING, "shop", "ci", RobotChanges(Role.GUEST, disabled=False)),
        [("robot.update", "robot:shop+ci", "shop", "role none -> guest, enabled")],
    ),
    (
        lambda p: p.token("shop+ci", "deploy", "shop/app", "shop/lib/**"),
        [("token.create", "token:shop+ci/deploy", "shop", "pull,push without expiry: shop/app shop/lib/**")],
    ),
    (lambda p: p.revoke("shop+ci"), [("token.revoke", "token:shop+ci/deploy", "shop", None)]),
    (lambda p: p.robots.delete(OPERATING, "shop", "ci"), [("robot.delete", "robot:shop+ci", "shop", None)]),
    (
        lambda p: p.registries.create(OPERATING, "shop", "apps", visibility="public"),
        [("registry.create", "registry:shop/apps", "shop", "public, prefix shop/apps")],
    ),
    (
        lambda p: p.registries.update(OPERATING, "shop", "apps", "private", "x"),
        [("registry.update", "registry:shop/apps", "shop", "public -> private, description")],
    ),
    (
        lambda p: p.rules.create(OPERATING, "shop", "main", "shop/**", DEVS, frozenset({Action.PUSH, Action.PULL})),
        [("rule.create", "registry:shop/main", "shop", "shop/** group:devs pull,push")],
    ),
    (
        lambda p: p.rules.create(OPERATING, "shop", "main", "shop/x", EVERYONE, frozenset()),
        [("rule.create", "registry:shop/main", "shop", "shop/x everyone nothing")],
    ),
    (
        lambda p: p.rules.delete(OPERATING, "shop", "main", 1),
        [("rule.delete", "registry:shop/main", "shop", "shop/** group:devs pull,push")],
    ),
    (
        lambda p: p.immutable_tags.create(OPERATING, "shop", "main", "shop/**", "v*"),
        [("immutable-tag.create", "registry:shop/main", "shop", "shop/**:v*")],
    ),
    (
        lambda p: p.immutable_tags.delete(OPERATING, "shop", "main", 1),
        [("immutable-tag.delete", "registry:shop/main", "shop", "shop/**:v*")],
    ),
    (
        lambda p: p.registries.delete(OPERATING, "shop", "apps"),
        [("registry.delete", "registry:shop/apps", "shop", "private, prefix shop/apps")],
    ),
    (
        lambda p: p.registries.delete(OPERATING, "default", "root"),
        [("registry.delete", "registry:default/root", "default", "private, without prefix")],
    ),
    (lambda p: p.projects.delete(OPERATING, "shop"), [("project.delete", "project:shop", "shop", None)]),
]

CONTENT: Table = [
    (
        lambda p: p.push(OLD, "1", "latest"),
        [
            ("manifest.push", f"acme/app@{OLD_DIGEST}", "acme", OCI_INDEX),
            ("tag.create", "acme/app:1", "acme", str(OLD_DIGEST)),
            ("tag.create", "acme/app:latest", "acme", str(OLD_DIGEST)),
        ],
    ),
    (
        lambda p: p.push(NEW, "latest"),
        [
            ("manifest.push", f"acme/app@{NEW_DIGEST}", "acme", OCI_INDEX),
            ("tag.move", "acme/app:latest", "acme", f"{OLD_DIGEST} -> {NEW_DIGEST}"),
        ],
    ),
    (lambda p: p.push(NEW, "latest"), [("manifest.push", f"acme/app@{NEW_DIGEST}", "acme", OCI_INDEX)]),
    (
        lambda p: p.tags.delete(OPERATING, APP, parse_tag("latest")),
        [("tag.delete", "acme/app:latest", "acme", str(NEW_DIGEST))],
    ),
    (
        lambda p: p.manifests.delete(OPERATING, APP, OLD_DIGEST),
        [
            ("tag.delete", "acme/app:1", "acme", str(OLD_DIGEST)),
            ("manifest.delete", f"acme/app@{OLD_DIGEST}", "acme", None),
        ],
    ),
    (
        lambda p: p.restoring.restore_manifest(OPERATING, APP, OLD_DIGEST, [parse_tag("old")]),
        [
            ("manifest.restore", f"acme/app@{OLD_DIGEST}", "acme", OCI_INDEX),
            ("tag.create", "acme/app:old", "acme", str(OLD_DIGEST)),
        ],
    ),
    (
        lambda p: p.restoring.restore_tag(OPERATING, APP, parse_tag("latest")),
        [("tag.create", "acme/app:latest", "acme", str(NEW_DIGEST))],
    ),
    (Place.blob, [("blob.delete", f"acme/app@{BLOB}", "acme", None)]),
]

TABLES = {"accounts": ACCOUNTS, "projects": PROJECTS, "content": CONTENT}


@pytest.fixture
def place(tenants: Tenants) -> Place:
    """Everything that can be changed."""
    return Place(tenants)


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
async def test_entries(place: Place, table: Table) -> None:
    """Every change leaves exactly these entries, none of which has a secret in it."""
    before = len(await place.entries())
    for change, expected in table:
        await change(place)
        assert (await place.entries())[before:] == expected
        before += len(expected)
    kept = repr(await place.store.fetch_all("SELECT * FROM audit"))
    assert [secret for secret in place.secrets if secret in kept] == []


def test_no_change_is_forgotten() -> None:
    """The tables above have every action that is written anywhere."""
    written = {
        found.value
        for source in sources("registry/domain")
        for call in ast.walk(source.tree)
        if isinstance(call, ast.Call) and name_of(call.func) in {"allowed", "content", "_changed"}
        for found in ast.walk(call)
        if isinstance(found, ast.Constant) and re.fullmatch(r"[a-z-]+\.[a-z]+", str(found.value))
    }
    listed = {action for table in TABLES.values() for _, expected in table for action, *_ in expected}
    assert listed == written


async def test_everything_about_one(place: Place) -> None:
    """Whoever looks for what was done to somebody, by the name alone, finds all of it."""
    for change, _ in ACCOUNTS:
        await change(place)
    rows = await place.store.fetch_all("SELECT action FROM audit WHERE target = 'user:bob' ORDER BY id")
    assert [action for (action,) in rows] == [
        "user.create",
        *["user.update"] * 3,
        "user.password",
        *["member.put"] * 3,
        "member.remove",
        "user.delete",
    ]


async def test_long_details(place: Place) -> None:
    """A detail is kept up to 512 characters, and shows that there was more."""
    patterns = [f"{number:02}{'x' * 253}" for number in range(PATTERNS_MAX)]
    before = len(await place.entries())
    await place.token("root", "all", *patterns)
    ((_, _, _, detail),) = await place.entries(before)
    whole = f"pull,push without expiry: {' '.join(patterns)}"
    assert detail == f"{whole[:511]}…"


@pytest.mark.parametrize(("length", "kept"), [(511, "x" * 511), (512, "x" * 512), (513, "x" * 511 + "…")])
def test_length(length: int, kept: str) -> None:
    """What fits is kept as it is."""
    assert Audit(FakeClock()).row(OPERATING, "a.b", "c", detail="x" * length).detail == kept
