"""What the oracle asks of the past: what can be brought back is whole, and the history of tags leads to where they are.

Tags from before there was a history have none; once there is some, it has no gaps.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from storage.digest import digest_of, parse_digest
from storage.metadata.store import MetadataStore

Broken = tuple[str, str]

_BATCH = 100
_WITHOUT_BLOBS = (
    "SELECT r.name, d.digest, x.digest FROM deleted_references x JOIN deleted_manifests d ON d.id = x.manifest_id"
    " JOIN repositories r ON r.id = d.repository_id LEFT JOIN blobs b ON b.digest = x.digest WHERE b.digest IS NULL"
)
_THERE_TWICE = (
    "SELECT r.name, d.digest FROM deleted_manifests d JOIN repositories r ON r.id = d.repository_id"
    " JOIN manifests m ON m.repository_id = d.repository_id AND m.digest = d.digest"
)
_ELSEWHERE = (
    "SELECT r.name, h.tag, COALESCE(h.new_digest, 'nowhere'), COALESCE(m.digest, 'nowhere')"
    " FROM tag_history h JOIN repositories r ON r.id = h.repository_id"
    " LEFT JOIN tags t ON t.repository_id = h.repository_id AND t.name = h.tag"
    " LEFT JOIN manifests m ON m.id = t.manifest_id"
    " WHERE h.id = (SELECT MAX(n.id) FROM tag_history n WHERE n.repository_id = h.repository_id AND n.tag = h.tag)"
    " AND COALESCE(h.new_digest, '') <> COALESCE(m.digest, '')"
)
_GAPS = (
    "SELECT r.name, c.tag, COALESCE(c.old_digest, 'nowhere'), COALESCE(c.before, 'nowhere')"
    " FROM (SELECT repository_id, tag, old_digest, LAG(new_digest) OVER changes AS before,"
    " ROW_NUMBER() OVER changes AS number FROM tag_history"
    " WINDOW changes AS (PARTITION BY repository_id, tag ORDER BY id)) c JOIN repositories r ON r.id = c.repository_id"
    " WHERE c.number > 1 AND COALESCE(c.old_digest, '') <> COALESCE(c.before, '')"
)


async def broken_past(store: MetadataStore) -> AsyncIterator[Broken]:
    """What is wrong with the past, as pairs of what it is about, and how it is broken."""
    async for broken in _deleted_manifests(store):
        yield broken
    for name, manifest, digest in await store.fetch_all(_WITHOUT_BLOBS):
        yield f"deleted manifest {manifest} in {name}", f"it needs {digest} to be brought back, which is not stored"
    for name, manifest in await store.fetch_all(_THERE_TWICE):
        yield f"deleted manifest {manifest} in {name}", "it is there, too, as one that was not deleted"
    for name, tag, last, current in await store.fetch_all(_ELSEWHERE):
        yield f"tag {name}:{tag}", f"it points to {current}, the end of its history is {last}"
    for name, tag, old, before in await store.fetch_all(_GAPS):
        yield f"tag {name}:{tag}", f"its history says that it left {old} when it pointed to {before}"


async def _deleted_manifests(store: MetadataStore) -> AsyncIterator[Broken]:
    """The bytes that would be brought back hash to their digest."""
    query, last = "SELECT id, digest, size, content FROM deleted_manifests WHERE id > ? ORDER BY id LIMIT ?", 0
    while rows := await store.fetch_all(query, last, _BATCH):
        for _, text, size, content in rows:
            digest = parse_digest(text)
            if digest_of(content, digest.algorithm) != digest or len(content) != size:
                yield f"deleted manifest {text}", "its bytes are not what its digest and its size say"
        last = rows[-1][0]
