"""How the filesystem driver turns ids and keys into paths, and which texts it takes for one."""

from pathlib import Path

import pytest

from storage.blobs.layout import Layout, is_storage_key, is_upload_id, new_storage_key
from storage.digest import Digest, digest_of

ID = "0123456789abcdef" * 2
HEX64 = "ab" * 32
BAD_IDS = [
    "",
    ID[:-1],
    ID + "0",
    ID.upper(),
    ID + "\n",
    "g" * 32,
    "../" + ID[3:],
    "\u0660" * 32,
    f"{ID[:16]}/{ID[17:]}",
]
BAD_KEYS = [
    "",
    f"sha256/ab/{HEX64}",
    f"sha256/ab/{HEX64}.",
    f"sha256/ab/{HEX64}.{ID}\n",
    f"sha256/ab/{HEX64}.{ID}/x",
    f"/sha256/ab/{HEX64}.{ID}",
    f"../blobs/sha256/ab/{HEX64}.{ID}",
    f"sha256/../{HEX64}.{ID}",
    f"sha256/ab/{HEX64.upper()}.{ID}",
    f"sha256/ab/{HEX64[:-1]}.{ID}",
    f"md5/ab/{HEX64}.{ID}",
    f"sha256//{HEX64}.{ID}",
]


@pytest.mark.parametrize("digest", [digest_of(b"x"), digest_of(b"x", "sha512"), Digest("sha256", HEX64)])
def test_key_of_a_digest(digest: Digest, tmp_path: Path) -> None:
    """A key tells its digest and is spread over folders by its first two digits."""
    key = new_storage_key(digest)
    assert new_storage_key(digest) != key
    assert key.startswith(f"{digest.algorithm}/{digest.hex[:2]}/{digest.hex}.")
    assert is_storage_key(key)
    assert Layout(tmp_path).blob(key) == tmp_path / "blobs" / key


def test_path_of_an_upload(tmp_path: Path) -> None:
    """An upload lies under its id."""
    assert is_upload_id(ID)
    assert Layout(tmp_path).upload(ID) == tmp_path / "uploads" / ID


@pytest.mark.parametrize("text", BAD_IDS)
def test_malformed_ids(text: str, tmp_path: Path) -> None:
    """Nothing but 32 hex digits becomes the path of an upload."""
    assert not is_upload_id(text)
    with pytest.raises(ValueError, match="not an upload id"):
        Layout(tmp_path).upload(text)


@pytest.mark.parametrize("text", BAD_KEYS)
def test_malformed_keys(text: str, tmp_path: Path) -> None:
    """Nothing but a key that the driver could have made becomes the path of a blob."""
    assert not is_storage_key(text)
    with pytest.raises(ValueError, match="not a storage key"):
        Layout(tmp_path).blob(text)
