"""Names, codes, tags and dates of resources."""

import pytest

from registry.domain.licensing import attributes
from registry.domain.licensing.ids import is_id, new_id
from registry.errors import AttributeInvalid

NOW = 1_760_000_000_000
ID = "0dad8516-f071-4573-bcea-d774e81c4a37"


def test_ids() -> None:
    """Ids are random UUIDs, and known as such however they are written."""
    assert is_id(new_id())
    assert new_id() != new_id()
    assert is_id(ID.upper())
    assert not any(map(is_id, ["", ID[:-1], f"{ID}\n", ID.replace("-", ""), ID.replace("0", "g")]))


def test_texts() -> None:
    """Names and descriptions are any text, or none; only descriptions have lines."""
    attributes.expect_name(None)
    attributes.expect_name("Acme ☺ " + "x" * 248)
    attributes.expect_description(None)
    attributes.expect_description("one\r\n\ttwo" + "x" * 16_374)


@pytest.mark.parametrize(
    ("name", "problem"), [("x" * 256, "TOO_LONG"), ("a\nb", "INVALID"), ("a\0", "INVALID"), ("\ud800", "INVALID")]
)
def test_bad_names(name: str, problem: str) -> None:
    """A name is one short line."""
    with pytest.raises(AttributeInvalid) as raised:
        attributes.expect_name(name, "firstName")
    assert (raised.value.attribute, raised.value.problem) == ("firstName", problem)


@pytest.mark.parametrize(("text", "problem"), [("x" * 16_385, "TOO_LONG"), ("a\0", "INVALID"), ("\ud800", "INVALID")])
def test_bad_descriptions(text: str, problem: str) -> None:
    """A description is bounded, and can be stored."""
    with pytest.raises(AttributeInvalid) as raised:
        attributes.expect_description(text)
    assert (raised.value.attribute, raised.value.problem) == ("description", problem)


@pytest.mark.parametrize("alias", ["insider", "INSIDER", "my app", "x" * 255, "actions2", "@acme", "日本"])
def test_aliases(alias: str) -> None:
    """A resource can be found by any name that leaves the path as it is."""
    attributes.expect_alias("code", alias)


@pytest.mark.parametrize(
    ("alias", "problem"),
    [
        ("", "INVALID"),
        (" a", "INVALID"),
        ("a/b", "INVALID"),
        ("a\n", "INVALID"),
        ("x" * 256, "TOO_LONG"),
        (ID, "NOT_ALLOWED"),
        (ID.upper(), "NOT_ALLOWED"),
        ("action", "NOT_ALLOWED"),
        ("Actions", "NOT_ALLOWED"),
    ],
)
def test_bad_aliases(alias: str, problem: str) -> None:
    """What is an id, or a part of other paths, is no name of a resource."""
    with pytest.raises(AttributeInvalid) as raised:
        attributes.expect_alias("code", alias)
    assert (raised.value.attribute, raised.value.problem) == ("code", problem)


@pytest.mark.parametrize("tag", [None, "latest", "1", "1.2", "v1.2.3", "x" * 128])
def test_tags(tag: str | None) -> None:
    """A release may have a tag under which its manifest is pulled, too."""
    attributes.expect_tag(tag)


@pytest.mark.parametrize(
    ("tag", "problem"),
    [
        ("", "INVALID"),
        ("a b", "INVALID"),
        (".a", "INVALID"),
        ("x" * 129, "INVALID"),
        ("actions", "NOT_ALLOWED"),
        ("1.2.3", "NOT_ALLOWED"),
        ("1.2.3-rc.1_b", "NOT_ALLOWED"),
        (ID, "NOT_ALLOWED"),
    ],
)
def test_bad_tags(tag: str, problem: str) -> None:
    """A release's tag is one that clients can pull, and never that of another version."""
    with pytest.raises(AttributeInvalid) as raised:
        attributes.expect_tag(tag)
    assert (raised.value.attribute, raised.value.problem) == ("tag", problem)


def test_backdated() -> None:
    """A release may count from any time before now."""
    for moment in (None, 0, NOW):
        attributes.expect_backdated(moment, NOW)
    with pytest.raises(AttributeInvalid, match="in the past"):
        attributes.expect_backdated(NOW + 1, NOW)


@pytest.mark.parametrize("url", [None, "https://acme.example/app?x=1", "http://[::1]:80", "HTTPS://acme.example"])
def test_urls(url: str | None) -> None:
    """A product may have a page."""
    attributes.expect_url(url)


@pytest.mark.parametrize(
    "url", ["", "acme.example", "ftp://acme.example", "javascript:alert(1)", "https://", "http://[", "https://a b"]
)
def test_bad_urls(url: str) -> None:
    """The address of a page is one that a browser opens, and runs nothing."""
    with pytest.raises(AttributeInvalid) as raised:
        attributes.expect_url(url)
    assert (raised.value.attribute, raised.value.problem) == ("url", "INVALID")
