"""Prefixes of registries: who may take which, and what becomes of the repositories under them."""

import pytest

from auth.actor import OPERATING
from auth.policy import Rights
from registry.domain.registries import PREFIX_LENGTH_MAX
from registry.errors import AttributeInvalid, Conflict, Denied
from storage.names import RepositoryName
from tests.unit.registry.domain.tenants import Tenants


async def owner_of(tenants: Tenants, repository: str) -> str:
    """Which registry has the repository."""
    access = (await tenants.actor("root")).access
    assert isinstance(access, Rights)
    found = access.registries.find(RepositoryName(repository))
    return f"{found.project}/{found.name}" if found else "none"


@pytest.mark.parametrize(
    "prefix", ["/", "acme/", "/acme", "acme//x", "Acme", "acme/..", "acme/*", "acme/x\n", "a" * (PREFIX_LENGTH_MAX + 1)]
)
async def test_bad_prefixes(tenants: Tenants, prefix: str) -> None:
    """A prefix with which no repository's name can begin is refused."""
    async with tenants.refused(AttributeInvalid, "^prefix (has to be|cannot begin)"):
        await tenants.registries.create(OPERATING, "acme", "apps", prefix)


@pytest.mark.parametrize("prefix", ["", "shop", "zeta/x", "acme2", "acme2/x", "acme-x/y", "zeta/acme/x", "a"])
async def test_foreign_prefixes(tenants: Tenants, prefix: str) -> None:
    """Only an administrator may give a registry a prefix that is not the project's name, nor below it."""
    for who in ["owner", "maintainer"]:
        async with tenants.refused(Denied, r"is not below acme/, and projects\.create is for administrators"):
            await tenants.registries.create(await tenants.actor(who), "acme", "apps", prefix)
    await tenants.registries.delete(OPERATING, "default", "root")
    assert (await tenants.registries.create(await tenants.actor("root"), "acme", "apps", prefix)).prefix == prefix


async def test_own_prefixes(tenants: Tenants) -> None:
    """A maintainer may take the project's name as a prefix, and anything below it."""
    maintainer = await tenants.actor("maintainer")
    await tenants.registries.delete(maintainer, "acme", "main")
    for name, prefix in [("one", "acme"), ("two", "acme/x/y"), ("three", "acme/x")]:
        assert (await tenants.registries.create(maintainer, "acme", name, prefix)).prefix == prefix


async def test_longest_prefix(tenants: Tenants) -> None:
    """A longer prefix takes over what begins with it, by whole components, and gives it back when it goes."""
    assert await owner_of(tenants, "team/apps/x") == "default/root"
    await tenants.registries.create(OPERATING, "zeta", "team", "team")
    assert await owner_of(tenants, "team/apps/x") == "zeta/team"
    await tenants.registries.create(OPERATING, "acme", "apps", "team/apps")
    for repository, expected in [
        ("team/apps", "acme/apps"),
        ("team/apps/x", "acme/apps"),
        ("team/apps/x/y", "acme/apps"),
        ("team/apps2/x", "zeta/team"),
        ("team/apps-x", "zeta/team"),
        ("team/app", "zeta/team"),
        ("team", "zeta/team"),
        ("team2", "default/root"),
        ("my/team/apps", "default/root"),
    ]:
        assert await owner_of(tenants, repository) == expected
    await tenants.registries.delete(OPERATING, "acme", "apps")
    assert await owner_of(tenants, "team/apps/x") == "zeta/team"
    await tenants.registries.delete(OPERATING, "zeta", "team")
    await tenants.registries.delete(OPERATING, "default", "root")
    assert await owner_of(tenants, "team/apps/x") == "none"


@pytest.mark.parametrize("repository", ["acme/apps", "acme/apps/x", "acme/apps/x/y"])
async def test_create_over_content(tenants: Tenants, repository: str) -> None:
    """A registry does not take content from another one, not even from its own project's."""
    await tenants.link(repository)
    async with tenants.refused(Conflict, "repositories of another registry lie under the prefix 'acme/apps' already"):
        await tenants.registries.create(OPERATING, "acme", "apps")
    await tenants.drain()
    await tenants.registries.create(OPERATING, "acme", "apps")


async def test_create_over_orphans(tenants: Tenants) -> None:
    """A registry does not take content that has no registry at all."""
    await tenants.fill("lost/app")
    await tenants.store.transact(lambda tx: tx.execute("DELETE FROM registries WHERE prefix = ''"))
    async with tenants.refused(Conflict):
        await tenants.registries.create(OPERATING, "acme", "lost", "lost")
    async with tenants.refused(Conflict):
        await tenants.registries.create(OPERATING, "acme", "all", "")


@pytest.mark.parametrize("repository", ["acme/apps2/x", "acme/apps-x", "acme/app", "acme", "apps/x", "acme/apps.x/y"])
async def test_create_beside_content(tenants: Tenants, repository: str) -> None:
    """What only begins like the prefix, and not with all of it, is not in the way."""
    await tenants.fill(repository)
    await tenants.registries.create(OPERATING, "acme", "apps")


async def test_create_above_content(tenants: Tenants) -> None:
    """What belongs to longer prefixes stays there when a shorter one comes, and is not in its way."""
    await tenants.registries.create(OPERATING, "zeta", "deep", "team/apps/deep")
    await tenants.registries.create(OPERATING, "zeta", "deeper", "team/apps/deep/er")
    for repository in ["team/apps/deep", "team/apps/deep/x", "team/apps/deep/er/x"]:
        await tenants.fill(repository)
    await tenants.registries.create(OPERATING, "acme", "apps", "team/apps")
    assert await owner_of(tenants, "team/apps/deep/x") == "zeta/deep"
    await tenants.registries.delete(OPERATING, "acme", "apps")
    await tenants.fill("team/apps/deep2/x")
    async with tenants.refused(Conflict):
        await tenants.registries.create(OPERATING, "acme", "apps", "team/apps")


async def test_in_a_file(stored_tenants: Tenants) -> None:
    """What is done in one transaction is there for the next read, or none of it is."""
    await stored_tenants.fill("team/apps/x")
    async with stored_tenants.refused(Conflict):
        await stored_tenants.registries.create(OPERATING, "acme", "apps", "team/apps")
    await stored_tenants.drain()
    async with stored_tenants.noted(
        OPERATING, "registry.create", "registry:acme/apps", "acme", "private, prefix team/apps"
    ):
        await stored_tenants.registries.create(OPERATING, "acme", "apps", "team/apps")
    assert await owner_of(stored_tenants, "team/apps/x") == "acme/apps"
