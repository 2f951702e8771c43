"""Counts of downloads: of releases and their artifacts, by license and day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Final, Literal

from storage.metadata.store import Queries, Transaction

DAY_MS: Final = 86_400_000

_ROWS_MAX = 200


@dataclass(frozen=True, slots=True)
class Download:
    """`day` counts from the Unix epoch. 0 stands for no single artifact, and for no license."""

    project_id: int
    release_id: int
    day: int
    artifact_id: int = 0
    license_id: int = 0


async def add(tx: Transaction, downloads: Iterable[Download]) -> None:
    """Count each of them. Callers give many at once, and not while somebody waits for bytes."""
    numbers: dict[Download, int] = {}
    for one in downloads:
        numbers[one] = numbers.get(one, 0) + 1
    # In one order, so that transactions that count the same do not wait for one another in a circle.
    rows = sorted(
        (one.release_id, one.day, one.artifact_id, one.license_id, one.project_id, number)
        for one, number in numbers.items()
    )
    for begin in range(0, len(rows), _ROWS_MAX):
        part = rows[begin : begin + _ROWS_MAX]
        await tx.execute(
            "INSERT INTO downloads (release_id, day, artifact_id, license_id, project_id, number) VALUES"  # noqa: S608
            f" {', '.join(['(?, ?, ?, ?, ?, ?)'] * len(part))} ON CONFLICT (release_id, day, artifact_id, license_id)"
            " DO UPDATE SET number = downloads.number + excluded.number",
            *chain.from_iterable(part),
        )


async def by_day(
    queries: Queries,
    column: Literal["release_id", "artifact_id", "license_id", "project_id"],
    row_id: int,
    first_day: int,
    limit: int,
) -> list[tuple[int, int]]:
    """(day, number) of at most `limit` days on which anything was downloaded, from the first day on."""
    rows = await queries.fetch_all(
        f"SELECT day, CAST(SUM(number) AS BIGINT) FROM downloads WHERE {column} = ? AND {column} <> 0 AND day >= ?"  # noqa: S608
        " GROUP BY day ORDER BY day LIMIT ?",
        row_id,
        first_day,
        limit,
    )
    return [(row[0], row[1]) for row in rows]
