"""Which of many digests a repository has: asked in parts, since a statement takes only so many values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from storage.metadata.store import Queries

Table = Literal["blob_links", "manifests"]

# Where it stands that a repository has what a reference of this kind needs.
TABLES: Final[dict[str, Table]] = {"blob": "blob_links", "manifest": "manifests"}

_VALUES_MAX = 500


async def present(queries: Queries, table: Table, repository_id: int, digests: list[str]) -> set[str]:
    """Those of the digests that have a row of this repository in the table."""
    found: set[str] = set()
    for part, marks in parts(digests):
        rows = await queries.fetch_all(
            f"SELECT digest FROM {table} WHERE repository_id = ? AND digest IN ({marks})",  # noqa: S608 - marks only
            repository_id,
            *part,
        )
        found.update(row[0] for row in rows)
    return found


def parts(values: list[str]) -> Iterator[tuple[list[str], str]]:
    """The values in parts that one statement takes, each with the marks that stand for them."""
    for begin in range(0, len(values), _VALUES_MAX):
        part = values[begin : begin + _VALUES_MAX]
        yield part, ", ".join("?" * len(part))
