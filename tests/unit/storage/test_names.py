"""The grammar of repository names and tags."""

import re
import time

import pytest

from storage.errors import NameInvalid, TagInvalid
from storage.names import parse_repository_name, parse_tag

# As the specification writes them, to hold ours against.
SPEC_NAME = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")
SPEC_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "0",
        "library/ubuntu",
        "a/b/c/d/e",
        "a.b",
        "a_b",
        "a__b",
        "a-b",
        "a----b",
        "a.b_c__d-e/f0",
        "blobs/uploads",
        "tags/list",
        "x" * 255,
        "/".join(["x"] * 128),
    ],
)
def test_good_names(name: str) -> None:
    """A name of the specification's grammar comes back as it is."""
    assert SPEC_NAME.fullmatch(name)
    assert parse_repository_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/",
        "/a",
        "a/",
        "a//b",
        "A",
        "aB",
        "a b",
        "a\n",
        "\na",
        "a\x00b",
        ".a",
        "a.",
        "-a",
        "a-",
        "_a",
        "a_",
        "a..b",
        "a___b",
        "a._b",
        "a.-b",
        "a/../b",
        "..",
        ".",
        "_catalog",
        "é",
        "a/é",
        "\u0663",
        "a:b",
        "a@b",
        "a\\b",
        "%61",
    ],
)
def test_bad_names(name: str) -> None:
    """Anything else is refused."""
    assert not SPEC_NAME.fullmatch(name)
    with pytest.raises(NameInvalid) as caught:
        parse_repository_name(name)
    assert caught.value.name == name


def test_longest_name() -> None:
    """255 characters are allowed, one more is not, and the error says so."""
    assert parse_repository_name("a" * 255)
    with pytest.raises(NameInvalid, match="256 characters long, 255 are allowed"):
        parse_repository_name("a" * 256)


def test_names_cannot_take_long() -> None:
    """No name makes the grammar go back and forth: the worst ones are refused at once."""
    began = time.perf_counter()
    for name in ("a" * 254 + "!", "a-" * 127 + "!", "a/" * 127 + "!", "-" * 255, "a" + "-" * 253 + "!"):
        with pytest.raises(NameInvalid):
            parse_repository_name(name)
    with pytest.raises(NameInvalid) as caught:
        parse_repository_name("a" * 10_000_000)
    assert len(str(caught.value)) < 500
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize("tag", ["latest", "1", "_", "V1.2.3-rc_4", "a" * 128, "sha256-" + "a" * 64, "A.-_"])
def test_good_tags(tag: str) -> None:
    """A tag of the specification's grammar comes back as it is."""
    assert SPEC_TAG.fullmatch(tag)
    assert parse_tag(tag) == tag


@pytest.mark.parametrize(
    "tag",
    [
        "",
        ".",
        "-",
        ".a",
        "-a",
        "a" * 129,
        "a b",
        "a/b",
        "a:b",
        "a+b",
        "é",
        "a\n",
        "a\x00",
        "\u0663",
        "%61",
        "a" * 99_999,
    ],
)
def test_bad_tags(tag: str) -> None:
    """Anything else is refused, in a sentence of bounded length."""
    assert not SPEC_TAG.fullmatch(tag)
    with pytest.raises(TagInvalid) as caught:
        parse_tag(tag)
    assert caught.value.tag == tag
    assert len(str(caught.value)) < 1000
