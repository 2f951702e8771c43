"""What other registries learned about who sees what, each lesson as a test."""

from __future__ import annotations

from auth.actor import OPERATING
from auth.principals import Subject, SubjectKind
from auth.roles import Role, SystemRole
from tests.api.accounts import PASSWORD
from tests.api.lessons.tenancy import Tenancy

IMAGE = "/v2/vault/app/manifests/v1"
PULL = "repository:vault/app:pull"


async def test_metrics_are_for_those_who_may_read_them(tenancy: Tenancy) -> None:
    """That anybody may pull opens the metrics to nobody, and a token for the registry does not open them either."""
    await tenancy.management.users.create(OPERATING, "watch", PASSWORD, SystemRole.MONITOR)
    assert (await tenancy.ask(None, "GET", "/v2/plaza/none/tags/list")).status == 401
    tokens = [await tenancy.token(who, "registry:catalog:*") for who in (None, "admin", "watch")]
    for who, status in (*((token, 401) for token in (None, *tokens)), ("alice", 403), ("watch", 200), ("admin", 200)):
        assert (await tenancy.ask(who, "GET", "/metrics")).status == status
    # Nor does what opens the metrics open anything else.
    assert (await tenancy.ask("watch", "GET", IMAGE)).status == 404


async def test_metrics_name_nobody(tenancy: Tenancy) -> None:
    """What is measured says nothing of repositories, users or projects."""
    assert (await tenancy.ask("rita", "GET", IMAGE)).status == 200
    assert (await tenancy.ask("eve", "GET", IMAGE)).status == 404
    measured = (await tenancy.ask("admin", "GET", "/metrics")).body
    assert b"berth_" in measured
    assert not any(name in measured for name in (b"vault", b"rita", b"eve"))


async def test_catalog_needs_a_token_and_shows_what_one_may_pull(tenancy: Tenancy) -> None:
    """Nobody reads the catalog without a token, and nobody finds names in it that are not theirs (CVE-2020-29662)."""
    await tenancy.push("bob", "berth/app")
    await tenancy.push("admin", "plaza/app")
    assert (await tenancy.ask(None, "GET", "/v2/_catalog")).status == 401
    everything = ["berth/app", "plaza/app", "vault/app"]
    seen = {
        None: ["plaza/app"],
        "eve": ["plaza/app"],
        "bob": everything[:2],
        "rita": everything[1:],
        "admin": everything,
    }
    for who, names in seen.items():
        token = await tenancy.token(who, "registry:catalog:*")
        for path in ("/v2/_catalog", "/v2/_catalog?n=10000", "/v2/_catalog?last=berth"):
            assert (await tenancy.ask(token, "GET", path)).json()["repositories"] == names
        first = await tenancy.ask(token, "GET", "/v2/_catalog?n=1")
        assert first.json()["repositories"] == names[:1]
        assert ("Link" in first.headers) == (len(names) > 1)


async def test_visibility_counts_in_the_registry_too(tenancy: Tenancy) -> None:
    """What was public and is private now is private for those, too, who hold tokens from before (CVE-2026-27771)."""
    await tenancy.push("admin", "plaza/app")
    token, path = await tenancy.token(None, "repository:plaza/app:pull"), "/v2/plaza/app/manifests/v1"
    assert (await tenancy.ask(token, "GET", path)).status == 200
    private = await tenancy.send(
        "admin", "PATCH", "/v1/projects/plaza/registries/main", "registries", visibility="private"
    )
    assert private.status == 200
    await tenancy.token(None)
    assert (await tenancy.ask(token, "GET", path)).status == 401
    assert (await tenancy.ask("eve", "GET", path)).status == 404


async def test_group_that_is_left_gives_nothing(tenancy: Tenancy) -> None:
    """Who was taken out of a group has nothing of what it gave, whatever token is still about (CVE-2025-23208)."""
    groups = tenancy.management.groups
    await groups.create(OPERATING, "devs")
    await groups.add(OPERATING, "devs", "eve")
    await tenancy.management.members.put(OPERATING, "vault", Subject(SubjectKind.GROUP, "devs"), Role.READER)
    token = await tenancy.token("eve", PULL)
    assert (await tenancy.ask(token, "GET", IMAGE)).status == 200
    await groups.remove(OPERATING, "devs", "eve")
    await tenancy.token(None)
    for who in (token, "eve"):
        assert (await tenancy.ask(who, "GET", IMAGE)).status == 404
