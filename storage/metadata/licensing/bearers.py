"""What decides about licenses, by whatever they present themselves. Of one license it is asked with one query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from storage.metadata.store import Queries, Value


@dataclass(frozen=True, slots=True)
class LicenseFacts:
    """`project` is a name, `product` and `environment` are uuids. Times and durations are in ms.

    `entitlements` are codes: its own and those of its policy.
    """

    id: int
    uuid: str
    project_id: int
    project: str
    product: str
    name: str | None
    key_hint: str
    expiry: int | None
    suspended: bool
    owner_banned: bool
    environment: str | None
    duration: int | None
    expiration_strategy: str
    expiration_basis: str
    authentication_strategy: str
    entitlements: frozenset[str]


_FACTS = (
    "SELECT l.id, l.uuid, l.project_id, j.name, p.uuid, l.name, l.key_hint, l.expiry, l.suspended,"
    " COALESCE(c.banned, 0), e.uuid, y.duration, y.expiration_strategy, y.expiration_basis, y.authentication_strategy,"
    " n.code FROM licenses l JOIN projects j ON j.id = l.project_id JOIN policies y ON y.id = l.policy_id"
    " JOIN products p ON p.id = l.product_id LEFT JOIN customers c ON c.id = l.owner_id"
    " LEFT JOIN environments e ON e.id = l.environment_id"
)
_OWN = (
    " LEFT JOIN license_entitlements h ON h.license_id = l.id"
    " LEFT JOIN entitlements n ON n.id = h.entitlement_id WHERE "
)
_OF_POLICY = (
    " JOIN policy_entitlements h ON h.policy_id = l.policy_id JOIN entitlements n ON n.id = h.entitlement_id WHERE "
)


async def by_key(queries: Queries, key_hash: str) -> list[LicenseFacts]:
    """The licenses with this key: one in each project at most."""
    return await _facts(queries, "l.key_hash = ?", key_hash)


async def by_token(queries: Queries, secret_hash: str) -> LicenseFacts | None:
    """The license that the token was made for. Whether the token is still good is asked elsewhere."""
    found = await _facts(
        queries, "l.id = (SELECT k.license_id FROM bearer_tokens k WHERE k.secret_hash = ?)", secret_hash
    )
    return found[0] if found else None


async def by_uuid(queries: Queries, uuid: str) -> LicenseFacts | None:
    """The license, whichever project it is of."""
    found = await _facts(queries, "l.uuid = ?", uuid)
    return found[0] if found else None


async def of_customer(queries: Queries, customer_id: int, after: int, limit: int) -> list[LicenseFacts]:
    """At most `limit` licenses that the customer owns or is attached to, with ids greater than `after`, in order."""
    rows = await queries.fetch_all(
        "SELECT s.id FROM (SELECT o.id FROM licenses o WHERE o.owner_id = ?"
        " UNION SELECT a.license_id FROM license_customers a WHERE a.customer_id = ?) s"
        " WHERE s.id > ? ORDER BY s.id LIMIT ?",
        customer_id,
        customer_id,
        after,
        limit,
    )
    return await by_ids(queries, [row[0] for row in rows])


async def by_ids(queries: Queries, license_ids: Sequence[int]) -> list[LicenseFacts]:
    """Those of a few hundred licenses that are there, in the order of their ids."""
    if not license_ids:
        return []
    return await _facts(queries, f"l.id IN ({', '.join('?' * len(license_ids))})", *license_ids)


async def _facts(queries: Queries, where: str, *values: Value) -> list[LicenseFacts]:
    rows = await queries.fetch_all(f"{_FACTS}{_OWN}{where} UNION ALL {_FACTS}{_OF_POLICY}{where}", *values, *values)
    entitlements: dict[int, set[str]] = {}
    facts = {}
    for *found, code in rows:
        facts[found[0]] = found
        codes = entitlements.setdefault(found[0], set())
        codes |= set() if code is None else {code}
    return [_license(facts[number], entitlements[number]) for number in sorted(facts)]


def _license(found: list[Any], codes: set[str]) -> LicenseFacts:
    found[8:10] = [bool(found[8]), bool(found[9])]
    return LicenseFacts(*(*found, frozenset(codes)))
