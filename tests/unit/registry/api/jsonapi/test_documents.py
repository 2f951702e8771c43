"""Documents that clients send."""

import json
from typing import Any

import pytest

from registry.api.jsonapi.documents import Attributes, code_word, expect_media_type, parse_document
from registry.api.jsonapi.problems import MalformedRequest, MediaTypeUnsupported, Problem
from registry.api.jsonapi.values import flag, text


def sent(attributes: object, **members: object) -> bytes:
    """A document of type `things`, with further members of its data."""
    return json.dumps({"data": {"type": "things", "attributes": attributes, **members}}).encode()


def read(body: bytes, identity: str | None = None) -> dict[str, Any]:
    """What a handler reads that wants a name, and takes a color and whether the thing is round."""
    with parse_document(body, "things", identity) as attributes:
        return {
            "name": attributes.take("name", text),
            "color": attributes.find("color", text, "red"),
            "round": attributes.find("round", flag, None),
        }


def problems(body: bytes, identity: str | None = None) -> list[tuple[str, str | None]]:
    """Codes and pointers of what is wrong with the document."""
    with pytest.raises(MalformedRequest) as raised:
        read(body, identity)
    assert all(problem.detail for problem in raised.value.problems)
    return [(problem.code, problem.pointer) for problem in raised.value.problems]


def test_attributes() -> None:
    """What was sent is read; what was not is what the handler says."""
    assert read(sent({"name": "a", "round": True})) == {"name": "a", "color": "red", "round": True}


def test_identity_may_be_repeated() -> None:
    """The id of the path may be in the document too."""
    assert read(sent({"name": "a"}, id="x"), identity="x")["name"] == "a"
    assert read(sent({"name": "a"}), identity="x")["name"] == "a"


NOT_DOCUMENTS = [
    (b"", ""),
    (b"{", ""),
    (b"null", ""),
    (b"[]", ""),
    (b'"text"', ""),
    (b"\xff", ""),
    (b'{"data": "\\ud800"}', ""),
    (b"[" * 100_000, ""),
    (b"{}", "/data"),
    (b'{"data": null}', "/data"),
    (b'{"data": []}', "/data"),
    (b'{"data": {"type": "things", "attributes": null}}', "/data/attributes"),
    (b'{"data": {"type": "things", "attributes": []}}', "/data/attributes"),
]


@pytest.mark.parametrize(("body", "pointer"), NOT_DOCUMENTS)
def test_no_document(body: bytes, pointer: str) -> None:
    """What is no document is refused, with where it begins to be none."""
    assert problems(body) == [("DOCUMENT_INVALID", pointer)]


def test_everything_wrong_is_told_at_once() -> None:
    """A client need not ask again and again to learn what is wrong."""
    body = {"data": {"type": "stuff", "id": "x", "attributes": {"color": 1, "size": 2}}, "meta": {}}
    assert problems(json.dumps(body).encode()) == [
        ("MEMBER_UNKNOWN", "/meta"),
        ("MEMBER_UNKNOWN", "/data/id"),
        ("TYPE_INVALID", "/data/type"),
        ("NAME_MISSING", "/data/attributes/name"),
        ("COLOR_INVALID", "/data/attributes/color"),
        ("MEMBER_UNKNOWN", "/data/attributes/size"),
    ]


def test_attributes_may_be_left_out() -> None:
    """Without attributes those that are needed are missing, and no others."""
    assert problems(b'{"data": {"type": "things"}}') == [("NAME_MISSING", "/data/attributes/name")]


def test_type_is_needed() -> None:
    """A document says of what type it is."""
    assert problems(b'{"data": {"attributes": {"name": "a"}}}') == [("TYPE_INVALID", "/data/type")]


@pytest.mark.parametrize("identity", ["y", 1, None, ["x"]])
def test_other_identity(identity: object) -> None:
    """A document about something else than the path is refused."""
    assert problems(sent({"name": "a"}, id=identity), identity="x") == [("ID_INVALID", "/data/id")]


def test_pointers_are_escaped_and_bounded() -> None:
    """A pointer leads to what was sent, however that is named, and does not grow with it."""
    ((_, pointer),) = problems(sent({"name": "a", "a/b~c": 1}))
    assert pointer == "/data/attributes/a~1b~0c"
    ((_, long),) = problems(sent({"name": "a", "x" * 10_000: 1}))
    assert long is not None
    assert len(long) < 200


def test_few_of_many_problems_are_told() -> None:
    """An answer stays small however much is wrong."""
    assert len(problems(sent({f"x{number}": 1 for number in range(5000)}))) == 20


def test_null_is_told_from_absence() -> None:
    """A handler can take null as a wish to take something away."""
    attributes = Attributes({"a": None}, [])
    assert attributes.has_null("a")
    assert not attributes.has_null("b")


def test_errors_inside_the_block_are_not_replaced() -> None:
    """What goes wrong for another reason while attributes are read is not hidden by what they lack."""
    with pytest.raises(ZeroDivisionError), Attributes({"name": 1}, [Problem("X", "x")]) as attributes:
        attributes.take("name", lambda _: 1 / 0)


@pytest.mark.parametrize(
    "header",
    [
        "application/vnd.api+json",
        "application/json",
        "Application/JSON; charset=utf-8",
        'application/vnd.api+json; profile="https://example.com/a b"',
        "application/vnd.api+json;profile=x",
    ],
)
def test_accepted_media_types(header: str) -> None:
    """JSON:API, with profiles, and JSON are accepted."""
    expect_media_type(header)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/vnd.api+json; charset=utf-8",
        'application/vnd.api+json; ext="https://jsonapi.org/ext/atomic"',
        "application/jsonx",
    ],
)
def test_refused_media_types(header: str) -> None:
    """Anything else is not, among it what a form of a web page can send without being allowed to."""
    with pytest.raises(MediaTypeUnsupported, match=r"application/vnd\.api\+json"):
        expect_media_type(header)


def test_media_type_error_is_bounded() -> None:
    """However long the header, little of it comes back."""
    with pytest.raises(MediaTypeUnsupported) as raised:
        expect_media_type("x" * 10_000)
    assert len(str(raised.value)) < 300


@pytest.mark.parametrize(
    ("attribute", "word"), [("name", "NAME"), ("systemRole", "SYSTEM_ROLE"), ("expiresAt", "EXPIRES_AT")]
)
def test_code_words(attribute: str, word: str) -> None:
    """Codes are in capitals, as all codes are."""
    assert code_word(attribute) == word
