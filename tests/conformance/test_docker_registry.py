"""What the suite says of Debian's docker-registry 2.8: the faults that it has, and no others.

docs/conformance.md lists them with the sentences of the specification.
"""

import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from conformance.requirement import Group, Level, Version
from conformance.runner import Outcome
from tests.clients.accounts import Account
from tests.clients.programs import require, service
from tests.conformance.judging import Judged, chosen, judge, scope
from tests.daemon import free_port

pytestmark = pytest.mark.thorough

CONFIG = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage:
  filesystem: {{rootdirectory: {folder}/data}}
  delete: {{enabled: {deletes}}}
  cache: {{blobdescriptor: inmemory}}
http: {{addr: "127.0.0.1:{port}"}}
auth:
  htpasswd: {{realm: registry, path: {folder}/passwords}}
"""
CI = Account("ci", "the password of ci")
PASSWORDS = "ci:$2b$04$q6GImOFAznkJRjSyiz4lMuBi4RrnfgifGvpUMMFqrczQgDNedbo8K\n"
# Some of its answers say that they are longer than they are.
TIMEOUT = 5.0

IGNORED = "Content-Range is ignored, and the bytes are appended"
LISTED = "all tags are listed, in the order of a folder"
# Each MUST that fails, and what the registry does.
KNOWN = {
    "pull.manifest.without-accept": "404 for an OCI image without Accept",
    "pull.manifest.any-accept": "404 for an OCI image with Accept: */*",
    "pull.manifest.of-a-blob": "500",
    "pull.manifest.malformed-digest": "500",
    "pull.range.head": "206 for HEAD",
    "push.chunk.first-not-zero": IGNORED,
    "push.chunk.gap": IGNORED,
    "push.chunk.repeated": IGNORED,
    "push.chunk.overlap": IGNORED,
    "push.chunk.put-out-of-order": IGNORED,
    "push.chunk.put-out-of-order.refused": IGNORED,
    "push.mount.sha512": "201, and then 500 to whoever pulls the blob",
    "tags.none": "404",
    "tags.order": LISTED,
    "tags.n": LISTED,
    "tags.n.zero": LISTED,
    "tags.n.order": LISTED,
    "tags.last": LISTED,
    "tags.last.end": LISTED,
    "tags.last.n": LISTED,
    "tags.last.pages": LISTED,
    "delete.all.tags": "null in the place of an empty list",
}
# What fails only if two things happen at the same moment, or, of tags in a folder, are not in order there.
BY_CHANCE = {
    "concurrency.tag.read": "500 while a tag is moved: its file is emptied and written anew",
    "concurrency.upload.ended-twice": "0 bytes of a blob, after 201, when two end an upload",
    "concurrency.tags.list": LISTED,
}


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a docker-registry with a login."""
    yield from started(tmp_path_factory.mktemp("docker-registry"), deletes=True)


@pytest.fixture(scope="module")
def keeping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of one that deletes nothing, as it is without settings."""
    yield from started(tmp_path_factory.mktemp("keeping"), deletes=False)


def started(folder: Path, *, deletes: bool) -> Iterator[str]:
    require("docker-registry")
    port, config = free_port(), folder / "config.yml"
    (folder / "passwords").write_text(PASSWORDS)
    config.write_text(CONFIG.format(folder=folder, port=port, deletes=str(deletes).lower()))
    url = f"http://127.0.0.1:{port}"
    with service("docker-registry", "serve", config, folder=folder, ready=partial(ask, url)):
        yield url


def ask(url: str) -> None:
    """AssertionError unless it answers."""
    try:
        urllib.request.urlopen(f"{url}/", timeout=2).close()
    except OSError as error:
        raise AssertionError(str(error)) from error


@pytest.fixture(scope="module")
def judged(registry: str) -> Judged:
    """What the suite says, in the newest version of the specification."""
    where = scope(Version.V1_2, CI)
    return judge(registry, where, chosen(where, [Group.SPEC, Group.CLIENTS, Group.AUTH]), timeout=TIMEOUT)


def failed(judged: Judged) -> dict[str, str]:
    """The MUSTs that failed, and how."""
    return {one.requirement.id: one.message for one in judged.results if one.outcome is Outcome.FAILED}


def test_its_faults_are_found_and_no_others(judged: Judged) -> None:
    """What it does wrong is named; what it does right is not called wrong."""
    found = failed(judged)
    assert {name: message for name, message in found.items() if name not in KNOWN} == {}
    assert KNOWN.keys() - found.keys() == set()


def test_clients_work_with_it(judged: Judged) -> None:
    """All of these clients have worked with it for years: what they send, and need, is what the traces say."""
    found = [one for one in judged.results if one.requirement.group is Group.CLIENTS]
    assert [one.requirement.id for one in found if one.outcome is Outcome.SKIPPED] == []
    assert len([one for one in found if one.outcome is Outcome.PASSED]) >= 55


def test_nothing_that_can_be_removed_is_left(judged: Judged) -> None:
    """The registry deletes manifests and blobs, so none is left."""
    assert judged.left == ""


@pytest.mark.faults
def test_attackers_and_races(registry: str) -> None:
    """Beyond the specification it does what it has to, too, but for what happens at the same moment."""
    where = scope(Version.V1_2, CI)
    judged = judge(registry, where, chosen(where, [Group.SECURITY, Group.CONCURRENCY]), timeout=TIMEOUT)
    assert {name: message for name, message in failed(judged).items() if name not in BY_CHANCE} == {}


def test_registry_that_deletes_nothing_keeps_what_was_pushed(keeping: str) -> None:
    """It says so with 405, which is right; what is left is told in a line."""
    where = scope(Version.V1_2, CI)
    judged = judge(
        keeping, where, [item for item in chosen(where, [Group.SPEC], "delete.") if item.level is Level.MUST]
    )
    assert judged.ids(Outcome.FAILED) == set()
    assert len(judged.ids(Outcome.UNSUPPORTED)) > 10
    assert judged.left.endswith("blobs could not be removed: DELETE answered 405")
    assert "\n" not in judged.left
