"""How fast somebody may guess passwords: slower and slower, and never so slow that an account is locked."""

from __future__ import annotations

import ipaddress

from registry.errors import TooManyRequests
from storage.clock import Clock
from storage.metadata import login_failures
from storage.metadata.store import MetadataStore, Transaction

# Failures of one account from one address, or of all accounts from one address, before anybody has to wait.
_FREE, _FREE_OF_ADDRESS = 5, 50
# The longest wait in seconds: short enough for a node whose credentials were wrong until a minute ago.
_LONGEST, _LONGEST_OF_ADDRESS = 60, 10
_FORGOTTEN_AFTER_MS = 15 * 60 * 1000
_ACCOUNT_LENGTH_MAX = 128
_WHOLE_ADDRESS = ""


class Throttle:
    """Counts failed logins in the store, so that all workers and daemons count together."""

    def __init__(self, store: MetadataStore, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def check(self, account: str, address: str | None) -> None:
        """Raises `TooManyRequests` when this account, or this address, has to wait."""
        place = _place(address)
        await self._check(account[:_ACCOUNT_LENGTH_MAX], place, _FREE, _LONGEST)
        await self._check(_WHOLE_ADDRESS, place, _FREE_OF_ADDRESS, _LONGEST_OF_ADDRESS)

    async def failed(self, account: str, address: str | None) -> None:
        """Count a failure. It is not durable: a power cut forgives."""
        now, place = self._clock.now_ms(), _place(address)

        async def count(tx: Transaction) -> None:
            for counted in {account[:_ACCOUNT_LENGTH_MAX], _WHOLE_ADDRESS}:
                await login_failures.count(tx, counted, place, now, now - _FORGOTTEN_AFTER_MS)

        await self._store.transact(count, durable=False)

    async def succeeded(self, account: str, address: str | None) -> None:
        """Forget the account's failures from this address."""
        place = _place(address)
        if await login_failures.find(self._store, account[:_ACCOUNT_LENGTH_MAX], place) is None:
            return

        async def forget(tx: Transaction) -> None:
            await login_failures.forget(tx, account[:_ACCOUNT_LENGTH_MAX], place)

        await self._store.transact(forget, durable=False)

    async def expire(self) -> None:
        """Drop what is too old to count."""
        before = self._clock.now_ms() - _FORGOTTEN_AFTER_MS

        async def drop(tx: Transaction) -> None:
            await login_failures.forget_before(tx, before)

        await self._store.transact(drop, durable=False)

    async def _check(self, account: str, place: str, free: int, longest_s: int) -> None:
        row = await login_failures.find(self._store, account, place)
        now = self._clock.now_ms()
        if row is None or row.failures < free or row.last_at < now - _FORGOTTEN_AFTER_MS:
            return
        wait_s = min(2 ** min(row.failures - free, 30), longest_s)
        left_ms = row.last_at + wait_s * 1000 - now
        # More than the longest wait is left only if a clock was wrong: nobody waits until that time comes.
        if 0 < left_ms <= longest_s * 1000:
            raise TooManyRequests("too many logins failed: wait before the next try", -(-left_ms // 1000))


def _place(address: str | None) -> str:
    """Who is counted as one: an IPv4 address, or the network of an IPv6 address, of which a host has many."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
