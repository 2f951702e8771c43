"""Tokens that somebody made up or changed, in the ways that have been tried elsewhere."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import example, given
from hypothesis import strategies as st

from auth.keys import SigningKey
from auth.principals import Kind
from auth.tokens import TOKEN_LENGTH_MAX, TokenRefused, Verifier
from tests.unit.auth.forging import KEY, OURS, THEIRS, part, payload, sign, unsigned, verify, with_secret

both = pytest.mark.parametrize("verifier", [OURS, THEIRS], ids=["ours", "theirs"])

PUBLIC = KEY.key.public_key()
PEM = PUBLIC.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
DER = PUBLIC.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
POINT = PUBLIC.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


@both
@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "", None, [], {}, 0, ["ES256"]])
@pytest.mark.parametrize("signature", [b"", b"x", b"\0" * 64])
def test_unsigned(verifier: Verifier, algorithm: object, signature: bytes) -> None:
    """A token that says it needs no signature is refused."""
    with pytest.raises(TokenRefused):
        verify(unsigned(payload(), signature, alg=algorithm), verifier)


@both
def test_without_algorithm(verifier: Verifier) -> None:
    """So is one that says nothing about it."""
    with pytest.raises(TokenRefused):
        verify(unsigned(payload()), verifier)


@both
@pytest.mark.parametrize(
    "secret",
    [PEM, PEM.rstrip(), DER, POINT, b"", json.dumps(KEY.public_jwk).encode(), KEY.public_jwk["x"].encode()],
    ids=["PEM", "PEM without newline", "DER", "point", "empty", "JWK", "x"],
)
def test_public_key_as_a_secret(verifier: Verifier, secret: bytes) -> None:
    """Everybody has our public key: a token that is signed with it by HMAC is refused, in whatever form it was used."""
    with pytest.raises(TokenRefused):
        verify(with_secret(payload(), secret), verifier)


@both
@pytest.mark.parametrize(
    "algorithm", ["ES256K", "ES384", "ES512", "RS256", "PS256", "EdDSA", "HS256", "HS512", "es256"]
)
def test_other_algorithm(verifier: Verifier, algorithm: str) -> None:
    """A key is good for one algorithm: a token that names another one is refused, with a signature of that key too."""
    text = sign(payload())
    header = part({"alg": algorithm, "kid": KEY.kid, "typ": "JWT"})
    with pytest.raises(TokenRefused):
        verify(f"{header}.{text.partition('.')[2]}", verifier)


@both
@pytest.mark.parametrize("kid", [pytest.param(KEY.kid, id="ours"), "mine"])
def test_keys_that_a_token_brings_along(verifier: Verifier, kid: str, tmp_path: Path) -> None:
    """Keys in the header, or where it points to, are never used, whatever key is named beside them."""
    mine = SigningKey.generate()
    key_set = tmp_path / "jwks.json"
    key_set.write_text(json.dumps({"keys": [{**mine.public_jwk, "kid": kid}]}))
    certificate = part(
        mine.key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    headers: list[dict[str, object]] = [
        {"jwk": {**mine.public_jwk, "kid": kid}},
        {"jku": key_set.as_uri()},
        {"jku": "http://127.0.0.1:9/jwks.json"},
        {"x5c": [certificate]},
        {"x5u": key_set.as_uri()},
        {"x5t": kid, "x5t#S256": kid},
    ]
    for header in headers:
        with pytest.raises(TokenRefused):
            verify(sign(payload(), mine, kid=kid, **header), verifier)


@both
def test_good_token_with_foreign_keys(verifier: Verifier) -> None:
    """Such headers change nothing about a token that one of our keys signed."""
    foreign = SigningKey.generate().public_jwk
    assert verify(sign(payload(), jwk=foreign, jku="http://127.0.0.1:9/"), verifier).holder.principal.name == "alice"


@both
def test_extensions_that_must_be_understood(verifier: Verifier) -> None:
    """A token with an extension that is critical, or with a payload that is not encoded, is refused."""
    headers: list[dict[str, object]] = [
        {"crit": ["x"], "x": 1},
        {"crit": []},
        {"crit": "exp"},
        {"b64": False},
        {"crit": ["b64"], "b64": False},
    ]
    for header in headers:
        with pytest.raises(TokenRefused):
            verify(sign(payload(), **header), verifier)


@both
@pytest.mark.parametrize(
    "kid",
    ["unknown", "", "../keys/x", KEY.kid.swapcase(), KEY.kid + " ", "x" * 3000, "\ud800"],
    ids=["unknown", "empty", "path", "case", "space", "long", "no text"],
)
def test_unknown_key(verifier: Verifier, kid: str) -> None:
    """A token that names a key that is not ours is refused, though one of ours signed it."""
    with pytest.raises(TokenRefused, match="a key that is not known here"):
        verify(sign(payload(), kid=kid), verifier)


@both
@pytest.mark.parametrize("kid", [None, 5, [], {}, [KEY.kid], True])
def test_key_ids_of_wrong_types(verifier: Verifier, kid: object) -> None:
    """A token whose key has no name is refused."""
    with pytest.raises(TokenRefused):
        verify(unsigned(payload(), b"\0" * 64, alg="ES256", kid=kid), verifier)


def test_no_key_id() -> None:
    """A token that names no key is refused with words that say so."""
    header = part({"alg": "ES256", "typ": "JWT"})
    with pytest.raises(TokenRefused, match="does not say which key"):
        verify(f"{header}.{part(payload())}.{part(bytes(64))}")


@both
def test_changed_payload(verifier: Verifier) -> None:
    """A token is refused when anything of what it says is exchanged, with the signature of what it said."""
    header, _, signature = sign(payload()).split(".")
    access = [{"type": "repository", "name": "other", "actions": ["*"]}]
    for changed in (payload(sub="root"), payload(access=access), payload(exp=9_999_999_999)):
        with pytest.raises(TokenRefused, match="is not valid"):
            verify(f"{header}.{part(changed)}.{signature}", verifier)


def test_every_changed_character() -> None:
    """A token with a character changed or cut off anywhere is refused, or says what it said."""
    text = sign(payload())
    said = verify(text)
    for position, character in enumerate(text):
        other = "A" if character != "A" else "B"
        for changed in (text[:position] + other + text[position + 1 :], text[:position]):
            try:
                # The last character of a part has bits that mean nothing.
                assert verify(changed) == said
            except TokenRefused:
                continue


@both
@pytest.mark.parametrize("signature", [b"", b"\0" * 64, b"\xff" * 64, b"\0" * 63, b"\0" * 65, b"\1" * 4000])
def test_made_up_signature(verifier: Verifier, signature: bytes) -> None:
    """No signature is good for all: neither zeros, nor one of another length."""
    with pytest.raises(TokenRefused):
        verify(unsigned(payload(), signature, alg="ES256"), verifier)


def test_signature_in_another_form() -> None:
    """A signature in DER, as X.509 has it, is none."""
    signed = sign(payload()).rpartition(".")[0]
    signature = KEY.key.sign(signed.encode(), ec.ECDSA(hashes.SHA256()))
    with pytest.raises(TokenRefused):
        verify(f"{signed}.{part(signature)}")


def test_token_of_another_kind_of_principal() -> None:
    """A token that an issuer elsewhere signed does not become one of the operator, or of an administrator."""
    ours = {"kind": "operator", "id": 0, "epoch": 0, "token": None}
    assert verify(sign(payload(berth=ours)), THEIRS).holder.principal.kind is Kind.EXTERNAL


def test_length() -> None:
    """A token that is longer than any of ours is refused before it is looked at, also when it is good."""
    access = [{"type": "repository", "name": f"app{number}", "actions": ["pull"]} for number in range(200)]
    text = sign(payload(access=access))
    assert len(text) > TOKEN_LENGTH_MAX
    for long in (text, "x" * 10_000_000, "." * 10_000_000):
        with pytest.raises(TokenRefused, match="longer than 8000 characters"):
            verify(long)


@pytest.mark.parametrize(
    "header",
    [
        b"[" * 5000,
        b'{"a":' * 1000,
        b'{"kid":"k","x":' + b"[" * 5000 + b"]" * 500 + b"}",
        b'{"kid":' + b"9" * 5000 + b"}",
    ],
    ids=["lists", "objects", "both", "digits"],
)
def test_deep_headers(header: bytes) -> None:
    """A header that is hard to read is refused like any other nonsense."""
    with pytest.raises(TokenRefused):
        verify(f"{part(header)}.e30.AA")


@both
@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"5", b'"x"', b"{", b"\xff", b"[" * 4000], ids=repr)
def test_payload_that_is_no_object(verifier: Verifier, content: bytes) -> None:
    """What our key signed is a token only if it is an object."""
    with pytest.raises(TokenRefused):
        verify(sign(content), verifier)


@both
@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            ".",
            "..",
            "...",
            "a.b.c",
            "e30.e30.e30",
            "W10.e30.AA",
            "é.é.é",
            "\udcff.\udcff.\udcff",
            "\0",
            "Bearer x",
        ),
        *("=.=.=", "null", "HEADER", "HEADER.e30", "HEADER.e30.", "HEADER.e30.AA"),
        *(" TOKEN", "TOKEN.", ".TOKEN", "TOKEN.AA.AA", "TOKEN,TOKEN", "Bearer TOKEN"),
    ],
)
def test_garbage(verifier: Verifier, text: str) -> None:
    """What is no token is refused, also when a good one is in it, and is no error of ours."""
    token = sign(payload())
    with pytest.raises(TokenRefused):
        verify(text.replace("TOKEN", token).replace("HEADER", token.partition(".")[0]), verifier)


@given(st.text(max_size=100) | st.lists(st.binary(max_size=60).map(part), max_size=5).map(".".join))
@example(sign(payload()) + "\n")
def test_any_text(text: str) -> None:
    """No text is a token, whatever it looks like."""
    with pytest.raises(TokenRefused):
        verify(text)


def test_words_tell_no_secrets() -> None:
    """Why a token was refused says nothing of what stands in it, nor of how it should have been signed."""
    told = set()
    for text in ("x", unsigned(payload(), alg="none"), with_secret(payload(), PEM), sign(payload(), kid="unknown")):
        with pytest.raises(TokenRefused) as caught:
            verify(text)
        told.add(str(caught.value))
    assert not any(word in text for text in told for word in ("ES256", "HS256", "alice", KEY.kid, "unknown", "PyJWT"))
