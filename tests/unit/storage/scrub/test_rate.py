"""How fast a long work may read."""

import pytest

from storage.scrub.rate import Rate
from tests.unit.storage.scrub.worlds import Time

MIB = 1 << 20


@pytest.mark.parametrize("piece", [1, 1000, MIB, 10 * MIB])
async def test_bytes_take_their_time(piece: int) -> None:
    """However the bytes come, no more of them are read than the rate allows, and hardly fewer."""
    time = Time()
    rate = Rate(100_000, time.now, time.sleep)
    pieces = max(1, 50_000 // piece)
    for _ in range(pieces):
        await rate.spend(piece)
    assert time.seconds == pytest.approx(pieces * piece / 100_000, abs=0.05)


async def test_short_waits_are_put_together() -> None:
    """Many small pieces cost few waits."""
    time = Time()
    rate = Rate(MIB, time.now, time.sleep)
    for _ in range(1024):
        await rate.spend(1024)
    assert 10 <= len(time.sleeps) <= 20


async def test_idle_time_is_not_made_up_for() -> None:
    """After a long pause the rate is what it was before."""
    time = Time()
    rate = Rate(MIB, time.now, time.sleep)
    await time.sleep(3600)
    for _ in range(10):
        await rate.spend(MIB)
    assert time.seconds == pytest.approx(3610)


async def test_no_limit() -> None:
    """Without a limit nobody waits."""
    time = Time()
    rate = Rate(0, time.now, time.sleep)
    await rate.spend(1 << 40)
    assert time.sleeps == []
