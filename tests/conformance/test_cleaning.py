"""Cleaning up after a run, against a registry that is made up."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from conformance.cleaning import clean_up
from conformance.login import Login
from conformance.requirement import Category, Group, Level, Requirement, Version
from conformance.runner import Outcome, Result, Watcher, run
from conformance.session import Litter, Scope, Session
from conformance.wire import Target, Wire

SCOPE = Scope("a/one", "a/two")
Answers = Callable[[str, list[str]], int]


@contextmanager
def registry(answers: Answers) -> Iterator[tuple[Wire, list[str]]]:
    """A registry that answers to requests for paths as it is told, and what it was asked to delete."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_DELETE(self) -> None:
            status = answers(self.path, asked)
            asked.append(self.path)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        wire = Wire(Target(f"http://127.0.0.1:{server.server_port}"))
        try:
            yield wire, asked
        finally:
            wire.close()
            server.shutdown()
            thread.join()


def cleaned(answers: Answers, litter: Litter) -> tuple[str, list[str]]:
    """What is left, and what was asked for."""
    with registry(answers) as (wire, asked):
        login = Login(wire, SCOPE.credentials)
        return clean_up(lambda: Session(wire, SCOPE, login, litter), litter, 2), asked


def litter() -> Litter:
    return Litter(
        manifests=[("a/one", "sha256:child"), ("a/one", "sha256:index"), ("a/one", "sha256:child")],
        blobs=[("a/one", "sha256:x"), ("a/two", "sha256:y")],
        uploads=["/v2/a/one/blobs/uploads/1"],
    )


def test_everything_is_deleted_once() -> None:
    """Uploads, then manifests, then blobs; what is gone already, or has ended, is fine."""
    left, asked = cleaned(lambda path, _: 400 if "uploads" in path else 404 if "sha256:y" in path else 202, litter())
    assert left == ""
    assert asked[0] == "/v2/a/one/blobs/uploads/1"
    assert set(asked[1:3]) == {"/v2/a/one/manifests/sha256:index", "/v2/a/one/manifests/sha256:child"}
    assert set(asked[3:]) == {"/v2/a/one/blobs/sha256:x", "/v2/a/two/blobs/sha256:y"}


def test_what_another_one_needs_goes_after_it() -> None:
    """A registry may refuse to delete what is still needed; then it is asked once more."""

    def answers(path: str, asked: list[str]) -> int:
        return 409 if path.endswith("child") and path not in asked else 202

    assert cleaned(answers, litter())[0] == ""


def test_what_is_left_is_told() -> None:
    """In one sentence, with how much of what, and why."""
    left, _ = cleaned(lambda path, _: 403 if "manifests" in path else 202, litter())
    assert left == "2 manifests could not be removed: DELETE answered 403"


def test_who_deletes_nothing_is_not_asked_for_ever() -> None:
    """After some refusals, and nothing that was removed, the rest of a kind is left."""
    many = Litter(manifests=[("a/one", f"sha256:{number}") for number in range(100)], blobs=[("a/one", "sha256:x")])
    left, asked = cleaned(lambda *_: HTTPStatus.METHOD_NOT_ALLOWED, many)
    assert left == "100 manifests and 1 blob could not be removed: DELETE answered 405"
    assert len(asked) < 30


class Notes(Watcher):
    """What a watcher hears."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def interrupted(self) -> None:
        self.heard.append("interrupted")

    def cleaning(self) -> None:
        self.heard.append("cleaning")

    def cleaned(self, left: str) -> None:
        self.heard.append(f"left {left!r}")


def check(identifier: str, judge: Callable[[Session], None], level: Level = Level.MUST) -> Requirement:
    return Requirement(
        identifier, level, Group.SPEC, Category.PUSH, "Push", "It is so", Version.V1_0, writes=True, run=judge
    )


def test_interrupted_run_cleans_up() -> None:
    """Checks that have not begun never do, those that have end first, and what they pushed is removed."""
    late: list[str] = []
    begun = threading.Event()

    def push(session: Session) -> None:
        session.litter.blobs.append(("a/one", "sha256:x"))

    def take_long(session: Session) -> None:
        begun.set()
        time.sleep(0.2)
        session.litter.blobs.append(("a/one", "sha256:y"))

    class Impatient(Notes):
        def done(self, result: Result) -> None:
            begun.wait(5)
            raise KeyboardInterrupt

    watcher = Impatient()
    checks = [check("push", push), check("long", take_long), check("late", lambda _: late.append("begun"))]
    with registry(lambda *_: 202) as (wire, asked), pytest.raises(KeyboardInterrupt):
        run(checks, wire.target, SCOPE, 1, watcher)
    assert sorted(asked) == ["/v2/a/one/blobs/sha256:x", "/v2/a/one/blobs/sha256:y"]
    assert watcher.heard == ["interrupted", "cleaning", "left ''"]
    assert late == []


def test_answers_that_nobody_has_thought_of_end_one_check_alone() -> None:
    """What a check stumbles over counts as what the registry did, and the run goes on."""

    def stumble(session: Session) -> None:
        raise RecursionError("too deep")

    checks = [check("one", stumble), check("two", stumble, Level.SHOULD), check("three", lambda _: None)]
    results = run(checks, Target("http://127.0.0.1:9"), SCOPE, 1)
    assert [one.outcome for one in results] == [Outcome.FAILED, Outcome.WARNED, Outcome.PASSED]
    assert results[0].message == "an answer could not be understood: RecursionError: too deep"
