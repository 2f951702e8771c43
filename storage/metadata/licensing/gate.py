"""What decides whether somebody may have what is in a licensed repository: asked with one query for each request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from storage.metadata.store import Queries, Row

LIMIT: Final = 500

# (release_id, digest): where an item stands, those of the newest releases come first.
Position = tuple[int, str]
END: Position = (2**63 - 1, "")


@dataclass(frozen=True, slots=True)
class ItemRow:
    """A digest as a part of one release. `release`, `product` and `environment` are uuids.

    `created_at` is the date that counts, unless the release is `backdated`, in ms. `required` are the codes of the
    entitlements that the release asks for.
    """

    digest: str
    release_id: int
    created_at: int
    release: str
    product_id: int
    package_id: int | None
    version: str
    version_key: str
    channel: str
    status: str
    backdated: int | None
    product: str
    distribution: str
    environment: str | None
    required: frozenset[str]


@dataclass(frozen=True, slots=True)
class Licensed:
    """What a licensed repository says about some digests. `project` is the name of the project that it belongs to.

    A digest without items is of no release. `after` is where to go on, if there are more items.
    """

    project: str
    items: list[ItemRow]
    after: Position | None


_SELECT = (
    "SELECT j.name, s.digest, s.release_id, s.created_at, r.uuid, r.product_id, r.package_id, r.version, r.version_key,"
    " r.channel, r.status, r.backdated, p.uuid, p.distribution, e.uuid, n.code"
    " FROM licensed_repositories b JOIN projects j ON j.id = b.project_id"
    " LEFT JOIN (SELECT m.digest, m.release_id, m.created_at"
    " FROM repositories o JOIN release_contents m ON m.repository_id = o.id"
    " WHERE o.name = ? AND m.digest IN ({}) AND (m.release_id, m.digest) < (?, ?)"
    " ORDER BY m.release_id DESC, m.digest DESC LIMIT ?) s ON 1 = 1"
    " LEFT JOIN releases r ON r.id = s.release_id"
    " LEFT JOIN products p ON p.id = r.product_id"
    " LEFT JOIN environments e ON e.id = r.environment_id"
    " LEFT JOIN constraints c ON c.release_id = r.id"
    " LEFT JOIN entitlements n ON n.id = c.entitlement_id"
    " WHERE b.repository = ? ORDER BY s.release_id DESC, s.digest DESC"
)


async def find(
    queries: Queries, repository: str, digests: Sequence[str], after: Position = END, limit: int = LIMIT
) -> Licensed | None:
    """Which releases each of a few hundred manifests or blobs belongs to; None if the repository is not licensed.

    Whoever may have one of a digest's items may have the digest. At most `limit` items come at once: the rest is asked
    for with `after` only while none of them helps.
    """
    marks = ", ".join("?" * len(digests)) or "NULL"
    rows = await queries.fetch_all(_SELECT.format(marks), repository, *digests, *after, limit, repository)
    if not rows:
        return None
    items = _items(rows)
    last = (items[-1].release_id, items[-1].digest) if len(items) == limit else None
    return Licensed(str(rows[0][0]), items, last)


def _items(rows: list[Row]) -> list[ItemRow]:
    """An item comes in as many rows as it requires entitlements."""
    grouped: dict[Row, set[str]] = {}
    for _, digest, *facts, code in rows:
        if digest is not None:
            codes = grouped.setdefault((digest, *facts), set())
            codes |= set() if code is None else {code}
    return [ItemRow(*(*facts, frozenset(codes))) for facts, codes in grouped.items()]
