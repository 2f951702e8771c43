"""Documents that clients send: `{"data": {"type": …, "id": …, "attributes": {…}}}`."""

from __future__ import annotations

import re
from types import TracebackType
from typing import Any, Self, TypeVar, cast

import orjson

from registry.api.call import Call
from registry.api.jsonapi.problems import (
    DOCUMENT_BYTES_MAX,
    DocumentTooLarge,
    MalformedRequest,
    MediaTypeUnsupported,
    Problem,
)
from registry.api.jsonapi.values import Reader

T = TypeVar("T")
D = TypeVar("D")

MEDIA_TYPE = "application/vnd.api+json"
JSON = "application/json"

_NAME_MAX = 100
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class Attributes:
    """What a client sent as the attributes of one resource, to be read inside a `with` block.

    At the end of the block `MalformedRequest` is raised if something was wrong, or was sent that nobody asked for: so
    the client learns of everything at once. What was read may be used after the block only.
    """

    def __init__(self, sent: dict[str, Any], problems: list[Problem]) -> None:
        self._sent, self._problems = sent, problems
        self._asked: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            return
        self._problems += [_unknown("/data/attributes", name) for name in self._sent if name not in self._asked]
        if self._problems:
            raise MalformedRequest(self._problems)

    def take(self, name: str, read: Reader[T]) -> T:
        """An attribute that has to be there."""
        if name not in self._sent:
            self._asked.add(name)
            self._add(name, "MISSING", "is missing")
            return cast("T", None)
        return self._read(name, read)

    def find(self, name: str, read: Reader[T], absent: D) -> T | D:
        """An attribute that may be left out; `absent` is what it is then."""
        self._asked.add(name)
        return self._read(name, read) if name in self._sent else absent

    def has(self, name: str) -> bool:
        """Whether the attribute was sent, null or not."""
        return name in self._sent

    def has_null(self, name: str) -> bool:
        """Whether the attribute was sent as null, which is not the same as leaving it out."""
        return name in self._sent and self._sent[name] is None

    def _read(self, name: str, read: Reader[T]) -> T:
        self._asked.add(name)
        try:
            return read(self._sent[name])
        except ValueError as error:
            self._add(name, "INVALID", str(error))
            return cast("T", None)

    def _add(self, name: str, code: str, reason: str) -> None:
        self._problems.append(Problem(f"{code_word(name)}_{code}", f"{name} {reason}", f"/data/attributes/{name}"))


async def read_document(call: Call, kind: str, identity: str | None = None) -> Attributes:
    """The attributes in the request's body, of a resource of this type.

    `identity` is the id that the document may repeat, where the resource is one that the path names.
    Raises `MediaTypeUnsupported`, `DocumentTooLarge` and `MalformedRequest`.
    """
    request = call.request
    if request.can_read_body:
        expect_media_type(request.headers.get("Content-Type", ""))
    if (request.content_length or 0) > DOCUMENT_BYTES_MAX:
        raise DocumentTooLarge
    body = bytearray()
    async for data in call.content():
        if len(body) + len(data) > DOCUMENT_BYTES_MAX:
            raise DocumentTooLarge
        body += data
    return parse_document(bytes(body), kind, identity)


def expect_media_type(header: str) -> None:
    """JSON:API, which may have profiles and no other parameters, or JSON. Raises `MediaTypeUnsupported`."""
    media_type, *parameters = (part.strip().lower() for part in header.split(";"))
    if media_type == JSON or (media_type == MEDIA_TYPE and all(part.startswith("profile=") for part in parameters)):
        return
    raise MediaTypeUnsupported(header)


def parse_document(body: bytes, kind: str, identity: str | None = None) -> Attributes:
    """As `read_document`, from bytes. Raises `MalformedRequest` where there are no attributes to look into."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _malformed("", f"the document is not JSON: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("data"), dict):
        raise _malformed("/data" if isinstance(document, dict) else "", 'the document has to be {"data": {…}}')
    data = document["data"]
    attributes = data.get("attributes", {})
    if not isinstance(attributes, dict):
        raise _malformed("/data/attributes", "attributes has to be an object")
    problems = [_unknown("", name) for name in document if name != "data"]
    known = {"type", "attributes"} | ({"id"} if identity is not None else set())
    problems += [_unknown("/data", name) for name in data if name not in known]
    if data.get("type") != kind:
        problems.append(Problem("TYPE_INVALID", f"type has to be {kind!r}", "/data/type"))
    if identity is not None and data.get("id", identity) != identity:
        problems.append(Problem("ID_INVALID", f"id has to be {identity!r}, as in the path", "/data/id"))
    return Attributes(attributes, problems)


def code_word(attribute: str) -> str:
    """An attribute's name as the beginning of a code: SYSTEM_ROLE for systemRole."""
    return _CAPITAL.sub("_", attribute).upper()


def _malformed(pointer: str, detail: str) -> MalformedRequest:
    return MalformedRequest([Problem("DOCUMENT_INVALID", detail, pointer)])


def _unknown(parent: str, name: str) -> Problem:
    name = name[:_NAME_MAX]
    escaped = name.replace("~", "~0").replace("/", "~1")
    return Problem("MEMBER_UNKNOWN", f"{name} is not known here", f"{parent}/{escaped}")
