"""The keys of one process, while others make and remove keys beside it."""

import asyncio
from pathlib import Path

import pytest

from auth.keyfiles import KeyFolder
from auth.keys import KeyRing, SigningKey
from registry.domain.keys import OwnKeys
from storage.errors import StorageUnavailable

START = 1_700_000_000_000
DAY_MS = 24 * 3_600_000


class CountedFolder(KeyFolder):
    """Counts how often the files are read."""

    loads = 0

    def load(self) -> KeyRing | None:
        self.loads += 1
        return super().load()


@pytest.fixture
def folder(tmp_path: Path) -> CountedFolder:
    """A folder with a first key."""
    folder = CountedFolder(tmp_path / "keys")
    folder.ensure(START)
    folder.loads = 0
    return folder


async def signing(keys: OwnKeys) -> str:
    """The key that signs."""
    return (await keys.ring()).signing.kid


async def trusts(keys: OwnKeys, kid: str) -> bool:
    """Whether a token that was signed with the key is believed."""
    found = await keys.find(kid)
    assert found is None or found.kid == kid
    return found is not None


async def test_without_a_folder() -> None:
    """Where nothing is written to disk, each process has a key of its own for as long as it lives."""
    keys, other = OwnKeys(None), OwnKeys(None)
    kid = await signing(keys)
    await keys.refresh()
    assert await signing(keys) == kid
    assert await trusts(keys, kid)
    assert not await trusts(other, kid)


async def test_processes_share_keys(folder: CountedFolder) -> None:
    """What one process signed, another one believes."""
    keys, other = OwnKeys(folder), OwnKeys(folder)
    assert await trusts(other, await signing(keys))


async def test_files_are_read_once(folder: CountedFolder) -> None:
    """Keys that are known are not read again for each token."""
    keys = OwnKeys(folder)
    kid = await signing(keys)
    for _ in range(10):
        assert await trusts(keys, kid)
        await keys.ring()
    assert folder.loads == 1


async def test_rotation(folder: CountedFolder) -> None:
    """After a rotation the new key signs, and what the old one signed stays good."""
    keys = OwnKeys(folder)
    old = await signing(keys)
    new = folder.rotate(START + DAY_MS).kid
    await keys.refresh()
    assert await signing(keys) == new
    assert await trusts(keys, old)
    assert [jwk["kid"] for jwk in (await keys.ring()).jwks()["keys"]] == [new, old]


async def test_key_that_another_process_has_just_made(folder: CountedFolder) -> None:
    """A token with a key that is not known here makes the process look again, and then the new key signs here, too."""
    keys = OwnKeys(folder)
    await keys.refresh()
    for number, wait_s in enumerate([0, 1.05]):
        await asyncio.sleep(wait_s)
        new = folder.rotate(START + DAY_MS + number).kid
        assert await trusts(keys, new)
        assert await signing(keys) == new


async def test_keys_that_strangers_make_up(folder: CountedFolder) -> None:
    """Unknown keys make a process look once in a second, not for each token."""
    keys = OwnKeys(folder)
    for number in range(100):
        assert not await trusts(keys, f"made up {number}")
    assert folder.loads <= 2


async def test_retired_key(folder: CountedFolder) -> None:
    """A key that was removed, some time after it was replaced, is not trusted any more."""
    keys = OwnKeys(folder)
    old = await signing(keys)
    new = folder.rotate(START + DAY_MS).kid
    assert folder.retire(START + DAY_MS) == 0
    assert folder.retire(START + DAY_MS + 1) == 1
    await keys.refresh()
    assert (await trusts(keys, old), await trusts(keys, new)) == (False, True)


@pytest.mark.parametrize(
    "content",
    [b"", b"\0" * 200, b"-----BEGIN PRIVATE KEY-----\n", SigningKey.generate().to_pem()[:90]],
    ids=["nothing", "zeros", "a first line", "a part"],
)
async def test_damaged_file(folder: CountedFolder, tmp_path: Path, content: bytes) -> None:
    """A damaged file takes its own key away, and no other: what is left signs."""
    keys = OwnKeys(folder)
    old = await signing(keys)
    new = folder.rotate(START + DAY_MS).kid
    (tmp_path / "keys" / f"{START + DAY_MS}-{new}.pem").write_bytes(content)
    await keys.refresh()
    assert await signing(keys) == old
    assert not await trusts(keys, new)


async def test_all_files_are_damaged(folder: CountedFolder, tmp_path: Path) -> None:
    """A process that runs goes on with the keys that it knows, whatever happens to the files; a new one cannot."""
    keys = OwnKeys(folder)
    kid = await signing(keys)
    for path in (tmp_path / "keys").iterdir():
        path.write_bytes(b"")
    await keys.refresh()
    assert await signing(keys) == kid
    assert await trusts(keys, kid)
    with pytest.raises(StorageUnavailable, match="the keys that sign tokens cannot be read"):
        await OwnKeys(folder).ring()
    with pytest.raises(StorageUnavailable):
        await OwnKeys(folder).find(kid)


async def test_keys_that_come_back(folder: CountedFolder, tmp_path: Path) -> None:
    """Where no key could be read, the process works as soon as one can be."""
    keys = OwnKeys(CountedFolder(tmp_path / "later"))
    with pytest.raises(StorageUnavailable):
        await keys.ring()
    KeyFolder(tmp_path / "later").ensure(START)
    assert await trusts(keys, await signing(keys))
