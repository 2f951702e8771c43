"""Rows of releases, and which of them is the newest. How versions compare is written in `version_key`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from storage.metadata.licensing.codes import code_key
from storage.metadata.licensing.resources import (
    ENVIRONMENT,
    PRODUCT,
    Condition,
    ResourceRow,
    Resources,
    equal,
    joined,
)
from storage.metadata.store import Queries, Transaction, Value

# Greater than every version_key.
KEY_END = "~"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRow(ResourceRow):
    """`backdated` and `yanked_at` are in ms. The manifest, once it is there, is that of the digest in the repository.

    `distribution` is the product's; `product`, `package`, and `environment` are uuids.
    """

    environment_id: int | None = None
    product_id: int
    package_id: int | None = None
    version: str
    version_key: str
    channel: str
    status: str
    tag: str | None = None
    name: str | None = None
    description: str | None = None
    backdated: int | None = None
    yanked_at: int | None = None
    repository_id: int | None = None
    manifest_digest: str | None = None
    metadata: str = "{}"
    product: str = joined(PRODUCT)
    distribution: str = joined("(SELECT x.distribution FROM products x WHERE x.id = t.product_id)")
    package: str | None = joined("(SELECT x.uuid FROM packages x WHERE x.id = t.package_id)")
    environment: str | None = joined(ENVIRONMENT)


@dataclass(frozen=True, slots=True)
class Series:
    """Releases that follow one another: those of a package of the product, or those that are in none."""

    product_id: int
    package_id: int | None = None

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """What holds for each of them; there are indexes for just these."""
        return (
            equal("product_id", self.product_id),
            Condition("COALESCE(t.package_id, 0) = ?", (self.package_id or 0,)),
        )


RELEASES = Resources("releases", ReleaseRow)


def of_engine(engine: str | None) -> Condition:
    """Releases of packages of the engine; None for those of no package, or of one without an engine."""
    asked = "(SELECT x.engine FROM packages x WHERE x.id = t.package_id)"
    return Condition(f"{asked} IS NULL") if engine is None else Condition(f"{asked} = ?", (engine,))


def asking_no_more_than(codes: Sequence[str]) -> Condition:
    """Releases that ask for no entitlements besides those of these codes."""
    keys = tuple(code_key(code) for code in codes)
    others = f" AND e.code_key NOT IN ({', '.join('?' * len(keys))})" if keys else ""
    return Condition(
        "NOT EXISTS (SELECT 1 FROM constraints c JOIN entitlements e ON e.id = c.entitlement_id"  # noqa: S608
        f" WHERE c.release_id = t.id{others})",
        keys,
    )


async def in_series(queries: Queries, series: Series, version: str) -> ReleaseRow | None:
    return await RELEASES.first(queries, *series.conditions, equal("version", version))


async def version_is_taken(queries: Queries, series: Series, version: str, except_id: int = 0) -> bool:
    """Whether another release of the series than this one has the version."""
    return await RELEASES.taken(queries, except_id, *series.conditions, equal("version", version))


async def tag_is_taken(queries: Queries, series: Series, tag: str, except_id: int = 0) -> bool:
    """Whether another release of the series than this one has the tag."""
    return await RELEASES.taken(queries, except_id, *series.conditions, equal("tag", tag))


async def called(
    queries: Queries, project_id: int, alias: str, after: int, limit: int, *conditions: Condition
) -> list[ReleaseRow]:
    """Releases of this version or tag that were made after the one with the id `after`, the oldest first.

    There is one in each series at most. Callers take the first that whoever asks may see.
    """
    found: dict[int, ReleaseRow] = {}
    for column in ("version", "tag"):
        where = [equal("project_id", project_id), equal(column, alias), Condition("t.id > ?", (after,)), *conditions]
        found.update({row.id: row for row in await RELEASES.listed(queries, "t.id", limit, *where)})
    return [found[number] for number in sorted(found)][:limit]


async def newest(
    queries: Queries, series: Series, channels: Sequence[str], limit: int, *, above: str = "", below: str = KEY_END
) -> list[ReleaseRow]:
    """Published releases in any of the channels, the highest version first.

    `above` and `below` are keys of versions, between which theirs have to be. Callers take the first that whoever asks
    may have, and go on below the last.
    """
    each = (
        f"SELECT * FROM ({RELEASES.select} WHERE t.product_id = ? AND COALESCE(t.package_id, 0) = ?"  # noqa: S608
        " AND t.channel = ? AND t.version_key > ? AND t.version_key < ? AND t.status = 'PUBLISHED'"
        " ORDER BY t.version_key DESC LIMIT ?) s"
    )
    values: list[Value] = []
    for channel in channels:
        values += [series.product_id, series.package_id or 0, channel, above, below, limit]
    rows = await queries.fetch_all(" UNION ALL ".join([each] * len(channels)), *values)
    found = [RELEASES.read(row) for row in rows]
    return sorted(found, key=lambda row: row.version_key, reverse=True)[:limit]


async def set_manifest(tx: Transaction, release_id: int, repository_id: int, digest: str) -> None:
    """Say which manifest is the release's now. After that, what it consists of is written by `contents`."""
    await tx.execute(
        "UPDATE releases SET repository_id = ?, manifest_digest = ? WHERE id = ?", repository_id, digest, release_id
    )
