"""The outbox: what happened, written in the transaction in which it did, until it has been delivered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from storage.metadata.store import Queries, Transaction


@dataclass(frozen=True, slots=True)
class EventRow:
    """`event` is a word such as `release.published`, `target` the uuid of what it happened to, `payload` JSON.

    The uuid lets receivers know an event again that was delivered twice. `at` is in ms. The id is the engine's.
    """

    uuid: str
    project_id: int
    at: int
    event: str
    target: str
    payload: str
    id: int = 0


async def append(tx: Transaction, row: EventRow) -> None:
    await tx.execute(
        "INSERT INTO events (uuid, project_id, at, event, target, payload) VALUES (?, ?, ?, ?, ?, ?)",
        row.uuid,
        row.project_id,
        row.at,
        row.event,
        row.target,
        row.payload,
    )


async def oldest(queries: Queries, limit: int, after: int = 0) -> list[EventRow]:
    """At most `limit` events with ids greater than `after`, in their order.

    One with a smaller id can still turn up, if its transaction was committed later: whoever delivers begins from 0
    again, once it has come to the end.
    """
    rows = await queries.fetch_all(
        "SELECT uuid, project_id, at, event, target, payload, id FROM events WHERE id > ? ORDER BY id LIMIT ?",
        after,
        limit,
    )
    return [EventRow(*row) for row in rows]


async def delivered(tx: Transaction, event_ids: Sequence[int]) -> None:
    """Forget a few hundred events, which were delivered."""
    marks = ", ".join("?" * len(event_ids)) or "NULL"
    await tx.execute(f"DELETE FROM events WHERE id IN ({marks})", *event_ids)  # noqa: S608 - marks only
