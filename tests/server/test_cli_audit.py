"""`berth audit`: who did what."""

import json
import signal

import pytest

from tests.server.commands import Commands, rows

KEYS = [
    "id",
    "at",
    "kind",
    "principal",
    "token",
    "action",
    "project",
    "target",
    "outcome",
    "detail",
    "address",
    "client",
    "requestId",
]


@pytest.fixture
def audited(berth: Commands) -> Commands:
    """A data folder in which the operator did three things after the first start."""
    berth("project", "create", "acme")
    berth("user", "create", "alice", "--no-password")
    berth("registry", "create", "acme/tools")
    return berth


def test_list_is_a_table_with_the_newest_first(audited: Commands) -> None:
    """People see what was done lately, by whom, and whether it was allowed."""
    titles, *found = rows(audited("audit", "list"))
    assert titles == ["AT", "PRINCIPAL", "ACTION", "TARGET", "OUTCOME", "ADDRESS", "CLIENT", "DETAIL"]
    assert [row[2] for row in found] == ["registry.create", "user.create", "project.create", "user.create"]
    assert found[1][1:5] == ["operator", "user.create", "user:alice", "allowed"]


def test_entries_as_json(audited: Commands) -> None:
    """Programs get every attribute of an entry."""
    entry = audited.json("audit", "list", "--limit", "1")[0]
    assert audited("audit", "list", "--limit", "1", "--quiet") == f"{entry['id']}\n"
    assert list(entry) == KEYS
    assert (entry["kind"], entry["principal"], entry["project"]) == ("operator", "operator", "acme")


@pytest.mark.parametrize(
    ("flags", "targets"),
    [
        (["--limit", "1"], ["registry:acme/tools"]),
        (["--action", "user.create"], ["user:alice", "user:admin"]),
        (["--target", "user:alice"], ["user:alice"]),
        (["--project", "acme", "--action", "project.create"], ["project:acme"]),
        (["--principal", "alice"], []),
        (["--outcome", "refused"], []),
        (["--since", "1h", "--action", "project.create"], ["project:acme"]),
        (["--until", "1h"], []),
        (["--since", "2099-01-01"], []),
    ],
)
def test_filters(audited: Commands, flags: list[str], targets: list[str]) -> None:
    """Entries can be filtered by what they say, both in lists and in what is exported."""
    assert [entry["target"] for entry in audited.json("audit", "list", *flags)] == targets
    if "--limit" not in flags:
        exported = map(json.loads, audited("audit", "export", *flags).splitlines())
        assert [entry["target"] for entry in exported] == targets[::-1]


def test_export_is_json_lines_with_the_oldest_first(audited: Commands) -> None:
    """Everything is exported, one entry in a line, with the attributes that lists have."""
    entries = [json.loads(line) for line in audited("audit", "export").splitlines()]
    assert [entry["action"] for entry in entries] == ["user.create", "project.create", "user.create", "registry.create"]
    assert entries[::-1] == audited.json("audit", "list")


def test_reader_that_has_enough_ends_the_export(audited: Commands) -> None:
    """`berth audit export | head -1` ends without a traceback."""
    with audited.start("audit", "export") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.wait(30) == 128 + signal.SIGPIPE
        assert process.stderr.read() == b""


@pytest.mark.parametrize("limit", ["0", "-1", "many", "10001"])
def test_limit_is_bounded(audited: Commands, limit: str) -> None:
    """A list has at least one entry and at most ten thousand; export has them all."""
    assert "`berth audit export` has no limit" in audited.refused("audit", "list", f"--limit={limit}", code=2)
