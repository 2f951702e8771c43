"""Rows of runs: what background work, such as the collector, is doing or did."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from storage.metadata.store import Queries, Row, Transaction

State = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class RunRow:
    """`state` is whatever the work of this kind writes down; without `ended_at` it goes on, or was broken off."""

    id: int
    kind: str
    started_at: int
    updated_at: int
    ended_at: int | None
    state: dict[str, object]


_SELECT = "SELECT id, kind, started_at, updated_at, ended_at, state FROM runs"


async def begin(tx: Transaction, kind: str, now_ms: int, state: State) -> int:
    """Write down that a run begins; return its id."""
    await tx.execute(
        "INSERT INTO runs (kind, started_at, updated_at, state) VALUES (?, ?, ?, ?)",
        kind,
        now_ms,
        now_ms,
        json.dumps(state),
    )
    row = await tx.fetch_one("SELECT MAX(id) FROM runs WHERE kind = ?", kind)
    if row is None:
        raise RuntimeError("a run that was just inserted cannot be found")
    return int(row[0])


async def update(tx: Transaction, run_id: int, now_ms: int, state: State, *, ended: bool = False) -> None:
    """Write down how far the run got, and, with `ended`, that this was all."""
    await tx.execute(
        "UPDATE runs SET updated_at = ?, ended_at = ?, state = ? WHERE id = ?",
        now_ms,
        now_ms if ended else None,
        json.dumps(state),
        run_id,
    )


async def latest(queries: Queries, kind: str) -> RunRow | None:
    """The run that began last."""
    row = await queries.fetch_one(f"{_SELECT} WHERE kind = ? ORDER BY id DESC LIMIT 1", kind)
    return None if row is None else _run(row)


async def before(queries: Queries, kind: str, last: int, limit: int) -> list[RunRow]:
    """At most `limit` runs with ids less than `last`, the newest first."""
    rows = await queries.fetch_all(f"{_SELECT} WHERE kind = ? AND id < ? ORDER BY id DESC LIMIT ?", kind, last, limit)
    return [_run(row) for row in rows]


async def forget(tx: Transaction, kind: str, keep: int) -> None:
    """Drop all but the newest runs of the kind."""
    await tx.execute(
        "DELETE FROM runs WHERE kind = ?"
        " AND id <= (SELECT id FROM runs WHERE kind = ? ORDER BY id DESC LIMIT 1 OFFSET ?)",
        kind,
        kind,
        keep,
    )


def _run(row: Row) -> RunRow:
    run_id, kind, started_at, updated_at, ended_at, state = row
    return RunRow(run_id, kind, started_at, updated_at, ended_at, json.loads(state))
