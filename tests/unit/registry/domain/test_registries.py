"""Registries: made, listed, changed, and deleted while nothing is in them."""

import pytest

from auth.actor import OPERATING
from auth.roles import Action
from registry.domain.registries import REGISTRIES_MAX, Registry, Settings
from registry.errors import AttributeInvalid, AttributeTaken, Conflict, NotFound
from storage.metadata.store import Transaction
from tests.unit.registry.domain.tenants import EVERYONE, Tenants


async def names(tenants: Tenants, who: str, project: str = "acme") -> list[str]:
    """The registries of the project that this one is shown."""
    page = await tenants.registries.page(await tenants.somebody(who), project, "", 100)
    return [registry.name for registry in page.items]


async def test_create(tenants: Tenants) -> None:
    """A registry is private and lies below its project's name, unless it is said otherwise."""
    maintainer = await tenants.actor("maintainer")
    async with tenants.noted(maintainer, "registry.create", "registry:acme/apps", "acme", "private, prefix acme/apps"):
        made = await tenants.registries.create(maintainer, "acme", "apps")
    now = tenants.clock.now_ms()
    assert made == Registry(made.id, "acme", "apps", "acme/apps", "local", "private", "", now)
    assert await tenants.registries.get(maintainer, "acme", "apps") == made


async def test_create_with_everything(tenants: Tenants) -> None:
    """A registry has the prefix, visibility and description that it was given."""
    async with tenants.noted(OPERATING, "registry.create", "registry:acme/apps", "acme", "public, prefix acme/a/b"):
        made = await tenants.registries.create(OPERATING, "acme", "apps", "acme/a/b", "public", "Apps.")
    assert (made.prefix, made.visibility, made.description) == ("acme/a/b", "public", "Apps.")


@pytest.mark.parametrize("name", ["", "A", "a/b", "a b", "-a", "..", "x" * 65, "a\n"])
async def test_bad_names(tenants: Tenants, name: str) -> None:
    """A name that can not be one part of a repository's is refused."""
    async with tenants.refused(AttributeInvalid, "^name has to be"):
        await tenants.registries.create(OPERATING, "acme", name)


@pytest.mark.parametrize("visibility", ["", "Public", "internal", "private "])
async def test_bad_visibility(tenants: Tenants, visibility: str) -> None:
    """A registry is public or private, and nothing else."""
    async with tenants.refused(AttributeInvalid, "^visibility has to be public or private"):
        await tenants.registries.create(OPERATING, "acme", "apps", visibility=visibility)
    async with tenants.refused(AttributeInvalid, "^visibility has to be public or private"):
        await tenants.registries.update(OPERATING, "acme", "main", visibility)


async def test_bad_description(tenants: Tenants) -> None:
    """A description is text."""
    async with tenants.refused(AttributeInvalid, "^description"):
        await tenants.registries.create(OPERATING, "acme", "apps", description="\x00")
    async with tenants.refused(AttributeInvalid, "^description"):
        await tenants.registries.update(OPERATING, "acme", "main", description="\x00")


async def test_taken(tenants: Tenants) -> None:
    """A name is taken in its project, a prefix everywhere."""
    async with tenants.refused(AttributeTaken, "^name 'main' is already taken"):
        await tenants.registries.create(OPERATING, "acme", "main", "acme/x")
    async with tenants.refused(AttributeTaken, "^prefix 'zeta' is already taken"):
        await tenants.registries.create(OPERATING, "acme", "apps", "zeta")
    async with tenants.refused(AttributeTaken, "^prefix '' is already taken"):
        await tenants.registries.create(OPERATING, "acme", "apps", "")
    await tenants.registries.create(OPERATING, "zeta", "apps")
    await tenants.registries.create(OPERATING, "acme", "apps")


async def test_page(tenants: Tenants) -> None:
    """Registries are listed by name and in pages; who has no part in the project sees the public ones."""
    for name, visibility in [("apps", "public"), ("zoo", "private")]:
        await tenants.registries.create(OPERATING, "acme", name, visibility=visibility)
    for who in ["root", "owner", "reader", "acme+ci"]:
        assert await names(tenants, who) == ["apps", "main", "zoo"]
    for who in ["nobody", "stranger", "neighbour", "guest"]:
        assert await names(tenants, who) == ["apps"]
    page = await tenants.registries.page(OPERATING, "acme", "apps", 1)
    assert ([registry.name for registry in page.items], page.more) == (["main"], True)
    page = await tenants.registries.page(OPERATING, "acme", "main", 1)
    assert ([registry.name for registry in page.items], page.more) == (["zoo"], False)


async def add_many(tenants: Tenants, count: int, public: int) -> None:
    """Add registries to `acme`, of which each so-manieth is public."""

    async def insert(tx: Transaction) -> None:
        for number in range(count):
            name, visibility = f"r{number:03}", "private" if (number + 1) % public else "public"
            await tx.execute(
                "INSERT INTO registries (project_id, name, prefix, kind, visibility, description, created_at)"
                " SELECT id, ?, ?, 'local', ?, '', 0 FROM projects WHERE name = 'acme'",
                name,
                f"acme/{name}",
                visibility,
            )

    await tenants.store.transact(insert)


async def test_page_of_many(tenants: Tenants) -> None:
    """A page is full although most of the registries are not for the actor to know."""
    await add_many(tenants, 450, public=150)
    page = await tenants.registries.page(await tenants.nobody(), "acme", "", 2)
    assert ([registry.name for registry in page.items], page.more) == (["r149", "r299"], True)
    assert len((await tenants.registries.page(OPERATING, "acme", "", 500)).items) == 451


async def test_private_looks_missing(tenants: Tenants) -> None:
    """Who may know the project but not the registry is told what it would be told if there was none."""
    await tenants.registries.create(OPERATING, "acme", "open", visibility="public")
    nobody = await tenants.nobody()
    assert (await tenants.registries.get(nobody, "acme", "open")).name == "open"
    for name in ["main", "gone"]:
        async with tenants.refused(NotFound, f"^registry '{name}' is not known$"):
            await tenants.registries.get(nobody, "acme", name)


async def test_update(tenants: Tenants) -> None:
    """What is given is changed, and seen in the audit log; what is not stays."""
    owner = await tenants.actor("owner")
    async with tenants.noted(owner, "registry.update", "registry:acme/main", "acme", "private -> public"):
        changed = await tenants.registries.update(owner, "acme", "main", visibility="public")
    assert (changed.visibility, changed.description, changed.prefix) == ("public", "", "acme")
    async with tenants.noted(owner, "registry.update", "registry:acme/main", "acme", "description"):
        changed = await tenants.registries.update(owner, "acme", "main", description="All.")
    assert (changed.visibility, changed.description) == ("public", "All.")
    changed = await tenants.registries.update(owner, "acme", "main", "private", "")
    assert (changed.visibility, changed.description) == ("private", "")
    assert await tenants.registries.get(owner, "acme", "main") == changed


async def test_settings(tenants: Tenants) -> None:
    """Those that are given are changed, each to a value or back to what is configured; the audit log says how."""
    maintainer = await tenants.actor("maintainer")
    day = 86_400_000
    detail = "untagged after default -> 30d, orphaned after default -> never, redirect default -> large"
    async with tenants.noted(maintainer, "registry.update", "registry:acme/main", "acme", detail):
        changed = await tenants.registries.update(
            maintainer,
            "acme",
            "main",
            settings=Settings(untagged_after=30 * day, orphaned_after=0, redirect="large"),
        )
    assert (changed.untagged_after, changed.orphaned_after, changed.redirect) == (30 * day, 0, "large")
    detail = "untagged after 30d -> 36h, redirect large -> default"
    async with tenants.noted(maintainer, "registry.update", "registry:acme/main", "acme", detail):
        changed = await tenants.registries.update(
            maintainer, "acme", "main", settings=Settings(untagged_after=36 * 3_600_000, redirect=None)
        )
    assert (changed.untagged_after, changed.orphaned_after, changed.redirect) == (36 * 3_600_000, 0, None)
    assert await tenants.registries.get(maintainer, "acme", "main") == changed


@pytest.mark.parametrize(
    "settings",
    [
        Settings(untagged_after=-1),
        Settings(orphaned_after=-1),
        Settings(untagged_after=10**18),
        Settings(redirect=""),
        Settings(redirect="Always"),
    ],
)
async def test_bad_settings(tenants: Tenants, settings: Settings) -> None:
    """Times are not negative and not endless, and clients are sent elsewhere never, always, or for large blobs."""
    async with tenants.refused(AttributeInvalid, "has to be"):
        await tenants.registries.update(OPERATING, "acme", "main", settings=settings)


async def test_delete(tenants: Tenants) -> None:
    """With a registry go its rules, and nothing of another one."""
    owner = await tenants.actor("owner")
    await tenants.registries.create(owner, "acme", "apps")
    for name, pattern in [("apps", "acme/apps/**"), ("main", "acme/**")]:
        await tenants.rules.create(owner, "acme", name, pattern, EVERYONE, frozenset({Action.PULL}))
        await tenants.immutable_tags.create(owner, "acme", name, "**", "v*")
    async with tenants.noted(owner, "registry.delete", "registry:acme/apps", "acme", "private, prefix acme/apps"):
        await tenants.registries.delete(owner, "acme", "apps")
    assert await names(tenants, "owner") == ["main"]
    assert [await tenants.count(table) for table in ["rules", "immutable_tags"]] == [1, 1]
    async with tenants.refused(NotFound, "^registry 'apps' is not known$"):
        await tenants.registries.delete(owner, "acme", "apps")


@pytest.mark.parametrize("repository", ["acme", "acme/app", "acme/a/b", "acme/apps2/x"])
async def test_delete_with_content(tenants: Tenants, repository: str) -> None:
    """A registry is not deleted while one of its repositories has a manifest or a blob."""
    await tenants.registries.create(OPERATING, "acme", "apps")
    for put in [tenants.fill, tenants.link]:
        await put(repository)
        async with tenants.refused(Conflict, "the registry main is not empty"):
            await tenants.registries.delete(OPERATING, "acme", "main")
        await tenants.drain()
    await tenants.registries.delete(OPERATING, "acme", "main")


@pytest.mark.parametrize("repository", ["acme/apps", "acme/apps/x", "acme2/x", "app", "zeta/x"])
async def test_delete_beside_content(tenants: Tenants, repository: str) -> None:
    """What lies in other registries, also below the prefix, does not keep a registry."""
    await tenants.registries.create(OPERATING, "acme", "apps")
    await tenants.fill(repository)
    await tenants.registries.delete(OPERATING, "acme", "main")


async def test_registries_of_another_project(tenants: Tenants) -> None:
    """Who owns a project cannot reach another one's registries through it."""
    await tenants.registries.create(OPERATING, "acme", "apps")
    neighbour = await tenants.actor("neighbour")
    async with tenants.refused(NotFound, "^registry 'apps' is not known$"):
        await tenants.registries.get(neighbour, "zeta", "apps")
    async with tenants.refused(NotFound, "^registry 'apps' is not known$"):
        await tenants.registries.update(neighbour, "zeta", "apps", "public")
    async with tenants.refused(NotFound, "^registry 'apps' is not known$"):
        await tenants.registries.delete(neighbour, "zeta", "apps")


async def test_limit(tenants: Tenants) -> None:
    """A project has a bounded number of registries."""
    await add_many(tenants, REGISTRIES_MAX - 2, public=2)
    await tenants.registries.create(OPERATING, "acme", "last")
    async with tenants.refused(Conflict, f"has {REGISTRIES_MAX} registries already"):
        await tenants.registries.create(OPERATING, "acme", "more")
    await tenants.registries.create(OPERATING, "zeta", "more")
