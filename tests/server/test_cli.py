"""The command line, as a user meets it."""

import json
import os
import re
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from registry import __version__
from registry.cli import NOUNS, TOOLS, main
from tests.daemon import Daemon
from tests.server.program import wait_until

Berth = Callable[..., subprocess.Popen[str]]

COMMANDS = ["serve", "migrate", "check", "scrub", "gc", "restore", "backup", "config", "key", "version", *NOUNS, *TOOLS]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, and no settings in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("BERTH_"):
            monkeypatch.delenv(name)
    return tmp_path


@pytest.fixture
def berth() -> Iterator[Berth]:
    """Starts `berth` as a process of its own, which does not outlive the test."""
    with ExitStack() as stack:

        def start(*arguments: str) -> subprocess.Popen[str]:
            process = subprocess.Popen(
                [sys.executable, "-m", "registry.cli", *arguments],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield start


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """`berth --help` lists the commands, and examples to copy."""
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert re.findall(r"^    (\w+) +\S", text, re.MULTILINE) == COMMANDS
    assert "berth serve --listen 0.0.0.0:5000 --data /var/lib/berth" in text


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each command's help says what it does, and where it takes its settings from."""
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: berth {command}")
    assert ("BERTH_CONFIG" in text) == (command not in {"version", *TOOLS})
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["serve", "--nonsense"], ["serve", "--work", "2"]])
def test_wrong_arguments_end_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A command line that makes no sense is refused with the usage; flags are not guessed from beginnings."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: berth" in capsys.readouterr().err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """The version is told by the command and by the flag."""
    assert main(["version"]) == 0
    with pytest.raises(SystemExit):
        main(["--version"])
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(f"berth {__version__} (Python 3.")
    assert second == f"berth {__version__}"


@pytest.mark.parametrize("command", ["serve", "migrate", "check", "config"])
def test_mistakes_in_the_settings_are_told_all_at_once(
    command: str, elsewhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each command tells of every mistake, one in a line with its place and a near match, and ends with 2."""
    path = elsewhere / "berth.toml"
    path.write_text("[server]\nlistn = '1.2.3.4:5'\nworkers = 'many'\n")
    monkeypatch.setenv("BERTH_LOG__LEVL", "info")
    assert main([command, "--config", str(path)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.splitlines()
    assert len(lines) == 3
    assert all(line.startswith("berth: ") for line in lines)
    assert f"berth: {path}: server.listn: unknown setting; did you mean server.listen?" in lines
    assert "berth: BERTH_LOG__LEVL: unknown setting; did you mean BERTH_LOG__LEVEL?" in lines


def test_settings_come_from_file_then_environment_then_flags(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A flag wins over a variable, and a variable over the file, which --config or BERTH_CONFIG names."""

    def effective(*flags: str) -> tuple[str, str]:
        assert main(["config", *flags]) == 0
        settings = tomllib.loads(capsys.readouterr().out)
        return settings["storage"]["data"], settings["log"]["level"]

    one, two = elsewhere / "one.toml", elsewhere / "two.toml"
    one.write_text("[storage]\ndata = 'one'\n[log]\nlevel = 'error'\n")
    two.write_text("[storage]\ndata = 'two'\n")
    assert effective() == ("berth-data", "info")
    monkeypatch.setenv("BERTH_CONFIG", str(one))
    assert effective() == ("one", "error")
    assert effective("--config", str(two)) == ("two", "info")
    monkeypatch.setenv("BERTH_STORAGE__DATA", "variable")
    assert effective() == ("variable", "error")
    assert effective("--data", "flag") == ("flag", "error")


def test_example_is_a_configuration(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What `berth config --example` prints can be used as it is."""
    assert main(["config", "--example"]) == 0
    path = elsewhere / "berth.toml"
    path.write_text(capsys.readouterr().out)
    assert main(["config", "--config", str(path)]) == 0


def test_store_is_made_and_checked(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`migrate` makes a store, twice without harm, in which `check` finds nothing wrong."""
    assert main(["migrate", "--data", "store"]) == 0
    assert main(["migrate", "--data", "store"]) == 0
    assert re.fullmatch(r"(the database has schema version \d+\n){2}", capsys.readouterr().out)
    assert main(["check", "--data", "store", "--bytes"]) == 0
    assert capsys.readouterr().out.startswith("nothing is wrong: 0 repositories, ")
    assert main(["check", "--data", "store", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["problems"] == []


def test_check_of_nothing_fails(capsys: pytest.CaptureFixture[str]) -> None:
    """Where there is no store, `check` says so instead of finding it in order."""
    assert main(["check", "--data", "nowhere"]) == 1
    assert "nowhere" in capsys.readouterr().err


def test_start_that_fails_is_told_without_a_traceback(berth: Berth, elsewhere: Path) -> None:
    """A data folder that cannot be used leads to one line on standard error, and exit code 1."""
    (elsewhere / "file").write_text("")
    process = berth("serve", "--data", "file", "--listen", "127.0.0.1:0")
    out, error = process.communicate(timeout=20)
    assert process.returncode == 1
    assert re.fullmatch(r"berth: the data folder .*file cannot be used: .*\n", error)
    assert out == ""


def test_broken_pipe_is_quiet(berth: Berth) -> None:
    """When the reader of our output has enough, no traceback tells of it."""
    process = berth("config", "--example")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.wait(20) == 128 + signal.SIGPIPE
    assert process.stderr.read() == ""


def test_serve_shows_the_banner_and_ends_on_ctrl_c(berth: Berth, elsewhere: Path) -> None:
    """With text logs, people are shown where things are; Ctrl-C ends the daemon with 0 and without noise."""
    process = berth("serve", "--open", "--listen", "127.0.0.1:0", "--workers", "1", "--log-format", "text")
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(8)]
    assert re.fullmatch(rf"Berth {re.escape(__version__)} is ready on http://127\.0\.0\.1:\d+\n", lines[1])
    assert lines[3] == f"  data   {elsewhere / 'berth-data'}\n"
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "stopping: SIGINT" in out
    assert error == ""


def test_real_daemon_serves_and_reloads(elsewhere: Path) -> None:
    """`berth serve` with the real application answers, survives a reload, and ends with 0."""
    with Daemon(elsewhere / "data") as daemon:
        before = daemon.workers()
        # Only a process with a single thread can fork safely.
        assert len(list(Path(f"/proc/{daemon.pid}/task").iterdir())) == 1
        os.kill(daemon.pid, signal.SIGHUP)
        wait_until(lambda: "is in force" in daemon.tail() and set(before).isdisjoint(daemon.workers()))
        assert len(daemon.workers()) == len(before)
        assert daemon.stop() == 0
