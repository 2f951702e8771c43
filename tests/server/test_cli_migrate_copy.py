"""`berth migrate copy`: what is asked of it, what it prints, and whom it keeps from half a copy."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from registry.cli import _parser, main
from tests.daemon import Daemon
from tests.server.commands import Commands, rows

URL = "postgresql://berth@db.example/berth"
SECRET = "wonderland"


@pytest.fixture
def emptied(empty_postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database without tables, which the settings name."""
    monkeypatch.setenv("BERTH_STORAGE__DATABASE", empty_postgres_url)
    return empty_postgres_url


def set_version(data: Path, version: int) -> None:
    """Say of a data folder that its schema is another one."""
    with closing(sqlite3.connect(data / "metadata.db")) as connection:
        connection.execute(f"PRAGMA user_version = {version}")


def test_there_and_back(berth: Commands, emptied: str, tmp_path: Path) -> None:
    """Every table is told with its rows; what was managed on one engine is managed on the other from then on."""
    source, back = f"sqlite:{berth.data}/metadata.db", f"sqlite:{tmp_path}/some/where"
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("BERTH_STORAGE__DATABASE")
        berth("project", "create", "acme")
        text = berth("migrate", "copy", source, emptied)
    titles, *found = rows(text.partition("\n\n")[0])
    assert titles == ["TABLE", "ROWS", "DIGEST"]
    assert [row[0] for row in found] == sorted(row[0] for row in found)
    assert ["projects", "2"] in [row[:2] for row in found]
    assert f"is now in {emptied}, and the same on both sides" in text
    assert berth("project", "list", "--quiet").split() == ["acme", "default"]
    berth("project", "create", "zeta")
    document = berth.json("migrate", "copy", "postgresql:", back)
    assert (document["source"], document["destination"], document["copied"]) == ("postgresql:", back, True)
    assert {table["table"]: table["rows"] for table in document["tables"]}["projects"] == 3
    assert not berth.json("migrate", "copy", "postgresql:", back)["copied"]
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("BERTH_STORAGE__DATABASE")
        listed = berth("project", "list", "--quiet", "--data", f"{tmp_path}/some/where")
    assert listed.split() == ["acme", "default", "zeta"]


@pytest.mark.parametrize(
    ("source", "destination", "message"),
    [
        ("sqlite:a", "sqlite:b", "one of SOURCE and DESTINATION has to be sqlite:DIR"),
        (URL, URL, "one of SOURCE and DESTINATION has to be sqlite:DIR"),
        ("sqlite:a", "postgresql:", "storage.database of the settings, which is not set"),
        ("sqlite:a", f"mysql://{SECRET}", "are sqlite:DIR and a URL such as postgresql://"),
        ("a", URL, "are sqlite:DIR and a URL"),
        ("sqlite:a", f"postgresql:{SECRET}", "are sqlite:DIR and a URL"),
        ("sqlite:a", f"postgresql://berth:{SECRET}@db.example/berth", "there is a password in the arguments"),
        ("sqlite:a", f"postgres://berth:a/{SECRET}@db.example/berth", "there is a password in the arguments"),
        ("sqlite:a", f"postgres://berth:a#{SECRET}@db.example/berth", "with other characters of the password than"),
        ("sqlite:a", f"postgres://[{SECRET}", "the URL of the database cannot be understood"),
        (f"{URL}?password={SECRET}", "sqlite:a", "there is a password in the arguments"),
        (f"{URL}?port=1&sslpassword={SECRET}", "sqlite:a", "there is a password in the arguments"),
    ],
)
def test_wrong_places(berth: Commands, source: str, destination: str, message: str) -> None:
    """What names no two databases, or gives a secret away, is refused, and no part of it is shown."""
    error = berth.refused("migrate", "copy", source, destination, code=2)
    assert message in error
    assert SECRET not in error


def test_without_data(berth: Commands, emptied: str, tmp_path: Path) -> None:
    """Where there is nothing to copy nothing is made."""
    assert "there is no Berth data in sqlite:" in berth.refused("migrate", "copy", f"sqlite:{tmp_path}/no", emptied)
    assert "there is no Berth data" in berth.refused("migrate", "copy", emptied, f"sqlite:{tmp_path}/new")
    assert not (tmp_path / "no").exists()
    assert not (tmp_path / "new").exists()


def test_wrong_versions(berth: Commands, emptied: str) -> None:
    """Data of an earlier Berth is migrated first; that of a later one, or half a copy, is no source."""
    with closing(sqlite3.connect(berth.data / "metadata.db")) as connection:
        newest = int(connection.execute("PRAGMA user_version").fetchone()[0])
    copy = ("migrate", "copy", "sqlite:", emptied)
    set_version(berth.data, newest - 1)
    assert f"has schema version {newest - 1}, not {newest}: run `berth migrate`" in berth.refused(*copy)
    set_version(berth.data, newest + 1)
    assert f"has schema version {newest + 1}, but this Berth knows" in berth.refused(*copy)
    set_version(berth.data, 1_000_000 + newest)
    assert "was begun and is not finished" in berth.refused(*copy)


@pytest.mark.parametrize("command", [["migrate"], ["check"], ["user", "list"]])
def test_nothing_works_on_half_a_copy(berth: Commands, command: list[str]) -> None:
    """Whatever uses a database says of half a copy what it is, and how it becomes whole."""
    set_version(berth.data, 1_000_003)
    assert berth.refused(*command) == (
        "berth: a copy into this database was begun and is not finished: run the same `berth migrate copy` again, or"
        " give an empty database\n"
    )


def test_database_that_cannot_be_reached(berth: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong with the database is told, without the password."""
    monkeypatch.setenv("BERTH_STORAGE__DATABASE", f"postgresql://berth:{SECRET}@/berth?host={tmp_path}/nowhere")
    monkeypatch.setenv("BERTH_STORAGE__CONNECT_TIMEOUT", "0.2s")
    for words in (["sqlite:", "postgresql:"], ["postgresql:", f"sqlite:{tmp_path}/new"]):
        error = berth.refused("migrate", "copy", *words)
        assert "the database cannot be used" in error
        assert SECRET not in error


def test_folder_that_cannot_be_made(berth: Commands, emptied: str, tmp_path: Path) -> None:
    """A folder that cannot be made is told."""
    assert berth.run("migrate").code == 0
    (tmp_path / "file").touch()
    error = berth.refused("migrate", "copy", "postgresql:", f"sqlite:{tmp_path}/file/folder")
    assert "cannot be used: " in error


def test_daemons_are_in_the_way(berth: Commands, emptied: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is copied while a daemon uses one of the two, on either side."""
    monkeypatch.delenv("BERTH_STORAGE__DATABASE")
    monkeypatch.setenv("BERTH_STORAGE__CONNECT_TIMEOUT", "0.3s")
    with Daemon(berth.data, "--workers", "1"):
        assert "is in use: stop the daemons" in berth.refused("migrate", "copy", "sqlite:", emptied)
        with Daemon(berth.data, "--workers", "1", environment={"BERTH_STORAGE__DATABASE": emptied}):
            error = berth.refused("migrate", "copy", emptied, f"sqlite:{berth.data}/new")
    assert error == f"berth: {emptied} is in use: stop the daemons, and all commands, that use it\n"
    berth("project", "create", "acme")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BERTH_STORAGE__DATABASE", emptied)
        berth("project", "create", "zeta")
    assert "is not empty, it has" in berth.refused("migrate", "copy", "sqlite:", emptied, "--restart")


class Terminal(io.StringIO):
    """Standard error that people look at."""

    def isatty(self) -> bool:
        return True


def test_terminal(berth: Commands, emptied: str) -> None:
    """On a terminal one line says how far the copy is, and is gone at the end."""
    terminal = Terminal()
    with contextlib.redirect_stderr(terminal), contextlib.redirect_stdout(io.StringIO()):
        assert main(["migrate", "copy", "sqlite:", "postgresql:"]) == 0
    lines = terminal.getvalue().split("\r\x1b[K")
    assert lines[0] == lines[-1] == ""
    assert lines[1].endswith(" rows")


def test_examples_make_sense() -> None:
    """The command lines of the help and of docs/commands.md are such as the command takes."""
    help_text, page = io.StringIO(), Path(__file__).parents[2] / "docs" / "commands.md"
    with contextlib.redirect_stdout(help_text), pytest.raises(SystemExit):
        main(["migrate", "copy", "--help"])
    lines = re.findall(r"^ *berth (migrate copy .*)$", help_text.getvalue() + page.read_text(), re.MULTILINE)
    assert len(lines) == 6
    for line in lines:
        words = shlex.split(line, comments=True)
        assert _parser(words).parse_args(words).run is not None


def test_settings_before_the_command(berth: Commands, tmp_path: Path) -> None:
    """Flags of settings count on both sides of the word copy."""
    for words in (["--data", f"{tmp_path}/no", "copy"], ["copy", "--data", f"{tmp_path}/no"]):
        error = berth.refused("migrate", *words, "sqlite:", URL)
        assert f"there is no Berth data in sqlite:{tmp_path}/no" in error
