"""Keys that tokens are signed and verified with, and how they are published."""

import base64
import hashlib
import json
from collections.abc import Mapping

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from auth.keys import KeyRing, SigningKey, parse_jwks, thumbprint

Jwk = dict[str, object]
Private = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey

# RFC 7638, section 3.1
RFC_7638: Jwk = {
    "kty": "RSA",
    "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjB"
    "ZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8"
    "KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_"
    "xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
    "e": "AQAB",
    "alg": "RS256",
    "kid": "2011-04-29",
}
# RFC 8037, appendix A.2
RFC_8037: Jwk = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}

PRIVATE_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "k", "oth"}


def pem_of(key: Private, password: bytes | None = None) -> bytes:
    """A private key as it stands in a file."""
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def jwk_of(key: Private) -> Jwk:
    """The public key as JSON, written by PyJWT."""
    public = key.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        return jwt.algorithms.RSAAlgorithm.to_jwk(public, as_dict=True)
    if isinstance(public, ec.EllipticCurvePublicKey):
        return jwt.algorithms.ECAlgorithm.to_jwk(public, as_dict=True)
    return jwt.algorithms.OKPAlgorithm.to_jwk(public, as_dict=True)


def key_set(*keys: Mapping[str, object]) -> Jwk:
    """A JSON Web Key Set."""
    return {"keys": list(keys)}


@pytest.mark.parametrize(
    ("jwk", "expected"),
    [
        (RFC_7638, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
        (RFC_8037, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),
    ],
)
def test_thumbprint(jwk: Jwk, expected: str) -> None:
    """The thumbprint of a key is that of the RFC, whatever else is said of it and in whatever order."""
    assert thumbprint(jwk) == expected
    assert thumbprint(dict(reversed(jwk.items()))) == expected
    assert thumbprint({**jwk, "use": "sig", "d": "secret"}) == expected


@pytest.mark.parametrize(
    "jwk",
    [
        {},
        {"kty": "oct", "k": "AAAA"},
        {"kty": "RSA", "n": "AQAB"},
        {"kty": "EC", "x": 1, "y": 2, "crv": 3},
        {"kty": []},
    ],
)
def test_no_thumbprint(jwk: Jwk) -> None:
    """What is no public key of a known kind has no thumbprint."""
    with pytest.raises(ValueError, match="not a public key"):
        thumbprint(jwk)


def test_key_id() -> None:
    """A key of ours is named by its thumbprint, worked out here once more from the key itself."""
    key = SigningKey.generate()
    numbers = key.key.public_key().public_numbers()
    x, y = (
        base64.urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode() for number in (numbers.x, numbers.y)
    )
    canonical = f'{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}'
    digest = base64.urlsafe_b64encode(hashlib.sha256(canonical.encode()).digest()).decode().rstrip("=")
    assert key.kid == digest
    assert (key.public_jwk["x"], key.public_jwk["y"]) == (x, y)


def test_coordinates_with_leading_zeros() -> None:
    """Coordinates are always 32 bytes long, also those of small numbers: RFC 7518, 6.2.1.2."""
    lengths = set()
    for private in range(1, 600):
        jwk = SigningKey(ec.derive_private_key(private, ec.SECP256R1())).public_jwk
        lengths |= {len(jwk["x"]), len(jwk["y"])}
    assert lengths == {43}


def test_published_keys_have_no_private_parts() -> None:
    """The set shows the public numbers of every key, the one that signs first, and nothing of the private ones."""
    old, new = SigningKey.generate(), SigningKey.generate()
    published = KeyRing([old, new]).jwks()
    assert [jwk["kid"] for jwk in published["keys"]] == [new.kid, old.kid]
    for jwk in published["keys"]:
        assert set(jwk) == {"kty", "crv", "x", "y", "use", "alg", "kid"}
        assert (jwk["use"], jwk["alg"]) == ("sig", "ES256")
    text = json.dumps(published)
    secret = old.key.private_numbers().private_value.to_bytes(32, "big")
    assert base64.urlsafe_b64encode(secret).rstrip(b"=").decode() not in text


def test_published_keys_can_be_used() -> None:
    """Who reads the published set verifies with it what the key signed, by the same id."""
    key = SigningKey.generate()
    found = parse_jwks(json.loads(json.dumps(KeyRing([key]).jwks())))
    assert set(found) == {key.kid}
    assert found[key.kid].algorithm == "ES256"
    token = jwt.encode({"sub": "alice"}, key.key, "ES256")
    assert jwt.decode(token, found[key.kid].key, algorithms=["ES256"]) == {"sub": "alice"}


def test_newest_signs() -> None:
    """After a rotation the new key signs, and what the old one signed is still verified."""
    old, new = SigningKey.generate(), SigningKey.generate()
    ring = KeyRing([old, new])
    assert ring.signing is new
    assert set(ring.verifying) == {old.kid, new.kid}
    assert all(kid == key.kid for kid, key in ring.verifying.items())


def test_pem() -> None:
    """A key comes back from its file as the same key, and its file says nothing else."""
    key = SigningKey.generate()
    assert SigningKey.from_pem(key.to_pem()).public_jwk == key.public_jwk
    assert key.to_pem().startswith(b"-----BEGIN PRIVATE KEY-----\n")


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"\0" * 100,
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        pem_of(ec.generate_private_key(ec.SECP384R1())),
        pem_of(ec.generate_private_key(ec.SECP256K1())),
        pem_of(ed25519.Ed25519PrivateKey.generate()),
        pem_of(rsa.generate_private_key(65537, 2048)),
        pem_of(ec.generate_private_key(ec.SECP256R1()), b"password"),
        ec.generate_private_key(ec.SECP256R1())
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
    ],
    ids=["empty", "zeros", "short", "P-384", "secp256k1", "Ed25519", "RSA", "password", "public"],
)
def test_foreign_pem(pem: bytes) -> None:
    """What holds no private key on P-256 that can be read is refused, in words that tell nothing of its content."""
    with pytest.raises(ValueError, match=r"private key|P-256") as caught:
        SigningKey.from_pem(pem)
    assert "AAAA" not in str(caught.value)


def test_damaged_pem() -> None:
    """A key with any one bit turned, or cut short anywhere, is read as a key or refused, and never another error."""
    pem = SigningKey.generate().to_pem()
    broken = [pem[:length] for length in range(len(pem))]
    for position in range(len(pem)):
        for bit in range(8):
            turned = bytearray(pem)
            turned[position] ^= 1 << bit
            broken.append(bytes(turned))
    errors = set()
    for text in broken:
        try:
            SigningKey.from_pem(text)
        except Exception as error:  # noqa: BLE001 - which ones come is what is asked
            errors.add(type(error))
    assert errors == {ValueError}


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (ec.generate_private_key(ec.SECP256R1()), "ES256"),
        (ec.generate_private_key(ec.SECP384R1()), "ES384"),
        (ed25519.Ed25519PrivateKey.generate(), "EdDSA"),
        (rsa.generate_private_key(65537, 2048), "RS256"),
    ],
    ids=["P-256", "P-384", "Ed25519", "RSA"],
)
def test_keys_of_others(key: Private, algorithm: str) -> None:
    """A key of another issuer is good for one algorithm, and is found by its `kid`, or else by its thumbprint."""
    jwk = jwk_of(key)
    token = jwt.encode({"sub": "alice"}, key, algorithm)
    for found in (parse_jwks(key_set(jwk)), parse_jwks(key_set({**jwk, "kid": 7}))):
        assert {kid: one.algorithm for kid, one in found.items()} == {thumbprint(jwk): algorithm}
    named = parse_jwks(key_set({**jwk, "kid": "theirs", "use": "sig", "alg": algorithm}))
    assert named["theirs"].kid == "theirs"
    assert jwt.decode(token, named["theirs"].key, algorithms=[named["theirs"].algorithm]) == {"sub": "alice"}


GOOD = SigningKey.generate().public_jwk


@pytest.mark.parametrize(
    "jwk",
    [
        {},
        {"kty": "oct", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0", "alg": "HS256", "kid": "x"},
        {"kty": "oct", "k": "c2VjcmV0", "alg": "none", "kid": "x"},
        {**GOOD, "use": "enc"},
        {**GOOD, "use": []},
        {**GOOD, "alg": "HS256"},
        {**GOOD, "alg": "none"},
        {**GOOD, "alg": {}},
        {**GOOD, "crv": "P-521"},
        {**GOOD, "crv": "secp256k1"},
        {**GOOD, "crv": []},
        {**GOOD, "x": "AA"},
        {**GOOD, "x": 5},
        {**GOOD, "x": "é"},
        {**GOOD, "y": GOOD["x"]},
        {**GOOD, "kty": "RSA"},
        {"kty": "RSA", "crv": {}, "n": "AQAB", "e": "AQAB"},
        {"kty": "RSA", "n": "", "e": ""},
        {"kty": "RSA", "n": 5, "e": []},
        {"kty": "OKP", "crv": "Ed25519", "x": "AA"},
        {"kty": "OKP", "crv": "X25519", "x": RFC_8037["x"]},
        {"kty": [], "crv": []},
    ],
)
def test_keys_that_cannot_be_used(jwk: Jwk) -> None:
    """What is not for verifying, is symmetric or is broken is left out, and does not take the other keys with it."""
    assert set(parse_jwks(key_set(jwk, GOOD))) == {GOOD["kid"]}


def test_weak_keys_of_others() -> None:
    """RSA keys shorter than 2048 bits are left out: RFC 7518, 3.3."""
    assert parse_jwks(key_set({**jwk_of(rsa.generate_private_key(65537, 1024)), "kid": "weak"})) == {}


@pytest.mark.parametrize("document", [None, [], "", 5, {}, {"keys": {}}, {"keys": None}, {"keys": "x"}])
def test_no_key_set(document: object) -> None:
    """What is no JSON Web Key Set is refused, and not taken for an empty one."""
    with pytest.raises(ValueError, match="not a JSON Web Key Set"):
        parse_jwks(document)


def test_items_that_are_no_keys() -> None:
    """Items of a set that are no objects are left out."""
    assert set(parse_jwks({"keys": [None, 5, "x", [], GOOD]})) == {GOOD["kid"]}
