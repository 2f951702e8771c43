"""The table that stands in an unfinished copy: of what it is a copy, and how far it is.

Whatever is copied and how far that is are written in one transaction. The table goes when the copy is whole.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from storage.metadata.copying.rows import Key
from storage.metadata.store import Queries, Transaction

_CREATE = "CREATE TABLE copying (source TEXT NOT NULL, state TEXT NOT NULL)"


@dataclass(slots=True)
class Marker:
    """`source` is the fingerprint of all that is copied; `done` has the key that each begun table was copied to."""

    source: str
    done: dict[str, Key] = field(default_factory=dict)


async def create(tx: Transaction, source: str) -> None:
    await remove(tx)
    await tx.execute(_CREATE)
    await tx.execute("INSERT INTO copying (source, state) VALUES (?, ?)", source, "{}")


async def find(queries: Queries) -> Marker | None:
    row = await queries.fetch_one("SELECT source, state FROM copying")
    return None if row is None else Marker(row[0], {name: tuple(key) for name, key in json.loads(row[1]).items()})


async def advance(tx: Transaction, done: dict[str, Key]) -> None:
    await tx.execute("UPDATE copying SET state = ?", json.dumps(done))


async def remove(tx: Transaction) -> None:
    await tx.execute("DROP TABLE IF EXISTS copying")
