"""How many refresh tokens one account can have: nobody fills the disk by logging in."""

import pytest

from registry.domain.token_service import REFRESH_TOKENS_MAX
from storage.metadata import access
from storage.metadata.store import Transaction
from tests.unit.registry.domain.tenants import Tenants
from tests.unit.registry.domain.token_desk import TokenDesk


async def log_in_often(tenants: Tenants, name: str, times: int) -> None:
    """Give an account tokens as from so many logins of a minute ago."""
    row = await access.principal_by_name(tenants.store, name)
    assert row is not None
    account, minute_ago = row.id, tenants.clock.now_ms() - 60_000

    async def insert(tx: Transaction) -> None:
        for number in range(times):
            await tx.execute(
                "INSERT INTO refresh_tokens"
                " (family, principal_id, secret_hash, service, created_at, used_at, expires_at)"
                " VALUES (?, ?, ?, 'berth', ?, ?, ?)",
                *(f"{name}-{number}", account, f"{name}-{number}", minute_ago, minute_ago, minute_ago + 10**9),
            )

    await tenants.store.transact(insert)


@pytest.mark.parametrize("rotating", [False, True], ids=["logins", "rotation"])
async def test_oldest_go_first(tenants: Tenants, *, rotating: bool) -> None:
    """Beyond a large number the tokens that were used longest ago end, of this account alone."""
    desk = TokenDesk(tenants)
    used = await desk.begin("developer")
    await log_in_often(tenants, "developer", REFRESH_TOKENS_MAX - 1)
    await log_in_often(tenants, "reader", 1)
    tenants.clock.advance(1)
    for _ in range(3):
        used = await desk.rotate(used) if rotating else await desk.begin("developer")
    left = await tenants.store.fetch_all("SELECT secret_hash FROM refresh_tokens")
    assert len(left) == REFRESH_TOKENS_MAX + 1
    assert ("reader-0",) in left
    assert ("developer-2",) not in left
    assert ("developer-3",) in left
    assert await desk.answer(used) == "good"
