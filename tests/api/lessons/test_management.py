"""What other registries learned about management, each lesson as a test."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from auth.actor import OPERATING
from auth.principals import Subject, SubjectKind
from auth.roles import Action, Role
from registry.domain.access_tokens import NewToken
from tests.api.accounts import PASSWORD, basic
from tests.api.lessons.tenancy import MAIN, VAULT, Tenancy

BERTH = "/v1/projects/berth"
EVERYONE = Subject(SubjectKind.EVERYONE)


async def _of_the_vault(tenancy: Tenancy) -> list[str]:
    """What there is in the vault, by its path below a project."""
    management, where = tenancy.management, ("vault", "main")
    rule = await management.rules.create(OPERATING, *where, "vault/app", EVERYONE, frozenset())
    tag = await management.immutable_tags.create(OPERATING, *where, "**", "v*")
    await management.robots.create(OPERATING, "vault", "ci", Role.DEVELOPER)
    new = NewToken("test", frozenset({Action.PULL}), ("**",))
    token, _ = await management.access_tokens.create(OPERATING, "vault+ci", new)
    ids = f"rules/{rule.id}", f"immutable-tags/{tag.id}"
    return [*(f"registries/main/{path}" for path in ids), f"robots/ci/tokens/{token.id}", "robots/ci"]


async def test_ids_of_another_project_lead_nowhere(tenancy: Tenancy) -> None:
    """What belongs to one project is not found below another one, nor by its owner (CVE-2022-31666 to 31671)."""
    for path in await _of_the_vault(tenancy):
        for method in ("DELETE", "GET", "PATCH"):
            for project in (BERTH, VAULT):
                answer = await tenancy.send("bob", method, f"{project}/{path}", "robots", description="mine")
                assert answer.status in {404, 405}, (method, project, path)
        # It is still there.
        assert (await tenancy.ask("alice", "DELETE", f"{VAULT}/{path}")).status == 204, path


async def test_robot_of_another_project_is_no_member(tenancy: Tenancy) -> None:
    """Nobody can give rights to a robot of somebody else's project, and so to who holds its tokens."""
    await tenancy.management.robots.create(OPERATING, "berth", "ci", Role.DEVELOPER)
    for subject in ("robot:berth+ci", "user:berth+ci", "robot:alice", "group:alice", "everyone"):
        answer = await tenancy.send("alice", "PUT", f"{VAULT}/members/{subject}", "members", role="reader")
        assert answer.status == 422, subject
    answer = await tenancy.send(
        "alice", "POST", f"{MAIN}/rules", "rules", pattern="vault/app", subject="robot:berth+ci", actions=["pull"]
    )
    assert answer.status == 422


async def test_maintainers_do_not_change_the_project(tenancy: Tenancy) -> None:
    """Who maintains a project changes neither what it is nor who is in it (GHSA-hw28-333w-qxp3)."""
    assert (await tenancy.send("marta", "PATCH", VAULT, "projects", description="mine")).status == 403
    assert (await tenancy.ask("marta", "DELETE", VAULT)).status == 403
    assert (await tenancy.send("marta", "PUT", f"{VAULT}/members/user:eve", "members", role="reader")).status == 403
    assert (await tenancy.send("marta", "PUT", f"{VAULT}/members/user:marta", "members", role="owner")).status == 403
    assert (await tenancy.ask("marta", "DELETE", f"{VAULT}/members/user:alice")).status == 403
    assert (await tenancy.send("marta", "POST", f"{VAULT}/robots", "robots", name="me", role="owner")).status == 403


async def test_robot_is_no_way_up(tenancy: Tenancy) -> None:
    """Nobody gets a role through a robot that is above one's own: neither by its role nor by a token of it."""
    await tenancy.send("alice", "POST", f"{VAULT}/robots", "robots", name="boss", role="owner")
    boss, token = f"{VAULT}/robots/boss", {"name": "mine", "actions": ["manage"]}
    assert (await tenancy.send("marta", "POST", f"{boss}/tokens", "tokens", **token)).status == 403
    assert (await tenancy.send("marta", "PATCH", boss, "robots", role="maintainer")).status == 403
    assert (await tenancy.ask("marta", "DELETE", boss)).status == 403
    await tenancy.send("alice", "POST", f"{VAULT}/robots", "robots", name="ci", role="developer")
    assert (await tenancy.send("marta", "PATCH", f"{VAULT}/robots/ci", "robots", role="owner")).status == 403


@pytest.mark.parametrize("name", ["has_admin_role", "admin", "isAdmin", "id", "epoch", "passwordHash", "system_role"])
async def test_no_attribute_is_assigned_unasked(tenancy: Tenancy, name: str) -> None:
    """Attributes that are not for clients to set are refused, and not passed on (CVE-2019-16097)."""
    for path, kind in (("/v1/users", "users"), ("/v1/projects", "projects"), ("/v1/groups", "groups")):
        sent: dict[str, object] = {"name": "new", name: True}
        assert (await tenancy.send("admin", "POST", path, kind, **sent)).status == 400
        assert (await tenancy.ask("admin", "GET", f"{path}/new")).status == 404
    assert (await tenancy.send("admin", "PATCH", "/v1/users/eve", "users", **{name: True})).status == 400


async def test_nobody_makes_oneself_an_administrator(tenancy: Tenancy) -> None:
    """The role in the whole installation is given by administrators alone, and robots have none (CVE-2019-16097)."""
    assert (await tenancy.send("eve", "PATCH", "/v1/users/eve", "users", systemRole="admin")).status == 403
    assert (await tenancy.send("eve", "POST", "/v1/users", "users", name="new", systemRole="admin")).status == 403
    answer = await tenancy.send(
        "alice", "POST", f"{VAULT}/robots", "robots", name="ci", role="guest", systemRole="admin"
    )
    assert answer.status == 400
    assert (await tenancy.ask("eve", "GET", "/v1/users")).status == 403
    assert (await tenancy.send("admin", "PATCH", "/v1/users/eve", "users", systemRole="admin")).status == 200
    assert (await tenancy.ask("eve", "GET", "/v1/users")).status == 200


async def test_secrets_are_shown_once(tenancy: Tenancy) -> None:
    """The secret of a token is in the answer that made it and nowhere else, not for administrators either."""
    await tenancy.send("alice", "POST", f"{VAULT}/robots", "robots", name="ci", role="developer")
    secrets, paths = [PASSWORD], []
    for who, path in (("alice", f"{VAULT}/robots/ci/tokens"), ("alice", "/v1/users/alice/tokens")):
        made = await tenancy.send(who, "POST", path, "tokens", name="test", actions=["pull"])
        secrets.append(made.json()["data"]["attributes"]["secret"])
        paths += [path, made.headers["Location"]]
    login = await tenancy.ask("alice", "GET", "/token?service=berth&offline_token=true")
    secrets.append(login.json()["refresh_token"])
    for secret in secrets:
        await tenancy.ask(basic("alice", secret), "GET", "/v1/me")
    for path in [*paths, f"{VAULT}/robots/ci", "/v1/users/alice", "/v1/users/alice/sessions", "/v1/audit/export"]:
        answer = await tenancy.ask("admin", "GET", path)
        assert answer.status == 200
        assert not any(secret.encode() in answer.body for secret in secrets), path
    kept = b"".join(path.read_bytes() for path in tenancy.registry.config.storage.data.rglob("*.db*"))
    assert kept
    assert not any(secret.encode() in kept for secret in secrets)
    assert not any(secret in str(tenancy.registry.log.entries) for secret in secrets)


@pytest.mark.parametrize("name", ["alice' OR '1'='1", 'x"; DROP TABLE users --', "%", "_", "*", "alice\u0000", "Alice"])
async def test_names_are_values(tenancy: Tenancy, name: str) -> None:
    """What is sent as a name is compared with names, and never a part of a query (CVE-2024-22261)."""
    text = quote(name, safe="")
    for path in (f"/v1/users/{text}", f"/v1/groups/{text}", f"/v1/projects/{text}", f"{VAULT}/members/user:{text}"):
        answer = await tenancy.ask("admin", "DELETE", path)
        assert answer.status in {400, 404}, (path, answer)
    for who in (basic(name), basic(name, "' OR '1'='1")):
        assert (await tenancy.ask(who, "GET", "/v1/me")).status == 401
    assert (await tenancy.ask("alice", "GET", "/v1/me")).status == 200


async def test_log_of_a_project_is_for_the_project(tenancy: Tenancy) -> None:
    """Who maintains a project reads what was done in it, and nothing of others, whatever filter is sent."""
    await tenancy.push("bob", "berth/app")
    assert (await tenancy.ask("alice", "GET", "/v1/audit")).status == 403
    assert (await tenancy.ask("alice", "GET", "/v1/audit?filter[target]=berth/app:v1")).status == 403
    assert (await tenancy.ask("alice", "GET", "/v1/audit?filter[project]=berth")).status == 404
    for query in ("filter[project]=vault", "filter[project]=vault&filter[project]=berth"):
        for path in ("/v1/audit", "/v1/audit/export"):
            answer = await tenancy.ask("alice", "GET", f"{path}?{query}")
            assert answer.status in {200, 400, 404}
            assert b"berth/" not in answer.body
    assert (await tenancy.ask("alice", "GET", "/v1/audit?filter[project]=berth&filter[project]=vault")).status != 500


async def test_public_registry_does_not_open_its_neighbours(tenancy: Tenancy) -> None:
    """That something of a project is public shows neither its private registries nor who is in it."""
    management = tenancy.management
    await management.registries.create(OPERATING, "vault", "open", visibility="public")
    await tenancy.token(None)
    listed = await tenancy.ask("eve", "GET", f"{VAULT}/registries")
    assert [one["id"] for one in listed.json()["data"]] == ["vault/open"]
    for path, status in ((MAIN, 404), (f"{VAULT}/members", 403), (f"{VAULT}/robots", 403), (f"{MAIN}/rules", 403)):
        assert (await tenancy.ask("eve", "GET", path)).status == status
    nowhere = await tenancy.ask("eve", "GET", f"{VAULT}/registries/none/rules")
    assert re.sub(rb'"id":"[^"]*"', b"", nowhere.body) == re.sub(
        rb'"id":"[^"]*"', b"", (await tenancy.ask("eve", "GET", f"{MAIN}/rules")).body
    )
    assert (await tenancy.ask("eve", "GET", "/v2/vault/app/manifests/v1")).status == 404
