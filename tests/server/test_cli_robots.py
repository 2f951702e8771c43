"""`berth robot`: accounts of programs, each in a project."""

import re

import pytest

from tests.server.commands import Commands, rows

KEYS = {"name", "login", "project", "role", "description", "disabled", "createdAt", "updatedAt"}


def test_robot_is_created_in_the_default_project(berth: Commands) -> None:
    """Without --project a robot is one of the project `default`; it is told what it logs in as."""
    assert berth("robot", "create", "ci", "--role", "developer") == "created robot default+ci\n"
    found = berth.json("robot", "show", "ci")
    assert found.keys() == KEYS
    assert (found["name"], found["login"], found["project"]) == ("ci", "default+ci", "default")
    assert (found["role"], found["description"], found["disabled"]) == ("developer", "", False)


def test_robot_needs_a_role(berth: Commands) -> None:
    """Nobody makes a robot without saying what it may be."""
    assert "--role" in berth.refused("robot", "create", "ci", code=2)
    assert "invalid choice" in berth.refused("robot", "create", "ci", "--role", "admin", code=2)


def test_robots_of_one_project_or_all(berth: Commands) -> None:
    """`list` is about one project, or, with --all-projects, about every one."""
    berth("project", "create", "acme")
    berth("robot", "create", "ci", "--role", "developer")
    berth("robot", "create", "acme+deploy", "--role", "reader", "--description", "pulls to the shop")
    titles, row = rows(berth("robot", "list", "-p", "acme"))
    assert titles == ["LOGIN", "ROLE", "DISABLED", "CREATED", "DESCRIPTION"]
    assert (row[:3], row[4]) == (["acme+deploy", "reader", "no"], "pulls to the shop")
    assert berth("robot", "list", "-q") == "default+ci\n"
    assert berth("robot", "list", "-q", "--all-projects") == "acme+deploy\ndefault+ci\n"
    assert {robot["project"] for robot in berth.json("robot", "list", "-A")} == {"acme", "default"}


def test_robot_is_named_in_two_ways(berth: Commands) -> None:
    """A robot is named by what it logs in as, or by its name and --project; the two have to agree."""
    berth("project", "create", "acme")
    berth("robot", "create", "ci", "--project", "acme", "--role", "reader")
    assert berth.json("robot", "show", "acme+ci") == berth.json("robot", "show", "ci", "-p", "acme")
    error = berth.refused("robot", "show", "acme+ci", "-p", "default", code=2)
    assert error == "berth: acme+ci is in project acme, and --project says default\n"


def test_robot_is_changed(berth: Commands) -> None:
    """Role, description and whether it may log in are changed one by one."""
    berth("robot", "create", "ci", "--role", "developer", "--description", "builds")
    assert berth("robot", "update", "ci", "--role", "reader") == "changed robot default+ci\n"
    assert berth("robot", "disable", "ci") == "disabled robot default+ci\n"
    found = berth.json("robot", "show", "ci")
    assert (found["role"], found["description"], found["disabled"]) == ("reader", "builds", True)
    assert berth.json("robot", "update", "ci", "--description", "x")["description"] == "x"
    assert berth("robot", "enable", "default+ci") == "enabled robot default+ci\n"
    assert berth.json("robot", "show", "ci")["disabled"] is False
    assert berth.refused("robot", "update", "ci", code=2) == (
        "berth: nothing is to be changed: give --role or --description\n"
    )


def test_robot_is_deleted(berth: Commands) -> None:
    """A deleted robot is gone with its tokens, and its name is free again."""
    berth("robot", "create", "ci", "--role", "developer")
    berth("token", "create", "default+ci", "build")
    assert berth.json("robot", "delete", "ci") == {"deleted": "default+ci"}
    assert berth("robot", "list", "-q") == ""
    berth("robot", "create", "ci", "--role", "developer")
    assert berth.json("token", "list", "default+ci") == []


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["show", "ci"], r"robot 'default\+ci' is not known"),
        (["list", "-p", "nowhere"], "project 'nowhere' is not known"),
        (["create", "Ci", "--role", "reader"], "name has to be .*"),
        (["create", "nowhere+ci", "--role", "reader"], "project 'nowhere' is not known"),
    ],
)
def test_refusals(berth: Commands, words: list[str], reason: str) -> None:
    """What cannot be done ends with 1 and says why."""
    assert re.fullmatch(f"berth: {reason}\n", berth.refused("robot", *words))
