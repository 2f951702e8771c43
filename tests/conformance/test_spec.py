"""What the suite says of Berth, against everything that the specification requires."""

import secrets
from collections.abc import Iterator

import pytest

from conformance.checks import requirements
from conformance.content import Manifest, new_image
from conformance.login import Credentials, Login
from conformance.requirement import Group, Version
from conformance.runner import Outcome, Result, Selection, run
from conformance.session import Litter, Scope, Session
from conformance.wire import Target, Wire
from tests.daemon import Daemon

JOBS = 4
PASSWORD = secrets.token_urlsafe(12)
ADMIN = Credentials("admin", PASSWORD)

HEADINGS = {
    *("Requirements", "Pulling manifests", "Pulling blobs", "Checking if content exists in the registry"),
    *("Push", "Pushing blobs", "POST then PUT", "Single POST", "Pushing a blob in chunks", "Cancel a blob upload"),
    *("Mounting a blob from another repository", "Pushing Manifests", "Pushing Manifests with Subject"),
    *("Listing Tags", "Listing Referrers", "Deleting tags", "Deleting Manifests", "Deleting Blobs"),
    *("Registry Proxying", "Referrers Tag Schema", "Enabling the Referrers API"),
    *("API", "Determining Support", "Endpoints", "Error Codes", "Warnings"),
}


@pytest.fixture(scope="module")
def berth(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """Berth as it is without settings, but without login."""
    with Daemon(tmp_path_factory.mktemp("spec") / "data") as daemon:
        yield daemon


@pytest.fixture(scope="module")
def berth_with_login(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """Berth as it is without settings."""
    data = tmp_path_factory.mktemp("login") / "data"
    with Daemon(data, environment={"BERTH_ADMIN_PASSWORD": PASSWORD}, auth="builtin") as daemon:
        yield daemon


def scope(version: Version, credentials: Credentials | None = None) -> Scope:
    """Where a run may work: two repositories that nobody has used before."""
    drawn = secrets.token_hex(4)
    return Scope(f"{drawn}/one", f"{drawn}/two", credentials or Credentials(), version=version)


def judge(daemon: Daemon, where: Scope) -> list[Result]:
    """Run the group of the specification."""
    selection = Selection(groups=frozenset({Group.SPEC}))
    chosen = [item for item in requirements() if selection.takes(item, where)]
    return run(chosen, Target(daemon.url), where, JOBS)


def other_than_passed(results: list[Result]) -> list[str]:
    """What is to be said of the checks that did not pass."""
    return [
        f"{result.outcome} {result.requirement.level} {result.requirement.id}: {result.message}"
        for result in results
        if result.outcome is not Outcome.PASSED
    ]


@pytest.mark.parametrize("version", Version)
def test_berth_does_all_that_the_specification_requires(berth: Daemon, version: Version) -> None:
    """Nothing fails, nothing is unsupported, no advice is ignored, and nothing is left out."""
    results = judge(berth, scope(version))
    assert other_than_passed(results) == []
    assert len(results) > 150


def test_berth_does_all_that_the_specification_requires_behind_a_login(berth_with_login: Daemon) -> None:
    """The same, for somebody who has to log in."""
    assert other_than_passed(judge(berth_with_login, scope(Version.V1_2, ADMIN))) == []


def test_run_that_only_reads_sends_nothing_else(berth: Daemon) -> None:
    """With --read-only, given content is judged, and no request would change anything."""
    where = scope(Version.V1_2)
    manifest = pushed(berth, where)
    config = manifest.blobs[0].digest
    given = Scope(
        where.repository,
        where.other,
        version=where.version,
        read_only=True,
        tag="1",
        manifest=manifest.digest,
        blob=config,
    )
    results = judge(berth, given)
    assert other_than_passed(results) == []
    methods = {answer.method for result in results for answer in result.exchanges if answer.status != 405}
    assert methods == {"GET", "HEAD"}


def pushed(daemon: Daemon, where: Scope) -> Manifest:
    """An image that is there with the tag 1."""
    wire, manifest = Wire(Target(daemon.url)), new_image()
    Session(wire, where, Login(wire, where.credentials), Litter()).manifest(manifest, "1")
    wire.close()
    return manifest


def test_sections_are_headings_of_the_specification() -> None:
    """Whoever is told of a fault finds its sentence."""
    sections = {item.section for item in requirements() if item.group is Group.SPEC}
    assert sections <= HEADINGS
