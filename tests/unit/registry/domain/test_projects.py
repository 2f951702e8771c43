"""Projects: made, listed, changed, and deleted while nothing is in them."""

import asyncio
from functools import partial

import pytest

from auth.actor import OPERATING
from auth.principals import parse_subject
from auth.roles import Role, SystemRole
from registry.domain.attributes import DESCRIPTION_LENGTH_MAX
from registry.errors import AttributeInvalid, AttributeTaken, Conflict, Denied, NotFound
from storage.errors import RegistryError
from storage.metadata import projects
from storage.metadata.licensing.licenses import LICENSES
from storage.metadata.licensing.products import PRODUCTS
from storage.metadata.store import Transaction
from tests.unit.registry.domain.tenants import Tenants
from tests.unit.storage.metadata.licensing.vendor import Vendor


async def names(tenants: Tenants, who: str, after: str = "", size: int = 100) -> list[str]:
    """The projects on a page."""
    return [project.name for project in (await tenants.projects.page(await tenants.somebody(who), after, size)).items]


async def test_create(tenants: Tenants) -> None:
    """A user who makes a project owns it, and it has one private registry, under its own name."""
    root = await tenants.actor("root")
    async with tenants.noted(root, "project.create", "project:shop", "shop"):
        made = await tenants.projects.create(root, "shop", "What we sell.")
    assert (made.name, made.description, made.role) == ("shop", "What we sell.", Role.OWNER)
    assert made.created_at == tenants.clock.now_ms()
    assert await tenants.projects.get(root, "shop") == made
    (registry,) = (await tenants.registries.page(root, "shop", "", 10)).items
    assert (registry.name, registry.prefix, registry.kind) == ("main", "shop", "local")
    assert (registry.visibility, registry.description, registry.project) == ("private", "", "shop")
    (member,) = (await tenants.members.page(root, "shop", "", 10)).items
    assert (member.subject, member.role) == (parse_subject("user:root"), Role.OWNER)


async def test_create_as_operator(tenants: Tenants) -> None:
    """A project that the operator makes has no members yet."""
    made = await tenants.projects.create(OPERATING, "shop")
    assert made.role is None
    assert (await tenants.members.page(OPERATING, "shop", "", 10)).items == []


@pytest.mark.parametrize("who", ["nobody", "stranger", "owner", "acme+ci", "owner's token"])
async def test_who_creates(tenants: Tenants, who: str) -> None:
    """Only administrators make projects."""
    async with tenants.refused(Denied):
        await tenants.projects.create(await tenants.somebody(who), "shop")


@pytest.mark.parametrize("name", ["a", "0", "a.b", "a_b", "a__b", "a-b", "a--b", "x" * 64])
async def test_good_names(tenants: Tenants, name: str) -> None:
    """A project may have any name that can be one part of a repository's."""
    assert (await tenants.projects.create(OPERATING, name)).name == name


@pytest.mark.parametrize(
    "name", ["", "A", "a/b", "a b", "a+b", "-a", "a-", ".", "..", "a..b", "a___b", "é", "a\n", "a\x00", "x" * 65, "*"]
)
async def test_bad_names(tenants: Tenants, name: str) -> None:
    """A name that can not be one part of a repository's is refused."""
    async with tenants.refused(AttributeInvalid, "^name has to be"):
        await tenants.projects.create(OPERATING, name)


@pytest.mark.parametrize("text", ["x" * (DESCRIPTION_LENGTH_MAX + 1), "a\x00b", "\x1b[31m", "\ud800"])
async def test_bad_descriptions(tenants: Tenants, text: str) -> None:
    """A description is text, and not too long."""
    async with tenants.refused(AttributeInvalid, "^description has to be"):
        await tenants.projects.create(OPERATING, "shop", text)
    async with tenants.refused(AttributeInvalid, "^description has to be"):
        await tenants.projects.update(OPERATING, "acme", text)


async def test_names_are_unique(tenants: Tenants) -> None:
    """There is one project of a name, and none whose name is the prefix of another project's registry."""
    async with tenants.refused(AttributeTaken, "^name 'acme' is already taken"):
        await tenants.projects.create(OPERATING, "acme")
    await tenants.registries.create(OPERATING, "acme", "shop", prefix="shop")
    async with tenants.refused(AttributeTaken, "^name 'shop' is already taken"):
        await tenants.projects.create(OPERATING, "shop")


@pytest.mark.parametrize("repository", ["shop", "shop/app", "shop/a/b"])
async def test_create_over_content(tenants: Tenants, repository: str) -> None:
    """A project does not take what was pushed under its name before."""
    await tenants.fill(repository)
    async with tenants.refused(Conflict, "lie under shop/ already"):
        await tenants.projects.create(OPERATING, "shop")
    await tenants.drain()
    await tenants.projects.create(OPERATING, "shop")


@pytest.mark.parametrize("repository", ["shop2/app", "shop-x", "shop.app", "a/shop/b", "sho"])
async def test_create_beside_content(tenants: Tenants, repository: str) -> None:
    """What only begins like the project's name is not in the way."""
    await tenants.fill(repository)
    await tenants.projects.create(OPERATING, "shop")


async def test_page(tenants: Tenants) -> None:
    """Everybody sees the projects that they may know, by name and in pages, with their own role."""
    assert await names(tenants, "root") == ["acme", "default", "zeta"]
    assert await names(tenants, "reader") == ["acme"]
    assert await names(tenants, "acme+ci") == ["acme"]
    assert await names(tenants, "nobody") == await names(tenants, "stranger") == []
    assert await names(tenants, "owner's token") == []
    (found,) = (await tenants.projects.page(await tenants.actor("reader"), "", 10)).items
    assert found.role is Role.READER


async def test_pages(tenants: Tenants) -> None:
    """A page says whether more comes, of what the actor may know."""
    root = await tenants.actor("root")
    for after, size, expected, more in [
        ("", 2, ["acme", "default"], True),
        ("", 3, ["acme", "default", "zeta"], False),
        ("default", 1, ["zeta"], False),
        ("b", 1, ["default"], True),
        ("zeta", 1, [], False),
    ]:
        page = await tenants.projects.page(root, after, size)
        assert ([project.name for project in page.items], page.more) == (expected, more)
    page = await tenants.projects.page(await tenants.actor("neighbour"), "", 1)
    assert ([project.name for project in page.items], page.more) == (["zeta"], False)


async def test_page_of_many(tenants: Tenants) -> None:
    """A page is full although most of the projects are not for the actor to know."""
    for number in range(450):
        await tenants.project(f"p{number:03}", **({"stranger": Role.GUEST} if number % 150 == 149 else {}))
    assert await names(tenants, "stranger", size=2) == ["p149", "p299"]
    assert await names(tenants, "stranger", after="p299", size=2) == ["p449"]
    assert len(await names(tenants, "root", size=500)) == 453


async def test_public_projects(tenants: Tenants) -> None:
    """A project with something public is there for everybody."""
    await tenants.registries.update(OPERATING, "acme", "main", visibility="public")
    assert await names(tenants, "nobody") == await names(tenants, "stranger") == ["acme"]
    assert (await tenants.projects.get(await tenants.nobody(), "acme")).role is None


async def test_most_powerful_role(tenants: Tenants) -> None:
    """Who has several roles, through groups, is shown the most powerful one."""
    await tenants.groups.add(OPERATING, "devs", "reader")
    for role in [Role.DEVELOPER, Role.OWNER, Role.GUEST]:
        await tenants.members.put(OPERATING, "acme", parse_subject("group:devs"), role)
        shown = (await tenants.projects.get(await tenants.actor("reader"), "acme")).role
        assert shown == {Role.GUEST: Role.READER}.get(role, role)


async def test_update(tenants: Tenants) -> None:
    """The description is changed, if there is a new one."""
    owner = await tenants.actor("owner")
    async with tenants.noted(owner, "project.update", "project:acme", "acme", "description"):
        assert (await tenants.projects.update(owner, "acme", "Two\nlines.")).description == "Two\nlines."
    assert (await tenants.projects.update(owner, "acme", None)).description == "Two\nlines."
    assert (await tenants.projects.update(owner, "acme", "")).description == ""
    assert (await tenants.projects.get(owner, "acme")).description == ""


async def test_delete(tenants: Tenants) -> None:
    """With a project go its registries, rules, robots and members, and nothing of another project."""
    owner = await tenants.actor("owner")
    await tenants.rules.create(owner, "acme", "main", "acme/x", parse_subject("robot:acme+ci"), frozenset())
    await tenants.immutable_tags.create(owner, "acme", "main", "**", "v*")
    await tenants.robots.create(OPERATING, "zeta", "ci", Role.READER)
    async with tenants.noted(owner, "project.delete", "project:acme", "acme"):
        await tenants.projects.delete(owner, "acme")
    async with tenants.refused(NotFound):
        await tenants.projects.get(OPERATING, "acme")
    assert await names(tenants, "root") == ["default", "zeta"]
    assert await tenants.store.fetch_all("SELECT name FROM registries ORDER BY name") == [("main",), ("root",)]
    assert await tenants.store.fetch_all("SELECT name FROM principals WHERE kind = 'robot'") == [("zeta+ci",)]
    assert [await tenants.count(table) for table in ["rules", "immutable_tags", "members"]] == [0, 0, 2]
    assert (await tenants.projects.create(OPERATING, "acme")).role is None


@pytest.mark.parametrize("repository", ["acme", "acme/app", "acme/sub/app", "elsewhere/app"])
async def test_delete_with_content(tenants: Tenants, repository: str) -> None:
    """A project is not deleted while a repository of one of its registries has content."""
    await tenants.registries.create(OPERATING, "acme", "sub")
    await tenants.registries.create(OPERATING, "acme", "elsewhere", prefix="elsewhere")
    await tenants.fill(repository)
    async with tenants.refused(Conflict, "the project acme is not empty"):
        await tenants.projects.delete(OPERATING, "acme")
    await tenants.drain()
    await tenants.projects.delete(OPERATING, "acme")


async def test_content_of_others_is_not_in_the_way(tenants: Tenants) -> None:
    """What lies under the project's name but in a registry of another project does not keep it."""
    await tenants.registries.create(OPERATING, "zeta", "borrowed", prefix="acme/lent")
    await tenants.fill("acme/lent/app")
    await tenants.fill("acme2/app")
    await tenants.fill("app")
    await tenants.projects.delete(OPERATING, "acme")
    async with tenants.refused(Conflict):
        await tenants.projects.delete(OPERATING, "zeta")


async def test_default_project(tenants: Tenants) -> None:
    """A new installation has one project, whose registry takes what no other one does."""
    (registry,) = (await tenants.registries.page(OPERATING, "default", "", 10)).items
    assert (registry.name, registry.prefix, registry.visibility) == ("root", "", "private")


async def test_one_of_many_creates(stored_tenants: Tenants) -> None:
    """Of many who make the same project at once one does, and the others are told that the name is taken."""
    root = await stored_tenants.actor("root")

    async def create() -> str:
        try:
            return (await stored_tenants.projects.create(root, "shop")).name
        except RegistryError as error:
            return type(error).__name__

    outcomes = await asyncio.gather(*(create() for _ in range(8)))
    assert sorted(outcomes) == ["AttributeTaken"] * 7 + ["shop"]
    assert [entry.role for entry in (await stored_tenants.projects.page(root, "", 10)).items].count(Role.OWNER) == 1


async def test_in_a_file(stored_tenants: Tenants) -> None:
    """What is done in one transaction is there for the next read, or none of it is."""
    async with stored_tenants.noted(OPERATING, "project.create", "project:shop", "shop"):
        await stored_tenants.projects.create(OPERATING, "shop")
    await stored_tenants.fill("shop/app")
    async with stored_tenants.refused(Conflict):
        await stored_tenants.projects.delete(OPERATING, "shop")
    await stored_tenants.drain()
    async with stored_tenants.noted(OPERATING, "project.delete", "project:shop", "shop"):
        await stored_tenants.projects.delete(OPERATING, "shop")


async def test_monitor(tenants: Tenants) -> None:
    """A monitor of the installation knows no projects."""
    await tenants.users.create(OPERATING, "prometheus", None, SystemRole.MONITOR)
    assert await names(tenants, "prometheus") == []


async def test_delete_with_products(tenants: Tenants) -> None:
    """Products, licenses and customers go with their project, those of another one stay."""
    acme, zeta = [await projects.find(tenants.store, name) for name in ("acme", "zeta")]
    assert acme is not None
    assert zeta is not None
    for project_id in (acme.id, zeta.id):
        await tenants.store.transact(partial(sell, project_id))
    await tenants.projects.delete(OPERATING, "acme")
    assert (await PRODUCTS.count(tenants.store, acme.id), await PRODUCTS.count(tenants.store, zeta.id)) == (0, 1)
    assert (await LICENSES.count(tenants.store, acme.id), await LICENSES.count(tenants.store, zeta.id)) == (0, 1)
    assert await tenants.store.verify() == []


async def sell(project_id: int, tx: Transaction) -> None:
    """A license that a customer of the project has."""
    vendor = Vendor(tx, project_id)
    product = await vendor.product()
    owner = await vendor.customer("owner@example.com")
    await vendor.license(product, await vendor.policy(product), "key", owner_id=owner)
