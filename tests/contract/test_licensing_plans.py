"""How both engines find what decides about a request, and what lists show: by indexes, however many rows there are."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import asyncpg
import pytest

from storage.metadata.licensing import (
    artifacts,
    bearers,
    codes,
    constraints,
    customers,
    downloads,
    events,
    gate,
    holding,
    licenses,
    packages,
    releases,
    tokens,
)
from storage.metadata.licensing import repositories as licensed
from storage.metadata.licensing.artifacts import ARTIFACTS
from storage.metadata.licensing.licenses import LICENSES
from storage.metadata.licensing.products import PRODUCTS
from storage.metadata.licensing.releases import RELEASES, Series
from storage.metadata.licensing.resources import Page, equal
from storage.metadata.sqlite import MemoryStore
from storage.metadata.store import Queries, Row, Value
from tests.contract.test_postgres_plans import Explaining
from tests.databases import Databases

Ask = Callable[[Queries], Awaitable[object]]

# What each request of a license asks.
REQUESTS: dict[str, Ask] = {
    "manifest": lambda queries: gate.find(queries, "app", ["sha256:7"]),
    "tags": lambda queries: gate.find(queries, "app", [f"sha256:{number}" for number in range(5)]),
    "key": lambda queries: bearers.by_key(queries, "k7"),
    "license token": lambda queries: bearers.by_token(queries, "t7"),
    "license": lambda queries: bearers.by_uuid(queries, "l7"),
    "token": lambda queries: tokens.by_hash(queries, "t7"),
    "customer": lambda queries: bearers.of_customer(queries, 7, 0, 100),
    "customer's licenses": lambda queries: bearers.by_ids(queries, [7]),
}
# Found by an alias, and one after another in the order of an index.
LISTS: dict[str, Ask] = {
    "licenses": lambda queries: LICENSES.page(queries, 1, Page(100)),
    "licenses after": lambda queries: LICENSES.page(queries, 1, Page(100, after=500), equal("product_id", 1)),
    "artifacts": lambda queries: ARTIFACTS.page(queries, 1, Page(100), equal("release_id", 7)),
    "releases": lambda queries: RELEASES.page(queries, 1, Page(100, oldest_first=True), equal("product_id", 1)),
    "filename": lambda queries: artifacts.called(queries, 1, "app.zip", artifacts.END, 100),
    "newest": lambda queries: releases.newest(queries, Series(1), ["stable"], 1, above="v5"),
    "overdue": lambda queries: artifacts.overdue(queries, "WAITING", 5, 100),
    "events": lambda queries: events.oldest(queries, 100, 7),
}
ALIASES: dict[str, Ask] = {
    "uuid": lambda queries: PRODUCTS.find(queries, 1, "p7"),
    "release": lambda queries: releases.called(queries, 1, "v7", 0, 100),
    "version": lambda queries: releases.version_is_taken(queries, Series(1, 2), "v7"),
    "release tag": lambda queries: releases.tag_is_taken(queries, Series(1), "latest"),
    "code": lambda queries: codes.by_code(PRODUCTS, queries, 1, "APP"),
    "key of package": lambda queries: packages.by_key(queries, 1, "cli"),
    "email": lambda queries: customers.by_email(queries, 1, "a@example.com"),
    "taken key": lambda queries: licenses.key_is_taken(queries, 1, "k7"),
    "customer's": lambda queries: LICENSES.page(queries, 1, Page(100), licenses.of_customer(7)),
    "license's": lambda queries: customers.of_license(queries, 1, 7, Page(100)),
    "constraints": lambda queries: constraints.required(queries, [1, 2, 3]),
    "platforms": lambda queries: artifacts.words_after(queries, 1, "platform", "", 100),
    "bytes": lambda queries: holding.needed_by(queries, 1, "sha256:7"),
    "repository": lambda queries: licensed.find(queries, "app"),
    "of package": lambda queries: licensed.of_package(queries, 1, None),
    "downloads": lambda queries: downloads.by_day(queries, "license_id", 7, 0, 100),
}
# Of one row or none here: it makes no difference how they are read.
SHORT = {"projects", "repositories", "environments", "packages", "principals"}
FILL = """
    INSERT INTO repositories (name, created_at) VALUES ('app', 0);
    INSERT INTO products (uuid, project_id, name, distribution, metadata, created_at, updated_at)
        SELECT 'p' || n, 1, 'App', 'LICENSED', '{}', 0, 0 FROM generate_series(1, 1000) n;
    INSERT INTO licensed_repositories SELECT 'app' || n, 1, n, NULL, 0 FROM generate_series(2, 1000) n;
    INSERT INTO licensed_repositories VALUES ('app', 1, 1, NULL, 0);
    INSERT INTO releases (uuid, project_id, product_id, version, version_key, channel, status, metadata, created_at,
            updated_at)
        SELECT 'r' || n, 1, 1, 'v' || n, 'v' || n, 'stable', 'PUBLISHED', '{}', 0, 0 FROM generate_series(1, 3000) n;
    INSERT INTO release_contents SELECT 1, 'sha256:' || n, n, 0 FROM generate_series(1, 3000) n;
    INSERT INTO artifacts (uuid, project_id, product_id, release_id, version_key, filename, status, status_at, metadata,
            created_at, updated_at)
        SELECT 'a' || n, 1, 1, n, 'v' || n, 'app.zip', 'WAITING', n, '{}', 0, 0 FROM generate_series(1, 3000) n;
    INSERT INTO policies (uuid, project_id, product_id, name, expiration_strategy, expiration_basis, renewal_basis,
            transfer_strategy, authentication_strategy, metadata, created_at, updated_at)
        SELECT 'y' || n, 1, n, '', '', '', '', '', '', '{}', 0, 0 FROM generate_series(1, 1000) n;
    INSERT INTO customers (uuid, project_id, email, role, metadata, created_at, updated_at)
        SELECT 'c' || n, 1, n, 'user', '{}', 0, 0 FROM generate_series(1, 5000) n;
    INSERT INTO licenses (uuid, project_id, product_id, policy_id, owner_id, key_hash, key_hint, metadata, created_at,
            updated_at)
        SELECT 'l' || n, 1, 1 + n % 1000, 1 + n % 1000, 1 + n % 5000, 'k' || n, '', '{}', 0, 0
        FROM generate_series(1, 5000) n;
    INSERT INTO license_customers SELECT n, 1 + n % 5000, 0 FROM generate_series(1, 5000) n;
    INSERT INTO bearer_tokens (uuid, project_id, kind, license_id, secret_hash, created_at, updated_at)
        SELECT 't' || n, 1, '', n, 't' || n, 0, 0 FROM generate_series(1, 5000) n;
    INSERT INTO entitlements (uuid, project_id, name, code, code_key, metadata, created_at, updated_at)
        SELECT 'e' || n, 1, '', n, n, '{}', 0, 0 FROM generate_series(1, 1000) n;
    INSERT INTO policy_entitlements SELECT n, n, 0 FROM generate_series(1, 1000) n;
    INSERT INTO license_entitlements SELECT n, 1 + n % 1000, 0 FROM generate_series(1, 5000) n;
    INSERT INTO constraints (uuid, release_id, entitlement_id, created_at)
        SELECT 'x' || n, n, 1 + n % 1000, 0 FROM generate_series(1, 3000) n;
    INSERT INTO events (uuid, project_id, at, event, target, payload)
        SELECT n, 1, 0, '', '', '{}' FROM generate_series(1, 3000) n;
    INSERT INTO downloads SELECT 1, 1, 0, n, 1, 1 FROM generate_series(1, 3000) n;
    ANALYZE
"""


class ExplainingSqlite:
    """`Queries` that finds nothing, and keeps how each query would be done."""

    def __init__(self) -> None:
        self._store = MemoryStore()
        self.plans: list[str] = []

    async def fetch_one(self, sql: str, *values: Value) -> Row | None:
        await self.fetch_all(sql, *values)
        return None

    async def fetch_all(self, sql: str, *values: Value) -> list[Row]:
        rows = await self._store.fetch_all(f"EXPLAIN QUERY PLAN {sql}", *values)
        self.plans.append("\n".join(row[3] for row in rows))
        return []

    async def close(self) -> None:
        """Nothing is asked any more."""
        await self._store.close()


@pytest.mark.parametrize("name", [*REQUESTS, *LISTS, *ALIASES])
async def test_plans_of_sqlite(name: str) -> None:
    """No table is read as a whole, and no page of a list is sorted."""
    queries = ExplainingSqlite()
    await {**REQUESTS, **LISTS, **ALIASES}[name](queries)
    await queries.close()
    assert queries.plans
    for plan in queries.plans:
        # What was selected already, as s, is read in its order.
        read = [line for line in plan.splitlines() if line.startswith("SCAN") and not line.startswith("SCAN s")]
        assert read == [], plan
        assert name not in LISTS or "TEMP B-TREE" not in plan, plan


async def test_plans_of_postgresql(databases: Databases) -> None:
    """No long table is read as a whole, and no page of a list is sorted."""
    with ThreadPoolExecutor(1) as thread:
        plans = thread.submit(asyncio.run, explained(databases.url(databases.lend()))).result()
    slow = [
        f"{name}\n{plan}"
        for name, plan in plans
        if set(re.findall(r"Seq Scan on (\w+)", plan)) - SHORT or (name in LISTS and "Sort" in plan)
    ]
    assert slow == [], "\n\n".join(slow)


async def explained(url: str) -> list[tuple[str, str]]:
    """Of a database that nobody gets back, since it would be slow: what was asked, and how it would be done."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(FILL)
        found = []
        for name, ask in {**REQUESTS, **LISTS, **ALIASES}.items():
            queries = Explaining(connection)
            await ask(queries)
            found += [(name, plan) for plan in queries.plans]
        return found
    finally:
        await connection.close()
