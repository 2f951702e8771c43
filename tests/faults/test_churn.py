"""Many clients for a while, with collectors that never rest, where everything is protected for seconds only."""

from __future__ import annotations

import asyncio
import random
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import s3_store
from tests.daemon import Daemon
from tests.faults import tally
from tests.faults.churning import churn
from tests.faults.collecting import Collecting, collecting
from tests.faults.pushing import chance, seconds

CLIENTS = 6
SECONDS = 5.0


@dataclass(frozen=True)
class Engine:
    """Where rows and bytes are kept, and for how long a blob is promised to stay that was asked for, in seconds."""

    settings: dict[str, object]
    grace_s: int

    @property
    def environment(self) -> dict[str, str]:
        """The variables for a registry in which nothing is protected for longer, and that collects all the time."""
        times = dict.fromkeys(("grace", "untagged_after", "orphaned_after", "keep_deleted"), f"{self.grace_s}s")
        settings = {**self.settings, **{f"collector.{name}": time for name, time in times.items()}}
        settings["collector.every"] = "1s"
        return {f"BERTH_{name.upper().replace('.', '__')}": str(value) for name, value in settings.items()}


@pytest.fixture(params=["files", "postgresql-s3"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """An engine; the store of S3 is slower than files are."""
    if request.param == "files":
        return Engine({}, 1)
    return Engine({"storage.database": request.getfixturevalue("postgres_url"), **s3_store.settings()}, 3)


async def collect_on(program: Collecting, ended: asyncio.Event, dice: random.Random) -> None:
    """Collect again and again; now and then the collector is killed."""
    while not ended.is_set():
        code = await asyncio.to_thread(program.collect, dice.choice((0.0, 0.0, dice.uniform(0.01, 0.5))))
        assert code in (0, -signal.SIGALRM)
        tally.injected("collection beside clients" if code == 0 else "collector killed under load")


@pytest.mark.timeout(int(seconds(SECONDS)) + 300)
async def test_what_is_tagged_can_be_pulled(engine: Engine, tmp_path: Path) -> None:
    """Whatever clients push and delete while collectors run and die, all that their tags lead to can be pulled."""
    dice, ended = chance(), asyncio.Event()
    with Daemon(tmp_path / "data", "--workers", "2", environment=engine.environment) as daemon:
        with collecting(daemon.data, engine.environment) as program:
            assert program.collect() == 0
            async with asyncio.TaskGroup() as group:
                group.create_task(collect_on(program, ended, dice))
                try:
                    # A lease is not written anew before a quarter of it is over.
                    churners = await churn(daemon.address, CLIENTS, seconds(SECONDS), 0.7 * engine.grace_s, dice)
                finally:
                    ended.set()
            assert program.collect() == 0
        assert all(churner.counts for churner in churners)
        assert daemon.stop() == 0, daemon.tail()
    daemon.check()
