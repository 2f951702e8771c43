"""What of a repository belongs to which release: its manifests, what these consist of, and what refers to them.

All of it is written down, so that one look at an index tells of any digest which releases it is of. What is a release
itself does not come to another one by referring to it: it asks for a license of its own.
"""

from __future__ import annotations

from storage.metadata.among import parts
from storage.metadata.store import Queries, Transaction, Value

_ROWS_MAX = 200
_IS_RELEASE = (
    "EXISTS (SELECT 1 FROM releases r WHERE r.repository_id = m.repository_id AND r.manifest_digest = m.digest)"
)


async def add(tx: Transaction, release_id: int, repository_id: int, digest: str, created_at: int) -> None:
    """Let the manifest belong to the release, with all that it consists of, and that refers to it, now and later.

    `created_at`, in ms, is the date that is compared with the expiry of licenses. What came to the release with an
    earlier manifest keeps the earlier date.
    """
    digests = await _whole(tx, repository_id, digest)
    for begin in range(0, len(digests), _ROWS_MAX):
        group = digests[begin : begin + _ROWS_MAX]
        values: list[Value] = []
        for one in group:
            values += [repository_id, one, release_id, created_at]
        await tx.execute(
            "INSERT INTO release_contents (repository_id, digest, release_id, created_at) VALUES"  # noqa: S608 - marks
            f" {', '.join(['(?, ?, ?, ?)'] * len(group))}"
            " ON CONFLICT (repository_id, digest, release_id) DO UPDATE SET created_at ="
            " CASE WHEN excluded.created_at < release_contents.created_at"
            " THEN excluded.created_at ELSE release_contents.created_at END",
            *values,
        )


async def follow(tx: Transaction, repository_id: int, digest: str, leader: str) -> None:
    """Let the manifest, with all that it consists of, belong to every release of which `leader` is.

    To be called for each manifest that comes into a licensed repository: with its subject as leader, and with itself,
    since an index may have come before its parts. If it is the manifest of a release, that has been said before.
    """
    if digest != leader and await _is_release(tx, repository_id, digest):
        return
    if await releases_of(tx, repository_id, leader, 1):
        for one in await _whole(tx, repository_id, digest):
            await tx.execute(
                "INSERT INTO release_contents (repository_id, digest, release_id, created_at)"
                " SELECT repository_id, CAST(? AS TEXT), release_id, created_at FROM release_contents"
                " WHERE repository_id = ? AND digest = ? ON CONFLICT DO NOTHING",
                one,
                repository_id,
                leader,
            )


async def clear(tx: Transaction, release_id: int) -> None:
    """Let nothing belong to the release any more."""
    await tx.execute("DELETE FROM release_contents WHERE release_id = ?", release_id)


async def releases_of(queries: Queries, repository_id: int, digest: str, limit: int) -> list[int]:
    """The ids of some releases that the digest belongs to, the newest first."""
    rows = await queries.fetch_all(
        "SELECT release_id FROM release_contents WHERE repository_id = ? AND digest = ?"
        " ORDER BY release_id DESC LIMIT ?",
        repository_id,
        digest,
        limit,
    )
    return [row[0] for row in rows]


async def _is_release(queries: Queries, repository_id: int, digest: str) -> bool:
    row = await queries.fetch_one(
        f"SELECT 1 FROM manifests m WHERE m.repository_id = ? AND m.digest = ? AND {_IS_RELEASE}",  # noqa: S608
        repository_id,
        digest,
    )
    return row is not None


async def _whole(queries: Queries, repository_id: int, digest: str) -> list[str]:
    """The manifest and everything below it: blobs, parts of an index, referrers, and theirs."""
    found, waiting = {digest: None}, [digest]
    while waiting:
        below = await _below(queries, repository_id, waiting)
        waiting = sorted({one for one, kind in below if kind == "manifest" and one not in found})
        found |= dict.fromkeys(one for one, _ in below)
    return list(found)


async def _below(queries: Queries, repository_id: int, digests: list[str]) -> list[tuple[str, str]]:
    """(digest, kind) of what these manifests reference, and of the manifests that refer to them."""
    found: list[tuple[str, str]] = []
    for part, marks in parts(digests):
        rows = await queries.fetch_all(
            "SELECT x.digest, x.kind FROM manifests m JOIN manifest_references x ON x.manifest_id = m.id"  # noqa: S608
            f" WHERE m.repository_id = ? AND m.digest IN ({marks})"
            " UNION ALL SELECT m.digest, 'manifest' FROM manifests m"
            f" WHERE m.repository_id = ? AND m.subject IN ({marks}) AND NOT {_IS_RELEASE}",
            repository_id,
            *part,
            repository_id,
            *part,
        )
        found += [(row[0], row[1]) for row in rows]
    return found
