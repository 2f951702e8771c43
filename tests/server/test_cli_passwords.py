"""Passwords on the command line: asked for, read or made up, and never an argument."""

import os
import pty
import re
import signal
import sqlite3
import subprocess

import pytest

from auth.passwords import Passwords
from tests.daemon import PROGRAM, wait_until_asleep
from tests.server.commands import Commands

PASSWORD = "correct horse"


def has_password(berth: Commands, name: str, password: str) -> bool:
    """Whether the user can log in with this password."""
    with sqlite3.connect(berth.data / "metadata.db") as database:
        (kept,) = database.execute("SELECT password_hash FROM principals WHERE name = ?", [name]).fetchone()
    database.close()
    return Passwords().verify(kept, password)


def test_create_with_password_from_standard_input(berth: Commands) -> None:
    """The password is the first line of standard input, without its end."""
    assert berth("user", "create", "alice", "--password-stdin", stdin=f"{PASSWORD}\r\nmore".encode()) == (
        "created user alice\n"
    )
    assert has_password(berth, "alice", PASSWORD)


def test_generated_password_is_alone_on_standard_output(berth: Commands) -> None:
    """A script can take a generated password as it is; what else is said goes to standard error, or is left out."""
    ending = berth.run("user", "create", "alice", "--generate")
    assert re.fullmatch(r"[\w-]{24}\n", ending.out)
    assert ending.error == "created user alice\n"
    assert has_password(berth, "alice", ending.out.rstrip())
    quiet = berth.run("user", "password", "alice", "--generate", "--quiet")
    assert quiet.error == ""
    assert has_password(berth, "alice", quiet.out.rstrip())
    assert not has_password(berth, "alice", ending.out.rstrip())


def test_generated_password_as_json(berth: Commands) -> None:
    """With --json a generated password is an attribute, this once."""
    made = berth.json("user", "create", "alice", "--generate")
    assert has_password(berth, "alice", made["password"])
    assert berth.json("user", "show", "alice").keys() == made.keys() - {"password"}


@pytest.mark.parametrize(
    ("flags", "stdin", "reason"),
    [
        ([], b"correct horse\n", "there is no terminal to ask for a password: use --password-stdin or --generate"),
        (["--password-stdin"], b"", "there is no password on standard input"),
        (["--password-stdin"], b"\n", "there is no password on standard input"),
        (["--password-stdin"], b"caf\xe9 au lait\n", "the password on standard input is not UTF-8"),
    ],
)
def test_without_a_password_nothing_is_done(berth: Commands, flags: list[str], stdin: bytes, reason: str) -> None:
    """Where no password can be had, the command ends with 2 and there is no user."""
    assert berth.refused("user", "create", "alice", *flags, code=2, stdin=stdin) == f"berth: {reason}\n"
    assert berth("user", "list", "-q") == "admin\n"


def test_password_is_never_an_argument(berth: Commands) -> None:
    """There is no flag that takes a password: everybody on the machine could read it."""
    assert "--password" in berth.refused("user", "create", "alice", "--password", PASSWORD, code=2)
    assert "unrecognized arguments" in berth.refused("user", "password", "admin", PASSWORD, code=2)


def on_terminal(berth: Commands, *typed: str) -> tuple[int, str]:
    """The exit code of `berth user create alice` on a terminal, and what the terminal showed."""
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        # Ctrl-C reaches those only whose controlling terminal it is typed on.
        ["setsid", "--ctty", PROGRAM, "user", "create", "alice"],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    shown = b""
    try:
        for text in typed:
            while not shown.endswith(b": "):
                shown += os.read(controller, 1000)
            # It has asked, and now it waits for the answer.
            wait_until_asleep(process.pid)
            os.write(controller, text.encode())
            shown += b"<typed>"
        code = process.wait(30)
        try:
            while more := os.read(controller, 1000):
                shown += more
        except OSError:
            pass  # so a terminal without a program says that there is no more
    finally:
        process.kill()
        process.wait()
        os.close(controller)
    return code, shown.decode()


def test_password_is_asked_for_twice(berth: Commands) -> None:
    """On a terminal the password is asked for, without showing it, and once more to be sure."""
    code, shown = on_terminal(berth, f"{PASSWORD}\n", f"{PASSWORD}\n")
    assert (code, PASSWORD in shown) == (0, False)
    assert re.sub(r"\s+", " ", shown) == "Password: <typed> Again: <typed> created user alice "
    assert has_password(berth, "alice", PASSWORD)


def test_different_passwords_are_refused(berth: Commands) -> None:
    """Whoever mistypes one of the two is told, and no user is made."""
    code, shown = on_terminal(berth, f"{PASSWORD}\n", "battery staple\n")
    assert code == 2
    assert "berth: the two passwords differ" in shown
    assert berth("user", "list", "-q") == "admin\n"


def test_ctrl_c_ends_the_question(berth: Commands) -> None:
    """One Ctrl-C at the question is enough, and leaves neither a traceback nor a user."""
    code, shown = on_terminal(berth, "\x03")
    assert code == 128 + signal.SIGINT
    assert "Traceback" not in shown
    assert berth("user", "list", "-q") == "admin\n"


def test_end_of_input_ends_the_question(berth: Commands) -> None:
    """Ctrl-D at the question says that there is no password."""
    code, shown = on_terminal(berth, "\x04")
    assert code == 2
    assert "berth: no password was given" in shown


def test_short_password_is_refused(berth: Commands) -> None:
    """A password that is too short is refused when it is made and when it is changed."""
    for words in (["create", "alice"], ["password", "admin"]):
        error = berth.refused("user", *words, "--password-stdin", stdin=b"short\n")
        assert re.fullmatch(r"berth: password has to have 8 to 256 characters.*\n", error)
