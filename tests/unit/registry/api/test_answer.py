"""Answers as they go over the wire."""

from email.utils import parsedate_to_datetime

import pytest
from aiohttp import HttpVersion10

from registry.api.answer import Answer, json_answer
from tests.unit.registry.api.requests import Request, send


def test_whole_answer() -> None:
    """Status, headers, length, date and body, and nothing else."""
    sent = send(Answer(200, {"Content-Type": "text/plain"}, b"body"))
    assert sent.line == "HTTP/1.1 200 OK"
    assert sent.body == b"body"
    assert sorted(sent.headers) == ["Content-Length", "Content-Type", "Date"]
    assert (sent.headers["Content-Type"], sent.headers["Content-Length"]) == ("text/plain", "4")
    assert parsedate_to_datetime(sent.headers["Date"]).tzinfo is not None


def test_repeated_headers() -> None:
    """A header that is added twice is sent twice, in order."""
    answer = Answer(201)
    answer.add("OCI-Tag", "a")
    answer.add("OCI-Tag", "b")
    assert send(answer).headers.getall("OCI-Tag") == ["a", "b"]


@pytest.mark.parametrize(("length", "expected"), [(None, "4"), (12345, "12345")])
def test_head(length: int | None, expected: str) -> None:
    """An answer to HEAD has the length of the body that GET would get, and no body."""
    sent = send(Answer(200, {}, b"body", length=length), Request("HEAD"))
    assert (sent.headers["Content-Length"], sent.body) == (expected, b"")


@pytest.mark.parametrize("status", [204, 304])
def test_bodiless_statuses(status: int) -> None:
    """Where there is never a body, there is no length either: the client must not wait for it."""
    sent = send(Answer(status, {"ETag": '"x"'}))
    assert "Content-Length" not in sent.headers
    assert (sent.headers["ETag"], sent.body) == ('"x"', b"")


@pytest.mark.parametrize("status", [202, 404, 507])
def test_empty_body(status: int) -> None:
    """Where there could be a body, the length says that there is none."""
    assert send(Answer(status)).headers["Content-Length"] == "0"


def test_connections() -> None:
    """A connection that ends says so; one of HTTP/1.0 that stays does."""
    closing = Answer()
    closing.force_close()
    assert send(closing).headers["Connection"] == "close"
    assert send(Answer(), Request(keep_alive=False)).headers["Connection"] == "close"
    assert send(Answer(), Request(version=HttpVersion10)).headers["Connection"] == "keep-alive"
    assert "Connection" not in send(Answer()).headers


@pytest.mark.parametrize("value", ["a\r\nX-Evil: b", "a\nb", "a\rb", "a\r\n\r\nbody"])
def test_header_injection(value: str) -> None:
    """A value that would become a second header, or a body, is never sent."""
    request = Request()
    with pytest.raises(ValueError, match="more than one line"):
        send(Answer(200, {"Location": value}), request)
    assert request.transport.written == b""


def test_unencodable_value() -> None:
    """What is not ASCII goes out as question marks."""
    assert send(Answer(200, {"X": "caf\u00e9"})).headers["X"] == "caf?"


def test_client_that_is_gone() -> None:
    """Nothing is written to a connection that is closing, and the caller hears of it."""
    request = Request()
    request.transport.closing = True
    with pytest.raises(ConnectionResetError):
        send(Answer(), request)
    assert request.transport.written == b""


def test_json() -> None:
    """JSON has its type without a charset, and further headers beside it."""
    sent = send(json_answer({"tags": ["é"]}, 404, {"Link": "x"}))
    assert sent.line == "HTTP/1.1 404 Not Found"
    assert (sent.headers["Content-Type"], sent.headers["Link"]) == ("application/json", "x")
    assert sent.body == '{"tags":["é"]}'.encode()
