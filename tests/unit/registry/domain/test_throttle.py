"""How fast passwords can be guessed: slower with each failure, and never so slow that an account is locked."""

import pytest

from registry.domain.throttle import Throttle
from registry.errors import TooManyRequests
from storage.clock import FakeClock
from storage.metadata.store import MetadataStore, Transaction

HERE, THERE = "192.0.2.7", "198.51.100.1"
MINUTE, DAY = 60, 24 * 3600


class Guessing:
    """A throttle, and who fails to log in."""

    def __init__(self, store: MetadataStore, clock: FakeClock) -> None:
        self.store, self.clock = store, clock
        self.throttle = Throttle(store, clock)

    async def fail(self, times: int, account: str = "alice", address: str | None = HERE) -> None:
        """Send that many wrong passwords, all at one time."""
        for _ in range(times):
            await self.throttle.failed(account, address)

    async def wait_s(self, account: str = "alice", address: str | None = HERE) -> int:
        """After how many seconds the client is told to try again; 0 if it may try now."""
        try:
            await self.throttle.check(account, address)
        except TooManyRequests as error:
            return error.retry_after_s
        return 0

    async def set_failures(self, failures: int) -> None:
        """Let everything that was counted have failed so often."""

        async def update(tx: Transaction) -> None:
            await tx.execute("UPDATE login_failures SET failures = ?", failures)

        await self.store.transact(update)

    async def rows(self) -> int:
        """How much is remembered."""
        return len(await self.store.fetch_all("SELECT account FROM login_failures"))


@pytest.fixture
def guessing(store: MetadataStore) -> Guessing:
    """Nobody has failed yet."""
    return Guessing(store, FakeClock())


@pytest.mark.parametrize(
    ("failures", "wait_s"),
    [(0, 0), (1, 0), (4, 0), (5, 1), (6, 2), (7, 4), (8, 8), (9, 16), (10, 32), (11, 60), (12, 60), (49, 60)],
)
async def test_waits_grow_and_are_bounded(guessing: Guessing, failures: int, wait_s: int) -> None:
    """Four mistakes cost nothing, from the fifth on each doubles the wait, which is never more than a minute."""
    await guessing.fail(failures)
    assert await guessing.wait_s() == wait_s


@pytest.mark.parametrize("failures", [100, 10**6, 2**62])
async def test_nobody_is_locked_out(guessing: Guessing, failures: int) -> None:
    """However often somebody guessed, whoever has the right password waits a minute at most."""
    await guessing.fail(1)
    await guessing.set_failures(failures)
    assert await guessing.wait_s() == MINUTE
    guessing.clock.advance(MINUTE)
    assert await guessing.wait_s() == 0


async def test_retry_after_is_right(guessing: Guessing) -> None:
    """A client that waits as long as it was told to is let in then, and not before; it is never told 0."""
    await guessing.fail(7)
    assert await guessing.wait_s() == 4
    guessing.clock.advance(1.5)
    assert await guessing.wait_s() == 3
    guessing.clock.advance(2.499)
    assert await guessing.wait_s() == 1
    guessing.clock.advance(0.001)
    assert await guessing.wait_s() == 0


async def test_every_failure_begins_a_wait(guessing: Guessing) -> None:
    """After the wait one more may be tried: if that is wrong too, the next wait is longer."""
    await guessing.fail(5)
    waits = []
    for _ in range(8):
        waits.append(await guessing.wait_s())
        guessing.clock.advance(waits[-1])
        assert await guessing.wait_s() == 0
        await guessing.fail(1)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


async def test_success_forgets(guessing: Guessing) -> None:
    """Who logs in begins anew: mistakes of yesterday do not count."""
    await guessing.fail(4)
    await guessing.throttle.succeeded("alice", HERE)
    await guessing.fail(4)
    assert await guessing.wait_s() == 0
    await guessing.fail(1)
    assert await guessing.wait_s() == 1


async def test_others_are_not_affected(guessing: Guessing) -> None:
    """An account waits where it was guessed at, and nowhere else; and no other account does."""
    await guessing.fail(20)
    assert await guessing.wait_s() == MINUTE
    assert await guessing.wait_s("alice", THERE) == 0
    assert await guessing.wait_s("bob") == 0
    assert await guessing.wait_s("alice2") == 0


async def test_success_of_others_does_not_help(guessing: Guessing) -> None:
    """Whoever has an account of its own cannot use it to guess on at another one, nor from another address."""
    await guessing.fail(6)
    await guessing.throttle.succeeded("mallory", HERE)
    await guessing.throttle.succeeded("alice", THERE)
    assert await guessing.wait_s() == 2


async def test_many_accounts_from_one_address(guessing: Guessing) -> None:
    """Who tries one password at many accounts is slowed down too, for ten seconds at most, and only there."""
    for number in range(49):
        await guessing.fail(1, f"user{number}")
    assert await guessing.wait_s("fresh") == 0
    await guessing.fail(1, "user49")
    assert await guessing.wait_s("fresh") == 1
    for number in range(20):
        await guessing.fail(1, f"other{number}")
    assert await guessing.wait_s("fresh") == 10
    await guessing.throttle.succeeded("mallory", HERE)
    assert await guessing.wait_s("fresh") == 10
    assert await guessing.wait_s("fresh", THERE) == 0


async def test_no_name_at_all(guessing: Guessing) -> None:
    """A login without a name counts as one failure, as any other does."""
    await guessing.fail(1, "")
    for number in range(48):
        await guessing.fail(1, f"user{number}")
    assert await guessing.wait_s("fresh") == 0


async def test_failures_are_forgotten(guessing: Guessing) -> None:
    """After a quarter of an hour without another one, failures count no longer."""
    await guessing.fail(20)
    guessing.clock.advance(15 * MINUTE + 0.001)
    assert await guessing.wait_s() == 0
    await guessing.fail(4)
    assert await guessing.wait_s() == 0
    await guessing.fail(1)
    assert await guessing.wait_s() == 1


async def test_expiry(guessing: Guessing) -> None:
    """What counts no longer is dropped, and what still counts is not."""
    await guessing.fail(1, "old")
    guessing.clock.advance(10 * MINUTE)
    await guessing.fail(5, "new")
    guessing.clock.advance(6 * MINUTE)
    await guessing.throttle.expire()
    assert await guessing.rows() == 2
    guessing.clock.advance(15 * MINUTE)
    await guessing.throttle.expire()
    assert await guessing.rows() == 0


async def test_clock_that_was_set_back(guessing: Guessing) -> None:
    """A clock that was ahead when somebody failed locks nobody out once it is right again."""
    await guessing.fail(20)
    guessing.clock.advance(-DAY)
    assert await guessing.wait_s() <= MINUTE
    guessing.clock.advance(MINUTE)
    assert await guessing.wait_s() == 0


@pytest.mark.parametrize(
    ("address", "same"),
    [
        ("192.0.2.7", True),
        ("::ffff:192.0.2.7", True),
        ("192.0.2.8", False),
        ("::192.0.2.7", False),
        (None, False),
    ],
)
async def test_one_address(guessing: Guessing, address: str | None, same: bool) -> None:  # noqa: FBT001 - a table
    """An IPv4 address is one place, in whichever form it is written."""
    await guessing.fail(5, address=HERE)
    assert (await guessing.wait_s(address=address) > 0) == same


@pytest.mark.parametrize(
    ("address", "same"),
    [("2001:db8::1", True), ("2001:db8:0:0:ffff::1", True), ("2001:db8:0:1::1", False), ("2001:db9::1", False)],
)
async def test_one_network(guessing: Guessing, address: str, same: bool) -> None:  # noqa: FBT001 - a table
    """A host has all of an IPv6 network of 64 bits, so that is one place."""
    await guessing.fail(5, address="2001:db8::dead:beef")
    assert (await guessing.wait_s(address=address) > 0) == same


@pytest.mark.parametrize("address", [None, "", "nonsense", "192.0.2.7:80", "x" * 10_000])
async def test_unknown_address(guessing: Guessing, address: str | None) -> None:
    """Who comes from where nobody knows is slowed down too: all of them are one place."""
    await guessing.fail(5, address=address)
    assert await guessing.wait_s(address="of nobody") == 1
    assert await guessing.wait_s(address=HERE) == 0


async def test_long_names(guessing: Guessing) -> None:
    """What is remembered of a name is bounded, however long a name the client sends."""
    await guessing.fail(5, "a" * 100_000)
    row = await guessing.store.fetch_one("SELECT MAX(length(account)) FROM login_failures")
    assert row == (128,)
    assert await guessing.wait_s("a" * 100_000) == 1


async def test_processes_count_together(guessing: Guessing) -> None:
    """Workers, and other daemons on the same data, count as one."""
    other = Guessing(guessing.store, guessing.clock)
    await guessing.fail(3)
    await other.fail(2)
    assert await guessing.wait_s() == await other.wait_s() == 1
    await other.throttle.succeeded("alice", HERE)
    assert await guessing.wait_s() == 0
