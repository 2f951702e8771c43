"""A batch of audit entries, and what is around it: a store that can be made to wait and to fail."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from registry.domain.audit_batch import AuditBatch
from storage.clock import FakeClock
from storage.errors import StorageFull
from storage.metadata import audit
from storage.metadata.audit import BEGIN, AuditEntry, AuditFilter, AuditRow
from storage.metadata.sqlite import MemoryStore
from storage.metadata.store import MetadataStore, Transaction
from tests.unit.storage.audit_rows import a_row

T = TypeVar("T")

START = 1_700_000_000_000


def times_of(detail: str | None) -> int:
    """For how many refusals an entry stands."""
    counted = (detail or "").rpartition("(")[2].partition(" times")
    return int(counted[0]) if counted[1] else 1


async def entries(store: MetadataStore) -> list[AuditEntry]:
    """What was written, the oldest first."""
    return await audit.oldest(store, AuditFilter(), BEGIN, 100_000)


@dataclass
class HinderedStore(MemoryStore):
    """Rows in memory. A transaction waits until `open`; those of these numbers, counted from 0, fail."""

    failing: set[int] = field(default_factory=set)
    durable: list[bool] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        super().__init__()
        self.open.set()

    async def transact(self, work: Callable[[Transaction], Awaitable[T]], *, durable: bool = True) -> T:
        number = len(self.durable)
        self.durable.append(durable)
        await self.open.wait()
        if number in self.failing:
            raise StorageFull
        return await super().transact(work, durable=durable)


@dataclass
class Batched:
    """A batch, and what is around it."""

    store: HinderedStore = field(default_factory=HinderedStore)
    clock: FakeClock = field(default_factory=lambda: FakeClock(START))
    batch: AuditBatch = field(init=False)

    def __post_init__(self) -> None:
        self.batch = AuditBatch(self.store, self.clock)

    def allow(self, target: str = "app:1") -> None:
        """Something is done."""
        self.batch.add(a_row(at=self.clock.now_ms(), action="login", target=target))

    def refuse(self, target: str = "app:1", who: str = "alice", address: str = "192.0.2.1") -> None:
        """Something is refused."""
        kind = "anonymous" if who == "anonymous" else "user"
        self.batch.add(self.refused(target, who, address, kind))

    def refused(self, target: str, who: str, address: str, kind: str) -> AuditRow:
        """The row that says so."""
        return a_row(
            at=self.clock.now_ms(),
            principal_kind=kind,
            principal=who,
            target=target,
            address=address,
            outcome="refused",
            detail="not allowed",
        )

    async def details(self) -> list[str | None]:
        """What was written by now, in the order of the times."""
        await self.batch.flush()
        return [entry.detail for entry in await entries(self.store)]

    async def targets(self) -> list[str]:
        """What is written by now, without another flush."""
        return [entry.target for entry in await entries(self.store)]
