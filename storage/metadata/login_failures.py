"""Rows of failed logins."""

from __future__ import annotations

from dataclasses import dataclass

from storage.metadata.store import Queries, Transaction


@dataclass(frozen=True, slots=True)
class FailureRow:
    """How many logins failed lately, and when the last one did, in milliseconds since the Unix epoch."""

    failures: int
    last_at: int


async def find(queries: Queries, account: str, address: str) -> FailureRow | None:
    row = await queries.fetch_one(
        "SELECT failures, last_at FROM login_failures WHERE account = ? AND address = ?", account, address
    )
    return None if row is None else FailureRow(*row)


async def count(tx: Transaction, account: str, address: str, now_ms: int, forgotten_before_ms: int) -> None:
    """One failure more; those before that time count no longer."""
    await tx.execute(
        "INSERT INTO login_failures (account, address, failures, last_at) VALUES (?, ?, 1, ?)"
        " ON CONFLICT (account, address) DO UPDATE SET"
        " failures = CASE WHEN login_failures.last_at < ? THEN 1 ELSE login_failures.failures + 1 END,"
        " last_at = excluded.last_at",
        account,
        address,
        now_ms,
        forgotten_before_ms,
    )


async def forget(tx: Transaction, account: str, address: str) -> None:
    await tx.execute("DELETE FROM login_failures WHERE account = ? AND address = ?", account, address)


async def forget_before(tx: Transaction, before_ms: int) -> None:
    await tx.execute("DELETE FROM login_failures WHERE last_at < ?", before_ms)
