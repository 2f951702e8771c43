"""What is given and taken away while a daemon runs: all of its workers know in time."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from auth.actor import OPERATING
from auth.principals import Subject, SubjectKind, parse_subject
from auth.roles import Action, Role, SystemRole
from registry.api.rest.services import Management
from registry.domain.users import UserChanges
from tests.server.commands import Commands
from tests.server.site import DIGEST, PASSWORD, Site
from tests.server.workers import Workers, basic

PULL, PUSH = "repository:acme/app:pull", "repository:acme/app:pull,push"
BLOB, UPLOADS = f"/v2/acme/app/blobs/{DIGEST}", "/v2/acme/app/blobs/uploads/"
EVERYONE = Subject(SubjectKind.EVERYONE)
# In time, for what is taken away.
SECONDS = 2.0

Change = Callable[[Management, str], Awaitable[object]]


@dataclass(frozen=True)
class Taking:
    """Something that is taken from a user who has it by `first`, and what the user is answered then.

    Without `first`, the user is a developer of the project. Users log in with access tokens, which costs less, unless
    it has to be `with_password`.
    """

    change: Change
    status: int
    method: str = "GET"
    path: str = BLOB
    first: Change | None = None
    with_password: bool = False


async def join_devs(m: Management, name: str) -> None:
    """Let a user be a developer by being in a group."""
    await m.groups.create(OPERATING, f"devs-{name}")
    await m.groups.add(OPERATING, f"devs-{name}", name)
    await m.members.put(OPERATING, "acme", parse_subject(f"group:devs-{name}"), Role.DEVELOPER)


async def drop_rules(m: Management, name: str) -> None:
    """Take away all rules of the registry."""
    for rule in (await m.rules.page(OPERATING, "acme", "main", "", 99)).items:
        await m.rules.delete(OPERATING, "acme", "main", rule.id)


async def revoke_tokens(m: Management, name: str) -> None:
    """Take away all access tokens of the user."""
    for token in (await m.access_tokens.page(OPERATING, name, "", 99)).items:
        await m.access_tokens.revoke(OPERATING, name, token.id)


def allow(*actions: Action) -> Change:
    """Add a rule about the user."""
    return lambda m, name: m.rules.create(
        OPERATING, "acme", "main", "acme/*", parse_subject(f"user:{name}"), frozenset(actions)
    )


def member(role: Role) -> Change:
    """Give the user a role."""
    return lambda m, name: m.members.put(OPERATING, "acme", parse_subject(f"user:{name}"), role)


TAKINGS = {
    "disabled": Taking(lambda m, name: m.users.update(OPERATING, name, UserChanges(disabled=True)), 401),
    "deleted": Taking(lambda m, name: m.users.delete(OPERATING, name), 401),
    "another password": Taking(
        lambda m, name: m.users.set_password(OPERATING, name, "another password"), 401, with_password=True
    ),
    "access token revoked": Taking(revoke_tokens, 401),
    "no member": Taking(lambda m, name: m.members.remove(OPERATING, "acme", parse_subject(f"user:{name}")), 404),
    "reader": Taking(member(Role.READER), 403, "POST", UPLOADS),
    "not in the group": Taking(lambda m, name: m.groups.remove(OPERATING, f"devs-{name}", name), 404, first=join_devs),
    "no group": Taking(lambda m, name: m.groups.delete(OPERATING, f"devs-{name}"), 404, first=join_devs),
    "no rule": Taking(drop_rules, 404, first=allow(Action.PULL)),
    "another rule": Taking(allow(), 404, first=member(Role.READER)),
}

GIFTS: dict[str, Change] = {
    "member": member(Role.READER),
    "group": join_devs,
    "rule": allow(Action.PULL),
    "administrator": lambda m, name: m.users.update(OPERATING, name, UserChanges(system_role=SystemRole.ADMIN)),
}


def wait_for(workers: Workers, method: str, path: str, authorization: str | None, status: int) -> None:
    """AssertionError unless all workers answer so in time, and go on to."""
    deadline = time.monotonic() + SECONDS
    while (found := workers.statuses(method, path, authorization)) != {status}:
        assert time.monotonic() < deadline, f"still {found} and not {status}"
        time.sleep(0.02)
    assert workers.statuses(method, path, authorization) == {status}


@pytest.mark.parametrize("what", list(TAKINGS))
def test_taken_away(site: Site, workers: Workers, what: str) -> None:
    """What is taken away is refused by all workers within two seconds, to whoever has a token that grants it."""
    taking = TAKINGS[what]
    name = site.user(None if taking.first else Role.DEVELOPER)
    if taking.first is not None:
        first = taking.first
        site.manage(lambda m: first(m, name))
    login = basic(name, PASSWORD if taking.with_password else site.access_token(name))
    tokens = [worker.token(login, PUSH) for worker in workers]
    for token in tokens * 2:
        assert workers.statuses(taking.method, taking.path, token) == {202 if taking.method == "POST" else 200}
    site.manage(lambda m: taking.change(m, name))
    for token in tokens:
        wait_for(workers, taking.method, taking.path, token, taking.status)


def test_made_private(site: Site, workers: Workers) -> None:
    """What was public is refused to everybody else within two seconds of being made private."""
    site.manage(lambda m: m.registries.create(OPERATING, "acme", "open", "acme/open", "public"))
    site.push(workers, "acme/open/app")
    blob, scope = f"/v2/acme/open/app/blobs/{DIGEST}", "repository:acme/open/app:pull"
    name = site.user()
    for login, status in [(None, 401), (basic(name, site.access_token(name)), 404)]:
        site.manage(lambda m: m.registries.update(OPERATING, "acme", "open", visibility="public"))
        for token in [worker.token(login, scope) for worker in workers]:
            assert workers.statuses("GET", blob, token) == {200}
        site.manage(lambda m: m.registries.update(OPERATING, "acme", "open", visibility="private"))
        wait_for(workers, "GET", blob, token, status)


@pytest.mark.parametrize("what", list(GIFTS))
def test_given(site: Site, workers: Workers, what: str) -> None:
    """What is given can be used at once, whichever worker makes the token and whichever is asked."""
    name = site.user()
    login = basic(name, site.access_token(name))
    tokens = [worker.token(login, PULL) for worker in workers]
    for token in [*tokens, login]:
        assert workers.statuses("GET", BLOB, token) == {404}
    site.manage(lambda m: GIFTS[what](m, name))
    for worker in workers:
        assert workers.statuses("GET", BLOB, worker.token(login, PULL)) == {200}
    assert workers.statuses("GET", BLOB, login) == {200}
    # A token from before is not for it, and who has one is told to get another.
    assert workers.statuses("GET", BLOB, tokens[0]) == {401}


def test_given_back(site: Site, workers: Workers) -> None:
    """A token that granted something is good for it again as soon as its holder may do that again."""
    name = site.user(Role.READER)
    token = next(iter(workers)).token(basic(name, site.access_token(name)), PULL)
    assert workers.statuses("GET", BLOB, token) == {200}
    site.manage(lambda m: m.members.remove(OPERATING, "acme", parse_subject(f"user:{name}")))
    wait_for(workers, "GET", BLOB, token, 404)
    site.manage(lambda m: member(Role.READER)(m, name))
    assert workers.statuses("GET", BLOB, token) == {200}


def test_logged_in_again(site: Site, workers: Workers) -> None:
    """Who changes the password and logs in again can go on at once, at every worker."""
    name = site.user(Role.READER)
    old = next(iter(workers)).token(basic(name, PASSWORD), PULL)
    assert workers.statuses("GET", BLOB, old) == {200}
    site.manage(lambda m: m.users.set_password(OPERATING, name, "another password"))
    token = next(iter(workers)).token(basic(name, "another password"), PULL)
    assert workers.statuses("GET", BLOB, token) == {200}
    wait_for(workers, "GET", BLOB, old, 401)


def test_commands_beside_the_daemon(site: Site, workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the commands of `berth` change on the same data is noticed as anything else is."""
    monkeypatch.setenv("BERTH_STORAGE__DATA", str(site.daemon.data))
    berth, name = Commands(site.daemon.data), site.user()
    login = basic(name, site.access_token(name))
    assert workers.statuses("GET", BLOB, login) == {404}
    berth("member", "add", f"user:{name}", "reader", "-p", "acme")
    token = next(iter(workers)).token(login, PULL)
    assert workers.statuses("GET", BLOB, token) == {200}
    berth("user", "disable", name)
    wait_for(workers, "GET", BLOB, token, 401)
    assert workers.statuses("GET", "/token", login) == {401}
    berth("user", "enable", name)
    assert workers.statuses("GET", "/token", login) == {200}


def test_changes_by_a_worker(site: Site, workers: Workers) -> None:
    """What one worker changes over the management API, the others notice."""
    name = site.user(Role.READER)
    token = next(iter(workers)).token(basic(name, site.access_token(name)), PULL)
    assert workers.statuses("GET", BLOB, token) == {200}
    path = f"/v1/projects/acme/members/user:{name}"
    assert next(iter(workers)).status("DELETE", path, basic("admin", PASSWORD)) == 204
    wait_for(workers, "GET", BLOB, token, 404)


def test_throttle_is_shared(site: Site, workers: Workers) -> None:
    """Guesses count together, whichever worker gets them: with each worker one cannot guess anew."""
    name = site.user()
    for number, worker in enumerate([*workers, *workers, next(iter(workers))]):
        assert worker.status("GET", "/token", basic(name, f"guess number {number}")) == 401
    assert workers.statuses("GET", "/token", basic(name, PASSWORD)) == {429}
    assert workers.statuses("GET", "/token", basic(site.user(), PASSWORD)) == {200}


def test_time_of_issue(site: Site, workers: Workers) -> None:
    """Times are those of UTC, wherever the daemon thinks it is."""
    for worker in workers:
        for reply in [
            worker.ask("GET", "/token"),
            worker.ask("POST", "/token", body=f"grant_type=password&username=admin&password={PASSWORD}".encode()),
        ]:
            assert reply.status == 200
            issued = datetime.strptime(reply.json()["issued_at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
            assert abs((datetime.now(UTC) - issued).total_seconds()) < 10
