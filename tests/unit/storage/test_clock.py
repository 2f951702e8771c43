"""Clocks."""

import time

from storage.clock import FakeClock, SystemClock


def test_system_clock_tells_the_time() -> None:
    """The system's clock gives milliseconds since 1970, and goes on."""
    before = time.time()
    told = SystemClock().now_ms()
    after = time.time()
    assert int(before * 1000) <= told <= int(after * 1000) + 1


def test_fake_clock_stands_still() -> None:
    """A fake clock moves when it is told to, by as much as it is told, and at no other time."""
    clock = FakeClock(1_000)
    assert [clock.now_ms(), clock.now_ms()] == [1_000, 1_000]
    clock.advance(1.5)
    assert clock.now_ms() == 2_500
    clock.advance(86_400)
    assert clock.now_ms() == 86_402_500


def test_fake_clock_begins_in_our_time() -> None:
    """Where nobody says when, a fake clock shows a time of this century, so that times before it are positive."""
    assert FakeClock().now_ms() > 1_000_000_000_000
