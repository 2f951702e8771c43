"""Who may see and bring back what was deleted, and what becomes of it when its registry goes."""

import pytest

from auth.actor import OPERATING
from auth.roles import Action
from registry.domain.registries import FORGET_BATCH
from registry.errors import Conflict, Denied, NotFound
from storage.digest import Digest, parse_digest
from storage.names import RepositoryName
from tests.unit.registry.domain.past import ACME, NOTHING, Past
from tests.unit.registry.domain.tenants import Tenants, limited

SUBTREE = RepositoryName("acme/lib/one")
ABROAD = RepositoryName("elsewhere/app")
AGAIN = (
    "INSERT INTO tag_history (repository_id, tag, at, principal_kind, principal)"
    " SELECT repository_id, tag, at, principal_kind, principal FROM tag_history"
)

SEE = ["developer", "maintainer", "owner", "acme+ci", "root", "owner's token"]
RESTORE = ["maintainer", "owner", "root", "owner's token"]


@pytest.fixture
async def past(tenants: Tenants) -> Past:
    """A registry with a deleted manifest, and with a tag that was taken away."""
    past = Past(tenants.store)
    await past.delete(await past.image(b"deleted", tag="deleted", repository=ACME), ACME)
    await past.image(b"there", tag="there", repository=ACME)
    await past.untag("there", ACME)
    return past


async def deleted(past: Past) -> Digest:
    """The digest of the manifest that was deleted."""
    return parse_digest((await past.deleted_manifests(ACME))[0].digest)


@pytest.mark.parametrize("name", SEE)
async def test_who_may_push_sees(tenants: Tenants, past: Past, name: str) -> None:
    """Who may push sees what can be brought back, and who deleted it."""
    actor = await tenants.somebody(name)
    assert [item.principal for item in await past.deleted_manifests(ACME, actor)] == ["operator"]
    assert [item.tag for item in await past.deleted_tags(ACME, actor)] == ["deleted", "there"]


@pytest.mark.parametrize("name", SEE)
async def test_who_may_push_points_tags_back(tenants: Tenants, past: Past, name: str) -> None:
    """Who may push can point a tag to what is there, as by a push."""
    actor = await tenants.somebody(name)
    assert (await past.restore_tag("there", ACME, actor)).tags == ["there"]
    (change, *_) = await past.changes(ACME)
    assert (change.principal, change.token) == (actor.principal.name, actor.token)


@pytest.mark.parametrize("name", RESTORE)
async def test_who_may_delete_brings_back(tenants: Tenants, past: Past, name: str) -> None:
    """Who may push and delete can undo what was deleted."""
    actor = await tenants.somebody(name)
    digest = await deleted(past)
    assert (await past.restore(digest, repository=ACME, actor=actor)).manifests == [digest]


@pytest.mark.parametrize("name", ["developer", "acme+ci"])
async def test_who_may_only_push_does_not(tenants: Tenants, past: Past, name: str) -> None:
    """What was taken away by those who may delete does not come back through those who may not, by tag or digest."""
    actor, before = await tenants.somebody(name), await past.rows("manifests", "tags", "audit")
    with pytest.raises(Denied, match="delete on acme/app is not allowed"):
        await past.restore(await deleted(past), repository=ACME, actor=actor)
    with pytest.raises(Denied, match="delete on acme/app is not allowed"):
        await past.restore_tag("deleted", ACME, actor)
    assert await past.rows("manifests", "tags", "audit") == before


async def test_readers(tenants: Tenants, past: Past) -> None:
    """Who may pull is told that this may not be done, whatever there is."""
    reader, digest = await tenants.actor("reader"), await deleted(past)
    for repository in (ACME, NOTHING):
        for work in (
            past.deleted_manifests(repository, reader),
            past.deleted_tags(repository, reader),
            past.restore(digest, repository=repository, actor=reader),
            past.restore_tag("there", repository, reader),
        ):
            with pytest.raises(Denied, match=f"^push on {repository} is not allowed"):
                await work


@pytest.mark.parametrize("name", ["nobody", "stranger", "neighbour", "guest"])
async def test_strangers(tenants: Tenants, past: Past, name: str) -> None:
    """Who may not pull learns nothing, not even whether there is a repository."""
    actor, digest = await tenants.somebody(name), await deleted(past)
    for repository in (ACME, NOTHING):
        for work in (
            past.deleted_manifests(repository, actor),
            past.deleted_tags(repository, actor),
            past.restore(digest, repository=repository, actor=actor),
            past.restore_tag("there", repository, actor),
        ):
            with pytest.raises(NotFound, match=f"^repository '{repository}' is not known$"):
                await work


async def test_limited_tokens(tenants: Tenants, past: Past) -> None:
    """A token that is not for this is told so, whatever there is."""
    actor = limited(await tenants.actor("owner"), frozenset({Action.PULL}))
    for repository in (ACME, NOTHING):
        with pytest.raises(Denied, match=r"^the access token 'laptop' is for pull only$"):
            await past.deleted_manifests(repository, actor)


@pytest.mark.parametrize("what", ["registry", "project"])
async def test_a_registry_with_nothing_but_a_past(tenants: Tenants, past: Past, what: str) -> None:
    """A registry can go when only deleted things are left, and takes its past along: it is not for the next owner."""
    while await tenants.count("tag_history") <= FORGET_BATCH:
        await tenants.store.transact(lambda tx: tx.execute(AGAIN))
    await tenants.registries.create(OPERATING, "zeta", "sub", "acme/lib")
    for repository in (SUBTREE, ABROAD):
        await past.delete(await past.image(b"kept", tag="v1", repository=repository), repository)

    async def delete() -> None:
        if what == "registry":
            await tenants.registries.delete(OPERATING, "acme", "main")
        else:
            await tenants.projects.delete(OPERATING, "acme")

    with pytest.raises(Conflict):
        await delete()
    assert len(await past.changes(ACME)) == 100
    await tenants.store.transact(lambda tx: tx.execute("DELETE FROM manifest_references"))
    await tenants.store.transact(lambda tx: tx.execute("DELETE FROM manifests"))
    await tenants.store.transact(lambda tx: tx.execute("DELETE FROM blob_links"))
    await delete()
    assert (await past.changes(ACME), await past.deleted_manifests(ACME)) == ([], [])
    # What belongs to others stays.
    for repository in (SUBTREE, ABROAD):
        assert len(await past.changes(repository)) == 2
        assert len(await past.deleted_manifests(repository)) == 1
    with pytest.raises(NotFound):
        await past.restore_tag("deleted", ACME)
