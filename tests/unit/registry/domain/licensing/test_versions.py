"""How versions are written, which one is newer, and where upgrades lead."""

import sqlite3
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.domain.licensing.versions import (
    NUMBER_MAX,
    VERSION_LENGTH_MAX,
    Constraint,
    Version,
    find_version,
    parse_constraint,
    parse_version,
    sort_key,
    tag_of,
    version_of_tag,
)
from registry.errors import AttributeInvalid, ParameterInvalid
from storage.names import parse_tag

# Few, so that versions often agree in something, and those where the number of digits changes.
NUMBERS = st.sampled_from([0, 1, 2, 9, 10, 11, 99, 100, NUMBER_MAX - 1, NUMBER_MAX])
WORDS = st.sampled_from(["rc", "beta", "alpha", "dev", "alpha1", "alpha10", "alpha2", "a", "a-", "a-b", "-", "A", "Z9"])
PARTS = st.none() | st.lists(WORDS | NUMBERS.map(str), min_size=1, max_size=4).map(".".join)
VERSIONS = st.builds(Version, NUMBERS, NUMBERS, NUMBERS, PARTS, PARTS | st.just("007"))


def rank(version: Version) -> tuple[object, ...]:
    """What decides in the order of versions, one after the other, as it is agreed on."""

    def words(part: str | None) -> str:
        return ".".join(word for word in (part or "").split(".") if not word.isdigit())

    def number(part: str | None) -> int:
        return next((int(word) for word in (part or "").split(".") if word.isdigit()), -1)

    return (
        (version.major, version.minor, version.patch),
        version.prerelease is None,
        words(version.prerelease),
        number(version.prerelease),
        words(version.build),
        number(version.build),
    )


def keys(*texts: str) -> list[str]:
    """The sort keys of these versions."""
    return [sort_key(parse_version(text)) for text in texts]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("1", "1.0.0"),
        ("1.2", "1.2.0"),
        ("1.2.3", "1.2.3"),
        ("0.0.0", "0.0.0"),
        ("1.0.0-beta.2", "1.0.0-beta.2"),
        ("2.0.0-alpha1", "2.0.0-alpha1"),
        ("1.2-rc.1", "1.2.0-rc.1"),
        ("1.2.3+build.7", "1.2.3+build.7"),
        ("1.2.3-rc.1+007.sha-5114f85", "1.2.3-rc.1+007.sha-5114f85"),
        ("1+x", "1.0.0+x"),
        (f"{NUMBER_MAX}.0.0", f"{NUMBER_MAX}.0.0"),
    ],
)
def test_parse(text: str, kept: str) -> None:
    """A version is kept in its long form, which is understood as the same version."""
    assert str(parse_version(text)) == kept
    assert parse_version(kept) == parse_version(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v1.2.34",
        "1.2.34.5",
        "1.",
        "1..2",
        "01.2.3",
        "1.2.03",
        "1.0.0-",
        "1.0.0-rc..1",
        "1.0.0-rc.01",
        "1.0.0+",
        "1.0.0+a+b",
        "1.0.0-rc_1",
        "1.0.0 ",
        " 1.0.0",
        "1.0.0\n",
        "-1.0.0",
        "latest",
        "\u0661.0.0",
        "1.0.0-é",
        f"{NUMBER_MAX + 1}.0.0",
        f"1.0.0-rc.{NUMBER_MAX + 1}",
        "1.0.0+" + "1" * 17,
    ],
)
def test_no_versions(text: str) -> None:
    """What is no semantic version, or has numbers that are too large, is refused."""
    with pytest.raises(AttributeInvalid) as raised:
        parse_version(text)
    assert (raised.value.attribute, raised.value.problem) == ("version", "INVALID")
    assert find_version(text) is None


def test_length() -> None:
    """A version fits into a tag, also in its long form."""
    longest = "1.2.3-rc." + "a" * (VERSION_LENGTH_MAX - 9)
    assert str(parse_version(longest)) == longest
    with pytest.raises(AttributeInvalid) as raised:
        parse_version(longest + "a")
    assert raised.value.problem == "TOO_LONG"
    with pytest.raises(AttributeInvalid):
        parse_version("1-rc." + "a" * (VERSION_LENGTH_MAX - 5))
    assert find_version("1" * 1_000_000) is None


def test_semver_object() -> None:
    """The parts of a version are those of its object in documents."""
    assert asdict(parse_version("1.2.3-rc.1+b")) == {
        "major": 1,
        "minor": 2,
        "patch": 3,
        "prerelease": "rc.1",
        "build": "b",
    }
    assert asdict(parse_version("1"))["prerelease"] is None


def test_order() -> None:
    """Later versions are greater, in numbers as numbers, and a release is greater than what led to it."""
    ascending = keys(
        "0.9.9",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.2",
        "1.0.0-alpha.10",
        "1.0.0-alpha.10.1",
        "1.0.0-alpha.10.2",
        "1.0.0-alpha.10.10",
        "1.0.0-beta",
        "1.0.0-beta.1",
        "1.0.0-dev.7",
        "1.0.0-rc.1",
        "1.0.0-rc.1+1",
        "1.0.0-rc.1+2",
        "1.0.0",
        "1.0.0+1",
        "1.0.0+10",
        "1.0.0+a",
        "1.0.0+a.1",
        "1.0.1",
        "1.0.10",
        "1.1.0-alpha",
        "1.10.0",
        "2.0.0",
        "10.0.0",
        f"{NUMBER_MAX}.0.0",
    )
    assert ascending == sorted(ascending)
    assert len(set(ascending)) == len(ascending)


@pytest.mark.parametrize(("one", "other"), [("1.0.0-rc.x.1", "1.0.0-rc.1.x"), ("1.0.0+7", "1.0.0+007")])
def test_keys_of_equals(one: str, other: str) -> None:
    """Versions that are neither newer nor older than one another have keys of their own."""
    assert rank(parse_version(one)) == rank(parse_version(other))
    assert len(set(keys(one, other))) == 2


@given(VERSIONS, VERSIONS)
def test_keys_compare_as_versions(one: Version, other: Version) -> None:
    """The text that is kept for sorting says of any two versions what the agreed order says."""
    if rank(one) < rank(other):
        assert sort_key(one) < sort_key(other)
    assert (sort_key(one) == sort_key(other)) == (one == other)


@given(VERSIONS)
def test_text_and_back(version: Version) -> None:
    """A version that is written and read is the same; its key is ASCII and short, and so is its tag."""
    if len(str(version)) > VERSION_LENGTH_MAX:
        assert find_version(str(version)) is None
        return
    assert find_version(str(version)) == version
    assert sort_key(version).isascii()
    assert len(sort_key(version)) < 512
    assert version_of_tag(parse_tag(tag_of(version))) == version


def test_database_sorts_keys() -> None:
    """A database that sorts by the bytes of the keys sorts the versions."""
    texts = ["10.0.0", "1.0.0+a", "2.0.0-rc.10", "1.0.0", "2.0.0-rc.9", "2.0.0-alpha-x", "2.0.0-alpha", "2.0.0-Alpha"]
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE releases (version TEXT, sort_key TEXT)")
    database.executemany("INSERT INTO releases VALUES (?, ?)", zip(texts, keys(*texts), strict=True))
    found = [row[0] for row in database.execute("SELECT version FROM releases ORDER BY sort_key")]
    database.close()
    assert found == sorted(texts, key=lambda text: rank(parse_version(text)))


@pytest.mark.parametrize(
    ("version", "tag"), [("1.2.3", "1.2.3"), ("1.2.3-rc.1+b.7", "1.2.3-rc.1_b.7"), ("1.2.3+b", "1.2.3_b")]
)
def test_tags(version: str, tag: str) -> None:
    """A version's tag is the version, with '_' for '+', and leads back to it."""
    assert tag_of(parse_version(version)) == tag
    assert version_of_tag(tag) == parse_version(version)


@pytest.mark.parametrize("tag", ["latest", "1", "1.2", "v1.2.3", "1.2.3_", "1.2.3_a_b", "1.2.3+b", "2026-11-22", ""])
def test_other_tags(tag: str) -> None:
    """Tags that are not exactly those of a version belong to none, such as those that move."""
    assert version_of_tag(tag) is None


@pytest.mark.parametrize(
    ("constraint", "allowed", "refused"),
    [
        ("1", ["1.0.0", "1.5.0", "1.99.0-rc.1"], ["0.9.0", "2.0.0", "10.0.0", "2.0.0-alpha"]),
        ("1.0", ["1.0.0", "1.5.0", "1.7.0"], ["2.0.1", "0.9.0"]),
        ("1.2", ["1.2.0", "1.2.9", "1.10.0"], ["1.1.9", "2.2.0"]),
        ("1.2.3", ["1.2.3", "1.2.10", "1.2.4-rc.1"], ["1.2.2", "1.3.3", "1.3.0"]),
        ("1.2.3-rc.1", ["1.2.3-rc.1", "1.2.4-rc.1", "1.2.3-rc.1+b"], ["1.2.3", "1.2.3-rc.2"]),
        ("1.2.3+b", ["1.2.3+b", "1.2.4-rc.1+b"], ["1.2.3", "1.2.3+c"]),
    ],
)
@pytest.mark.parametrize("operator", ["", "~> ", ">=", "^", "~", "=", ">"])
def test_constraints(operator: str, constraint: str, allowed: list[str], refused: list[str]) -> None:
    """The last number is the least that will do, those before it are fixed, and operators mean nothing."""
    parsed = parse_constraint(operator + constraint)
    assert [text for text in allowed if not parsed.allows(parse_version(text))] == []
    assert [text for text in refused if parsed.allows(parse_version(text))] == []


@pytest.mark.parametrize(
    "text", ["A", "", "1.x", "v1", "<2", "<= 2", "!=1", "1.2.3.4", ">> 1", "9" * 16, "1." * 70, "1 - 2"]
)
def test_bad_constraints(text: str) -> None:
    """What is no constraint, or would lead down, is refused, and the parameter is named."""
    with pytest.raises(ParameterInvalid) as raised:
        parse_constraint(text)
    assert raised.value.parameter == "constraint"


@given(NUMBERS, st.none() | NUMBERS, st.none() | NUMBERS, VERSIONS)
def test_constraints_as_ranges(major: int, minor: int | None, patch: int | None, version: Version) -> None:
    """The versions that a constraint allows are those whose keys lie in its range."""
    constraint = Constraint(major, minor, patch if minor is not None else None)
    wanted = version.major == major
    if constraint.patch is not None:
        wanted = wanted and version.minor == minor and version.patch >= constraint.patch
    elif minor is not None:
        wanted = wanted and version.minor >= minor
    low, high = constraint.key_range
    assert (low <= sort_key(version) < high) == wanted == constraint.allows(version)
