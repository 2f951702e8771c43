"""Rows of manifests and tags, as the policies that delete them look at them."""

from __future__ import annotations

from dataclasses import dataclass

from storage.metadata.store import Queries, Row
from storage.names import RepositoryName, Tag


@dataclass(frozen=True, slots=True)
class HeldManifest:
    """A manifest and what holds it now: tags, a manifest that references it, a `subject` that is there.

    `held_at` is when something last held it, in milliseconds. `orphaned`: the index that it was a part of was deleted.
    """

    id: int
    repository_id: int
    repository: RepositoryName
    digest: str
    subject: str | None
    held_at: int
    orphaned: bool
    tagged: bool
    referenced: bool
    has_subject: bool


@dataclass(frozen=True, slots=True)
class AttachedTag:
    """A tag, since when it points to its manifest, and when that was held last."""

    repository_id: int
    repository: RepositoryName
    name: Tag
    manifest_id: int
    updated_at: int
    held_at: int


_MANIFEST = (
    "SELECT m.id, m.repository_id, r.name, m.digest, m.subject, m.held_at, m.orphaned,"
    " EXISTS (SELECT 1 FROM tags t WHERE t.manifest_id = m.id),"
    " EXISTS (SELECT 1 FROM manifest_references x WHERE x.repository_id = m.repository_id AND x.digest = m.digest),"
    " EXISTS (SELECT 1 FROM manifests s WHERE s.repository_id = m.repository_id AND s.digest = m.subject)"
    " FROM manifests m JOIN repositories r ON r.id = m.repository_id"
)
_TAG = (
    "SELECT t.repository_id, r.name, t.name, t.manifest_id, t.updated_at, m.held_at"
    " FROM tags t JOIN repositories r ON r.id = t.repository_id JOIN manifests m ON m.id = t.manifest_id"
)


async def manifests_after(queries: Queries, last: int, limit: int) -> list[HeldManifest]:
    """The next manifests of all repositories after one with the id `last`."""
    rows = await queries.fetch_all(f"{_MANIFEST} WHERE m.id > ? ORDER BY m.id LIMIT ?", last, limit)
    return [_manifest(row) for row in rows]


async def manifest(queries: Queries, manifest_id: int) -> HeldManifest | None:
    row = await queries.fetch_one(f"{_MANIFEST} WHERE m.id = ?", manifest_id)
    return None if row is None else _manifest(row)


async def repositories_after(queries: Queries, last: int, limit: int) -> list[int]:
    """The ids of the next repositories after one of them."""
    rows = await queries.fetch_all("SELECT id FROM repositories WHERE id > ? ORDER BY id LIMIT ?", last, limit)
    return [row[0] for row in rows]


async def tags_between(queries: Queries, repository_id: int, last: str, end: str, limit: int) -> list[AttachedTag]:
    """The next tags of the repository after `last` and before `end`."""
    rows = await queries.fetch_all(
        f"{_TAG} WHERE t.repository_id = ? AND t.name > ? AND t.name < ? ORDER BY t.name LIMIT ?",
        repository_id,
        last,
        end,
        limit,
    )
    return [AttachedTag(*row) for row in rows]


async def tag(queries: Queries, repository_id: int, name: Tag) -> AttachedTag | None:
    row = await queries.fetch_one(f"{_TAG} WHERE t.repository_id = ? AND t.name = ?", repository_id, name)
    return None if row is None else AttachedTag(*row)


async def has_manifest(queries: Queries, repository_id: int, digest_start: str) -> bool:
    """Whether the repository has a manifest whose digest begins so."""
    row = await queries.fetch_one(
        # 'g' comes after all hexadecimal digits.
        "SELECT 1 FROM manifests WHERE repository_id = ? AND digest >= ? AND digest < ? LIMIT 1",
        repository_id,
        digest_start,
        f"{digest_start}g",
    )
    return row is not None


def _manifest(row: Row) -> HeldManifest:
    return HeldManifest(*row[:6], *map(bool, row[6:]))
