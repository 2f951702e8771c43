"""A large store of SQLite, written straight into its tables. Of blobs there are rows alone: their bytes are nowhere."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bench.content import IMAGE_CONFIG, IMAGE_LAYER, IMAGE_MANIFEST, digest_of

REPOSITORIES = 1000
LAYERS = 7
GARBAGE = 0.3
_SIZE = 1 << 20
_PUSHED_AT = 1_600_000_000_000
_BATCH = 20_000


@dataclass(frozen=True)
class Filled:
    """What is in the store: how many rows of blobs, and how many of them nothing needs."""

    blobs: int
    garbage: int
    manifests: int


def repository(number: int) -> str:
    """The name of one of the repositories."""
    return f"bench/repository-{number:04}"


def tag(number: int) -> str:
    """The tag of a manifest of a repository."""
    return f"v{number}"


def fill(data: Path, blobs: int) -> Filled:
    """Fill a data folder that was just made with so many rows of blobs, of which 30 % are garbage.

    Half of the garbage is still linked to a repository, the other half is not.
    """
    garbage = int(blobs * GARBAGE)
    manifests = (blobs - garbage) // LAYERS
    with closing(sqlite3.connect(data / "metadata.db")) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        names = ((number + 1, repository(number), _PUSHED_AT) for number in range(REPOSITORIES))
        connection.executemany("INSERT INTO repositories (id, name, created_at) VALUES (?, ?, ?)", names)
        _insert_blobs(connection, range(manifests * LAYERS + garbage))
        _insert_links(connection, manifests, garbage)
        _insert_manifests(connection, manifests)
        connection.commit()
    return Filled(manifests * LAYERS + garbage, garbage, manifests)


def _digest(number: int) -> str:
    return "sha256:" + hashlib.sha256(b"blob %d" % number).hexdigest()


def _key(number: int) -> str:
    hexdigits = _digest(number).removeprefix("sha256:")
    return f"sha256/{hexdigits[:2]}/{hexdigits}.{number:032x}"


def _insert_blobs(connection: sqlite3.Connection, numbers: range) -> None:
    rows = ((_digest(number), _SIZE, _key(number), _PUSHED_AT) for number in numbers)
    connection.executemany("INSERT INTO blobs (digest, size, storage_key, created_at) VALUES (?, ?, ?, ?)", rows)


def _insert_links(connection: sqlite3.Connection, manifests: int, garbage: int) -> None:
    def rows() -> Iterator[tuple[int, str, int]]:
        for number in range(manifests * LAYERS):
            yield number // LAYERS % REPOSITORIES + 1, _digest(number), _PUSHED_AT
        for number in range(manifests * LAYERS, manifests * LAYERS + garbage // 2):
            yield number % REPOSITORIES + 1, _digest(number), _PUSHED_AT

    connection.executemany("INSERT INTO blob_links (repository_id, digest, created_at) VALUES (?, ?, ?)", rows())


def _insert_manifests(connection: sqlite3.Connection, manifests: int) -> None:
    for begin in range(0, manifests, _BATCH):
        numbers = range(begin, min(begin + _BATCH, manifests))
        contents = [_manifest(number) for number in numbers]
        connection.executemany(
            "INSERT INTO manifests (id, repository_id, digest, media_type, size, created_at, held_at, content)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    number + 1,
                    number % REPOSITORIES + 1,
                    digest_of(content),
                    IMAGE_MANIFEST,
                    len(content),
                    _PUSHED_AT,
                    _PUSHED_AT,
                    content,
                )
                for number, content in zip(numbers, contents, strict=True)
            ),
        )
        connection.executemany(
            "INSERT INTO tags (repository_id, name, manifest_id, updated_at) VALUES (?, ?, ?, ?)",
            ((number % REPOSITORIES + 1, tag(number // REPOSITORIES), number + 1, _PUSHED_AT) for number in numbers),
        )
        connection.executemany(
            "INSERT INTO manifest_references (manifest_id, digest, kind, required, repository_id)"
            " VALUES (?, ?, 'blob', 1, ?)",
            (
                (number + 1, _digest(number * LAYERS + layer), number % REPOSITORIES + 1)
                for number in numbers
                for layer in range(LAYERS)
            ),
        )


def _manifest(number: int) -> bytes:
    config, *layers = (
        {"mediaType": IMAGE_LAYER, "digest": _digest(number * LAYERS + layer), "size": _SIZE} for layer in range(LAYERS)
    )
    config["mediaType"] = IMAGE_CONFIG
    document = {"schemaVersion": 2, "mediaType": IMAGE_MANIFEST, "config": config, "layers": layers}
    return json.dumps(document).encode()
