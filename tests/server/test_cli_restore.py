"""`berth tag history` and `berth restore`: where tags pointed, and bringing back what was deleted."""

import re

import pytest

from tests.api.content import index
from tests.server.commands import Commands, rows
from tests.server.content import delete, push

ONE, TWO = index([]), index([], annotations={"n": "2"})
PARENT = index([ONE.descriptor()])


@pytest.fixture
def past(berth: Commands) -> Commands:
    """A data folder in which a tag was moved, a tag was taken away, and a manifest deleted with its tag."""
    push(berth.data, "team/app", ONE, "latest")
    push(berth.data, "team/app", TWO, "latest", "gone")
    delete(berth.data, "team/app", "gone")
    push(berth.data, "team/app", ONE, "v1")
    delete(berth.data, "team/app", ONE.digest)
    return berth


def test_history_is_a_table_with_the_newest_first(past: Commands) -> None:
    """People see where tags pointed, when they were moved, and by whom."""
    titles, *found = rows(past("tag", "history", "team/app"))
    assert titles == ["AT", "TAG", "OLD DIGEST", "NEW DIGEST", "PRINCIPAL"]
    assert [row[1:] for row in found] == [
        ["v1", ONE.digest, "-", "operator"],
        ["v1", "-", ONE.digest, "operator"],
        ["gone", TWO.digest, "-", "operator"],
        ["gone", "-", TWO.digest, "operator"],
        ["latest", ONE.digest, TWO.digest, "operator"],
        ["latest", "-", ONE.digest, "operator"],
    ]


def test_history_of_one_tag(past: Commands) -> None:
    """The history can be that of one tag, and as long as is wanted; programs get every attribute."""
    first, second = past.json("tag", "history", "team/app:latest")
    assert list(first) == ["id", "tag", "at", "oldDigest", "newDigest", "kind", "principal", "token"]
    assert past.json("tag", "history", "team/app:latest", "--limit", "1") == [first]
    assert past("tag", "history", "team/app:latest", "-q").split() == [TWO.digest, ONE.digest]
    assert second["oldDigest"] is None
    assert past.json("tag", "history", "team/app:none") == []


def test_what_can_be_restored(past: Commands) -> None:
    """With a repository alone, all is listed that can be brought back, by the words that bring it back."""
    titles, *found = rows(past("restore", "team/app"))
    assert titles == ["REFERENCE", "DELETED", "PRINCIPAL", "RESTORABLE UNTIL"]
    assert [row[0] for row in found] == ["team/app:gone", "team/app:v1", f"team/app@{ONE.digest}"]
    assert [row[3] == "-" for row in found] == [True, False, False]
    assert past("restore", "team/app", "-q").split() == [row[0] for row in found]
    keys = ["reference", "digest", "mediaType", "size", "deletedAt", "restorableUntil", "kind", "principal"]
    for record in past.json("restore", "team/app"):
        assert list(record) == keys


def test_tag_is_restored(past: Commands) -> None:
    """A tag comes back, with what it pointed to."""
    assert past("restore", "team/app:gone") == f"team/app@{TWO.digest} is there, tagged gone\n"
    assert past("restore", "team/app:v1") == f"team/app@{ONE.digest} is back, tagged v1\n"
    assert past.json("restore", "team/app") == []


def test_manifest_is_restored(past: Commands) -> None:
    """A manifest comes back, with the tags that are named, one of which can stand before it."""
    done = past.json("restore", f"team/app:old@{ONE.digest}", "--tag", "latest", "--tag", "v1")
    tags = ["old", "latest", "v1"]
    assert done == {"repository": "team/app", "digest": ONE.digest, "tags": tags, "manifests": [ONE.digest]}
    assert past("restore", f"team/app@{ONE.digest}") == f"team/app@{ONE.digest} is there\n"


def test_index_is_restored_with_its_parts(past: Commands) -> None:
    """An index brings back what it needs."""
    push(past.data, "team/app", ONE)
    push(past.data, "team/app", PARENT)
    delete(past.data, "team/app", PARENT.digest)
    delete(past.data, "team/app", ONE.digest)
    said = past("restore", f"team/app@{PARENT.digest}")
    assert said == f"team/app@{PARENT.digest} is back, with 1 more that it needs\n"


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (["tag", "history", "nothing"], 1, "berth: repository 'nothing' is not known"),
        (["tag", "history", f"team/app@{ONE.digest}"], 2, "berth: a digest never moves: .*"),
        (["tag", "history", "team/app:-x"], 2, "(?s)usage: .*tag '-x' is malformed.*"),
        (["tag", "history", "Team/App"], 2, "(?s)usage: .*name 'Team/App' is malformed.*"),
        (["tag", "history", "team/app", "--limit", "0"], 2, "(?s)usage: .*a number from 1 to 10000"),
        (["restore", "nothing"], 1, "berth: repository 'nothing' is not known"),
        (["restore", "nothing:1"], 1, "berth: repository 'nothing' is not known"),
        (["restore", "team/app:none"], 1, "berth: tag 'none' is not known"),
        (["restore", "team/app:latest"], 1, "berth: tag latest points to .*: say which digest .*"),
        (["restore", f"team/app@{PARENT.digest}"], 1, "berth: deleted manifest '.*' is not known"),
        (["restore", "team/app@sha256:1"], 2, "(?s)usage: .*digest 'sha256:1' is malformed.*"),
        (["restore", "team/app:v1", "--tag", "v2"], 2, "berth: --tag needs a digest: .*"),
        (["restore", f"team/app@{ONE.digest}", "--tag", "-x"], 2, "(?s)usage: .*"),
        (["restore"], 2, "(?s)usage: .*"),
    ],
)
def test_refusals(past: Commands, words: list[str], code: int, reason: str) -> None:
    """What cannot be done ends with 1, what makes no sense with 2; both say why."""
    assert re.fullmatch(f"{reason}\n", past.refused(*words, code=code))


def test_immutable_tag_is_not_moved(past: Commands) -> None:
    """What is immutable stays so for whoever works on the machine, too."""
    past("immutable", "add", "root", "latest")
    said = past.refused("restore", f"team/app:latest@{ONE.digest}")
    assert said.startswith("berth: tag latest is immutable here")
    assert past.json("restore", "team/app") != []
