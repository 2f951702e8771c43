"""What a page of a list costs, when the list is short and when it is very long."""

from __future__ import annotations

import json
import sqlite3
import statistics
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bench.client import Client
from bench.content import IMAGE_MANIFEST, digest_of

SIZES = (10, 10_000, 1_000_000)
_PAGE = 100
_TRIES = 50
_SUBJECT = "sha256:" + "0" * 64


def fill(data: Path, size: int) -> None:
    """Make one repository with so many tags and so many referrers of one subject, and so many repositories."""
    with closing(sqlite3.connect(data / "metadata.db")) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        names = ((f"r/{number:07}",) for number in range(size))
        connection.executemany("INSERT INTO repositories (name, created_at) VALUES (?, 0)", names)
        # The catalog shows repositories with content only.
        connection.execute(
            "INSERT INTO manifests (repository_id, digest, media_type, size, created_at, content)"
            " SELECT id, ?, ?, 2, 0, ? FROM repositories",
            (digest_of(b"{}"), IMAGE_MANIFEST, b"{}"),
        )
        first, manifest = connection.execute(
            "SELECT r.id, m.id FROM repositories r JOIN manifests m ON m.repository_id = r.id ORDER BY r.name LIMIT 1"
        ).fetchone()
        tags = ((first, f"t{number:07}", manifest) for number in range(size))
        connection.executemany(
            "INSERT INTO tags (repository_id, name, manifest_id, updated_at) VALUES (?, ?, ?, 0)", tags
        )
        connection.executemany(
            "INSERT INTO manifests (repository_id, digest, media_type, artifact_type, subject, size, created_at,"
            " descriptor, content) VALUES (?, ?, ?, 'text/note', ?, 2, 0, ?, ?)",
            _referrers(first, size),
        )
        connection.commit()


def _referrers(repository_id: int, size: int) -> Iterator[tuple[int, str, str, str, str, bytes]]:
    for number in range(size):
        digest = digest_of(b"referrer %d" % number)
        descriptor = f'{{"mediaType":"{IMAGE_MANIFEST}","digest":"{digest}","size":2,"artifactType":"text/note"}}'
        yield repository_id, digest, IMAGE_MANIFEST, _SUBJECT, descriptor, b"{}"


@dataclass(frozen=True)
class Page:
    """How long a page takes, in milliseconds (median), and how many entries it has."""

    milliseconds: float
    entries: int


def measure(url: str, size: int) -> dict[str, Page]:
    """What a page from the middle of each list costs."""
    middle = size // 2
    targets = {
        "tags": f"/v2/r/0000000/tags/list?n={_PAGE}&last=t{middle:07}",
        "catalog": f"/v2/_catalog?n={_PAGE}&last=r/{middle:07}",
        # The manifests of the repositories came first.
        "referrers": f"/v2/r/0000000/referrers/{_SUBJECT}?after={size + middle}",
    }
    found = {}
    with Client(url) as client:
        for name, target in targets.items():
            document = json.loads(client.expect(200, "GET", target).body)
            (entries,) = (len(value) for value in document.values() if isinstance(value, list))
            seconds = statistics.median(_timed(client, target) for _ in range(_TRIES))
            found[name] = Page(1000 * seconds, entries)
    return found


def _timed(client: Client, target: str) -> float:
    begun = time.perf_counter()
    client.expect(200, "GET", target)
    return time.perf_counter() - begun
