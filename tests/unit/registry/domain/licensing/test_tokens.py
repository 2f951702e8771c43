"""Tokens of licensed distribution."""

import re

import pytest

from registry.domain.licensing.expiry import DAY_MS
from registry.domain.licensing.tokens import (
    TokenKind,
    expiry_of,
    expiry_of_regenerated,
    kind_of,
    new_token,
    token_hash,
)

NOW = 1_760_000_000_000
FORMS = {
    "admin-token": r"admin-[0-9a-f]{64}v3",
    "developer-token": r"dev-[0-9a-f]{64}v3",
    "sales-token": r"sales-[0-9a-f]{64}v3",
    "support-token": r"spprt-[0-9a-f]{64}v3",
    "read-only-token": r"read-[0-9a-f]{64}v3",
    "user-token": r"user-[0-9a-f]{64}v3",
    "product-token": r"prod-[0-9a-f]{64}v3",
    "environment-token": r"env-[0-9a-f]{64}v3",
    "activation-token": r"activ-[0-9a-f]{32}v3",
}


@pytest.mark.parametrize("kind", TokenKind)
def test_forms(kind: TokenKind) -> None:
    """A token says what it is for, and none comes twice."""
    made = [new_token(kind) for _ in range(50)]
    assert len(set(made)) == 50
    assert all(re.fullmatch(FORMS[kind], token) and kind_of(token) is kind for token in made)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "prod-",
        "prod-" + "0" * 63 + "v3",
        "prod-" + "0" * 65 + "v3",
        "prod-" + "0" * 64 + "v2",
        "prod-" + "0" * 64 + "v3\n",
        "prod-" + "A" * 64 + "v3",
        "activ-" + "0" * 64 + "v3",
        "other-" + "0" * 64 + "v3",
        "0dad8516-f071-4573-bcea-d774e81c4a37",
        "berth_pat_" + "0" * 49,
    ],
)
def test_no_tokens(text: str) -> None:
    """Other text is no token."""
    assert kind_of(text) is None


def test_hash() -> None:
    """A token is found by its hash."""
    assert token_hash("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_expiry() -> None:
    """Tokens of users end after two weeks, others never; a new secret begins the two weeks anew."""
    assert {kind: expiry_of(kind, NOW) for kind in TokenKind if expiry_of(kind, NOW) is not None} == {
        TokenKind.USER: NOW + 14 * DAY_MS
    }
    assert expiry_of_regenerated(NOW + 365 * DAY_MS, NOW) == NOW + 14 * DAY_MS
    assert expiry_of_regenerated(None, NOW) is None
