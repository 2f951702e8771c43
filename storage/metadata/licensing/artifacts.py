"""Rows of artifacts: the files of releases. `holding` keeps their bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from storage.metadata.licensing.releases import KEY_END
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

# (version_key, id): where an artifact stands among all of its filename.
Position = tuple[str, int]
END: Position = (KEY_END, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactRow(ResourceRow):
    """`filesize` and `checksum` are what the vendor said, `size` and `digest` what arrived; `kind` is blob or manifest.

    `upload` is the id of the upload in which the bytes arrive. `product_id` and `version_key` are the release's, and so
    is what follows `release`; `distribution` is the product's.
    """

    environment_id: int | None = None
    product_id: int
    release_id: int
    version_key: str
    filename: str
    filetype: str | None = None
    filesize: int | None = None
    platform: str | None = None
    arch: str | None = None
    signature: str | None = None
    checksum: str | None = None
    status: str
    status_at: int
    upload: str | None = None
    repository_id: int | None = None
    kind: str | None = None
    digest: str | None = None
    size: int | None = None
    media_type: str | None = None
    metadata: str = "{}"
    product: str = joined(PRODUCT)
    distribution: str = joined("(SELECT x.distribution FROM products x WHERE x.id = t.product_id)")
    environment: str | None = joined(ENVIRONMENT)
    release: str = joined("(SELECT x.uuid FROM releases x WHERE x.id = t.release_id)")
    version: str = joined("(SELECT x.version FROM releases x WHERE x.id = t.release_id)")
    release_status: str = joined("(SELECT x.status FROM releases x WHERE x.id = t.release_id)")
    backdated: int | None = joined("(SELECT x.backdated FROM releases x WHERE x.id = t.release_id)")


ARTIFACTS = Resources("artifacts", ArtifactRow)


def of_releases(column: Literal["channel", "status", "package_id"], values: Sequence[Value]) -> Condition:
    """Artifacts of releases that have one of these; None is for none."""
    asked = f"(SELECT x.{column} FROM releases x WHERE x.id = t.release_id)"  # noqa: S608 - constants
    given = tuple(value for value in values if value is not None)
    parts = [f"{asked} IN ({', '.join('?' * len(given))})"] if given else []
    if None in values:
        parts.append(f"{asked} IS NULL")
    return Condition(f"({' OR '.join(parts)})" if parts else "1 = 0", given)


def of_engine(engine: str | None) -> Condition:
    """Artifacts of packages of the engine; None for those of no package, or of one without an engine."""
    asked = "(SELECT y.engine FROM releases x JOIN packages y ON y.id = x.package_id WHERE x.id = t.release_id)"
    return Condition(f"{asked} IS NULL") if engine is None else Condition(f"{asked} = ?", (engine,))


async def filename_is_taken(queries: Queries, release_id: int, filename: str) -> bool:
    return await ARTIFACTS.taken(queries, 0, equal("release_id", release_id), equal("filename", filename))


async def called(
    queries: Queries, project_id: int, filename: str, before: Position, limit: int, *conditions: Condition
) -> list[ArtifactRow]:
    """Artifacts of this filename: of the highest version first, and of these the newest.

    They come after the one at the position `before`. Callers take the first that whoever asks may see.
    """
    where = [
        equal("project_id", project_id),
        equal("filename", filename),
        Condition("(t.version_key, t.id) < (?, ?)", before),
        *conditions,
    ]
    return await ARTIFACTS.listed(queries, "t.version_key DESC, t.id DESC", limit, *where)


async def set_status(tx: Transaction, artifact_id: int, status: str, now_ms: int) -> None:
    """Of what is uploaded `holding` says so."""
    await ARTIFACTS.update(tx, artifact_id, now_ms, status=status, status_at=now_ms)


async def overdue(queries: Queries, status: str, before_ms: int, limit: int) -> list[ArtifactRow]:
    """At most `limit` artifacts of all projects that have been in that status, not UPLOADED, since before that time."""
    # What the first condition says is true already; it makes the index fit.
    where = [Condition("t.status <> 'UPLOADED'"), equal("status", status), Condition("t.status_at < ?", (before_ms,))]
    return await ARTIFACTS.listed(queries, "t.status_at, t.id", limit, *where)


async def words_after(
    queries: Queries, project_id: int, column: Literal["platform", "arch"], last: str, limit: int
) -> list[str]:
    """At most `limit` platforms or architectures that artifacts of the project have, greater than `last`."""
    words: list[str] = []
    while len(words) < limit:
        row = await queries.fetch_one(
            f"SELECT {column} FROM artifacts WHERE project_id = ? AND {column} > ? ORDER BY {column} LIMIT 1",  # noqa: S608
            project_id,
            last,
        )
        if row is None:
            break
        last = str(row[0])
        words.append(last)
    return words
