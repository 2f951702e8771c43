"""What a worker does about access while it answers requests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from auth.actor import OPERATING
from auth.keyfiles import KeyFolder
from auth.passwords import Passwords
from auth.principals import ANONYMOUS
from auth.roles import Action
from auth.tokens import Holder, Issuer
from registry.app.access import build_access
from registry.app.collecting import build_collector
from registry.app.services import build_services
from registry.app.storing import Storage
from registry.app.upkeep import Upkeep
from registry.config.load import load
from registry.domain.access import Identity
from registry.domain.login import Origin
from registry.domain.token_service import Request, TokenService
from registry.metrics import Metrics
from storage.blobs.memory import MemoryDriver
from storage.clock import FakeClock
from storage.errors import StorageUnavailable
from storage.lease import FileLease, Lease
from storage.metadata import access
from storage.metadata.sqlite import MemoryStore
from storage.names import RepositoryName
from tests.unit.registry.domain.stores import FailingStore

DAY = 24 * 3600
APP = RepositoryName("app")
PASSWORDS = Passwords(time_cost=1, memory_kib=64)


class Process:
    """One worker with what it does besides, on a clock that the test moves."""

    def __init__(self, store: MemoryStore, keys: Path, lease: Lease | None = None, **settings: object) -> None:
        named = {name.replace("__", "."): value for name, value in settings.items()}
        config = load(None, {}, {"storage.ephemeral": True, "auth.keys": str(keys), **named})
        self.clock, self.store, self.folder = FakeClock(), FailingStore(store), KeyFolder(keys)
        storage = Storage(self.store, MemoryDriver(), lease)
        self.access = build_access(config, self.store, self.clock, PASSWORDS)
        services = build_services(config, storage, PASSWORDS)
        self.manage = services.management
        collector = build_collector(config, storage, services)
        self.upkeep = Upkeep(config, storage, self.clock, services, self.access, Metrics(), collector)

    async def keys(self) -> list[str]:
        """The keys that this worker trusts, the one that signs first."""
        return [jwk["kid"] for jwk in (await self.access.keys.ring()).jwks()["keys"]]


@pytest.fixture
async def store() -> AsyncIterator[MemoryStore]:
    """Nothing is in it."""
    store = MemoryStore()
    yield store
    await store.close()


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A folder with a first key, made when the clock began."""
    KeyFolder(tmp_path / "keys").ensure(FakeClock().now_ms())
    return tmp_path / "keys"


async def test_rotation(store: MemoryStore, keys: Path) -> None:
    """A key is replaced at its age, and goes a day later, when nothing that it signed can be good any more."""
    process = Process(store, keys)
    (first,) = await process.keys()
    process.clock.advance(90 * DAY)
    await process.upkeep.rotate_keys()
    assert await process.keys() == [first]
    process.clock.advance(0.001)
    await process.upkeep.rotate_keys()
    second, other = await process.keys()
    assert other == first != second
    process.clock.advance(DAY)
    await process.upkeep.rotate_keys()
    assert await process.keys() == [second, first]
    process.clock.advance(0.001)
    await process.upkeep.rotate_keys()
    assert await process.keys() == [second]


@pytest.mark.parametrize(
    ("settings", "keys_then"), [({"auth__key_lifetime": "0"}, 1), ({"auth__key_lifetime": "1h"}, 2)]
)
async def test_configured_age(store: MemoryStore, keys: Path, settings: dict[str, object], keys_then: int) -> None:
    """How old a key gets is configured; a key may sign for ever."""
    process = Process(store, keys, None, **settings)
    process.clock.advance(DAY)
    await process.upkeep.rotate_keys()
    assert len(await process.keys()) == keys_then


async def test_long_lived_tokens(store: MemoryStore, keys: Path) -> None:
    """Where tokens live for longer, so do the keys that verify them."""
    process = Process(store, keys, auth__token_lifetime="2d")
    process.folder.rotate(process.clock.now_ms() + 1)
    for days, left in [(3, 2), (1, 2), (0.01, 1)]:
        process.clock.advance(days * DAY)
        await process.upkeep.rotate_keys()
        assert len(await process.keys()) == left


async def test_one_process_rotates(store: MemoryStore, keys: Path, tmp_path: Path) -> None:
    """Of many processes the one that has the lease replaces keys and drops rows; the others leave that to it."""
    leases = [FileLease(tmp_path / "lease") for _ in range(2)]
    assert await leases[0].held()
    ours, theirs = (Process(store, keys, lease) for lease in leases)
    for process in (theirs, ours):
        process.clock.advance(100 * DAY)
        await process.upkeep.rotate_keys()
        await process.upkeep.expire_access()
        assert len(process.folder.names()) == (2 if process is ours else 1)
    for lease in leases:
        await lease.close()


async def test_changes_are_noticed_after_a_fault(store: MemoryStore, keys: Path) -> None:
    """A store that does not answer for a while does not make a worker look less often for what was taken away."""
    process = Process(store, keys)
    await process.upkeep.notice_changes()
    known = await process.access.accesses.of_holder(Holder(ANONYMOUS))
    assert not known.access.decide(Action.PULL, APP).granted
    process.store.read_error = StorageUnavailable("busy")
    for _ in range(3):
        await process.upkeep.notice_changes()
    process.store.read_error = None
    await process.manage.registries.update(OPERATING, "default", "root", visibility="public")
    await process.upkeep.notice_changes()
    known = await process.access.accesses.of_holder(Holder(ANONYMOUS))
    assert known.access.decide(Action.PULL, APP).granted


async def test_expiry(store: MemoryStore, keys: Path) -> None:
    """Logins that nobody used for long, and failures that count no longer, are dropped; what is good is not."""
    process = Process(store, keys)
    await process.manage.users.create(OPERATING, "alice", None)
    row = await access.principal_by_name(store, "alice")
    assert row is not None
    issuer = Issuer("berth", "berth", 300)
    desk = TokenService(process.store, process.clock, process.access.accesses, process.access.keys, issuer)

    async def begin() -> None:
        await desk.grant(Identity(row), Request([], offline=True, service="berth", origin=Origin()))
        await process.access.throttle.failed("alice", "192.0.2.1")

    async def counts() -> list[int]:
        tables = ("refresh_tokens", "login_failures")
        return [len(await store.fetch_all(f"SELECT 1 FROM {table}")) for table in tables]

    await begin()
    process.clock.advance(90 * DAY - 60)
    await process.upkeep.expire_access()
    assert await counts() == [1, 0]
    await begin()
    process.clock.advance(60)
    await process.upkeep.expire_access()
    assert await counts() == [1, 2]
