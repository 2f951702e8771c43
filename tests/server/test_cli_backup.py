"""`berth backup`: what it says, and how it ends. What it copies is tested beside what copies it."""

import asyncio
import json
from pathlib import Path

from tests.server.commands import Commands
from tests.unit.storage.sound_store import make_sound_store


def test_backup_tells_what_it_has(berth: Commands, tmp_path: Path) -> None:
    """The line and the object say what is in the backup, and the backup is a data folder."""
    target = str(tmp_path / "backup")
    assert berth("backup", target) == (
        f"{target} has the database, 1 signing keys and 0 blobs of 0 bytes; 0 blobs are new in it, 0 are gone\n"
    )
    asyncio.run(make_sound_store(berth.data))
    assert berth.json("backup", target) == {
        "database": True,
        "keys": 1,
        "blobs": 3,
        "bytes": 20,
        "copied": 3,
        "removed": 0,
        "missing": [],
    }
    assert "nothing is wrong" in berth("check", "--bytes", "--data", target)
    assert "admin" in berth("user", "list", "--data", target)


def test_lost_blob_is_told(berth: Commands, tmp_path: Path) -> None:
    """A backup without what the registry has lost ends with 1, and names it."""
    store = asyncio.run(make_sound_store(berth.data))
    store.file_of("layer").unlink()
    digest, target = store.digests["layer"], str(tmp_path / "backup")
    ending = berth.run("backup", target)
    assert (ending.code, ending.error) == (1, "")
    assert ending.out.startswith(f"blob {digest}: its bytes are missing in the data folder, too\n{target} has the")
    assert json.loads(berth.run("backup", target, "--json").out)["missing"] == [str(digest)]


def test_rows_and_bytes_elsewhere(berth: Commands, tmp_path: Path) -> None:
    """What is not in the data folder is named as what the backup does not have."""
    settings = tmp_path / "berth.toml"
    settings.write_text('[storage]\nblobs = "s3"\n[s3]\nbucket = "there"\n')
    assert "no blobs, which are in the bucket there" in berth("backup", str(tmp_path / "b"), "--config", str(settings))


def test_wrong_place_is_refused(berth: Commands) -> None:
    """A backup in the data folder would be lost with it."""
    error = berth.refused("backup", str(berth.data / "backup"))
    assert error == "berth: the backup cannot be in the data folder, nor the data folder in it\n"
