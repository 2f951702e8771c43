"""The oracle sees what is wrong with releases, artifacts and licenses, and complains of nothing else."""

from pathlib import Path

import pytest

from storage.metadata import repositories
from storage.metadata.licensing import holding
from storage.metadata.licensing.holding import Content
from storage.metadata.sqlite import SqliteStore
from storage.metadata.store import Transaction
from storage.names import parse_repository_name
from tests.unit.storage.metadata.licensing.vendor import add_everything
from tests.unit.storage.sound_store import SoundStore, make_sound_store


@pytest.fixture
async def sound(tmp_path: Path) -> SoundStore:
    """A store with a release, in which nothing is wrong yet."""
    sound = await make_sound_store(tmp_path)

    async def fill(tx: Transaction) -> None:
        here = await repositories.find(tx, parse_repository_name("app"))
        assert here is not None
        layer = Content(here, holding.BLOB, str(sound.digests["layer"]), 9)
        await add_everything(tx, 1, "app", layer, str(sound.digests["index"]))

    store = SqliteStore(sound.place)
    await store.transact(fill)
    await store.close()
    return sound


async def test_sound_releases(sound: SoundStore) -> None:
    """Where all is as it should be, nothing is said."""
    assert (await sound.check()).problems == []


@pytest.mark.parametrize(
    ("statement", "subject", "message"),
    [
        ("DELETE FROM blob_links WHERE digest = :layer", "artifact", "does not have its bytes, {layer}"),
        ("UPDATE artifacts SET repository_id = 2 WHERE digest = :layer", "artifact", "does not have its bytes"),
        ("UPDATE artifacts SET kind = 'manifest' WHERE digest = :layer", "artifact", "does not have its bytes"),
        ("UPDATE blob_links SET protected_until = 5 WHERE digest = :layer", "artifact", "are not kept for as long"),
        ("UPDATE artifacts SET size = 8 WHERE digest = :layer", "artifact", "says 8 bytes, its blob has 9"),
        ("UPDATE artifacts SET version_key = 'x' WHERE digest = :layer", "artifact", "version of its release"),
        ("UPDATE releases SET repository_id = 2", "release", "does not have its manifest {index}"),
        ("DELETE FROM release_contents WHERE digest = :index", "release", "nobody can pull it"),
        ("UPDATE licenses SET product_id = 99", "license", "for another product than its policy"),
    ],
)
async def test_broken_releases(sound: SoundStore, statement: str, subject: str, message: str) -> None:
    """Whatever is changed in the rows, the oracle names it."""
    sound.sql(statement)
    problems = (await sound.check(with_bytes=False)).problems
    expected = message.format(**sound.digests)
    assert [one for one in problems if subject in one.subject and expected in one.message], problems
