"""`berth project` and `berth member`: projects, and who has which role in them."""

import re

import pytest

from tests.server.commands import Commands, rows


def test_project_is_created_with_a_registry(berth: Commands) -> None:
    """A new project has a private registry of its own."""
    assert berth("project", "create", "acme", "--description", "All of Acme") == "created project acme\n"
    titles, acme, default = rows(berth("project", "list"))
    assert titles == ["NAME", "CREATED", "DESCRIPTION"]
    assert (acme[0], acme[2], default[0]) == ("acme", "All of Acme", "default")
    assert berth("project", "list", "-q") == "acme\ndefault\n"
    (registry,) = berth.json("registry", "list", "-p", "acme")
    assert (registry["name"], registry["prefix"], registry["visibility"]) == ("main", "acme", "private")


def test_project_is_shown_and_changed(berth: Commands) -> None:
    """The description is what can be changed of a project."""
    made = berth.json("project", "create", "acme")
    assert made.keys() == {"name", "description", "createdAt"}
    assert berth.json("project", "show", "acme") == made
    assert berth("project", "update", "acme", "--description", "Acme") == "changed project acme\n"
    assert berth.json("project", "show", "acme")["description"] == "Acme"
    assert "--description" in berth.refused("project", "update", "acme", code=2)


def test_project_is_deleted(berth: Commands) -> None:
    """An empty project is deleted with all that belongs to it."""
    berth("project", "create", "acme")
    berth("robot", "create", "acme+ci", "--role", "reader")
    assert berth.json("project", "delete", "acme") == {"deleted": "acme"}
    assert berth.refused("project", "show", "acme") == "berth: project 'acme' is not known\n"
    assert berth("robot", "list", "-q", "--all-projects") == ""


def test_members_are_added_changed_and_removed(berth: Commands) -> None:
    """`add` gives a role, also in place of another one; users need no word before their name."""
    berth("project", "create", "acme")
    berth("user", "create", "alice", "--no-password")
    berth("group", "create", "devs")
    assert berth("member", "add", "alice", "owner", "-p", "acme") == "user:alice is owner of project acme\n"
    assert berth("member", "add", "group:devs", "developer", "-p", "acme") == (
        "group:devs is developer of project acme\n"
    )
    assert berth("member", "add", "user:alice", "reader", "-p", "acme") == "user:alice is reader of project acme\n"
    titles, devs, alice = rows(berth("member", "list", "-p", "acme"))
    assert titles == ["SUBJECT", "ROLE", "CREATED"]
    assert (devs[:2], alice[:2]) == (["group:devs", "developer"], ["user:alice", "reader"])
    assert berth("member", "list", "-p", "acme", "-q") == "group:devs\nuser:alice\n"
    assert [member.keys() for member in berth.json("member", "list", "-p", "acme")] == [
        {"subject", "role", "createdAt"}
    ] * 2
    assert berth("member", "remove", "alice", "-p", "acme") == "removed user:alice from project acme\n"
    assert berth.json("member", "remove", "group:devs", "-p", "acme") == {"removed": "group:devs"}
    assert berth.json("member", "list", "-p", "acme") == []


def test_robot_is_a_member_of_its_project(berth: Commands) -> None:
    """A robot is named by what it logs in as, and its role is that of its membership."""
    berth("robot", "create", "ci", "--role", "reader")
    assert berth.json("member", "add", "default+ci", "developer")["subject"] == "robot:default+ci"
    assert berth.json("robot", "show", "ci")["role"] == "developer"


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (["project", "create", "default"], 1, "berth: name 'default' is already taken"),
        (["project", "create", "Acme"], 1, "berth: name has to be .*"),
        (["project", "delete", "acme"], 1, "berth: project 'acme' is not known"),
        (["member", "list", "-p", "acme"], 1, "berth: project 'acme' is not known"),
        (["member", "add", "nobody", "reader"], 1, "berth: subject 'user:nobody' is not known"),
        (["member", "remove", "admin"], 1, "berth: member 'user:admin' is not known"),
        (["member", "add", "everyone", "reader"], 1, "berth: subject has to be a user, a robot or a group.*"),
        (["member", "add", "admin", "chief"], 2, "(?s)usage.*argument ROLE: invalid choice: 'chief'.*"),
        (["member", "add", "team:x", "reader"], 2, "(?s)usage.*argument WHO: has to be user:NAME.*"),
    ],
)
def test_refusals(berth: Commands, words: list[str], code: int, reason: str) -> None:
    """What cannot be done ends with 1, what makes no sense with 2; both say why."""
    assert re.fullmatch(f"{reason}\n", berth.refused(*words, code=code))
