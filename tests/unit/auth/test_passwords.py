"""Passwords: what is kept of them, and how they are checked."""

import statistics
import time

import pytest

from auth.passwords import Passwords

PASSWORDS = Passwords(time_cost=1, memory_kib=64)
WORDS = ["hunter22", "pass word", "пароль-длинный", "🔑" * 256, "a\0b", "\ud800", ""]


@pytest.mark.parametrize("text", WORDS, ids=ascii)
def test_right(text: str) -> None:
    """A password is verified by what was kept of it, whatever characters it has."""
    assert PASSWORDS.verify(PASSWORDS.hash(text), text)


@pytest.mark.parametrize("text", [*WORDS[:3], "Hunter22", "hunter2", "hunter22 ", "hunter22\0"], ids=ascii)
def test_wrong(text: str) -> None:
    """Any other password is not."""
    assert not PASSWORDS.verify(PASSWORDS.hash("hunter22?"), text)


def test_kept_text() -> None:
    """What is kept is an argon2id hash, does not have the password in it, and differs each time."""
    kept = PASSWORDS.hash("hunter22")
    assert kept.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert "hunter22" not in kept
    assert kept != PASSWORDS.hash("hunter22")


@pytest.mark.parametrize("text", WORDS, ids=ascii)
def test_nobody_has_a_password(text: str) -> None:
    """For an account that is not there no password is right."""
    assert not PASSWORDS.verify(None, text)


def test_unknown_accounts_take_as_long() -> None:
    """How long a refusal takes does not tell whether there is such an account."""
    passwords = Passwords(time_cost=2, memory_kib=4096)
    kept = passwords.hash("hunter22")

    def seconds(of: str | None) -> float:
        begin = time.perf_counter()
        passwords.verify(of, "wrong")
        return time.perf_counter() - begin

    pairs = [(seconds(kept), seconds(None)) for _ in range(15)]
    known, unknown = (statistics.median(column) for column in zip(*pairs, strict=True))
    assert known / 3 < unknown < known * 3


@pytest.mark.parametrize("kept", ["", "hunter22", "$argon2id$", "$argon2id$v=19$m=64,t=1,p=1$AAAA$", "$2b$12$x"])
def test_damaged_row(kept: str) -> None:
    """What is not a hash of ours verifies nothing."""
    assert not PASSWORDS.verify(kept, "hunter22")


def test_hashes_of_other_costs() -> None:
    """A hash that was made at other costs is still good, and is known to need another."""
    dearer = Passwords(time_cost=2, memory_kib=64)
    kept = PASSWORDS.hash("hunter22")
    assert dearer.verify(kept, "hunter22")
    assert dearer.needs_rehash(kept)
    assert not PASSWORDS.needs_rehash(kept)


def test_default_costs() -> None:
    """Unless said otherwise a guess costs three passes over 32 MiB."""
    assert Passwords().hash("hunter22").startswith("$argon2id$v=19$m=32768,t=3,p=1$")
