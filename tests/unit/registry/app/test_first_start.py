"""What is made ready before the workers start: keys, and the first user."""

import asyncio
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from auth.actor import OPERATING
from auth.keyfiles import KeyFolder
from auth.passwords import Passwords
from auth.roles import SystemRole
from registry.app.first_start import ADMIN, ADMIN_PASSWORD_VARIABLE, prepare
from registry.app.management import build_management
from registry.config.load import load
from registry.config.settings import Config
from registry.domain.login import Login, Origin
from registry.domain.throttle import Throttle
from registry.errors import StartError, Unauthorized
from storage.clock import SystemClock
from storage.metadata.sqlite import SqliteStore

PASSWORD = "a password of nine words is long enough here"
SHOWN = re.compile(r"\n\n    (\S+)\n\n")


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    """The process would let everybody read what it writes."""
    mask = os.umask(0)
    yield
    os.umask(mask)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is not there yet, and no password in the environment."""
    monkeypatch.delenv(ADMIN_PASSWORD_VARIABLE, raising=False)
    return tmp_path / "data"


def configured(data: Path, **settings: object) -> Config:
    """The configuration of a daemon on the folder; two underscores in names stand for a dot."""
    named = {name.replace("__", "."): value for name, value in settings.items()}
    return load(None, {}, {"storage.data": str(data), **named})


def logs_in(data: Path, password: str) -> bool:
    """Whether the user admin does with the password."""

    async def run() -> bool:
        store, clock = SqliteStore(data), SystemClock()
        try:
            await Login(store, clock, Passwords(), Throttle(store, clock)).verify(ADMIN, password, Origin())
        except Unauthorized:
            return False
        finally:
            await store.close()
        return True

    return asyncio.run(run())


def test_made_up_password(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a password in the environment one is made up, and shown on the error output, once."""
    prepare(configured(data))
    out, errors = capsys.readouterr()
    password = SHOWN.findall(errors)[0]
    assert (len(password) >= 20, out) == (True, "")
    assert logs_in(data, password)
    prepare(configured(data))
    assert capsys.readouterr() == ("", "")
    for path in data.rglob("*"):
        assert not path.is_file() or password.encode() not in path.read_bytes()


def test_every_installation_has_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """There is no password that comes with Berth."""
    for name in ("one", "two"):
        prepare(configured(tmp_path / name))
    assert len(set(SHOWN.findall(capsys.readouterr().err))) == 2


def test_given_password(data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A password in the environment is taken by the first start, is not shown and not kept; later ones do nothing."""
    monkeypatch.setenv(ADMIN_PASSWORD_VARIABLE, PASSWORD)
    prepare(configured(data))
    monkeypatch.setenv(ADMIN_PASSWORD_VARIABLE, "another password")
    prepare(configured(data))
    assert capsys.readouterr() == ("", "")
    assert (logs_in(data, PASSWORD), logs_in(data, "another password")) == (True, False)
    for path in data.rglob("*"):
        assert not path.is_file() or PASSWORD.encode() not in path.read_bytes()


def test_empty_password(data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is set to nothing, as compose files do, is none: else nobody would know the password."""
    monkeypatch.setenv(ADMIN_PASSWORD_VARIABLE, "")
    prepare(configured(data))
    assert logs_in(data, SHOWN.findall(capsys.readouterr().err)[0])


@pytest.mark.parametrize("password", ["x", "1234567", "x" * 257])
def test_bad_password(data: Path, password: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password that cannot be one is refused, with its variable and without itself; the next start can do better."""
    monkeypatch.setenv(ADMIN_PASSWORD_VARIABLE, password)
    with pytest.raises(StartError) as caught:
        prepare(configured(data))
    expected = f"{ADMIN_PASSWORD_VARIABLE}: password has to have 8 to 256 characters, not {len(password)}"
    assert str(caught.value) == expected
    monkeypatch.setenv(ADMIN_PASSWORD_VARIABLE, PASSWORD)
    prepare(configured(data))
    assert logs_in(data, PASSWORD)


def test_other_administrators(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where there are users already, the one named admin is not made again after it was deleted."""

    async def replace_admin() -> None:
        store = SqliteStore(data)
        users = build_management(store, SystemClock(), Passwords()).users
        await users.create(OPERATING, "root", PASSWORD, SystemRole.ADMIN)
        await users.delete(OPERATING, ADMIN)
        await store.close()

    prepare(configured(data))
    asyncio.run(replace_admin())
    capsys.readouterr()
    prepare(configured(data))
    assert capsys.readouterr() == ("", "")


def test_many_at_once(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of many that start on one folder at the same time one makes the administrator, and shows the password."""
    errors: list[Exception] = []

    def run() -> None:
        try:
            prepare(configured(data))
        except Exception as error:  # noqa: BLE001 - whatever it is, there must be none
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    (password,) = SHOWN.findall(capsys.readouterr().err)
    assert logs_in(data, password)
    assert KeyFolder(data / "keys").load() is not None


def test_modes_of_keys(data: Path) -> None:
    """Signing keys can be read by their owner alone, whatever the mask of the process, and stay as they are."""
    prepare(configured(data))
    (path,) = (data / "keys").iterdir()
    assert (data / "keys").stat().st_mode & 0o777 == 0o700
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_bytes()
    prepare(configured(data))
    assert [path.read_bytes() for path in (data / "keys").iterdir()] == [before]


def test_damaged_keys(data: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Where no key can be read a new one is made, and the log says which file is damaged, which is left."""
    prepare(configured(data))
    (damaged,) = (data / "keys").iterdir()
    damaged.write_bytes(b"")
    prepare(configured(data))
    assert damaged.name in caplog.text
    assert damaged.read_bytes() == b""
    assert len(KeyFolder(data / "keys").names()) == 1


def test_unfinished_keys(data: Path) -> None:
    """What a process left that was killed while it made a key is removed, and what another one is making is not."""
    prepare(configured(data))
    old, young = data / "keys" / "1-old.new", data / "keys" / "2-young.new"
    for path in (old, young):
        path.write_bytes(b"-----BEGIN PRIVATE KEY-----")
    os.utime(old, (0, 0))
    prepare(configured(data))
    assert (old.exists(), young.exists()) == (False, True)


def test_keys_elsewhere(data: Path, tmp_path: Path) -> None:
    """Keys are where the configuration says, also where all else is in memory; the folder is made."""
    for number, ephemeral in enumerate([False, True]):
        keys = tmp_path / "some" / f"keys{number}"
        prepare(configured(data, auth__keys=str(keys), storage__ephemeral=ephemeral))
        assert len(KeyFolder(keys).names()) == 1
    assert not (data / "keys").exists()


def test_folder_that_is_none(data: Path, tmp_path: Path) -> None:
    """A folder of keys that cannot be made ends the start with a clear message."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StartError, match="the folder of signing keys cannot be used: "):
        prepare(configured(data, auth__keys=str(tmp_path / "file")))


def test_in_memory(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where all is in memory nothing is written, and the administrator is left to the worker."""
    prepare(configured(data, storage__ephemeral=True))
    assert not data.exists()
    assert capsys.readouterr() == ("", "")


def test_without_login(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where nobody is asked, there are no keys and nobody to log in; both are made by a later start that asks."""
    prepare(configured(data, auth__mode="open"))
    assert not (data / "keys").exists()
    assert capsys.readouterr() == ("", "")
    prepare(configured(data))
    assert logs_in(data, SHOWN.findall(capsys.readouterr().err)[0])
