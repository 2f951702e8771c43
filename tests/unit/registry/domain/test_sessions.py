"""Sessions: who sees and ends the logins of a user."""

import pytest

from auth.actor import OPERATING
from auth.roles import Action
from registry.domain.access_tokens import NewToken
from registry.errors import Denied, NotFound
from storage.metadata import refresh_tokens
from storage.metadata.store import Transaction
from tests.unit.registry.domain.people import People, outsider

DAY_MS = 24 * 3_600_000


async def families(people: People) -> list[str]:
    """Those that still have a token."""
    return [row[0] for row in await people.store.fetch_all("SELECT DISTINCT family FROM refresh_tokens ORDER BY 1")]


async def test_page(people: People) -> None:
    """A login is one session, however many tokens followed from it; the newest says where it is used."""
    await people.add("bob")
    begun = people.clock.now_ms()
    await people.login("bob", "laptop")
    people.clock.advance(3600)
    await people.login("bob", "laptop")
    await people.login("bob", "desktop")
    await people.login("root", "other")
    page = await people.sessions.page(await people.actor("bob"), "bob", "", 9)
    assert [session.family for session in page.items] == ["desktop", "laptop"]
    laptop = page.items[1]
    assert (laptop.client, laptop.address) == ("docker/28", "192.0.2.7")
    assert (laptop.created_at, laptop.used_at) == (begun, begun + 3_600_000)
    assert laptop.expires_at == begun + 3_600_000 + DAY_MS


async def test_get(people: People) -> None:
    """One session is told as in the list, until it has ended or expired."""
    for family in ["laptop", "laptop", "desktop"]:
        people.clock.advance(3600)
        await people.login("root", family)
    root = await people.actor("root")
    for session in (await people.sessions.page(root, "root", "", 9)).items:
        assert await people.sessions.get(root, "root", session.family) == session
    await people.sessions.revoke(root, "root", "desktop")
    async with people.refused(NotFound, "session 'desktop' is not known"):
        await people.sessions.get(root, "root", "desktop")
    people.clock.advance(24 * 3600)
    async with people.refused(NotFound, "session 'laptop' is not known"):
        await people.sessions.get(root, "root", "laptop")


async def test_pages(people: People) -> None:
    """Sessions come a page after the other."""
    for name in ["c", "a", "b"]:
        await people.login("root", name)
    root = await people.actor("root")
    first = await people.sessions.page(root, "root", "", 2)
    assert ([session.family for session in first.items], first.more) == (["a", "b"], True)
    last = await people.sessions.page(root, "root", "b", 2)
    assert ([session.family for session in last.items], last.more) == (["c"], False)


async def test_expired(people: People) -> None:
    """A session whose last token has expired is none any more."""
    await people.login("root", "short", hours=1)
    await people.login("root", "renewed", hours=1)
    await people.login("root", "renewed", hours=2)
    people.clock.advance(3600)
    page = await people.sessions.page(OPERATING, "root", "", 9)
    assert [session.family for session in page.items] == ["renewed"]


async def test_revoke(people: People) -> None:
    """Ending a session takes all of its tokens away, and no others."""
    await people.add("bob")
    for family in ["laptop", "laptop", "desktop"]:
        await people.login("bob", family)
    bob = await people.actor("bob")
    async with people.noted(bob, "session.revoke", "session:bob/laptop"):
        await people.sessions.revoke(bob, "bob", "laptop")
    assert await families(people) == ["desktop"]
    assert await people.epoch("bob") == 0
    async with people.refused(NotFound, "session 'laptop' is not known"):
        await people.sessions.revoke(bob, "bob", "laptop")


async def test_administrators(people: People) -> None:
    """Administrators, and the operator, see and end the sessions of others."""
    await people.add("bob")
    for family in ["laptop", "desktop"]:
        await people.login("bob", family)
    root = await people.actor("root")
    assert len((await people.sessions.page(root, "bob", "", 9)).items) == 2
    async with people.noted(root, "session.revoke", "session:bob/laptop"):
        await people.sessions.revoke(root, "bob", "laptop")
    await people.sessions.revoke(OPERATING, "bob", "desktop")
    assert await families(people) == []


async def test_others(people: People) -> None:
    """For anybody else there is no such user."""
    await people.add("alice", "bob")
    await people.login("alice", "laptop")
    for actor in [await people.actor("bob"), await people.nobody(), outsider("alice")]:
        for name in ["alice", "nobody"]:
            async with people.refused(NotFound, f"user '{name}' is not known"):
                await people.sessions.page(actor, name, "", 9)
            async with people.refused(NotFound, f"user '{name}' is not known"):
                await people.sessions.get(actor, name, "laptop")
            async with people.refused(NotFound, f"user '{name}' is not known"):
                await people.sessions.revoke(actor, name, "laptop")


async def test_session_of_another(people: People) -> None:
    """Knowing the family of somebody else's session opens nothing, under one's own name neither."""
    await people.add("bob")
    await people.login("root", "laptop")
    async with people.refused(NotFound, "session"):
        await people.sessions.get(await people.actor("bob"), "bob", "laptop")
    async with people.refused(NotFound, "session"):
        await people.sessions.revoke(await people.actor("bob"), "bob", "laptop")
    async with people.refused(NotFound, "session"):
        await people.sessions.revoke(OPERATING, "bob", "laptop")


@pytest.mark.parametrize("action", [Action.PULL, Action.MANAGE])
async def test_access_tokens_of_users(people: People, action: Action) -> None:
    """Whoever has an access token does not see where its owner is logged in, and cannot end that."""
    await people.add("bob")
    await people.login("bob", "laptop")
    token, _ = await people.tokens.create(
        await people.actor("bob"), "bob", NewToken("some", frozenset({action}), ("**",))
    )
    bob = await people.actor("bob", token)
    async with people.refused(Denied, "the access token 'some' cannot be used"):
        await people.sessions.page(bob, "bob", "", 9)
    async with people.refused(Denied, "the access token 'some' cannot be used"):
        await people.sessions.get(bob, "bob", "laptop")
    async with people.refused(Denied, "the access token 'some' cannot be used"):
        await people.sessions.revoke(bob, "bob", "laptop")


async def test_access_tokens_of_administrators(people: People) -> None:
    """An administrator's token that manages ends sessions."""
    await people.login("root", "laptop")
    new = NewToken("managing", frozenset({Action.MANAGE}), ("**",))
    token, _ = await people.tokens.create(await people.actor("root"), "root", new)
    await people.sessions.revoke(await people.actor("root", token), "root", "laptop")
    assert await families(people) == []


async def test_expired_rows_are_taken_away(people: People) -> None:
    """So many at a time, those that expired first; what can still be used stays."""
    for hours in [3, 1, 2, 9]:
        await people.login("root", str(hours), hours=hours)
    people.clock.advance(3 * 3600)
    now = people.clock.now_ms()

    async def expire(tx: Transaction) -> int:
        return await refresh_tokens.delete_expired(tx, now, 2)

    assert await people.store.transact(expire) == 2
    assert await families(people) == ["3", "9"]
    assert await people.store.transact(expire) == 1
    assert await people.store.transact(expire) == 0
    assert await families(people) == ["9"]


async def test_a_token_is_replaced_once(people: People) -> None:
    """Of two who replace a token one learns that the other was faster."""
    await people.login("root", "laptop")
    row = await refresh_tokens.find_by_hash(people.store, "0-laptop")
    assert row is not None
    assert row.replaced_at is None
    number = row.id

    async def replace(tx: Transaction) -> bool:
        return await refresh_tokens.mark_replaced(tx, number, 5)

    assert await people.store.transact(replace)
    assert not await people.store.transact(replace)
    row = await refresh_tokens.find_by_hash(people.store, "0-laptop")
    assert row is not None
    assert row.replaced_at == 5
