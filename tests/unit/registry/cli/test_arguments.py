"""How the arguments of management commands are read."""

import argparse
import time

import pytest

from auth.principals import Subject, SubjectKind
from auth.roles import Action
from registry.cli.nouns import UsageError, row_id
from registry.cli.projects import named
from registry.cli.rights import actions, actions_or_nothing, subject
from registry.cli.times import earlier, later, length

DAY_MS = 86_400_000


@pytest.mark.parametrize(
    ("text", "length_ms"),
    [("90d", 90 * DAY_MS), ("12h", DAY_MS // 2), ("30m", 1_800_000), ("2w", 14 * DAY_MS), ("1y", 365 * DAY_MS)],
)
def test_length_of_time_counts_from_now(text: str, length_ms: int) -> None:
    """A length of time counts from now, onwards for an end and backwards for a beginning."""
    now = time.time() * 1000
    assert abs(later(text) - now - length_ms) < 60_000
    assert abs(now - earlier(text) - length_ms) < 60_000


@pytest.mark.parametrize(
    ("text", "length_ms"), [("30d", 30 * DAY_MS), ("90s", 90_000), ("never", 0), ("default", None)]
)
def test_length_of_time_alone(text: str, length_ms: int | None) -> None:
    """A length of time is a number with a unit, or none at all, or what is configured."""
    assert length(text) == length_ms


@pytest.mark.parametrize("text", ["", "30", "0d", "-1d", "2027-01-31", "Never"])
def test_other_lengths_are_refused(text: str) -> None:
    """What is no length is refused; none at all is said in a word, not with a zero."""
    with pytest.raises(argparse.ArgumentTypeError, match="30d or 12h, or never, or default"):
        length(text)


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("2027-01-31", 1_801_353_600_000),
        ("2027-01-31T18:00", 1_801_418_400_000),
        ("2027-01-31T18:00:00.070Z", 1_801_418_400_070),
        ("2027-01-31T18:00:00+01:00", 1_801_414_800_000),
    ],
)
def test_dates_are_utc(text: str, at_ms: int) -> None:
    """A date is its beginning, and a time without a zone is in UTC, wherever the machine is."""
    assert later(text) == earlier(text) == at_ms


@pytest.mark.parametrize("text", ["", "tomorrow", "90", "-1d", "9" * 30 + "d", "31.1.2027", "2027-13-01"])
def test_other_times_are_refused(text: str) -> None:
    """What is neither is refused with examples of what would do."""
    with pytest.raises(argparse.ArgumentTypeError, match="90d"):
        later(text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("alice", Subject(SubjectKind.USER, "alice")),
        ("user:alice", Subject(SubjectKind.USER, "alice")),
        ("acme+ci", Subject(SubjectKind.ROBOT, "acme+ci")),
        ("robot:acme+ci", Subject(SubjectKind.ROBOT, "acme+ci")),
        ("group:devs", Subject(SubjectKind.GROUP, "devs")),
        ("everyone", Subject(SubjectKind.EVERYONE)),
    ],
)
def test_subjects(text: str, meant: Subject) -> None:
    """Users and robots may be named without saying what they are."""
    assert subject(text) == meant


@pytest.mark.parametrize("text", ["team:devs", "user:", ":alice", "everyone:alice"])
def test_other_subjects_are_refused(text: str) -> None:
    """An unknown word before the colon, or nothing after it, is refused."""
    with pytest.raises(argparse.ArgumentTypeError):
        subject(text)


def test_actions() -> None:
    """Actions are given with commas between them; `nothing` stands for none where that makes sense."""
    assert actions("push, pull") == {Action.PULL, Action.PUSH}
    assert actions_or_nothing("delete") == {Action.DELETE}
    assert actions_or_nothing("nothing") == frozenset()
    for text in ("", "nothing", "pull;push", "write"):
        with pytest.raises(argparse.ArgumentTypeError, match="pull, push, delete, manage"):
            actions(text)


@pytest.mark.parametrize("text", ["", "-1", "1_0", "1.0", "x", "9" * 19, "\u0663"])
def test_ids_are_numbers(text: str) -> None:
    """An id is a number that the store can hold."""
    with pytest.raises(argparse.ArgumentTypeError):
        row_id(text)
    assert row_id("7") == 7


@pytest.mark.parametrize(
    ("project", "name", "meant"),
    [
        (None, "main", ("default", "main")),
        ("acme", "main", ("acme", "main")),
        (None, "acme/main", ("acme", "main")),
        ("acme", "acme/main", ("acme", "main")),
    ],
)
def test_project_is_in_a_flag_or_in_the_name(project: str | None, name: str, meant: tuple[str, str]) -> None:
    """A thing of a project is named by the flag and the name, or by a name that has both."""
    assert named(argparse.Namespace(project=project), name, "/") == meant


def test_two_projects_are_a_mistake() -> None:
    """Flag and name may not speak of different projects."""
    with pytest.raises(UsageError, match="acme/main is in project acme, and --project says other"):
        named(argparse.Namespace(project="other"), "acme/main", "/")
