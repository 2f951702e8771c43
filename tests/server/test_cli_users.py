"""`berth user`: accounts of people, as somebody with a shell on the machine manages them."""

import os
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from registry.cli import main
from tests.server.commands import ADMIN_PASSWORD, Commands, rows

KEYS = {"name", "systemRole", "description", "disabled", "hasPassword", "createdAt", "updatedAt"}


def add_session(berth: Commands, name: str, family: str, client: str = "docker/29") -> None:
    """Let the user be logged in with a client."""
    later = int(time.time() + 3600) * 1000
    with sqlite3.connect(berth.data / "metadata.db") as database:
        database.execute(
            "INSERT INTO refresh_tokens (family, principal_id, secret_hash, service, client, address, created_at,"
            " used_at, expires_at) SELECT ?, id, ?, 'berth', ?, '192.0.2.7', 1, 1, ? FROM principals"
            " WHERE name = ?",
            [family, family, client, later, name],
        )
    database.close()


def test_list_is_a_table(berth: Commands) -> None:
    """People get a column for each attribute, with a title, and `-` where there is nothing."""
    berth("user", "create", "al", "--no-password", "--description", "Al from next door")
    titles, admin, al = rows(berth("user", "list"))
    assert titles == ["NAME", "SYSTEM ROLE", "DISABLED", "HAS PASSWORD", "CREATED", "DESCRIPTION"]
    assert admin[:4] == ["admin", "admin", "no", "yes"]
    assert al[:4] == ["al", "-", "no", "no"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", al[4])
    assert al[5] == "Al from next door"


def test_quiet_list_is_names(berth: Commands) -> None:
    """Scripts get one name in a line and nothing else."""
    berth("user", "create", "bob", "--no-password")
    assert berth("user", "list", "--quiet") == "admin\nbob\n"


def test_json_has_the_keys_of_rest(berth: Commands) -> None:
    """Programs get the attributes that REST has, in `list`, `show` and after a change; times are RFC 3339."""
    made = berth.json("user", "create", "alice", "--no-password", "--role", "monitor")
    assert made.keys() == KEYS
    assert (made["name"], made["systemRole"], made["disabled"], made["hasPassword"]) == (
        "alice",
        "monitor",
        False,
        False,
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", made["createdAt"])
    assert berth.json("user", "show", "alice") == made
    assert berth.json("user", "list")[1] == made


def test_show_is_a_line_for_each_attribute(berth: Commands) -> None:
    """`show` prints every attribute with its name in words."""
    lines = dict(line.split(":", 1) for line in berth("user", "show", "admin").splitlines())
    assert lines["system role"].strip() == "admin"
    assert lines["has password"].strip() == "yes"
    assert lines["description"].strip() == "-"


def test_nothing_shows_a_secret(berth: Commands) -> None:
    """Neither passwords nor their hashes are in any list."""
    shown = "".join(
        berth(*words, *flags)
        for words in (["user", "list"], ["user", "show", "admin"], ["audit", "list"])
        for flags in ([], ["--json"])
    )
    assert "argon2" not in shown
    assert ADMIN_PASSWORD not in shown


def test_role_and_description_are_changed(berth: Commands) -> None:
    """`update` changes what its flags say and leaves the rest; the role `none` takes the role away."""
    berth("user", "create", "alice", "--no-password", "--description", "Alice")
    assert berth("user", "update", "alice", "--role", "admin") == "changed user alice\n"
    found = berth.json("user", "show", "alice")
    assert (found["systemRole"], found["description"]) == ("admin", "Alice")
    changed = berth.json("user", "update", "alice", "--role", "none", "--description", "")
    assert (changed["systemRole"], changed["description"]) == (None, "")


def test_update_without_changes_is_a_mistake(berth: Commands) -> None:
    """`update` without any flag says which there are, and ends with 2."""
    error = berth.refused("user", "update", "admin", code=2)
    assert error == "berth: nothing is to be changed: give --role or --description\n"


def test_disabled_user_is_enabled_again(berth: Commands) -> None:
    """`disable` ends the user's sessions; `enable` lets the user log in again."""
    berth("user", "create", "alice", "--no-password")
    add_session(berth, "alice", "f1")
    assert berth("user", "disable", "alice") == "disabled user alice\n"
    assert berth.json("user", "show", "alice")["disabled"] is True
    assert berth.json("user", "sessions", "alice") == []
    assert berth("user", "enable", "alice") == "enabled user alice\n"
    assert berth.json("user", "show", "alice")["disabled"] is False


def test_sessions_are_listed_and_ended(berth: Commands) -> None:
    """`sessions` shows where a user is logged in; `logout` ends one of them, or all."""
    berth("user", "create", "alice", "--no-password")
    for family in ("f1", "f2", "f3"):
        add_session(berth, "alice", family)
    assert berth("user", "sessions", "alice", "-q") == "f1\nf2\nf3\n"
    first = berth.json("user", "sessions", "alice")[0]
    assert first.keys() == {"id", "client", "address", "createdAt", "usedAt", "expiresAt"}
    assert (first["client"], first["address"]) == ("docker/29", "192.0.2.7")
    assert berth("user", "logout", "alice", "--session", "f2") == "ended session f2 of user alice\n"
    assert berth("user", "sessions", "alice", "-q") == "f1\nf3\n"
    assert berth.json("user", "logout", "alice") == {"ended": ["f1", "f3"]}
    assert berth("user", "sessions", "alice", "-q") == ""
    assert berth.refused("user", "logout", "alice", "--session", "f2") == "berth: session 'f2' is not known\n"


def test_deleted_user_is_gone(berth: Commands) -> None:
    """`delete` takes the user away; what is not there cannot be deleted."""
    berth("user", "create", "alice", "--no-password")
    assert berth.json("user", "delete", "alice") == {"deleted": "alice"}
    assert berth.refused("user", "delete", "alice") == "berth: user 'alice' is not known\n"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["show", "nobody"], "user 'nobody' is not known"),
        (["create", "admin", "--no-password"], "name 'admin' is already taken"),
        (["create", "Al Ice", "--no-password"], "name has to be .*"),
        (["disable", "admin"], "admin is the last administrator: make another one first"),
    ],
)
def test_refusals_are_one_line_on_standard_error(berth: Commands, words: list[str], reason: str) -> None:
    """What cannot be done ends with 1 and says why."""
    assert re.fullmatch(f"berth: {reason}\n", berth.refused("user", *words))


def test_without_data_nothing_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder without data is not turned into one by a mistyped path."""
    assert main(["user", "list", "--data", str(tmp_path / "nowhere")]) == 1
    assert capsys.readouterr().err.startswith("berth: there is no Berth data in ")
    assert list(tmp_path.iterdir()) == []


def test_terminals_get_no_orders(berth: Commands) -> None:
    """What a client called itself cannot make a terminal do anything: control characters are shown as escapes."""
    add_session(berth, "admin", "f1", client="x\x1b]0;y\x9b2J")
    assert rows(berth("user", "sessions", "admin"))[1][1] == r"x\x1b]0;y\x9b2J"
    assert not {"\x1b", "\x9b"} & set(berth("user", "sessions", "admin", "--json"))
    assert berth.json("user", "sessions", "admin")[0]["client"] == "x\x1b]0;y\x9b2J"


def test_arguments_are_text(berth: Commands) -> None:
    """Bytes that are not UTF-8 are refused before anything is done."""
    name = os.fsdecode(b"b\xff")
    assert berth.refused("user", "create", name, "--no-password", code=2) == "berth: the arguments are not UTF-8\n"
    assert berth.refused("member", "add", name, "reader", code=2) == "berth: the arguments are not UTF-8\n"


def test_output_takes_what_it_can(berth: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where output is not UTF-8, what it cannot say is escaped, and the rest is there."""
    berth("user", "create", "zoe", "--no-password", "--description", "Zoë 東京")
    monkeypatch.setenv("PYTHONIOENCODING", "latin-1")
    with berth.start("user", "list") as process:
        out, error = process.communicate(timeout=30)
    assert (process.returncode, error) == (0, b"")
    assert out.endswith(b"Zo\xeb \\u6771\\u4eac\n")


@contextmanager
def ordinary_user() -> Iterator[None]:
    """For a while this process may not do what only root may."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    yield
    if root:
        os.seteuid(0)


def test_data_of_another_user_is_not_touched(berth: Commands) -> None:
    """Whoever may not write the data folder is told whom to be, without a traceback."""
    # Another user could not load what is loaded on demand.
    berth("user", "list")
    berth.data.chmod(0o500)
    with ordinary_user():
        ending = berth.run("user", "list")
    berth.data.chmod(0o700)
    assert (ending.code, ending.out) == (1, "")
    assert re.fullmatch(r"berth: the data folder \S+ is not for this user: .*\n", ending.error)
