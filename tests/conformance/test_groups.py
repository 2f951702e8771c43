"""What the suite says of Berth beyond the specification: clients, security, concurrency, logins."""

import secrets
from collections import Counter
from collections.abc import Iterator

import pytest

from conformance.checks import requirements
from conformance.login import Credentials
from conformance.requirement import Group, Version
from conformance.runner import Outcome, Result, Selection, run
from conformance.session import Scope
from conformance.wire import Target
from tests.clients.accounts import ADMIN_PASSWORD, Account, Accounts
from tests.daemon import Daemon

JOBS = 4
AT_LEAST = {Group.CLIENTS: 25, Group.SECURITY: 35, Group.CONCURRENCY: 10, Group.AUTH: 15}


@pytest.fixture(scope="module")
def berth(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """Berth as it is without settings, but without login."""
    with Daemon(tmp_path_factory.mktemp("groups") / "data") as daemon:
        yield daemon
        assert daemon.stop() == 0, daemon.tail()
    daemon.check()


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Accounts]:
    """The accounts of Berth as it is without settings."""
    environment = {"BERTH_ADMIN_PASSWORD": ADMIN_PASSWORD}
    with Daemon(tmp_path_factory.mktemp("groups-login") / "data", auth="builtin", environment=environment) as daemon:
        yield Accounts(daemon)
        assert daemon.stop() == 0, daemon.tail()
    daemon.check()


def credentials(account: Account) -> Credentials:
    return Credentials(account.name, account.secret)


def judge(url: str, group: Group, *who: Account) -> list[Result]:
    """Run a group, as the first account, with the second one as a stranger."""
    drawn = secrets.token_hex(4)
    mine, *others = map(credentials, who) if who else (Credentials(),)
    where = Scope(f"{drawn}/one", f"{drawn}/two", mine, others[0] if others else None, Version.V1_2)
    selection = Selection(groups=frozenset({group}))
    return run([item for item in requirements() if selection.takes(item, where)], Target(url), where, JOBS)


def said(results: list[Result], *outcomes: Outcome) -> list[str]:
    """What is to be said of the checks with these outcomes."""
    return [f"{one.outcome} {one.requirement.id}: {one.message}" for one in results if one.outcome in outcomes]


@pytest.mark.parametrize("group", AT_LEAST)
def test_berth_with_login_passes_every_check(accounts: Accounts, group: Group) -> None:
    """Nothing fails, nothing is unsupported, no advice is ignored, and nothing is left out."""
    results = judge(accounts.daemon.url, group, accounts.new_user("maintainer"), accounts.foreigner)
    assert said(results, *(outcome for outcome in Outcome if outcome is not Outcome.PASSED)) == []


@pytest.mark.parametrize("group", AT_LEAST)
def test_berth_without_login_fails_nothing(berth: Daemon, group: Group) -> None:
    """Where nobody logs in, what is about logins is left out, and all else passes."""
    results = judge(berth.url, group)
    assert said(results, Outcome.FAILED, Outcome.WARNED, Outcome.UNSUPPORTED) == []
    about_logins = ("security.others.", "security.anonymous.", "security.token.", "security.answers.redirects", "auth.")
    left_out = [one.requirement.id for one in results if one.outcome is Outcome.SKIPPED]
    assert [name for name in left_out if not name.startswith(about_logins)] == []


def test_reports_hold_no_secret(accounts: Accounts) -> None:
    """Neither passwords nor tokens are in what is kept of the exchanges."""
    user = accounts.new_user("maintainer")
    results = judge(accounts.daemon.url, Group.AUTH, user, accounts.foreigner)
    kept = repr([answer.shown() for result in results for answer in result.exchanges])
    assert user.encoded not in kept
    assert user.secret not in kept
    assert '"token":"ey' not in kept


def test_groups_are_large_enough() -> None:
    """Each group has at least the checks that it was made for, and no id or text occurs twice."""
    found = requirements()
    counts = Counter(item.group for item in found)
    assert all(counts[group] >= number for group, number in AT_LEAST.items())
    texts = Counter(item.text for item in found if item.group is not Group.SPEC)
    assert [text for text, count in texts.items() if count > 1] == []
