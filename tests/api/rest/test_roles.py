"""Who may do what: every row of the table, for everybody."""

import pytest

from tests.api.rest.client import codes_of
from tests.api.rest.requests import rows, stage
from tests.api.rest.world import World

ROLES = ("outsider", "guest", "reader", "developer", "maintainer", "owner", "chief")

# For each of the roles, in their order, what the answer is to a request about the project `acme`, or about `someone`.
# 404 is for those who may not know, 403 for those who may know but not do it.
_MAY_ALL = "200 200 200 200 200 200 200"
_ADMINISTRATION = "403 403 403 403 403 403 {}"
_OTHERS = "404 404 404 404 404 404 {}"
_MAINTENANCE = "404 403 403 403 {0} {0} {0}"
_OWNERSHIP = "404 403 403 403 403 {0} {0}"
_MEMBERS_READ = "404 403 200 200 200 200 200"

_PROJECT = "/v1/projects/<project>"
_REGISTRY = f"{_PROJECT}/registries/<registry>"
_ROBOT = f"{_PROJECT}/robots/<robot>"
_REPOSITORY = "/v1/repositories/<name>"

EXPECTED = {
    "GET /v1/me": _MAY_ALL,
    "GET /v1/users": _ADMINISTRATION.format(200),
    "POST /v1/users": _ADMINISTRATION.format(201),
    "GET /v1/users/<user>": _OTHERS.format(200),
    "PATCH /v1/users/<user>": _OTHERS.format(200),
    "DELETE /v1/users/<user>": _OTHERS.format(204),
    # An administrator may, but not with an access token, as here.
    "PUT /v1/users/<user>/password": _OTHERS.format(403),
    "GET /v1/users/<user>/tokens": _OTHERS.format(200),
    # Only for oneself.
    "POST /v1/users/<user>/tokens": _OTHERS.format(403),
    "GET /v1/users/<user>/tokens/<token>": _OTHERS.format(200),
    "DELETE /v1/users/<user>/tokens/<token>": _OTHERS.format(204),
    "GET /v1/users/<user>/sessions": _OTHERS.format(200),
    "GET /v1/users/<user>/sessions/<session>": _OTHERS.format(200),
    "DELETE /v1/users/<user>/sessions/<session>": _OTHERS.format(204),
    "GET /v1/groups": _ADMINISTRATION.format(200),
    "POST /v1/groups": _ADMINISTRATION.format(201),
    "GET /v1/groups/<group>": _ADMINISTRATION.format(200),
    "DELETE /v1/groups/<group>": _ADMINISTRATION.format(204),
    "GET /v1/groups/<group>/members": _ADMINISTRATION.format(200),
    "POST /v1/groups/<group>/members": _ADMINISTRATION.format(201),
    "GET /v1/groups/<group>/members/<user>": _ADMINISTRATION.format(200),
    "DELETE /v1/groups/<group>/members/<user>": _ADMINISTRATION.format(204),
    # Each sees those that are theirs to see.
    "GET /v1/projects": _MAY_ALL,
    "POST /v1/projects": _ADMINISTRATION.format(201),
    f"GET {_PROJECT}": "404 200 200 200 200 200 200",
    f"PATCH {_PROJECT}": _OWNERSHIP.format(200),
    f"DELETE {_PROJECT}": _OWNERSHIP.format(204),
    f"GET {_PROJECT}/registries": "404 200 200 200 200 200 200",
    f"POST {_PROJECT}/registries": _MAINTENANCE.format(201),
    # It is private.
    f"GET {_REGISTRY}": "404 404 200 200 200 200 200",
    f"PATCH {_REGISTRY}": _MAINTENANCE.format(200),
    f"DELETE {_REGISTRY}": _MAINTENANCE.format(204),
    f"GET {_REGISTRY}/rules": _MEMBERS_READ,
    f"POST {_REGISTRY}/rules": _MAINTENANCE.format(201),
    f"GET {_REGISTRY}/rules/<rule>": _MEMBERS_READ,
    f"DELETE {_REGISTRY}/rules/<rule>": _MAINTENANCE.format(204),
    f"GET {_REGISTRY}/immutable-tags": _MEMBERS_READ,
    f"POST {_REGISTRY}/immutable-tags": _MAINTENANCE.format(201),
    f"GET {_REGISTRY}/immutable-tags/<immutable>": _MEMBERS_READ,
    f"DELETE {_REGISTRY}/immutable-tags/<immutable>": _MAINTENANCE.format(204),
    f"GET {_PROJECT}/members": _MEMBERS_READ,
    f"GET {_PROJECT}/members/<subject>": _MEMBERS_READ,
    f"PUT {_PROJECT}/members/<subject>": _OWNERSHIP.format(200),
    f"DELETE {_PROJECT}/members/<subject>": _OWNERSHIP.format(204),
    f"GET {_PROJECT}/robots": _MAINTENANCE.format(200),
    f"POST {_PROJECT}/robots": _MAINTENANCE.format(201),
    f"GET {_ROBOT}": _MAINTENANCE.format(200),
    f"PATCH {_ROBOT}": _MAINTENANCE.format(200),
    f"DELETE {_ROBOT}": _MAINTENANCE.format(204),
    f"GET {_ROBOT}/tokens": _MAINTENANCE.format(200),
    f"POST {_ROBOT}/tokens": _MAINTENANCE.format(201),
    f"GET {_ROBOT}/tokens/<token>": _MAINTENANCE.format(200),
    f"DELETE {_ROBOT}/tokens/<token>": _MAINTENANCE.format(204),
    f"GET {_REPOSITORY}/tag-history": "404 404 200 200 200 200 200",
    f"GET {_REPOSITORY}/deleted-tags": "404 404 403 200 200 200 200",
    f"GET {_REPOSITORY}/deleted-manifests": "404 404 403 200 200 200 200",
    # What comes back was deleted.
    f"POST {_REPOSITORY}/restorations": "404 404 403 403 201 201 201",
    "GET /v1/audit": _ADMINISTRATION.format(200),
    "GET /v1/audit/export": _ADMINISTRATION.format(200),
}

CODES = {403: ["DENIED"], 404: ["NOT_FOUND"]}


def expected(row: str, role: str) -> int:
    return int(EXPECTED[row].split()[ROLES.index(role)])


CHANGES = [(row, role) for row in EXPECTED for role in ROLES if not row.startswith("GET") and expected(row, role) < 300]


def test_every_row_is_here() -> None:
    """A new row of the table has to say who may do what it does."""
    assert list(EXPECTED) == list(rows())


@pytest.mark.parametrize("role", ROLES)
async def test_what_changes_nothing(world: World, role: str) -> None:
    """What somebody may not do is refused; what somebody may see is shown."""
    requests, client = await stage(world), world.client(role)
    found = {}
    for row, route in rows().items():
        if (row, role) in CHANGES:
            continue
        answer = await requests.ask(client, route)
        found[row] = answer.status
        if answer.status >= 400:
            assert codes_of(answer, answer.status) == CODES[answer.status], row
    assert found == {row: expected(row, role) for row in EXPECTED if (row, role) not in CHANGES}


@pytest.mark.parametrize(("row", "role"), CHANGES)
async def test_changes(world: World, row: str, role: str) -> None:
    """What somebody may do is done."""
    requests = await stage(world)
    answer = await requests.ask(world.client(role), rows()[row])
    assert answer.status == expected(row, role), answer.body
