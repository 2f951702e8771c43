"""What clients ask for, as scopes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.scopes import CATALOG, SCOPES_MAX, Scope, parse_scopes


def scope(name: str, *actions: str, kind: str = "repository") -> Scope:
    """Actions on a repository, or on something else."""
    return Scope(kind, name, frozenset(actions))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("repository:app:pull", scope("app", "pull")),
        ("repository:app:pull,push", scope("app", "pull", "push")),
        ("repository:app:delete,pull,push", scope("app", "pull", "push", "delete")),
        ("repository:app:*", scope("app", "*")),
        ("repository:a/b-c/d.e:pull", scope("a/b-c/d.e", "pull")),
        # a host with a port, as some clients send it
        ("repository:localhost:5000/app:pull", scope("localhost:5000/app", "pull")),
        (
            "repository:registry.example:5000/team/app:pull,push",
            scope("registry.example:5000/team/app", "pull", "push"),
        ),
        # classes
        ("repository(plugin):app:pull", scope("app", "pull")),
        ("repository():app:pull", scope("app", "pull")),
        ("registry:catalog:*", CATALOG),
        # a type that we do not have: nothing is granted for it, and the policy says so
        ("namespace:team:pull", scope("team", "pull", kind="namespace")),
    ],
)
def test_grammar(text: str, expected: Scope) -> None:
    """A scope is a type, a name that may hold colons, and actions."""
    assert parse_scopes([text]) == [expected]


@pytest.mark.parametrize(
    ("actions", "kept"),
    [
        ("pull,fly", ["pull"]),
        ("fly", []),
        ("", []),
        (",", []),
        ("pull,,push,", ["pull", "push"]),
        ("pull,pull", ["pull"]),
        ("PULL,Push", []),
        ("manage", []),
        ("pull,**", ["pull"]),
    ],
)
def test_unknown_actions(actions: str, kept: list[str]) -> None:
    """Actions that nobody knows are dropped, and the rest stays; `manage` is never one of a token."""
    assert parse_scopes([f"repository:app:{actions}"]) == [scope("app", *kept)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ":",
        "::",
        "repository",
        "repository:",
        "repository:app",
        "repository::pull",
        ":app:pull",
        "(plugin):app:pull",
        "pull",
        "\x00",
    ],
)
def test_nonsense(text: str) -> None:
    """What cannot be understood is left out, and what stands beside it is not."""
    assert parse_scopes([text]) == []
    assert parse_scopes([text, f"{text} repository:app:pull"]) == [scope("app", "pull")]


def test_several_scopes() -> None:
    """Scopes come in several parameters, or in one with spaces between them, and keep their order."""
    expected = [scope("b", "pull"), scope("a", "push"), scope("c", "delete")]
    assert parse_scopes(["repository:b:pull", "repository:a:push", "repository:c:delete"]) == expected
    assert parse_scopes(["repository:b:pull repository:a:push  repository:c:delete "]) == expected
    assert parse_scopes(["repository:b:pull repository:a:push", "repository:c:delete"]) == expected
    assert parse_scopes([]) == []


def test_merging() -> None:
    """A resource that is named several times is one, with all that was asked for."""
    texts = ["repository:a:pull", "repository:b:pull", "repository:a:push repository(plugin):a:delete"]
    assert parse_scopes(texts) == [scope("a", "pull", "push", "delete"), scope("b", "pull")]
    kinds = ["repository:catalog:*", "registry:catalog:*"]
    assert parse_scopes(kinds) == [scope("catalog", "*"), CATALOG]


def test_bound() -> None:
    """So many resources are taken, the first ones, and more actions on these still count."""
    texts = [f"repository:r{number}:pull" for number in range(SCOPES_MAX + 10)]
    found = parse_scopes([*texts, f"repository:r{SCOPES_MAX}:push", "repository:r0:push"])
    assert [one.name for one in found] == [f"r{number}" for number in range(SCOPES_MAX)]
    assert found[0] == scope("r0", "pull", "push")


def test_text() -> None:
    """A scope is written as it is asked for, its actions in alphabetical order."""
    assert str(scope("localhost:5000/app", "push", "pull")) == "repository:localhost:5000/app:pull,push"
    assert str(CATALOG) == "registry:catalog:*"
    assert scope("app", "push", "pull").as_claim() == {"type": "repository", "name": "app", "actions": ["pull", "push"]}


@given(st.lists(st.text(alphabet="ab:,()* \n/pulsh", max_size=40), max_size=10))
def test_any_text(texts: list[str]) -> None:
    """Whatever is sent, the answer is whole scopes of known actions, each resource once, that say the same again."""
    found = parse_scopes(texts)
    assert len({(one.type, one.name) for one in found}) == len(found) <= SCOPES_MAX
    assert all(one.type and one.name and one.actions <= {"pull", "push", "delete", "*"} for one in found)
    assert parse_scopes(map(str, found)) == found
