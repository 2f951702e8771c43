"""Digests: which texts are one, and what they are computed to."""

import pytest

from storage.digest import Digest, check_algorithm, digest_of, new_hasher, parse_digest
from storage.errors import DigestInvalid

HEX = "0123456789abcdef"
EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
ABC_SHA256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
ABC_SHA512 = (
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
)


@pytest.mark.parametrize(("algorithm", "hex_"), [("sha256", HEX * 4), ("sha512", HEX * 8)])
def test_well_formed(algorithm: str, hex_: str) -> None:
    """A digest of a supported algorithm is taken apart, and comes together to the same text."""
    digest = parse_digest(f"{algorithm}:{hex_}")
    assert (digest.algorithm, digest.hex) == (algorithm, hex_)
    assert str(digest) == f"{algorithm}:{hex_}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "expected"),
        ("sha256", "expected"),
        (HEX * 4, "expected"),
        ("sha256:", "expected"),
        (":" + HEX * 4, "expected"),
        ("sha256:" + HEX * 4 + "\n", "expected"),
        (" sha256:" + HEX * 4, "expected"),
        ("sha256:" + HEX * 4 + ":x", "expected"),
        ("sha256:" + HEX * 3 + "/../../../../x", "expected"),
        ("SHA256:" + HEX * 4, "expected"),
        ("sha256:" + HEX.upper() * 4, "64 lower-case hex digits"),
        ("sha256:" + HEX * 4 + "0", "64 lower-case hex digits"),
        ("sha256:" + HEX * 3, "64 lower-case hex digits"),
        ("sha256:" + "g" * 64, "64 lower-case hex digits"),
        ("sha256:" + "\u0660" * 64, "expected"),
        ("sha256:" + HEX * 8, "64 lower-case hex digits"),
        ("sha512:" + HEX * 4, "128 lower-case hex digits"),
        ("md5:" + HEX * 2, "'md5' is not supported"),
        ("sha384:" + HEX * 6, "'sha384' is not supported"),
        ("multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8", "not supported"),
        ("a" * 10_000 + ":" + HEX, "not supported"),
        ("x" * 100_000, "expected"),
    ],
)
def test_malformed(text: str, reason: str) -> None:
    """Everything else is refused with the reason, in a sentence of bounded length."""
    with pytest.raises(DigestInvalid, match=reason) as caught:
        parse_digest(text)
    assert caught.value.text == text
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    ("content", "algorithm", "hex_"),
    [(b"", "sha256", EMPTY_SHA256), (b"abc", "sha256", ABC_SHA256), (b"abc", "sha512", ABC_SHA512)],
)
def test_known_answers(content: bytes, algorithm: str, hex_: str) -> None:
    """Digests are those that everybody else computes, at once or bit by bit."""
    hasher = new_hasher(algorithm)
    for position in range(len(content)):
        hasher.update(content[position : position + 1])
    assert digest_of(content, algorithm) == Digest(algorithm, hex_)
    assert hasher.hexdigest() == hex_


def test_default_algorithm() -> None:
    """Where nobody says which algorithm, it is sha256."""
    assert str(digest_of(b"abc")) == f"sha256:{ABC_SHA256}"


def test_digests_are_values() -> None:
    """Equal digests are interchangeable as keys."""
    assert {parse_digest(f"sha256:{ABC_SHA256}"): "found"}[digest_of(b"abc")] == "found"
    assert digest_of(b"abc", "sha256") != digest_of(b"abc", "sha512")


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_supported_algorithms(algorithm: str) -> None:
    """What Berth computes is accepted."""
    check_algorithm(algorithm, algorithm)


@pytest.mark.parametrize("algorithm", ["", "md5", "sha1", "SHA256", "sha-256", "blake3"])
def test_unsupported_algorithms(algorithm: str) -> None:
    """What Berth does not compute is refused, and the error is about the text that the client sent."""
    with pytest.raises(DigestInvalid, match="only sha256 and sha512") as caught:
        check_algorithm(algorithm, "what was sent")
    assert caught.value.text == "what was sent"
