"""Secrets that Berth makes up."""

import re
import string

import pytest

from auth.secrets import SecretKind, looks_like_secret, new_secret, secret_hash


@pytest.mark.parametrize("kind", SecretKind)
def test_shape(kind: SecretKind) -> None:
    """A secret says by its prefix what it is, and has 43 digits of chance and 6 of a checksum."""
    assert re.fullmatch(rf"berth_{kind}_[0-9A-Za-z]{{49}}", new_secret(kind))


@pytest.mark.parametrize("kind", SecretKind)
def test_own_secrets_are_recognized(kind: SecretKind) -> None:
    """Every secret of ours looks like one."""
    assert all(looks_like_secret(new_secret(kind)) for _ in range(200))


def test_secrets_differ() -> None:
    """No secret comes twice, and their digits are used alike."""
    made = [new_secret(SecretKind.PAT) for _ in range(500)]
    assert len(set(made)) == 500
    digits = "".join(secret.removeprefix("berth_pat_")[1:43] for secret in made)
    assert set(digits) == set(string.ascii_letters + string.digits)
    assert max(digits.count(digit) for digit in set(digits)) < 2 * len(digits) / 62


def test_every_changed_character_is_noticed() -> None:
    """A secret with one wrong character is none."""
    secret = new_secret(SecretKind.ROBOT)
    for position, character in enumerate(secret):
        other = "x" if character != "x" else "y"
        assert not looks_like_secret(secret[:position] + other + secret[position + 1 :])


def test_kinds_are_not_exchanged() -> None:
    """The checksum covers the prefix: a secret of one kind does not become one of another."""
    secret = new_secret(SecretKind.PAT)
    assert not looks_like_secret(secret.replace("_pat_", "_robot_"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "berth",
        "berth_",
        "berth_pat_",
        "berth_pat_" + "0" * 49,
        "berth_pat_" + "é" * 49,
        "pat_" + "0" * 49,
        "berth_other_" + "0" * 49,
        "hunter2",
        "\ud800",
        "berth_pat_" * 10_000,
    ],
    ids=lambda text: ascii(text[:20]),
)
def test_other_text(text: str) -> None:
    """Other text, whatever it is, does not look like a secret."""
    assert not looks_like_secret(text)


@pytest.mark.parametrize("change", ["{} ", " {}", "{}\n", "{}0"])
def test_more_than_a_secret(change: str) -> None:
    """A secret with something around it is not one."""
    assert not looks_like_secret(change.format(new_secret(SecretKind.PAT)))


def test_hash() -> None:
    """A secret is kept as the hexadecimal digits of its sha256."""
    assert secret_hash("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_hash_of_anything() -> None:
    """What clients send in place of a secret has a hash too, even if it is not quite text."""
    assert secret_hash("\ud800") != secret_hash("\ud801")
