"""`berth group`: users who are given rights together."""

import re

import pytest

from tests.server.commands import Commands, rows


def test_group_is_created_filled_and_deleted(berth: Commands) -> None:
    """A group is made, takes users in and lets them go, and is deleted with the rights that it gave."""
    assert berth("group", "create", "devs", "--description", "Those who build") == "created group devs\n"
    berth("user", "create", "alice", "--no-password")
    assert berth("group", "add", "devs", "alice") == "alice is in group devs\n"
    assert berth("group", "add", "devs", "admin") == "admin is in group devs\n"
    assert berth("group", "members", "devs", "-q") == "admin\nalice\n"
    assert berth.json("group", "members", "devs") == [{"name": "admin"}, {"name": "alice"}]
    assert berth("group", "remove", "devs", "alice") == "removed alice from group devs\n"
    assert berth("group", "members", "devs") == "NAME\nadmin\n"
    berth("member", "add", "group:devs", "reader")
    assert berth("group", "delete", "devs") == "deleted group devs\n"
    assert berth.json("member", "list") == []


def test_list_and_show(berth: Commands) -> None:
    """`list` and `show` tell how many users are in a group."""
    berth("group", "create", "devs")
    berth("group", "create", "ops", "--description", "Those who run it")
    berth("group", "add", "ops", "admin")
    titles, devs, ops = rows(berth("group", "list"))
    assert titles == ["NAME", "MEMBERS", "CREATED", "DESCRIPTION"]
    assert (devs[:2], devs[3]) == (["devs", "0"], "-")
    assert (ops[:2], ops[3]) == (["ops", "1"], "Those who run it")
    found = berth.json("group", "show", "ops")
    assert found.keys() == {"name", "description", "members", "createdAt"}
    assert found == berth.json("group", "list")[1]
    assert berth("group", "list", "-q") == "devs\nops\n"


def test_changes_as_json(berth: Commands) -> None:
    """Every change has an answer in JSON."""
    assert berth.json("group", "create", "devs")["members"] == 0
    assert berth.json("group", "add", "devs", "admin") == {"name": "admin"}
    assert berth.json("group", "remove", "devs", "admin") == {"removed": "admin"}
    assert berth.json("group", "delete", "devs") == {"deleted": "devs"}


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["show", "nobody"], "group 'nobody' is not known"),
        (["delete", "nobody"], "group 'nobody' is not known"),
        (["members", "nobody"], "group 'nobody' is not known"),
        (["create", "Devs"], "name has to be .*"),
        (["add", "nobody", "admin"], "group 'nobody' is not known"),
    ],
)
def test_refusals(berth: Commands, words: list[str], reason: str) -> None:
    """What cannot be done ends with 1 and says why."""
    assert re.fullmatch(f"berth: {reason}\n", berth.refused("group", *words))


def test_who_is_not_there_cannot_be_added(berth: Commands) -> None:
    """Only users that there are can be in a group, and only once a group by its name."""
    berth("group", "create", "devs")
    assert berth.refused("group", "add", "devs", "nobody") == (
        "berth: name has to be that of a user: 'nobody' is not known\n"
    )
    assert berth.refused("group", "create", "devs") == "berth: name 'devs' is already taken\n"
