"""Patterns for repository names and tags."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from auth.patterns import PATTERN_LENGTH_MAX, Pattern, pattern

# Few characters, so that patterns and names often meet.
NAMES = st.text("ab/", max_size=8)
PATTERNS = st.lists(st.sampled_from(["a", "b", "/", "*", "**"]), min_size=1, max_size=8).map("".join)


def matches(text: str, name: str) -> bool:
    """What the documentation says, in the plainest way: slow, and right."""
    if not text:
        return not name
    if text.startswith("**"):
        return any(matches(text[2:], name[skipped:]) for skipped in range(len(name) + 1))
    if text.startswith("*"):
        part = len(name.partition("/")[0])
        return any(matches(text[1:], name[skipped:]) for skipped in range(part + 1))
    return name[:1] == text[0] and matches(text[1:], name[1:])


@pytest.mark.parametrize(
    ("text", "yes", "no"),
    [
        ("team/app", ["team/app"], ["team/app2", "team/apps/x", "team", "my/team/app", "team/ap", "Team/app"]),
        ("team/*", ["team/app", "team/a-b"], ["team", "team/app/x", "team2/app", "x/team/app"]),
        ("team/**", ["team/app", "team/app/x", "team/a/b/c"], ["team", "team2/app", "x/team/app"]),
        ("team/*/x", ["team/app/x"], ["team/x", "team/a/b/x", "team/app/xx"]),
        ("team/**/x", ["team/a/x", "team/a/b/x"], ["team/x", "team/a/xx"]),
        ("team*", ["team", "team2"], ["team/app", "my-team"]),
        ("team**", ["team", "team2", "team/app", "team2/app"], ["my-team"]),
        ("*", ["app"], ["team/app"]),
        ("**", ["app", "team/app", "a/b/c"], []),
        ("**/app", ["team/app", "a/b/app"], ["app", "team/my-app", "team/app/x"]),
        ("**app", ["app", "team/app", "team/my-app"], ["team/app/x"]),
        ("*-test/*", ["a-test/b", "-test/b"], ["a-test", "a-test/b/c", "x/a-test/b"]),
        ("**a*b", ["a/ab", "ab", "a/axb"], ["a/b"]),
        ("v*.*.*", ["v1.2.3", "v1.2.3.4"], ["v1.2", "1.2.3"]),
        ("v1.2", ["v1.2"], ["v1x2"]),
    ],
)
def test_examples(text: str, yes: list[str], no: list[str]) -> None:
    """A pattern matches whole names: `*` stands for a part of one component, `**` for anything."""
    assert [name for name in yes if not Pattern(text).matches(name)] == []
    assert [name for name in no if Pattern(text).matches(name)] == []


@given(PATTERNS.filter(lambda text: "***" not in text), NAMES)
@example("**a*b", "a/ab")
@example("*a*a/**b", "aaa/b/b")
@example("*", "")
@example("**", "")
@example("*/", "/")
def test_oracle(text: str, name: str) -> None:
    """What a pattern matches is what the plainest reading of it matches."""
    assert Pattern(text).matches(name) == matches(text, name)


@given(st.text("ab/", min_size=1, max_size=20))
def test_itself(name: str) -> None:
    """A name without wildcards is a pattern that matches itself and nothing longer."""
    assert Pattern(name).matches(name)
    assert not Pattern(name).matches(name + "a")
    assert not Pattern(name).matches("a" + name)


@given(NAMES, NAMES)
def test_everything_below(prefix: str, rest: str) -> None:
    """`prefix/**` matches exactly what lies below the prefix, never what only begins like it."""
    below = Pattern(f"{prefix}/**")
    assert below.matches(f"{prefix}/{rest}")
    assert not below.matches(prefix)
    assert not below.matches(f"{prefix}a/{rest}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a" * (PATTERN_LENGTH_MAX + 1),
        "a b",
        "a\n",
        "a?",
        "[a]",
        "a{b,c}",
        "a+",
        "a\\",
        "(a)",
        "a:b",
        "é",
        "a\x00",
        "a,b",
        "a***",
        "****",
    ],
)
def test_refused(text: str) -> None:
    """What no name has in it, what is too long, and what means nothing is no pattern."""
    with pytest.raises(ValueError, match=r"^(has to be|'\*\*\*' means)"):
        Pattern(text)


def test_longest() -> None:
    """A pattern may be as long as the longest name."""
    assert Pattern("a" * PATTERN_LENGTH_MAX).matches("a" * PATTERN_LENGTH_MAX)


@pytest.mark.parametrize(
    ("text", "weight"), [("a/b", 3), ("a/*", 2), ("a/**", 2), ("**", 0), ("*", 0), ("*a*/**b", 3), ("a*b*c", 3)]
)
def test_weight(text: str, weight: int) -> None:
    """Wildcards do not make a pattern more specific."""
    assert Pattern(text).weight == weight


def test_values() -> None:
    """Patterns are values: equal by their text, and shown as what was written."""
    assert Pattern("a/*") == pattern("a/*")
    assert Pattern("a/*") != Pattern("a/**")
    assert Pattern("a/*") != "a/*"
    assert len({Pattern("a/*"), pattern("a/*"), Pattern("a/**")}) == 2
    assert str(Pattern("a/*")) == "a/*"
    assert repr(Pattern("a/*")) == "Pattern('a/*')"


@pytest.mark.parametrize(
    "text",
    ["*a" * 127, "*a" * 126 + "*b", "**a" * 85, "**a" * 84 + "**b", "*a**a" * 51, "*a**a" * 50 + "b", "*" + "a" * 254],
    ids=lambda text: text[:8] + "…" + text[-3:],
)
@pytest.mark.parametrize("name", ["a" * 255, "a/" * 127 + "a", "/" * 255], ids=["flat", "deep", "slashes"])
def test_hostile_patterns(text: str, name: str) -> None:
    """No pattern takes long: a thousand of the worst ones decide about a name within a second."""
    worst = Pattern(text)
    begin = time.process_time()
    for _ in range(100):
        worst.matches(name)
    assert time.process_time() - begin < 0.1
