"""What a table holds, in a few bytes: equal on both engines if, and only if, the rows are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from storage.metadata.copying.progress import Progress, Report
from storage.metadata.copying.rows import slices
from storage.metadata.copying.tables import Table
from storage.metadata.store import Queries, Row, Value

_MODULUS = 1 << 256


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """How many rows there are, and the sum of their sha256, in which their order makes no difference."""

    rows: int
    digest: str


async def fingerprint(queries: Queries, table: Table, doing: str, report: Report) -> Fingerprint:
    """Read all rows of the table; `doing` is how the report calls that."""
    rows = total = 0
    async for part in slices(queries, table):
        for row in part.rows:
            total += _number(row)
        rows, total = rows + len(part.rows), total % _MODULUS
        report(Progress(doing, table.name, rows))
    return Fingerprint(rows, f"{total:064x}")


def fingerprint_of_all(found: Mapping[str, Fingerprint]) -> str:
    """One for all tables; the keys are their names."""
    return sha256(json.dumps({name: found[name].digest for name in sorted(found)}).encode()).hexdigest()


def _number(row: Row) -> int:
    return int.from_bytes(sha256(repr([_comparable(value) for value in row]).encode()).digest())


def _comparable(value: Value) -> Value:
    if isinstance(value, bytes):
        # As text, large ones would take four times their room.
        return sha256(value).digest()
    # So PostgreSQL keeps a NUL.
    return value.replace("\0", "\1") if isinstance(value, str) else value
