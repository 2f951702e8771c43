"""How far a pass got, written down so that it survives whoever makes it."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from storage.clock import Clock
from storage.metadata import runs
from storage.metadata.runs import RunRow
from storage.metadata.store import MetadataStore, Queries, Transaction

KIND = "scrub"
_RUNS_KEPT = 20
# Whoever makes a pass writes this often. A pass of which nobody wrote anything for much longer was broken off.
WRITE_EVERY_MS = 15_000
_BROKEN_OFF_MS = 120_000


@dataclass(slots=True)
class Progress:
    """A pass: blobs in the order of their digests, then manifests in the order of their ids.

    Everything up to `blob` and `manifest` has been looked at. `bytes` were read of blobs. `damaged` blobs were found to
    be so, `restored` ones to be so no longer, `unreadable` ones could not be read at all. `spoiled` names manifests.
    """

    by: str = ""
    blob: str = ""
    manifest: int = 0
    blobs: int = 0
    bytes: int = 0
    manifests: int = 0
    damaged: int = 0
    restored: int = 0
    unreadable: int = 0
    spoiled: list[str] = field(default_factory=list)


def progress_of(run: RunRow) -> Progress:
    """What a run wrote down; of what another version knew, the part that this one knows."""
    known: dict[str, Any] = {each.name: run.state[each.name] for each in fields(Progress) if each.name in run.state}
    return Progress(**known)


class Journal:
    """Where a process writes down the pass that it makes. Of two that want the same one, the last to take it has it."""

    def __init__(self, store: MetadataStore, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._by = secrets.token_hex(8)
        self._run_id = self._written_at = 0

    async def is_due(self, every_ms: int) -> bool:
        """Whether a pass should begin, that long after the last one began, or one that was broken off should go on."""
        run = await runs.latest(self._store, KIND)
        now = self._clock.now_ms()
        if run is None:
            return True
        if run.ended_at is not None:
            return now - run.started_at >= every_ms
        return progress_of(run).by == self._by or now - run.updated_at >= _BROKEN_OFF_MS

    async def take(self, *, anew: bool) -> Progress:
        """Go on with the pass that has not ended, or begin one; from its beginning in any case with `anew`."""

        async def take(tx: Transaction) -> tuple[int, Progress]:
            now, run = self._clock.now_ms(), await runs.latest(tx, KIND)
            if run is not None and run.ended_at is None and not anew:
                progress = progress_of(run)
                progress.by = self._by
                await runs.update(tx, run.id, now, asdict(progress))
                return run.id, progress
            if run is not None and run.ended_at is None:
                await runs.update(tx, run.id, now, run.state, ended=True)
            progress = Progress(self._by)
            run_id = await runs.begin(tx, KIND, now, asdict(progress))
            await runs.forget(tx, KIND, _RUNS_KEPT)
            return run_id, progress

        self._run_id, progress = await self._store.transact(take, durable=False)
        self._written_at = self._clock.now_ms()
        return progress

    @property
    def is_stale(self) -> bool:
        """Whether it is time to write down how far the pass got."""
        return self._clock.now_ms() - self._written_at >= WRITE_EVERY_MS

    async def write(self, progress: Progress, *, ended: bool = False) -> bool:
        """Write down how far the pass got; false if somebody else makes it by now."""

        async def write(tx: Transaction) -> bool:
            run = await runs.latest(tx, KIND)
            if run is None or run.id != self._run_id or run.ended_at is not None or run.state.get("by") != self._by:
                return False
            await runs.update(tx, run.id, self._clock.now_ms(), asdict(progress), ended=ended)
            return True

        written = await self._store.transact(write, durable=ended)
        self._written_at = self._clock.now_ms()
        return written


async def spoiled_manifests(queries: Queries) -> int:
    """How many manifests the last pass found to be damaged, or the one that goes on now if that found more."""
    run = await runs.latest(queries, KIND)
    if run is None:
        return 0
    found = [run, *([] if run.ended_at is not None else await runs.before(queries, KIND, run.id, 1))]
    return max(len(progress_of(each).spoiled) for each in found)
