"""What is remembered about access saves reads, and never outlives a change, however the two meet in time."""

import asyncio

import pytest

from auth.actor import OPERATING
from auth.principals import parse_subject
from registry.domain.registries import Settings
from storage.errors import StorageUnavailable
from storage.names import RepositoryName
from tests.unit.registry.domain.knowing import APP, Process
from tests.unit.registry.domain.tenants import Tenants

DEVELOPER = parse_subject("user:developer")


@pytest.fixture
def process(tenants: Tenants) -> Process:
    """A process that knows nothing yet."""
    return Process(tenants)


async def open_up(tenants: Tenants) -> None:
    """Make the registry of the project public, and the developer a stranger."""
    await tenants.registries.update(OPERATING, "acme", "main", visibility="public")
    await tenants.members.remove(OPERATING, "acme", DEVELOPER)


async def test_what_is_known_is_not_read_again(process: Process) -> None:
    """As long as nothing changes, who has been seen once costs no read."""
    holders = [await process.holder(name) for name in ["developer", "reader", "nobody"]]
    await process.accesses.refresh()
    for holder in holders:
        await process.letters(holder)
    reads = process.store.reads
    for holder in holders * 10:
        await process.letters(holder)
    assert process.store.reads == reads
    assert not await process.accesses.refresh()
    assert process.store.reads == reads + 1


async def test_registry_of_a_repository(process: Process) -> None:
    """Which registry has a repository, and what it wants for it, is read once, and anew after each change."""
    await process.accesses.refresh()
    repository = RepositoryName(APP)
    for redirect in (None, "large"):
        await process.tenants.registries.update(OPERATING, "acme", "main", settings=Settings(redirect=redirect))
        assert await process.accesses.refresh()
        for _ in range(10):
            found = await process.accesses.registry_of(repository)
            assert found is not None
            assert (found.name, found.redirect) == ("main", redirect)
    assert process.store.reads == 3 + 2 * 2


async def test_store_that_cannot_be_read(process: Process) -> None:
    """While nobody knows what was changed, nothing is granted on what was known before; afterwards all is as ever."""
    holder = await process.holder("developer")
    await process.accesses.refresh()
    assert await process.letters(holder) == "rw"
    process.store.read_error = StorageUnavailable("busy")
    assert await process.letters(holder) == "rw"
    with pytest.raises(StorageUnavailable):
        await process.accesses.refresh()
    with pytest.raises(StorageUnavailable):
        await process.letters(holder)
    await process.tenants.members.remove(OPERATING, "acme", DEVELOPER)
    process.store.read_error = None
    assert await process.letters(holder) == ""
    assert await process.accesses.refresh()
    assert await process.letters(holder) == ""


@pytest.mark.parametrize("read", range(1, 6))
async def test_change_while_rights_are_read(process: Process, read: int) -> None:
    """What was read before a change, and arrives after that was noticed, is not remembered."""
    holder = await process.holder("developer")
    await process.accesses.refresh()
    process.store.slow = process.store.reads + read
    reading = asyncio.create_task(process.letters(holder))
    async with asyncio.timeout(10):
        await process.store.is_slow.wait()
    await open_up(process.tenants)
    assert await process.accesses.refresh()
    process.store.go_on.set()
    await reading
    assert await process.letters(holder) == await process.letters(await process.holder("nobody")) == "r"


async def test_change_while_one_is_noticed(process: Process) -> None:
    """A change that comes while another one is being noticed is noticed too."""
    holder = await process.holder("developer")
    await process.accesses.refresh()
    await process.tenants.registries.update(OPERATING, "acme", "main", visibility="public")
    process.store.slow = process.store.reads + 1
    first = asyncio.create_task(process.accesses.refresh())
    async with asyncio.timeout(10):
        await process.store.is_slow.wait()
    await process.tenants.members.remove(OPERATING, "acme", DEVELOPER)
    assert await process.accesses.refresh()
    assert await process.letters(holder) == "r"
    process.store.go_on.set()
    await first
    await process.accesses.refresh()
    assert await process.letters(holder) == "r"
