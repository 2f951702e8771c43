"""The history of tags: what is written down, and who may read what of it."""

import pytest

from auth.actor import OPERATING, Actor
from auth.policy import Unlimited
from auth.principals import Kind, Principal
from registry.domain.history import TagChange
from registry.domain.immutability import ImmutableTags
from registry.domain.tags import Condition, Place
from registry.errors import NotFound, PreconditionFailed, RequestInvalid, TagImmutable
from storage.metadata import manifests, repositories
from storage.metadata.store import MetadataStore, Transaction
from storage.names import RepositoryName, Tag
from tests.unit.registry.domain.past import ACME, NOTHING, Past
from tests.unit.registry.domain.shelf import APP, HOUR, OTHER
from tests.unit.registry.domain.tenants import MEMBERS, Tenants, limited


@pytest.fixture
def past(store: MetadataStore) -> Past:
    """An empty registry."""
    return Past(store)


async def test_every_change_is_there(past: Past) -> None:
    """A tag that was made, moved and taken away has three entries, the newest first, with who did it and when."""
    begun = past.clock.now_ms()
    old = await past.image(b"old", tag="latest")
    past.clock.advance(HOUR)
    new = await past.image(b"new", tag="latest")
    past.clock.advance(HOUR)
    await past.untag("latest")
    assert await past.changes() == [
        TagChange(3, "latest", begun + 7_200_000, str(new), None, "operator", "operator", None),
        TagChange(2, "latest", begun + 3_600_000, str(old), str(new), "operator", "operator", None),
        TagChange(1, "latest", begun, None, str(old), "operator", "operator", None),
    ]


async def test_what_changes_nothing_leaves_nothing(past: Past) -> None:
    """A tag that is pushed again to where it points has no new entry."""
    await past.image(b"one", tag="latest")
    await past.image(b"one", tag="latest")
    assert len(await past.changes()) == 1


async def test_what_is_refused_leaves_nothing(past: Past) -> None:
    """A move that is refused, by a condition or since the tag is immutable, is no change."""
    one, two = await past.image(b"one", tag="v1"), await past.image(b"two")
    await ImmutableTags(past.store, past.clock, past.audit).create(OPERATING, "default", "root", "**", "v*")
    with pytest.raises(TagImmutable):
        await past.image(b"two", tag="v1")
    with pytest.raises(TagImmutable):
        await past.untag("v1")

    async def move(tx: Transaction) -> None:
        place = Place(APP, await repositories.ensure(tx, APP, 0), OPERATING)
        found = await manifests.find_id(tx, place.id, two)
        assert found is not None
        await past.tags.move(tx, place, Tag("other"), (found, two), Condition(lambda current: current is not None))

    with pytest.raises(PreconditionFailed):
        await past.store.transact(move)
    assert await past.moves() == [("v1", None, str(one))]


async def test_tags_of_a_deleted_manifest(past: Past) -> None:
    """Who deletes a manifest takes its tags away, and the history says so."""
    image = await past.image(b"one", tag="1")
    await past.image(b"one", tag="2")
    await past.delete(image)
    assert (await past.moves())[2:] == [("1", str(image), None), ("2", str(image), None)]


async def test_pages(past: Past) -> None:
    """The history comes in pages, of one repository, and of one tag of it if that is asked for."""
    for number in range(5):
        await past.image(b"%d" % number, tag="a" if number % 2 else "b")
    await past.image(b"elsewhere", tag="a", repository=OTHER)
    page = await past.history.page(OPERATING, APP, None, "", 3)
    assert ([change.id for change in page.items], page.more) == ([5, 4, 3], True)
    page = await past.history.page(OPERATING, APP, None, "3", 3)
    assert ([change.id for change in page.items], page.more) == ([2, 1], False)
    assert [change.id for change in await past.changes(tag="b")] == [5, 3, 1]
    assert [change.id for change in await past.changes(tag="b", after="5", size=1)] == [3]
    assert [change.id for change in await past.changes(OTHER)] == [6]
    assert await past.changes(tag="never") == []
    with pytest.raises(RequestInvalid):
        await past.changes(after="x")


@pytest.mark.parametrize("name", ["nul\0", "half\ud800", "x" * 1000])
async def test_strange_names(past: Past, name: str) -> None:
    """Whatever another issuer calls somebody can be written down, up to 512 characters."""
    actor = Actor(Unlimited(Principal(Kind.EXTERNAL, name)), token="laptop")
    digest = await past.image(b"one")

    async def move(tx: Transaction) -> None:
        place = Place(APP, await repositories.ensure(tx, APP, 0), actor)
        found = await manifests.find_id(tx, place.id, digest)
        assert found is not None
        await past.tags.move(tx, place, Tag("1"), (found, digest))

    await past.store.transact(move)
    (change,) = await past.changes()
    kept = name.replace("\0", "?").replace("\ud800", "?")[:512]
    assert (change.kind, change.principal, change.token) == ("external", kept, "laptop")


async def test_who_sees_what(tenants: Tenants) -> None:
    """Whoever may pull sees the history; who did it is for those who may push, or see the members."""
    past = Past(tenants.store)
    await past.image(b"one", tag="1", repository=ACME)
    for name in [*(member for member in MEMBERS if member != "guest"), "acme+ci", "root"]:
        (change,) = await past.changes(ACME, actor=await tenants.actor(name))
        assert (change.kind, change.principal) == ("operator", "operator"), name
    await tenants.registries.update(OPERATING, "acme", "main", "public")
    for actor in (await tenants.nobody(), await tenants.actor("stranger"), await tenants.actor("guest")):
        (change,) = await past.changes(ACME, actor=actor)
        assert (change.new, change.kind, change.principal, change.token) == (change.new, None, None, None)
    # A token for content alone, of somebody who may push, pushes as well.
    (change,) = await past.changes(ACME, actor=limited(await tenants.actor("developer")))
    assert change.principal == "operator"


@pytest.mark.parametrize("name", ["nobody", "stranger", "neighbour", "guest"])
async def test_missing_and_forbidden_look_alike(tenants: Tenants, name: str) -> None:
    """Who may not pull learns nothing, not even whether there is a repository."""
    past = Past(tenants.store)
    await past.image(b"one", tag="1", repository=ACME)
    actor = await tenants.somebody(name)
    for repository in (ACME, NOTHING):
        with pytest.raises(NotFound, match=f"^repository '{repository}' is not known$"):
            await past.changes(repository, actor=actor)


async def test_missing(tenants: Tenants) -> None:
    """Who may pull is told where there is nothing."""
    past = Past(tenants.store)
    with pytest.raises(NotFound, match=f"^repository '{NOTHING}' is not known$"):
        await past.changes(NOTHING, actor=await tenants.actor("reader"))


async def test_past_of_another_registry(tenants: Tenants) -> None:
    """What was before there was the registry is for none of its people, but for administrators."""
    past = Past(tenants.store)
    lib = RepositoryName("acme/lib/one")
    image = await past.image(b"one", tag="1", repository=lib)
    await past.delete(image, lib)
    past.clock.advance(HOUR)
    await tenants.store.transact(lambda tx: tx.execute("DELETE FROM blob_links"))
    tenants.clock.advance(HOUR)
    await tenants.registries.create(OPERATING, "acme", "lib")
    await past.image(b"two", tag="1", repository=lib)
    owner, root = await tenants.actor("owner"), await tenants.actor("root")
    assert [change.id for change in await past.changes(lib, actor=owner)] == [3]
    assert [change.id for change in await past.changes(lib, actor=root)] == [3, 2, 1]
    assert await past.deleted_manifests(lib, owner) == []
    with pytest.raises(NotFound, match=r"^deleted manifest"):
        await past.restore(image, repository=lib, actor=owner)
    assert len(await past.deleted_manifests(lib, root)) == 1
    await past.restore(image, repository=lib, actor=root)
