"""Logging in with passwords: who gets in, what it costs, and how it is slowed down."""

import asyncio
import traceback
from itertools import islice

import pytest

from auth.actor import OPERATING
from auth.roles import Role
from auth.secrets import SecretKind, new_secret
from registry.domain.users import UserChanges
from registry.errors import Unauthorized
from storage.errors import StorageFull, StorageUnavailable
from storage.metadata import access
from tests.unit.registry.domain.logging_in import ELSEWHERE, ORIGIN, Door, a_token
from tests.unit.registry.domain.people import PASSWORD, People

OTHER = "another password"
MINUTES = 60


@pytest.fixture
async def door(people: People) -> Door:
    """Where alice, a user with the usual password, and others log in."""
    await people.add("alice", "bob")
    return Door(people)


async def hash_of(people: People, name: str = "alice") -> str | None:
    """What is kept of a user's password."""
    row = await access.principal_by_name(people.store, name)
    assert row is not None
    return row.password_hash


async def test_right_password(door: Door) -> None:
    """A user name and the password that belongs to it say who that is."""
    assert await door.knock("alice") == "alice"
    assert await door.knock("root") == "root"


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("alice", "wrong"),
        ("alice", PASSWORD + " "),
        ("alice", PASSWORD.upper()),
        ("alice", PASSWORD + "\0"),
        ("alice", "x" * 1024),
        ("nobody", PASSWORD),
        ("", PASSWORD),
        ("Alice", PASSWORD),
        (" alice", PASSWORD),
        ("alice\0", PASSWORD),
        ("alice' OR '1'='1", PASSWORD),
        ("%", PASSWORD),
        ("a" * 16_000, PASSWORD),
        ("ångström", "pässwörd"),
        ("acme+ci", PASSWORD),
        ("without", PASSWORD),
        ("disabled", PASSWORD),
    ],
)
async def test_refused_alike(door: Door, name: str, password: str) -> None:
    """Whatever is wrong with a login, the answer is the same, and takes the same work: nothing is learnt from it."""
    await door.people.users.create(OPERATING, "without", None)
    await door.people.add("disabled")
    await door.people.users.update(OPERATING, "disabled", UserChanges(disabled=True))
    await door.people.project("acme")
    await door.people.robots.create(OPERATING, "acme", "ci", Role.DEVELOPER)
    assert await door.knock(name, password) == "no"
    assert door.passwords.verified == 1


@pytest.mark.parametrize("password", ["", "x" * 1025, "x" * 100_000])
async def test_no_password_at_all(door: Door, password: str) -> None:
    """What cannot be a password is refused without any work, in the same words."""
    assert await door.knock("alice", password) == await door.knock("nobody", password) == "no"
    assert door.passwords.verified == 0


async def test_same_login_again(door: Door) -> None:
    """Clients log in for each pull: a login that was right is worked out once in five minutes."""
    for _ in range(10):
        assert await door.knock("alice") == "alice"
    assert door.passwords.verified == 1
    door.people.clock.advance(5 * MINUTES)
    assert await door.knock("alice") == "alice"
    assert door.passwords.verified == 2


async def test_changes_of_others(door: Door) -> None:
    """What is changed about others does not make everybody's logins expensive again."""
    assert await door.knock("alice") == "alice"
    await door.people.users.set_password(OPERATING, "bob", OTHER)
    await door.people.project("acme", alice=Role.OWNER)
    await a_token(door.people)
    assert await door.knock("alice") == "alice"
    assert door.passwords.verified == 1


async def test_changed_password(door: Door) -> None:
    """From the moment of its change the new password is right, and the old one is wrong."""
    assert (await door.knock("alice"), await door.knock("alice", OTHER)) == ("alice", "no")
    await door.people.users.set_password(OPERATING, "alice", OTHER)
    assert (await door.knock("alice"), await door.knock("alice", OTHER)) == ("no", "alice")
    await door.people.users.set_password(OPERATING, "alice", PASSWORD)
    assert (await door.knock("alice"), await door.knock("alice", OTHER)) == ("alice", "no")


async def test_disabled_and_enabled(door: Door) -> None:
    """Who is disabled does not get in, and gets in again at once when that is over."""
    assert await door.knock("alice") == "alice"
    await door.people.users.update(OPERATING, "alice", UserChanges(disabled=True))
    assert await door.knock("alice") == "no"
    await door.people.users.update(OPERATING, "alice", UserChanges(disabled=False))
    assert await door.knock("alice") == "alice"


async def test_deleted_and_made_again(door: Door) -> None:
    """A later user of the same name is somebody else: the password of the earlier one opens nothing."""
    assert await door.knock("alice") == "alice"
    await door.people.users.delete(OPERATING, "alice")
    assert await door.knock("alice") == "no"
    await door.people.users.create(OPERATING, "alice", OTHER)
    assert (await door.knock("alice"), await door.knock("alice", OTHER)) == ("no", "alice")


async def test_made_after_a_try(door: Door) -> None:
    """Whoever was too early gets in as soon as there is an account, or it has a password."""
    assert await door.knock("carol") == "no"
    await door.people.users.create(OPERATING, "carol", None)
    assert await door.knock("carol") == "no"
    await door.people.users.set_password(OPERATING, "carol", PASSWORD)
    assert await door.knock("carol") == "carol"


async def test_hashes_are_renewed(people: People) -> None:
    """A password that was hashed at other costs is hashed anew when its owner logs in, and only then."""
    await people.add("alice", "bob")
    before = await hash_of(people), await hash_of(people, "bob")
    door = Door(people, time_cost=2)
    assert await door.knock("alice", OTHER) == "no"
    assert await hash_of(people) == before[0]
    assert await door.knock("alice") == "alice"
    renewed = await hash_of(people)
    assert renewed is not None
    assert "t=2" in renewed
    assert await hash_of(people, "bob") == before[1]
    assert await people.epoch("alice") == 0
    assert await door.knock("alice") == "alice"
    assert await hash_of(people) == renewed


async def test_fifth_wrong_password(door: Door) -> None:
    """After the fifth wrong password everybody waits, also who has the right one; after the wait that is let in."""
    await door.guess(5)
    assert await door.knock("alice") == "wait 1"
    assert await door.knock("alice", "another guess") == "wait 1"
    assert door.passwords.verified == 5
    assert (await door.knock("bob"), await door.knock("alice", origin=ELSEWHERE)) == ("bob", "alice")
    door.people.clock.advance(1)
    assert await Door(door.people).knock("alice") == "alice"
    await Door(door.people).guess(4)


async def test_same_wrong_password_again(door: Door) -> None:
    """A node that goes on with a password that was changed counts once, and does not keep others out."""
    for _ in range(100):
        assert await door.knock("alice", OTHER) == "no"
    assert door.passwords.verified == 1
    await door.guess(4)
    assert await door.knock("alice", OTHER) == "no"
    assert await door.knock("alice") == "wait 1"


async def test_known_login_while_others_wait(door: Door) -> None:
    """A login that was right a moment ago goes on while somebody guesses from the same address."""
    assert await door.knock("alice") == "alice"
    await door.guess(5)
    assert await door.knock("alice", "another guess") == "wait 1"
    assert await door.knock("alice") == "alice"


async def test_guesses_at_the_same_time(door: Door) -> None:
    """Who sends all guesses at once has no more of them than who sends one after the other."""
    answers = await asyncio.gather(*(door.knock("alice", f"guess {number}") for number in range(60)))
    assert door.passwords.verified <= 6
    assert [answer for answer in answers if answer != "no"] != []
    assert set(answers) <= {"no", "wait 1", "wait 2"}


async def test_same_login_at_the_same_time(door: Door) -> None:
    """A job that pulls many images at once logs in many times: that is worked out once or twice."""
    assert set(await asyncio.gather(*(door.knock("alice") for _ in range(60)))) == {"alice"}
    assert door.passwords.verified <= 2
    assert set(await asyncio.gather(*(door.knock("bob", OTHER) for _ in range(60)))) == {"no"}
    assert await door.knock("bob") == "bob"


async def test_too_many_at_the_same_time(door: Door) -> None:
    """A few passwords are hashed at a time and some wait; who comes beyond that is told to come again, at no cost."""
    door.passwords.gate.clear()
    tasks = [asyncio.create_task(door.knock(f"user{number}")) for number in range(100)]
    async with asyncio.timeout(10):
        refused = [await done for done in islice(asyncio.as_completed(tasks), 36)]
        assert refused == ["wait 1"] * 36
        await door.passwords.two_at_once.wait()
    door.passwords.gate.set()
    assert {await task for task in tasks} <= {"no", "wait 1", "wait 2"}
    assert door.passwords.most_at_once == 2
    assert await door.knock("alice", origin=ELSEWHERE) == "alice"


@pytest.mark.parametrize("error", [StorageFull(), StorageUnavailable("busy")])
async def test_nothing_can_be_written(door: Door, error: Exception) -> None:
    """On a full disk people log in as ever, and pull; only what is good to know about it is lost."""
    secret = await a_token(door.people)
    dearer = Door(door.people, time_cost=2)
    await dearer.guess(2)
    dearer.store.write_error = error
    assert await dearer.knock("alice") == "alice"
    assert await dearer.show(secret) == "alice with laptop"


async def test_nothing_can_be_read(door: Door) -> None:
    """Nobody gets in while the store does not answer, also not by what is remembered."""
    assert await door.knock("alice") == "alice"
    door.store.read_error = StorageUnavailable("busy")
    with pytest.raises(StorageUnavailable):
        await door.knock("alice")


async def test_secrets_are_not_shown(door: Door) -> None:
    """What was sent is in no error, also in those that an error came from."""
    for secret in ["a wrong password", new_secret(SecretKind.PAT)]:
        with pytest.raises(Unauthorized) as caught:
            await door.login.verify("alice", secret, ORIGIN)
        assert secret not in "".join(traceback.format_exception(caught.value))
