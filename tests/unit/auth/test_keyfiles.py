"""Signing keys as files."""

import base64
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from auth.keyfiles import KeyFolder
from auth.keys import KeyRing, SigningKey

START = 1_700_000_000_000
DAY = 86_400_000


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    """The process would let everybody read what it writes."""
    mask = os.umask(0)
    yield
    os.umask(mask)


@pytest.fixture
def folder(tmp_path: Path) -> KeyFolder:
    """A folder with a first key."""
    made = KeyFolder(tmp_path / "keys")
    made.ensure(START)
    return made


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where it is."""
    return tmp_path / "keys"


def loaded(folder: KeyFolder) -> KeyRing:
    """The keys, of which there have to be some."""
    ring = folder.load()
    assert ring is not None
    return ring


def test_first_key(folder: KeyFolder, place: Path) -> None:
    """The first start makes a key, and the next one finds it."""
    kid = loaded(folder).signing.kid
    folder.ensure(START + DAY)
    assert set(loaded(KeyFolder(place)).verifying) == {kid}
    assert folder.newest_ms() == START


def test_nothing_there(tmp_path: Path) -> None:
    """Where there is no folder, or nothing in it, there are no keys."""
    assert KeyFolder(tmp_path / "missing").load() is None
    assert KeyFolder(tmp_path / "missing").newest_ms() is None
    assert KeyFolder(tmp_path).load() is None


def test_nobody_else_reads_keys(folder: KeyFolder, place: Path) -> None:
    """Only the owner can read the files, and look into the folder."""
    folder.rotate(START + DAY)
    assert place.stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in place.iterdir()] == [0o600, 0o600]


def test_rotation(folder: KeyFolder) -> None:
    """After a rotation the new key signs, and tokens of the old one are still verified."""
    old = loaded(folder).signing
    token = jwt.encode({"sub": "alice"}, old.key, "ES256")
    new = folder.rotate(START + DAY)
    ring = loaded(folder)
    assert ring.signing.kid == new.kid != old.kid
    assert jwt.decode(token, ring.verifying[old.kid].key, algorithms=["ES256"]) == {"sub": "alice"}
    assert [jwk["kid"] for jwk in ring.jwks()["keys"]] == [new.kid, old.kid]
    assert folder.newest_ms() == START + DAY


def test_retiring(folder: KeyFolder) -> None:
    """A key goes when its successor has signed for long enough; the last one never does."""
    old = loaded(folder).signing.kid
    new = folder.rotate(START + DAY).kid
    assert folder.retire(START + DAY) == 0
    assert set(loaded(folder).verifying) == {old, new}
    assert folder.retire(START + DAY + 1) == 1
    assert set(loaded(folder).verifying) == {new}
    assert folder.retire(START + 1000 * DAY) == 0
    assert set(loaded(folder).verifying) == {new}


def test_key_that_cannot_be_written(folder: KeyFolder, place: Path) -> None:
    """A rotation that was cut off leaves no key behind that could sign."""
    kid = loaded(folder).signing.kid
    (place / f"{START + DAY}-half.new").write_bytes(SigningKey.generate().to_pem()[:50])
    assert set(loaded(folder).verifying) == {kid}
    assert folder.newest_ms() == START


def unsupported_pem() -> bytes:
    """A key of a kind that nobody knows: the identifier of the curve is changed."""
    der = bytearray(
        SigningKey.generate().key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    curve = bytes.fromhex("2a8648ce3d030107")
    assert curve in der
    der[der.index(curve) + len(curve) - 1] = 0x08
    return b"-----BEGIN PRIVATE KEY-----\n" + base64.encodebytes(der) + b"-----END PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 300,
        b"not a key",
        SigningKey.generate().to_pem()[:120],
        ec.generate_private_key(ec.SECP384R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
        unsupported_pem(),
    ],
    ids=["empty", "zeros", "text", "cut", "P-384", "unsupported"],
)
@pytest.mark.parametrize("name", [f"{START + DAY}-new.pem", f"{START - DAY}-old.pem", "other.pem"])
def test_file_without_a_key(
    folder: KeyFolder, place: Path, caplog: pytest.LogCaptureFixture, content: bytes, name: str
) -> None:
    """A file that holds no key of ours is reported by its name, and does not keep the others from being used."""
    kid = loaded(folder).signing.kid
    (place / name).write_bytes(content)
    caplog.clear()
    with caplog.at_level(logging.ERROR):
        assert set(loaded(folder).verifying) == {kid}
    assert len(caplog.records) == 1
    assert name in caplog.text
    assert "PRIVATE KEY" not in caplog.text


def test_folder_in_place_of_a_file(folder: KeyFolder, place: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What is no file is reported too."""
    kid = loaded(folder).signing.kid
    (place / f"{START + DAY}-folder.pem").mkdir()
    assert set(loaded(folder).verifying) == {kid}
    assert "folder.pem" in caplog.text


def test_files_of_others(folder: KeyFolder, place: Path) -> None:
    """A file that Berth did not name is not taken for the newest key, though it holds one."""
    kid = loaded(folder).signing.kid
    (place / "tls.pem").write_bytes(SigningKey.generate().to_pem())
    (place / "README").write_text("These are keys.")
    assert loaded(folder).signing.kid == kid
    assert folder.newest_ms() == START
    new = folder.rotate(START + DAY).kid
    assert loaded(folder).signing.kid == new


def test_damaged_key_replaces_none(folder: KeyFolder, place: Path) -> None:
    """A file that cannot be read does not make the key before it go: that one still signs."""
    kid = loaded(folder).signing.kid
    (place / f"{START + DAY}-damaged.pem").write_bytes(b"")
    assert folder.retire(START + 1000 * DAY) == 0
    assert loaded(folder).signing.kid == kid


def test_many_at_the_same_time(place: Path) -> None:
    """Processes that start together, or rotate in the same millisecond, end with the same key that signs."""
    folders = [KeyFolder(place) for _ in range(3)]
    for folder in folders:
        folder.ensure(START)
    for folder in folders:
        folder.rotate(START + 1)
    rings = [loaded(folder) for folder in folders]
    assert len({ring.signing.kid for ring in rings}) == 1
    assert all(len(ring.verifying) == 4 for ring in rings)
