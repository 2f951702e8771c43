"""`berth registry`, `berth rule` and `berth immutable`: registries, and what holds for what is in them."""

import re

import pytest

from tests.server.commands import Commands, rows


def test_registry_is_created(berth: Commands) -> None:
    """A registry is private and has the prefix <project>/<name>, unless flags say otherwise."""
    berth("project", "create", "acme")
    assert berth("registry", "create", "tools", "-p", "acme") == "created registry acme/tools\n"
    found = berth.json("registry", "show", "acme/tools")
    assert found.keys() == {
        *("name", "project", "prefix", "kind", "visibility", "description", "createdAt"),
        *("untaggedAfter", "orphanedAfter", "redirect"),
    }
    assert (found["prefix"], found["kind"], found["visibility"]) == ("acme/tools", "local", "private")
    wanted = ["--prefix", "shared", "--visibility", "public", "--description", "For all"]
    made = berth.json("registry", "create", "acme/shared", *wanted)
    assert (made["prefix"], made["visibility"], made["description"]) == ("shared", "public", "For all")


def test_registries_of_one_project_or_all(berth: Commands) -> None:
    """`list` is about one project, or, with --all-projects, about every one; names can be used as they are."""
    berth("project", "create", "acme")
    titles, row = rows(berth("registry", "list"))
    assert titles == ["NAME", "PROJECT", "PREFIX", "VISIBILITY", "CREATED", "DESCRIPTION"]
    assert row[:4] == ["root", "default", "-", "private"]
    assert berth("registry", "list", "-A", "-q") == "acme/main\ndefault/root\n"
    for name in berth("registry", "list", "-A", "-q").split():
        assert berth.json("registry", "show", name) in berth.json("registry", "list", "-A")


def test_registry_is_changed_and_deleted(berth: Commands) -> None:
    """Visibility and description can be changed; an empty registry can be deleted."""
    assert berth("registry", "update", "root", "--visibility", "public") == "changed registry default/root\n"
    assert berth.json("registry", "update", "root", "--description", "x")["visibility"] == "public"
    assert berth.refused("registry", "update", "root", code=2) == (
        "berth: nothing is to be changed: give --visibility, --description, --untagged-after, --orphaned-after or"
        " --redirect\n"
    )
    berth("registry", "create", "tools")
    assert berth.json("registry", "delete", "tools") == {"deleted": "default/tools"}
    assert berth.refused("registry", "delete", "tools") == "berth: registry 'tools' is not known\n"


def test_settings_of_a_registry(berth: Commands) -> None:
    """A registry keeps things longer or shorter than others, until it is to be as configured again."""
    wanted = ["--untagged-after", "30d", "--orphaned-after", "never", "--redirect", "large"]
    assert berth("registry", "update", "root", *wanted) == "changed registry default/root\n"
    shown = rows(berth("registry", "show", "root"))
    assert [row for row in shown if row[0].rstrip(": ") in {"untagged after", "orphaned after", "redirect"}] == [
        ["untagged after:", "30d"],
        ["orphaned after:", "never"],
        ["redirect:", "large"],
    ]
    found = berth.json("registry", "update", "root", "--redirect", "default", "--untagged-after", "90s")
    assert [found[key] for key in ("untaggedAfter", "orphanedAfter", "redirect")] == [90, 0, None]
    wanted = ["--untagged-after", "default", "--orphaned-after", "default"]
    found = berth.json("registry", "update", "root", *wanted)
    assert [found[key] for key in ("untaggedAfter", "orphanedAfter", "redirect")] == [None, None, None]
    assert "--untagged-after" in berth.refused("registry", "update", "root", "--untagged-after", "soon", code=2)
    assert berth.refused("registry", "update", "root", "--untagged-after", "101y") == (
        "berth: --untagged-after has to be 0, which is never, to a hundred years\n"
    )


def test_rules(berth: Commands) -> None:
    """A rule says what somebody may do to some repositories, which can be nothing."""
    berth("group", "create", "devs")
    added = berth("rule", "add", "root", "app/**", "--for", "group:devs", "--actions", "push,pull")
    assert added == "added rule 1\n"
    made = berth.json("rule", "add", "root", "app/secret", "--for", "everyone", "--actions", "nothing")
    assert made.keys() == {"id", "registry", "pattern", "subject", "actions", "createdAt"}
    assert (made["id"], made["registry"], made["subject"], made["actions"]) == (2, "root", "everyone", [])
    titles, first, second = rows(berth("rule", "list", "root"))
    assert titles == ["ID", "PATTERN", "SUBJECT", "ACTIONS", "CREATED"]
    assert first[:4] == ["1", "app/**", "group:devs", "pull, push"]
    assert second[:4] == ["2", "app/secret", "everyone", "-"]
    assert berth("rule", "remove", "root", "1") == "removed rule 1\n"
    assert berth.json("rule", "remove", "default/root", "2") == {"removed": 2}
    assert berth("rule", "list", "root", "-q") == ""


def test_immutable_tags(berth: Commands) -> None:
    """Tags are made immutable by a pattern, in all repositories or some."""
    added = berth("immutable", "add", "root", "v*")
    assert added == "tags v* of ** are immutable, by pattern 1\n"
    made = berth.json("immutable", "add", "root", "*", "--repositories", "app/**")
    assert made.keys() == {"id", "registry", "repositories", "tags", "createdAt"}
    assert (made["id"], made["repositories"], made["tags"]) == (2, "app/**", "*")
    titles, first, second = rows(berth("immutable", "list", "root"))
    assert titles == ["ID", "REPOSITORIES", "TAGS", "CREATED"]
    assert (first[:3], second[:3]) == (["1", "**", "v*"], ["2", "app/**", "*"])
    assert berth("immutable", "remove", "root", "1") == "removed pattern 1\n"
    assert berth.json("immutable", "remove", "root", "2") == {"removed": 2}
    assert berth.json("immutable", "list", "root") == []


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (["registry", "show", "nowhere"], 1, "berth: registry 'nowhere' is not known"),
        (["registry", "create", "Tools"], 1, "berth: name has to be .*"),
        (["registry", "create", "again", "--prefix", ""], 1, "berth: prefix '' is already taken"),
        (
            ["registry", "create", "x", "--visibility", "secret"],
            2,
            "(?s)usage.*argument --visibility: invalid choice.*",
        ),
        (["registry", "show", "a/b", "-p", "c"], 2, "berth: a/b is in project a, and --project says c"),
        (["rule", "list", "nowhere"], 1, "berth: registry 'nowhere' is not known"),
        (["rule", "remove", "root", "7"], 1, "berth: rule '7' is not known"),
        (["rule", "remove", "root", "9" * 30], 2, "(?s)usage.*argument ID: expected a number.*"),
        (["rule", "add", "root", "a b", "--for", "everyone", "--actions", "pull"], 1, "berth: pattern has to be .*"),
        (["rule", "add", "root", "a", "--for", "everyone", "--actions", "manage"], 1, "berth: actions have to be .*"),
        (["rule", "add", "root", "a", "--for", "nobody", "--actions", "pull"], 1, "berth: subject .* is not known"),
        (["rule", "add", "root", "a", "--for", "everyone"], 2, "(?s)usage.*required: --actions"),
        (["immutable", "add", "root", "***"], 1, "berth: tags .*"),
        (["immutable", "remove", "root", "7"], 1, "berth: .* '7' is not known"),
    ],
)
def test_refusals(berth: Commands, words: list[str], code: int, reason: str) -> None:
    """What cannot be done ends with 1, what makes no sense with 2; both say why."""
    assert re.fullmatch(f"{reason}\n", berth.refused(*words, code=code))
