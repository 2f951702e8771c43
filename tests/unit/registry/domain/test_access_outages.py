"""What was remembered in one outage of the store is not believed in the next."""

import pytest

from registry.domain.access import Accesses
from storage.errors import StorageUnavailable
from tests.unit.registry.domain.stores import FailingStore
from tests.unit.registry.domain.tenants import Tenants


async def test_outages_are_not_one_another(tenants: Tenants) -> None:
    """Every time in which nobody knows what was changed has a generation of its own, and so has every other time."""
    store = FailingStore(tenants.store)
    accesses = Accesses(store, tenants.clock)
    seen = [accesses.generation]
    for _ in range(3):
        store.read_error = StorageUnavailable("busy")
        with pytest.raises(StorageUnavailable):
            await accesses.refresh()
        seen.append(accesses.generation)
        store.read_error = None
        assert await accesses.refresh()
        known = accesses.generation
        assert known not in seen
    assert len(set(seen)) == 4
