"""How PostgreSQL finds what lists show: in the order of an index, so that a page costs the same wherever it lies."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import asyncpg
import pytest

from storage.digest import parse_digest
from storage.metadata import audit, deleted, manifests, repositories, tag_history, tags
from storage.metadata.audit import BEGIN, END, AuditFilter
from storage.metadata.postgresql.store import numbered
from storage.metadata.store import Queries, Row, Value
from storage.names import RepositoryName
from tests.databases import Databases

FILL = """
    INSERT INTO repositories (name, created_at) SELECT 'r' || n, 0 FROM generate_series(1, 5000) n;
    INSERT INTO manifests
        (repository_id, digest, media_type, size, created_at, content, subject, artifact_type, descriptor)
        SELECT 1 + n % 3, 'sha256:' || n, 'type', 1, 1, '', 'sha256:' || repeat('0', 64), 'type', '{}'
        FROM generate_series(1, 20000) n;
    INSERT INTO tags SELECT 1 + n % 3, 't' || n, 1, 1 FROM generate_series(1, 20000) n;
    INSERT INTO audit (at, principal_kind, principal, action, target, outcome)
        SELECT n / 3, 'user', 'alice', 'push', 'app:1', 'allowed' FROM generate_series(1, 20000) n;
    INSERT INTO tag_history (repository_id, tag, at, principal_kind, principal)
        SELECT 1 + n % 3, 't' || n % 100, n, 'user', 'alice' FROM generate_series(1, 20000) n;
    INSERT INTO deleted_manifests
        (repository_id, digest, media_type, size, created_at, deleted_at, principal_kind, principal, content)
        SELECT 1 + n % 3, 'sha256:' || n, 'type', 1, 1, 1, 'user', 'alice', '' FROM generate_series(1, 20000) n;
    ANALYZE
"""
NAME = RepositoryName("r1")
SUBJECT = parse_digest(f"sha256:{64 * '0'}")

Ask = Callable[[Queries], Awaitable[object]]


class Explaining:
    """`Queries` that finds nothing, and keeps how each query would be done."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self.plans: list[str] = []

    async def fetch_one(self, sql: str, *values: Value) -> Row | None:
        await self.fetch_all(sql, *values)
        return None

    async def fetch_all(self, sql: str, *values: Value) -> list[Row]:
        rows = await self._connection.fetch(f"EXPLAIN (COSTS OFF) {numbered(sql)}", *values)
        self.plans.append("\n".join(row[0] for row in rows))
        return []


@pytest.fixture(scope="module")
def filled_url(databases: Databases) -> str:
    """A database with long lists, which nobody gets back: it would be slow from what was deleted."""

    async def fill(url: str) -> str:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(FILL)
        finally:
            await connection.close()
        return url

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, fill(databases.url(databases.lend()))).result()


@pytest.mark.parametrize(
    "ask",
    [
        lambda queries: tags.names_after(queries, NAME, "t1", 100),
        lambda queries: repositories.names_after(queries, "r1", 100),
        lambda queries: manifests.referrers_after(queries, NAME, SUBJECT, None, 7, 100),
        lambda queries: manifests.referrers_after(queries, NAME, SUBJECT, "type", 7, 100),
        lambda queries: audit.newest(queries, AuditFilter(), END, 100),
        lambda queries: audit.newest(queries, AuditFilter(target="app:1"), END, 100),
        lambda queries: audit.oldest(queries, AuditFilter(principal="alice"), BEGIN, 100),
        lambda queries: tag_history.newest(queries, 1, None, 10_000, 100),
        lambda queries: tag_history.newest(queries, 1, "t7", 10_000, 10),
        lambda queries: tag_history.last_by_tag(queries, 1, "t7", 100),
        lambda queries: deleted.newest(queries, 1, 10_000, 100),
    ],
    ids=[
        "tags",
        "catalog",
        "referrers",
        "filtered",
        "audit",
        "target",
        "principal",
        "history",
        "tag",
        "last by tag",
        "deleted",
    ],
)
async def test_pages_are_read_in_order(filled_url: str, ask: Ask) -> None:
    """Nothing is sorted, and no table is read as a whole, for a page of a long list."""
    connection = await asyncpg.connect(filled_url)
    try:
        queries = Explaining(connection)
        await ask(queries)
    finally:
        await connection.close()
    (plan,) = queries.plans
    assert "Index" in plan, plan
    assert "Sort" not in plan, plan
    assert "Seq Scan" not in plan, plan
