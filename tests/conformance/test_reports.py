"""Reports show what came, whatever that is: nothing in an answer does anything to who reads it."""

import io
import json
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest

from conformance.reports.files import as_badge, as_json, as_junit
from conformance.reports.page import as_page
from conformance.reports.summary import Run
from conformance.reports.terminal import Terminal
from conformance.requirement import Category, Group, Level, Requirement, Version
from conformance.runner import Outcome, Result
from conformance.session import Scope
from conformance.shown import SHOWN_MAX, body_text, redacted
from conformance.wire import Answer

HOSTILE = 'a]]><script>alert("1")</script>\x00\x1b[2J\x9b2J\r\n\u202e\ufffe\ud800</pre><!-- \' &amp;'
SIGNED = "https://store.example/b?X-Amz-Credential=AKIA&X-Amz-Signature=c0ffee&part=1"


class Page(HTMLParser):
    """The elements of a page, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.elements.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


def result(
    outcome: Outcome,
    level: Level = Level.MUST,
    group: Group = Group.SPEC,
    text: str = HOSTILE,
    url: str = "http://here/v2/",
) -> Result:
    """A check that ended like this; whatever the registry says is the text."""
    requirement = Requirement(
        id=f"check.{outcome}.{level.lower()}",
        level=level,
        group=group,
        category=Category.PULL,
        section="Pulling blobs",
        text="A blob is what it is",
        since=Version.V1_0,
        writes=True,
        run=lambda _: None,
    )
    sent, headers = [("Authorization", "Bearer of-somebody")], [("Location", text), ("Set-Cookie", "of-somebody")]
    answer = Answer("GET", url, sent, "", 200, headers, text.encode("utf-8", "replace"))
    return Result(requirement, outcome, "" if outcome is Outcome.PASSED else redacted(text), [answer], 0.01)


def run_of(*results: Result, complete: bool = True) -> Run:
    return Run("http://here", Scope("a/one", "a/two"), "2026-01-01T00:00:00+00:00", 1.0, results, complete=complete)


EVERYTHING = run_of(*map(result, Outcome))


def test_page_shows_hostile_text_as_text() -> None:
    """Nothing that a registry says becomes an element of the page, and no control character gets there."""
    page, harmless = (Page(as_page(run_of(*(result(one, text=text) for one in Outcome)))) for text in (HOSTILE, "text"))
    assert page.elements == harmless.elements
    assert '<script>alert("1")</script>' in page.text
    assert all(one.isprintable() or one == "\n" for one in page.text)


def test_page_needs_nothing_else() -> None:
    """There is nothing to load, and nothing that runs."""
    text = as_page(EVERYTHING)
    assert "default-src 'none'" in text
    assert not any(word in text for word in ("src=", "<link", "url(", "@import", "<script"))


def test_page_begins_with_what_came_of_it() -> None:
    """First the verdict, then what failed, at last what holds."""
    text = Page(as_page(EVERYTHING)).text
    order = [text.index(part) for part in ("1 of 2 MUSTs do not hold", "What is wrong", "What holds")]
    assert order == sorted(order)


def test_junit_is_xml_whatever_comes() -> None:
    """A parser reads it, with a case for each check, and its failure with the exchange."""
    suite = ET.fromstring(as_junit(EVERYTHING))
    assert (suite.attrib["tests"], suite.attrib["failures"], suite.attrib["skipped"]) == ("5", "1", "3")
    assert len(suite.findall("testcase")) == 5
    (failure,) = suite.iter("failure")
    assert "<script>" in failure.attrib["message"]
    assert "http://here/v2/" in (failure.text or "")


def test_json_has_everything() -> None:
    """It is JSON, with each check and each exchange."""
    document = json.loads(as_json(EVERYTHING))
    assert [one["outcome"] for one in document["results"]] == list(Outcome)
    assert document["counts"]["failed"] == 1
    assert not document["conforms"]
    assert document["results"][0]["exchanges"][0]["status"] == 200


@pytest.mark.parametrize("report", [as_page, as_junit, as_json])
def test_secrets_are_not_shown(report: object) -> None:
    """Neither credentials, nor cookies, nor what signs a URL."""
    assert callable(report)
    text = report(run_of(result(Outcome.FAILED, text=f"see {SIGNED}", url=SIGNED)))
    assert not any(secret in text for secret in ("of-somebody", "AKIA", "c0ffee"))
    assert "part=1" in text


@pytest.mark.parametrize("screen", [io.StringIO, Screen])
def test_terminal_is_safe(screen: type[io.StringIO], capsys: pytest.CaptureFixture[str]) -> None:
    """Only colors are sent to a terminal, and to a file or a pipe no control character at all."""
    out = screen()
    Terminal(out, 5, verbose=False).finish(EVERYTHING)
    Terminal(out, 5, verbose=True).finish(EVERYTHING)
    shown = out.getvalue()
    plain = shown.replace("\x1b[0m", "")
    for color in ("1", "2", "32", "33", "36", "31;1", "32;1"):
        plain = plain.replace(f"\x1b[{color}m", "")
    assert all(one.isprintable() or one == "\n" for one in plain)
    assert (plain != shown) == (screen is Screen)
    assert "1 of 2 MUSTs do not hold: 1 of spec." in plain


def test_progress_goes_to_a_terminal_alone(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal it is one line, erased at the end; elsewhere there is none, and what is left is told in a line."""
    monkeypatch.setattr("sys.stderr", screen := Screen())
    terminal = Terminal(io.StringIO(), 2)
    terminal.done(result(Outcome.FAILED))
    terminal.cleaning()
    terminal.cleaned("1 blob could not be removed")
    assert screen.getvalue().split("\r\x1b[K") == [
        "",
        "1/2 checks, 1 failed: check.failed.must",
        "removing what was pushed",
        "",
        "1 blob could not be removed\n",
    ]
    monkeypatch.setattr("sys.stderr", pipe := io.StringIO())
    terminal = Terminal(io.StringIO(), 2)
    terminal.done(result(Outcome.FAILED))
    terminal.cleaning()
    terminal.cleaned("1 blob could not be removed")
    assert pipe.getvalue() == "1 blob could not be removed\n"


@pytest.mark.parametrize(
    ("run", "verdict", "badge"),
    [
        (run_of(result(Outcome.PASSED)), "all 1 MUSTs that could be judged hold", "conforms"),
        (run_of(result(Outcome.PASSED), complete=False), "all 1 MUSTs that could be judged hold", "1 checks hold"),
        (run_of(result(Outcome.SKIPPED)), "nothing could be judged", "not judged"),
        (run_of(result(Outcome.FAILED), result(Outcome.PASSED)), "1 of 2 MUSTs do not hold: 1 of spec", "1 of 2 fail"),
        (
            run_of(result(Outcome.FAILED), result(Outcome.FAILED, group=Group.CLIENTS)),
            "2 of 2 MUSTs do not hold: 1 of spec, 1 of clients",
            "2 of 2 fail",
        ),
        (
            run_of(result(Outcome.PASSED), result(Outcome.WARNED, Level.SHOULD)),
            "all 1 MUSTs that could be judged hold",
            "conforms",
        ),
    ],
)
def test_verdict_says_no_more_than_was_seen(run: Run, verdict: str, badge: str) -> None:
    """Only a whole run without a failed MUST conforms, and one that judged nothing does not."""
    assert run.verdict == verdict
    assert run.conforms == (badge in {"conforms", "1 checks hold"})
    assert ET.fromstring(as_badge(run)).attrib["aria-label"] == f"OCI distribution 1.1: {badge}"


def test_long_bodies_are_cut() -> None:
    """Of text its beginning is shown, of other bytes some digits, and how much there was; no letter is cut in two."""
    assert body_text(b"short") == "short"
    assert body_text(b'{"token": "of-somebody", "a": 1}') == '{"token": "(secret)", "a": 1}'
    assert body_text(b"x" * 5000) == "x" * SHOWN_MAX + "… (5000 bytes)"
    assert body_text(("x" + "ä" * 5000).encode()).startswith("xä")
    assert body_text(b"\xff\xfe") == "(2 bytes, no text: fffe)"
    assert body_text(b"\xff" * 100) == f"(100 bytes, no text: {'ff' * 32}…)"
