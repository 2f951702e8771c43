"""Headers and parameters: what each is understood as, and what is refused."""

import re
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

import pytest

from registry.api.wire import (
    entity_tag,
    matches,
    next_link,
    parse_condition,
    parse_count,
    parse_namespace,
    warning_headers,
)
from registry.errors import PreconditionFailed, RequestInvalid
from storage.digest import digest_of

DIGEST, OTHER = digest_of(b"one"), digest_of(b"other")
ARABIC = "\u0661\u0662"


@pytest.mark.parametrize(
    ("header", "result"),
    [
        ("*", True),
        (" * ", True),
        (f'"{DIGEST}"', True),
        (f'W/"{DIGEST}"', True),
        (f"{DIGEST}", True),
        (f'"{OTHER}", "{DIGEST}"', True),
        (f'"{OTHER}","{DIGEST}"', True),
        (f'"{OTHER}"', False),
        ("", False),
        ('""', False),
        ('"*"', False),
        (f'"{DIGEST}x"', False),
        (f'"{str(DIGEST)[:-1]}"', False),
        (f'"x, {DIGEST}"', False),
    ],
)
def test_entity_tags(header: str, *, result: bool) -> None:
    """A list of entity tags names a digest, with or without the quotes that some clients forget."""
    assert matches(header, str(DIGEST)) is result
    assert matches(entity_tag(DIGEST), str(DIGEST))


@pytest.mark.parametrize(
    ("if_match", "if_none_match", "current", "holds"),
    [
        (entity_tag(DIGEST), None, DIGEST, True),
        (entity_tag(DIGEST), None, OTHER, False),
        (entity_tag(DIGEST), None, None, False),
        ("*", None, DIGEST, True),
        ("*", None, None, False),
        (None, "*", None, True),
        (None, "*", DIGEST, False),
        (None, entity_tag(DIGEST), DIGEST, False),
        (None, entity_tag(DIGEST), OTHER, True),
        (None, entity_tag(DIGEST), None, True),
        (entity_tag(DIGEST), entity_tag(OTHER), DIGEST, True),
        (entity_tag(DIGEST), entity_tag(DIGEST), DIGEST, False),
        ("*", "*", None, False),
        ("*", "*", DIGEST, False),
    ],
)
def test_conditions(if_match: str | None, if_none_match: str | None, current: object, *, holds: bool) -> None:
    """`If-Match` wants what is named to be there, `If-None-Match` wants it not to be, and both together both."""
    condition = parse_condition(if_match, if_none_match)
    assert condition is not None
    digest = {str(DIGEST): DIGEST, str(OTHER): OTHER}.get(str(current))
    assert condition.holds(digest) is holds
    if holds:
        condition.check("v1", digest)
    else:
        with pytest.raises(PreconditionFailed, match="v1") as caught:
            condition.check("v1", digest)
        assert caught.value.current == digest


def test_no_condition() -> None:
    """Without these headers there is no condition."""
    assert parse_condition(None, None) is None


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (None, 50),
        ("", 50),
        ("0", 0),
        ("1", 1),
        ("100", 100),
        ("101", 100),
        ("999", 100),
        ("1000", 100),
        ("9" * 1_000_000, 100),
        ("0" * 30 + "7", 7),
    ],
)
def test_count(text: str | None, count: int) -> None:
    """`n` is taken up to the maximum, 100 here; 50 is the default."""
    assert parse_count(text, 50, 100) == count


def test_default_count_above_the_maximum() -> None:
    """The maximum holds for the default as well."""
    assert parse_count(None, 5000, 100) == 100


@pytest.mark.parametrize(
    "text", ["-1", "+1", "1.0", "1e3", "x", " 1", "1 ", "0x10", ARABIC, "\u00b2", "1_000", "1" + "x" * 99_999]
)
def test_malformed_count(text: str) -> None:
    """What is no whole number is refused, in a sentence of bounded length."""
    with pytest.raises(RequestInvalid, match="whole number") as caught:
        parse_count(text, 50, 100)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("origin", ["", "https://registry.example:5000", "http://[::1]:5000", "https://10.0.0.1"])
@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("/v2/_catalog", {"n": 2, "last": "a/b"}),
        ("/v2/a/b/tags/list", {"n": 0, "last": "v1.0_-"}),
        (f"/v2/a/referrers/{DIGEST}", {"artifactType": "application/x+json; a=b&c", "after": 7}),
    ],
)
def test_link(origin: str, path: str, parameters: dict[str, str | int]) -> None:
    """A link to the next page leads where it should, be its path relative or a whole URL."""
    match = re.fullmatch(r'<(\S+)>; rel="next"', next_link(origin + path, parameters))
    assert match is not None
    url = urlsplit(match[1])
    assert urlunsplit((url.scheme, url.netloc, "", "", "")) == origin
    assert unquote(url.path) == path
    assert parse_qsl(url.query) == [(name, str(value)) for name, value in parameters.items()]


@pytest.mark.parametrize(
    "text",
    ["docker.io", "registry.example", "registry.example:5000", "localhost", "127.0.0.1:80", "a", "A.B-c", "x" * 255],
)
def test_namespace(text: str) -> None:
    """The host of a proxied registry is given back as it came."""
    assert parse_namespace(text) == text


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "a b",
        "a\r\nX: y",
        "a\n",
        "-a",
        "a-",
        "a:",
        "a:x",
        "a:123456",
        "a/b",
        "http://a",
        "é",
        "a:" + ARABIC,
        "x" * 256,
        "a" * 100_000,
    ],
)
def test_no_namespace(text: str | None) -> None:
    """What is no host name is not given back at all."""
    assert parse_namespace(text) is None


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        ([], []),
        (["old"], ['299 - "old"']),
        (["one", "two"], ['299 - "one"', '299 - "two"']),
        (["same", "other", "same"], ['299 - "same"', '299 - "other"']),
        (['say "hi"', "back\\slash"], ['299 - "say \\"hi\\""', '299 - "back\\\\slash"']),
        (["new\r\nX-Header: y", "caf\u00e9", "\x00\x7f"], ['299 - "new??X-Header: y"', '299 - "caf?"', '299 - "??"']),
    ],
)
def test_warnings(texts: list[str], values: list[str]) -> None:
    """Warnings have the one form that the specification allows, each once, and cannot break out of it."""
    assert warning_headers(texts) == values


@pytest.mark.parametrize("length", [10, 1000, 4085, 4096, 100_000])
def test_warnings_are_bounded(length: int) -> None:
    """All warnings together stay within 4096 bytes, and as many as fit are sent."""
    values = warning_headers([f"{number:06}" + "x" * (length - 6) for number in range(1000)])
    assert sum(map(len, values)) <= 4096
    assert len(values) == 4096 // (length + len('299 - ""'))
