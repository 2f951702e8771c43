"""Starting: what is said when it works, and when it does not."""

import os
import resource
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from registry import __version__
from registry.config import Config, load
from registry.config.kinds import Address
from registry.errors import StartError
from registry.server import banner, listener, temporary
from tests.server.program import Program


@pytest.fixture(scope="module")
def program() -> Iterator[Program]:
    """A daemon that started well."""
    with Program() as program:
        yield program


def start(settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Start a daemon of which it is expected that it ends by itself."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BERTH_")}
    environment["LISTEN"] = settings.pop("LISTEN", "127.0.0.1:0")
    environment |= {f"BERTH_{name}": value for name, value in settings.items()}
    return subprocess.run(
        [sys.executable, "-m", "tests.server.application"],
        capture_output=True,
        check=False,
        env=environment,
        text=True,
        timeout=20,
    )


def test_address_in_use_is_told() -> None:
    """A port that another program has leads to one clear line, and exit code 1."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        result = start({"LISTEN": address})
    assert result.returncode == 1
    assert result.stderr == f"refused: cannot listen on {address}: another program uses this port\n"
    assert result.stdout == ""


def test_unusable_store_is_told() -> None:
    """What the application finds wrong before the first worker starts ends the daemon."""
    result = start({"STORAGE__DATA": "unusable"})
    assert result.returncode == 1
    assert result.stderr == "refused: the data folder is unusable\n"


@pytest.mark.parametrize(
    ("fault", "message"), [("refused", "the worker refuses to start"), ("broken", "the worker is broken")]
)
def test_worker_that_cannot_start_ends_the_daemon(fault: str, message: str) -> None:
    """If workers cannot start, the daemon does not try for ever: it says why, and ends with 1."""
    result = start({"SERVER__PUBLIC_URL": f"http://{fault}", "SERVER__WORKERS": "2"})
    assert result.returncode == 1
    assert message in result.stdout
    assert "Berth cannot start" in result.stdout
    assert ("Traceback" in result.stdout) == (fault == "broken")


def test_unknown_host_is_told() -> None:
    """A host name that does not exist is said to be unknown."""
    with pytest.raises(StartError, match=r"cannot listen on no-such-host\.invalid:0: the host name is not known"):
        listener.bind(Address("no-such-host.invalid", 0))


def test_address_of_another_machine_is_told() -> None:
    """An address that is not this machine's is said to be so."""
    with pytest.raises(StartError, match="this machine does not have that address"):
        listener.bind(Address("192.0.2.1", 0))


def test_all_addresses_of_a_name_get_the_same_port() -> None:
    """Where a name stands for several addresses, port 0 means the same free port for all."""
    sockets = listener.bind(Address("localhost", 0))
    try:
        assert len({listening.getsockname()[1] for listening in sockets}) == 1
        assert {listening.getsockname()[0] for listening in sockets} <= {"127.0.0.1", "::1"}
    finally:
        listener.close(sockets)


def test_ephemeral_has_one_worker() -> None:
    """What is in the memory of one worker another one would not have, whatever the number of cores."""
    with Program({"STORAGE__EPHEMERAL": "true", "SERVER__WORKERS": "0"}) as program:
        assert len(program.workers()) == 1
        assert program.lines[0]["data"] == "in memory, gone when Berth stops"


def test_workers_may_have_as_many_connections_as_the_system_allows(program: Program) -> None:
    """The usual soft limit of 1024 open files is no limit for a server."""
    for pid in program.workers():
        soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        assert soft == hard


def test_what_a_killed_daemon_left_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new daemon removes the temporary folders of those that were killed, and of no other."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left, new = tmp_path / "berth-metrics-left", tmp_path / "berth-metrics-new"
    for folder in (left, new):
        folder.mkdir()
        (folder / "counter_0.db").write_text("")
    (left / "lock").write_text("")
    with ExitStack() as first:
        living = temporary.make_folder(first)
        with ExitStack() as second:
            own = temporary.make_folder(second)
            assert set(tmp_path.iterdir()) == {living, own, new}
            assert own.stat().st_mode & 0o777 == 0o700
        assert set(tmp_path.iterdir()) == {living, new}
    assert set(tmp_path.iterdir()) == {new}


def test_ready_line_tells_where(program: Program) -> None:
    """In JSON, the line that says ready has the URL, the data folder and the version."""
    line = program.lines[0]
    assert line["url"] == f"http://127.0.0.1:{program.port}"
    assert line["data"] == str(Path("berth-data").absolute())
    assert line["version"] == __version__
    assert line["level"] == "info"


@pytest.mark.parametrize(
    ("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "localhost"), ("::1", "[::1]"), ("::", "localhost")]
)
def test_banner_has_lines_to_copy(host: str, shown: str) -> None:
    """For people there are the lines to push and to pull an image, with the port that is really used."""
    config = load(None, {}, {"server.listen": f"[{host}]:0" if ":" in host else f"{host}:0"})
    try:
        sockets = listener.bind(config.server.listen)
    except StartError:
        assert ":" in host, "only IPv6 may be missing"
        pytest.skip("this machine has no IPv6")
    try:
        text = banner.text(config, sockets)
    finally:
        listener.close(sockets)
    where = f"{shown}:{sockets_port(text)}"
    assert f"docker tag IMAGE {where}/IMAGE:1 && docker push {where}/IMAGE:1\n" in text
    assert f"docker pull {where}/IMAGE:1\n" in text
    assert f"docker login {where}\n" in text
    assert f"curl -u USER http://{where}/v2/_catalog\n" in text
    assert f"data   {Config().storage.data.absolute()}\n" in text


@pytest.mark.parametrize(("mode", "levels"), [("builtin", []), ("open", ["WARNING"])])
def test_open_registry_is_warned_of(mode: str, levels: list[str], caplog: pytest.LogCaptureFixture) -> None:
    """Where nobody is asked to log in, the log says so, and the banner tells of no login."""
    config = load(None, {}, {"auth.mode": mode, "server.listen": "127.0.0.1:0"})
    banner.warn_if_open(config)
    assert [record.levelname for record in caplog.records] == levels
    sockets = listener.bind(config.server.listen)
    try:
        text = banner.text(config, sockets)
    finally:
        listener.close(sockets)
    assert ("docker login" in text) == (mode == "builtin")


def sockets_port(text: str) -> int:
    """The port in the banner's first line."""
    port = int(text.splitlines()[1].rpartition(":")[2])
    assert port > 0
    return port
