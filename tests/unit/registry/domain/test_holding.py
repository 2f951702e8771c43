"""When something held a manifest last, which decides how long it stays."""

import pytest

from registry.errors import ManifestUnknown
from storage.errors import StorageFull
from storage.metadata.store import MetadataStore
from tests.unit.registry.domain.past import Past
from tests.unit.registry.domain.shelf import APP, DAY, GRACE, HOUR, OTHER
from tests.unit.registry.domain.stores import FailingStore

HELD = (0.0, False)
ORPHANED = (0.0, True)


@pytest.fixture
def past(store: MetadataStore) -> Past:
    """An empty registry."""
    return Past(store)


async def test_pushing_holds(past: Past) -> None:
    """A manifest is held when it is pushed, and again whenever that is done."""
    image = await past.image(b"one")
    assert await past.held(image) == HELD
    past.clock.advance(DAY)
    assert await past.held(image) == (DAY, False)
    await past.image(b"one")
    assert await past.held(image) == HELD


async def test_a_tag_that_comes(past: Past) -> None:
    """Who points a tag to a manifest by pushing it holds it, and so does who brings only the tag."""
    image = await past.image(b"one")
    past.clock.advance(DAY)
    await past.image(b"one", tag="1")
    assert await past.held(image) == HELD
    past.clock.advance(DAY)
    await past.restore(image, "2")
    assert await past.held(image) == HELD


async def test_a_tag_that_leaves(past: Past) -> None:
    """A manifest was held until its tag left it, or was taken away."""
    one, two = await past.image(b"one", tag="latest"), await past.image(b"two", tag="other")
    past.clock.advance(DAY)
    await past.image(b"three", tag="latest")
    assert (await past.held(one), await past.held(two)) == (HELD, (DAY, False))
    await past.untag("other")
    assert await past.held(two) == HELD


async def test_an_index_holds_its_parts(past: Past) -> None:
    """Who pushes an index, also once more, holds its parts in this repository and no others."""
    part, other = await past.image(b"part"), await past.image(b"other")
    elsewhere = await past.image(b"part", repository=OTHER)
    past.clock.advance(DAY)
    await past.index(part)
    assert (await past.held(part), await past.held(other)) == (HELD, (DAY, False))
    assert await past.held(elsewhere, OTHER) == (DAY, False)
    past.clock.advance(DAY)
    await past.index(part)
    assert await past.held(part) == HELD


async def test_parts_of_a_deleted_index(past: Past) -> None:
    """Parts are held until their index is deleted; then those are orphaned that no tag and no other index holds."""
    names = ("alone", "tagged", "shared", "untouched")
    parts = {name: await past.image(name.encode(), tag="1" if name == "tagged" else None) for name in names}
    index = await past.index(parts["alone"], parts["tagged"], parts["shared"])
    await past.index(parts["shared"])
    past.clock.advance(DAY)
    await past.delete(index)
    assert {name: await past.held(part) for name, part in parts.items()} == {
        "alone": ORPHANED,
        "tagged": HELD,
        "shared": HELD,
        "untouched": (DAY, False),
    }


@pytest.mark.parametrize("how", ["push", "tag", "index", "restored index", "tag alone"])
async def test_orphans_are_taken_in(past: Past, how: str) -> None:
    """What is pushed, tagged, or made a part of an index again is orphaned no more."""
    part = await past.image(b"part")
    index = await past.index(part)
    await past.delete(index)
    assert await past.held(part) == ORPHANED
    if how == "index":
        await past.index(part, await past.image(b"another"))
    elif how == "restored index":
        await past.restore(index)
    elif how == "tag alone":
        await past.restore(part, "1")
    else:
        await past.image(b"part", tag="1" if how == "tag" else None)
    assert await past.held(part) == HELD


async def test_referrers_of_a_deleted_subject(past: Past) -> None:
    """Referrers are held until their subject is deleted."""
    image, other = await past.image(b"one"), await past.image(b"two")
    signature, another = await past.referrer(image), await past.referrer(other)
    past.clock.advance(DAY)
    await past.delete(image)
    assert (await past.held(signature), await past.held(another)) == (HELD, (DAY, False))


async def test_many_pushes_of_the_same(past: Past) -> None:
    """Who pushes what was just pushed changes no row that others push, too."""
    image = await past.image(b"one")
    past.clock.advance(59)
    await past.image(b"one", tag="1")
    assert await past.held(image) == (59, False)
    past.clock.advance(2)
    await past.image(b"one", tag="2")
    assert await past.held(image) == HELD


async def test_asking_holds(past: Past) -> None:
    """Who asks before a push holds a manifest, when it was not held for a while; the orphaned stay so."""
    part = await past.image(b"part")
    await past.delete(await past.index(part))
    past.clock.advance(600)
    await past.manifests.keep(APP, part, await past.manifests.get(APP, part))
    assert await past.held(part) == (600, True)
    past.clock.advance(GRACE / 4 - 600 + 1)
    await past.manifests.keep(APP, part, await past.manifests.get(APP, part))
    assert await past.held(part) == ORPHANED


async def test_asking_for_what_went(past: Past) -> None:
    """Who asks for a manifest that goes at that moment is told that it is not there."""
    image = await past.image(b"one")
    past.clock.advance(HOUR)
    found = await past.manifests.get(APP, image)
    await past.delete(image)
    with pytest.raises(ManifestUnknown):
        await past.manifests.keep(APP, image, found)


async def test_asking_on_a_full_disk(stored: MetadataStore) -> None:
    """Who asks is answered when nothing can be written: then nothing can be pushed either."""
    store = FailingStore(stored)
    past = Past(store)
    image = await past.image(b"one")
    past.clock.advance(HOUR)
    store.write_error = StorageFull()
    await past.manifests.keep(APP, image, await past.manifests.get(APP, image))
    assert await past.held(image) == (HOUR, False)
