"""Immutable tags: which they are, and who decides."""

import pytest

from auth.actor import OPERATING
from registry.domain.immutability import IMMUTABLE_TAGS_MAX, ImmutableTag, is_immutable
from registry.errors import AttributeInvalid, Conflict, NotFound, RequestInvalid
from storage.names import RepositoryName, Tag
from tests.unit.registry.domain.tenants import Tenants

HEX = "0123456789abcdef" * 4


async def create(
    tenants: Tenants, repositories: str = "**", tags: str = "v*", registry: str = "main", project: str = "acme"
) -> ImmutableTag:
    """Make tags immutable."""
    return await tenants.immutable_tags.create(OPERATING, project, registry, repositories, tags)


async def immutable(tenants: Tenants, reference: str) -> bool:
    """Whether the tag of the repository has to stay."""
    repository, _, tag = reference.rpartition(":")
    return await is_immutable(tenants.store, RepositoryName(repository), Tag(tag))


async def test_create(tenants: Tenants) -> None:
    """Those who make rules decide which tags are immutable."""
    maintainer = await tenants.actor("maintainer")
    async with tenants.noted(maintainer, "immutable-tag.create", "registry:acme/main", "acme", "acme/app/**:v*"):
        made = await tenants.immutable_tags.create(maintainer, "acme", "main", "acme/app/**", "v*")
    assert made == ImmutableTag(made.id, "main", "acme/app/**", "v*", tenants.clock.now_ms())
    assert (await tenants.immutable_tags.page(maintainer, "acme", "main", "", 10)).items == [made]
    assert await tenants.immutable_tags.get(maintainer, "acme", "main", made.id) == made


@pytest.mark.parametrize(
    ("repositories", "tags", "yes", "no"),
    [
        ("**", "**", ["acme/app:1", "acme:latest"], ["zeta/app:1", "app:1", "acme2/app:1"]),
        ("acme/app", "v*", ["acme/app:v1", "acme/app:v"], ["acme/app:1", "acme/app:V1", "acme/app2:v1", "acme/x:v1"]),
        ("acme/*", "v*.*.*", ["acme/app:v1.2.3"], ["acme/app:v1.2", "acme/app/x:v1.2.3"]),
        ("acme/prod/**", "*", ["acme/prod/a/b:x"], ["acme/prod:x", "acme/prod2/a:x"]),
        ("acme/app", "1.0", ["acme/app:1.0"], ["acme/app:1x0", "acme/app:1.0.1", "acme/app:11.0"]),
    ],
)
async def test_patterns(tenants: Tenants, repositories: str, tags: str, yes: list[str], no: list[str]) -> None:
    """A tag is immutable if both patterns match it, in the repositories of the registry and nowhere else."""
    assert [reference for reference in yes if await immutable(tenants, reference)] == []
    await create(tenants, repositories, tags)
    assert [reference for reference in yes if not await immutable(tenants, reference)] == []
    assert [reference for reference in no if await immutable(tenants, reference)] == []


async def test_any_of_many(tenants: Tenants) -> None:
    """It is enough that one pair of patterns matches; the halves of two are no pair."""
    await create(tenants, "acme/app", "v*")
    await create(tenants, "acme/lib", "1.*")
    assert await immutable(tenants, "acme/app:v1")
    assert await immutable(tenants, "acme/lib:1.0")
    assert not await immutable(tenants, "acme/app:1.0")
    assert not await immutable(tenants, "acme/lib:v1")


async def test_longest_prefix(tenants: Tenants) -> None:
    """Only the registry that a repository belongs to decides, not one with a shorter prefix."""
    await create(tenants, registry="root", project="default")
    assert await immutable(tenants, "team/apps/x:v1")
    await tenants.registries.create(OPERATING, "acme", "apps", "team/apps")
    assert not await immutable(tenants, "team/apps/x:v1")
    assert await immutable(tenants, "team/apps2/x:v1")
    await create(tenants, registry="apps")
    assert await immutable(tenants, "team/apps/x:v1")
    await tenants.store.transact(lambda tx: tx.execute("DELETE FROM registries"))
    assert not await immutable(tenants, "team/apps/x:v1")


@pytest.mark.parametrize("suffix", ["", ".sig", ".att", ".sbom"])
@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
async def test_signatures(tenants: Tenants, algorithm: str, suffix: str) -> None:
    """Tags under which clients add signatures, or referrers, to another manifest are never immutable."""
    await create(tenants, tags="**")
    assert not await immutable(tenants, f"acme/app:{algorithm}-{HEX}{suffix}")


@pytest.mark.parametrize(
    "tag", [f"sha256-{HEX}.sig2", f"sha256-{HEX}0", f"sha256-{HEX[1:]}.sig", f"x-{HEX}", "v1.sig", f"vsha256-{HEX}.sig"]
)
async def test_not_quite_signatures(tenants: Tenants, tag: str) -> None:
    """A tag that only looks a little like one of those can be immutable."""
    await create(tenants, tags="**")
    assert await immutable(tenants, f"acme/app:{tag}")


@pytest.mark.parametrize("pattern", ["", "***", "a b", "[a]", "x" * 256])
async def test_bad_patterns(tenants: Tenants, pattern: str) -> None:
    """What is no pattern is refused."""
    async with tenants.refused(AttributeInvalid, "^repositories "):
        await create(tenants, repositories=pattern)
    async with tenants.refused(AttributeInvalid, "^tags "):
        await create(tenants, tags=pattern)


async def test_twice(tenants: Tenants) -> None:
    """The same patterns are not kept twice in one registry."""
    await create(tenants)
    async with tenants.refused(Conflict, r"^tags v\* of \*\* are immutable already$"):
        await create(tenants)
    await create(tenants, project="zeta")


async def test_page(tenants: Tenants) -> None:
    """They are listed by their ids, in pages, those of one registry alone."""
    made = [await create(tenants, tags=f"a{number}") for number in range(2)]
    await create(tenants, project="zeta")
    made += [await create(tenants, tags=f"b{number}") for number in range(2)]
    page = await tenants.immutable_tags.page(OPERATING, "acme", "main", "", 3)
    assert (page.items, page.more) == (made[:3], True)
    page = await tenants.immutable_tags.page(OPERATING, "acme", "main", str(made[2].id), 3)
    assert (page.items, page.more) == (made[3:], False)
    with pytest.raises(RequestInvalid):
        await tenants.immutable_tags.page(OPERATING, "acme", "main", "x", 3)


async def test_delete(tenants: Tenants) -> None:
    """The tags can move again."""
    made = await create(tenants)
    async with tenants.noted(OPERATING, "immutable-tag.delete", "registry:acme/main", "acme", "**:v*"):
        await tenants.immutable_tags.delete(OPERATING, "acme", "main", made.id)
    assert not await immutable(tenants, "acme/app:v1")
    async with tenants.refused(NotFound, f"^immutable tag '{made.id}' is not known$"):
        await tenants.immutable_tags.delete(OPERATING, "acme", "main", made.id)
    async with tenants.refused(NotFound, f"^immutable tag '{made.id}' is not known$"):
        await tenants.immutable_tags.get(OPERATING, "acme", "main", made.id)


async def test_those_of_others(tenants: Tenants) -> None:
    """They cannot be reached through another registry or another project, whoever asks."""
    await tenants.registries.create(OPERATING, "acme", "apps")
    made = await create(tenants)
    for who, project, registry in [("neighbour", "zeta", "main"), ("owner", "acme", "apps"), ("root", "zeta", "main")]:
        async with tenants.refused(NotFound, f"^immutable tag '{made.id}' is not known$"):
            await tenants.immutable_tags.get(await tenants.actor(who), project, registry, made.id)
        async with tenants.refused(NotFound, f"^immutable tag '{made.id}' is not known$"):
            await tenants.immutable_tags.delete(await tenants.actor(who), project, registry, made.id)
    async with tenants.refused(NotFound, "^registry 'gone' is not known$"):
        await create(tenants, registry="gone")


async def test_limit(tenants: Tenants) -> None:
    """A registry has a bounded number of them: all are looked at whenever a tag moves."""
    for number in range(IMMUTABLE_TAGS_MAX):
        await create(tenants, tags=f"v{number}")
    async with tenants.refused(Conflict, f"has {IMMUTABLE_TAGS_MAX} rules about immutable tags already"):
        await create(tenants, tags="w")


async def test_in_a_file(stored_tenants: Tenants) -> None:
    """What is done in one transaction is there for the next read, or none of it is."""
    made = await create(stored_tenants)
    assert await immutable(stored_tenants, "acme/app:v1")
    assert await stored_tenants.store.transact(lambda tx: is_immutable(tx, RepositoryName("acme/app"), Tag("v1")))
    await stored_tenants.immutable_tags.delete(OPERATING, "acme", "main", made.id)
    assert not await immutable(stored_tenants, "acme/app:v1")
