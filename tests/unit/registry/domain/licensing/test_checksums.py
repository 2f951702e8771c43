"""Checksums of vendors."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.domain.licensing.checksums import agrees, recognized
from storage.digest import digest_of
from storage.errors import DigestMismatch

DATA = b"the file"
STRONG = ["sha256", "sha384", "sha512"]


def written(value: bytes) -> list[str]:
    """All ways to write a digest."""
    padded, url = base64.b64encode(value).decode(), base64.urlsafe_b64encode(value).decode()
    return [value.hex(), value.hex().upper(), padded, padded.rstrip("="), url, url.rstrip("="), f" {padded}\n"]


@pytest.mark.parametrize("algorithm", STRONG)
@given(data=st.binary(max_size=8))
def test_recognized(algorithm: str, data: bytes) -> None:
    """A digest is recognized in hexadecimal digits and in base64, padded or not, also after its algorithm's name."""
    digest = digest_of(data, algorithm)
    for text in written(bytes.fromhex(digest.hex)):
        assert recognized(text) == digest
        assert recognized(f"{algorithm}:{text.strip()}") == digest
        assert recognized(f"{algorithm.upper()}-{text.strip()}") == digest


def test_what_other_tools_send() -> None:
    """A SHA-512 in base64 without padding, the default of other tools, is recognized."""
    text = "l7PETeny2BRIC4T7tC1w0dLOeR0ghWtDJZw3GIuIK9LEdSKRZKda7iWJVkH9KhDSroPunsAAJ1T14UB88MFiBg"
    found = recognized(text)
    assert found is not None
    assert found.algorithm == "sha512"
    assert base64.b64encode(bytes.fromhex(found.hex)).decode() == text + "=="


@pytest.mark.parametrize(
    "text",
    [
        "",
        "release candidate, ask Bob",
        hashlib.md5(DATA).hexdigest(),
        hashlib.sha1(DATA).hexdigest(),
        "0" * 63,
        "0" * 65,
        "g" * 64 + "=",
        "A" * 43 + "==",
        "A" * 44 + "=",
        "A" * 45,
        "A" * 42 + "B",
        "sha512:" + "0" * 64,
        "sha256:",
        "md5:" + "0" * 64,
        "A" * 4096,
        "=" * 44,
        "é" * 43,
    ],
    ids=lambda text: ascii(text[:20]),
)
def test_opaque(text: str) -> None:
    """Any other text is kept, and compared with nothing."""
    assert recognized(text) is None
    assert not agrees(text, [digest_of(DATA), digest_of(DATA, "sha512")])


def test_agrees() -> None:
    """A digest is compared with the one of its algorithm, if that was computed."""
    digests = [digest_of(DATA), digest_of(DATA, "sha512")]
    assert all(agrees(digest.hex, digests) for digest in digests)
    assert not agrees(digest_of(DATA, "sha384").hex, digests)
    assert not agrees(digests[1].hex, digests[:1])
    assert not agrees(None, digests)


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_mismatch(algorithm: str) -> None:
    """Bytes that are not those announced are an error that names both digests."""
    announced = digest_of(b"another file", algorithm)
    with pytest.raises(DigestMismatch) as raised:
        agrees(announced.hex, [digest_of(DATA), digest_of(DATA, "sha512")])
    assert (raised.value.expected, raised.value.actual) == (announced, digest_of(DATA, algorithm))
