"""Audit entries that belong to no transaction: refusals, logins, and pulls where those are wanted.

They wait in memory and are written together, so that nobody waits for the disk to be told no. A process that is killed
takes those of the last second with it.

Nobody can fill the disk by being refused:

- The same refusal, by principal, action, target and address, is written when it happens for the first time. For a
  minute it is only counted then, and at the end of the minute one entry says how often it happened.
- Of all other refusals of one principal a hundred are written at once, and one more every five seconds. The rest is
  counted as refusals of the action `audit.limit`. All who are not known are one principal here: whoever records a
  failed login has to say that it was nobody, whatever name was sent.

So strangers cause no more than 25 entries in a minute after the first two hundred, in each process.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace

from storage.clock import Clock
from storage.metadata import audit
from storage.metadata.audit import AuditRow
from storage.metadata.store import MetadataStore, Transaction

ROWS_MAX = 10_000
# Other writers get their turn between two parts.
_PART = 500

_PERIOD_MS = 60_000
_AT_ONCE, _ONE_MORE_MS = 100, 5000

_LOG = logging.getLogger(__name__)


class AuditBatch:
    """What is to be written. For one event loop."""

    def __init__(self, store: MetadataStore, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._refusals = _Refusals()
        self._rows: list[AuditRow] = []
        self._lost = 0
        self._lock = asyncio.Lock()
        self._writes: set[asyncio.Task[None]] = set()

    def add(self, row: AuditRow) -> None:
        """Keep a row for the next `flush`. While 10 000 wait, further ones are lost; how many is logged."""
        if row.outcome == "allowed" or self._refusals.admit(row):
            self._put(row)

    async def flush(self) -> None:
        """Write what waits, and the counts of the minutes that are over.

        When this fails, the next call tries again. A caller that is cancelled may call again at once: nothing is
        written twice, unless the store could not say whether it was written (`StorageUnavailable`).
        """
        await self._flush(self._clock.now_ms())

    async def close(self) -> None:
        """As `flush`, with all counts: for the end of the process."""
        await self._flush(None)

    async def _flush(self, now_ms: int | None) -> None:
        for row in self._refusals.counted(now_ms):
            self._put(row)
        # Whether rows were written has to become known here, also when the caller does not wait for it any more.
        write = asyncio.create_task(self._write())
        self._writes.add(write)
        write.add_done_callback(self._written)
        await asyncio.shield(write)

    def _written(self, write: asyncio.Task[None]) -> None:
        self._writes.discard(write)
        if not write.cancelled():
            # Looked at, since there may be nobody else who does.
            write.exception()

    async def _write(self) -> None:
        async with self._lock:
            if self._lost:
                _LOG.warning("%d entries of the audit log were lost: too many waited to be written", self._lost)
                self._lost = 0
            while self._rows:
                part = self._rows[:_PART]
                await self._append(part)
                del self._rows[: len(part)]

    async def _append(self, rows: list[AuditRow]) -> None:
        async def append(tx: Transaction) -> None:
            for row in rows:
                await audit.append(tx, row)

        await self._store.transact(append, durable=False)

    def _put(self, row: AuditRow) -> None:
        if len(self._rows) < ROWS_MAX:
            self._rows.append(row)
        else:
            self._lost += 1


@dataclass(slots=True)
class _Count:
    """How often the same was refused since a time, and how that looked last."""

    since_ms: int
    last: AuditRow
    times: int = 0

    def add(self, row: AuditRow) -> None:
        self.last = row
        self.times += 1

    def is_over(self, now_ms: int) -> bool:
        # A clock that was set back ends it too.
        return not 0 <= now_ms - self.since_ms < _PERIOD_MS

    def row(self) -> AuditRow:
        return replace(self.last, detail=f"{self.last.detail} ({self.times} times within a minute)")


@dataclass(slots=True)
class _Allowance:
    """How many refusals of one principal may be written down now."""

    at_ms: int
    left: float = _AT_ONCE

    def take(self, now_ms: int) -> bool:
        self._refill(now_ms)
        if self.left < 1:
            return False
        self.left -= 1
        return True

    def is_full(self, now_ms: int) -> bool:
        self._refill(now_ms)
        return self.left >= _AT_ONCE

    def _refill(self, now_ms: int) -> None:
        self.left = min(_AT_ONCE, self.left + max(0, now_ms - self.at_ms) / _ONE_MORE_MS)
        self.at_ms = now_ms


class _Refusals:
    """Which refusals are written down, and which are only counted."""

    def __init__(self) -> None:
        # In the order in which the counts began.
        self._counts: dict[tuple[str | None, ...], _Count] = {}
        self._allowances: dict[tuple[str, str], _Allowance] = {}

    def admit(self, row: AuditRow) -> bool:
        """Whether the row is to be written; if not, it was counted."""
        count = self._counts.get(_what(row))
        if count is not None:
            count.add(row)
            return False
        allowance = self._allowances.setdefault((row.principal_kind, row.principal), _Allowance(row.at))
        if allowance.take(row.at):
            self._counts[_what(row)] = _Count(row.at, row)
            return True
        some = _some(row)
        self._counts.setdefault(_what(some), _Count(some.at, some)).add(some)
        return False

    def counted(self, now_ms: int | None) -> list[AuditRow]:
        """One row for each count that is over, or, without a time, for each.

        The next refusal of the kind has to be allowed again, so there are never more counts than allowances gave.
        """
        rows = []
        while self._counts:
            what, count = next(iter(self._counts.items()))
            if now_ms is not None and not count.is_over(now_ms):
                break
            del self._counts[what]
            if count.times:
                rows.append(count.row())
        if now_ms is not None:
            self._allowances = {who: one for who, one in self._allowances.items() if not one.is_full(now_ms)}
        return rows


def _what(row: AuditRow) -> tuple[str | None, ...]:
    """What makes two refusals the same."""
    return row.principal_kind, row.principal, row.token, row.action, row.target, row.address


def _some(row: AuditRow) -> AuditRow:
    """What stands for refusals of one principal that are not written down one by one."""
    return AuditRow(
        at=row.at,
        principal_kind=row.principal_kind,
        principal=row.principal,
        token=None,
        action="audit.limit",
        project=None,
        target="",
        outcome=row.outcome,
        detail="refused more often than is written down one by one",
        address=None,
        client=None,
        request_id=None,
    )
