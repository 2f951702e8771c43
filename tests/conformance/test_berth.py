"""What the suite says of Berth: every check of every group holds, wherever it keeps its rows and its bytes."""

import dataclasses
import json
import re
from collections.abc import Iterator

import pytest

from conformance.reports.files import as_json, as_junit
from conformance.reports.page import as_page
from conformance.reports.summary import Run
from conformance.requirement import Group, Version
from conformance.runner import Outcome
from tests import backends
from tests.clients.accounts import ADMIN_PASSWORD, Account, Accounts
from tests.conformance.judging import NOT_PASSED, Judged, chosen, judge, pushed, scope
from tests.daemon import Daemon

# The whole suite in one go, on a store that is slow in tests.
pytestmark = pytest.mark.timeout(300)

TOKEN = re.compile(r"eyJ[\w-]+\.eyJ[\w-]+\.[\w-]{16,}")


@pytest.fixture(
    scope="module",
    params=[
        "sqlite-files",
        pytest.param("sqlite-s3", marks=pytest.mark.thorough),
        pytest.param("postgresql-files", marks=pytest.mark.thorough),
        "postgresql-s3",
    ],
)
def accounts(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Accounts]:
    """The accounts of Berth as it is without settings, with login, wherever it keeps what it has."""
    with backends.kept_in(request.param, request) as environment:
        data = tmp_path_factory.mktemp("conformance") / "data"
        with Daemon(
            data, auth="builtin", environment={"BERTH_ADMIN_PASSWORD": ADMIN_PASSWORD, **environment}
        ) as daemon:
            yield Accounts(daemon)
            assert daemon.stop() == 0, daemon.tail()


@pytest.fixture(scope="module")
def user(accounts: Accounts) -> Account:
    """Somebody who may push and delete."""
    return accounts.new_user("maintainer")


@pytest.fixture(scope="module")
def judged(accounts: Accounts, user: Account) -> Judged:
    """What the whole suite says, in the newest version of the specification."""
    where = scope(Version.V1_2, user, accounts.foreigner)
    return judge(accounts.daemon.url, where, chosen(where))


@pytest.fixture(scope="module")
def berth(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """Berth as it is without settings, but without login."""
    with Daemon(tmp_path_factory.mktemp("open") / "data") as daemon:
        yield daemon
        assert daemon.stop() == 0, daemon.tail()
    daemon.check()


def test_every_check_passes(judged: Judged) -> None:
    """Nothing fails, nothing is unsupported, no advice is ignored, and nothing is left out."""
    assert judged.said(*NOT_PASSED) == []
    assert {one.requirement.group for one in judged.results} == set(Group)


def test_nothing_is_left_of_a_run(accounts: Accounts, judged: Judged) -> None:
    """What the suite has pushed and begun it has deleted and cancelled: the collector frees all of it at once.

    What was pushed lately, and not deleted, the collector would let alone.
    """
    assert judged.left == ""
    collected = json.loads(accounts.daemon.command("gc", "--forget-deleted", "--json"))
    assert collected["failed"] == 0
    found = json.loads(accounts.daemon.command("check", "--bytes", "--json"))
    assert (found["manifests"], found["tags"], found["blobs"], found["problems"]) == (0, 0, 0, [])
    arriving = accounts.daemon.data / "uploads"
    assert not arriving.exists() or list(arriving.iterdir()) == []


def test_reports_hold_no_secret(accounts: Accounts, user: Account, judged: Judged) -> None:
    """Neither passwords nor tokens are in what is told of a run."""
    run = Run(accounts.daemon.url, scope(Version.V1_2, user, accounts.foreigner), "2026-01-01", 1.0, judged.results)
    for text in (as_json(run), as_junit(run), as_page(run)):
        assert not any(secret in text for secret in (user.secret, user.encoded, accounts.foreigner.secret))
        assert TOKEN.findall(text) == []


def test_checks_that_newer_versions_have_no_more(berth: Daemon) -> None:
    """What only 1.0 and 1.1 say holds, too; all else that they say is what the newest one says."""
    newest = chosen(scope(Version.V1_2))
    for version in (Version.V1_0, Version.V1_1):
        where = scope(version)
        judged = judge(berth.url, where, [item for item in chosen(where, [Group.SPEC]) if item not in newest])
        assert judged.results
        assert judged.said(*NOT_PASSED) == []


def test_berth_without_login(berth: Daemon) -> None:
    """Where nobody logs in, what is about logins is left out, and all else passes."""
    where = scope(Version.V1_2)
    judged = judge(berth.url, where, chosen(where, set(Group) - {Group.SPEC}))
    assert judged.said(Outcome.FAILED, Outcome.WARNED, Outcome.UNSUPPORTED) == []
    about_logins = ("security.others.", "security.anonymous.", "security.token.", "security.answers.redirects", "auth.")
    assert [name for name in judged.ids(Outcome.SKIPPED) if not name.startswith(about_logins)] == []


def test_run_that_only_reads_sends_nothing_else(berth: Daemon) -> None:
    """With --read-only, given content is judged, and no request would change anything."""
    where = scope(Version.V1_2)
    manifest = pushed(berth.url, where)
    config = manifest.blobs[0].digest
    given = dataclasses.replace(where, read_only=True, tag="1", manifest=manifest.digest, blob=config)
    judged = judge(berth.url, given, chosen(given, [Group.SPEC]))
    assert judged.said(*NOT_PASSED) == []
    methods = {answer.method for one in judged.results for answer in one.exchanges if answer.status != 405}
    assert methods == {"GET", "HEAD"}
