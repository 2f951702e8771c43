"""Resources, and the answers that carry them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import orjson

from registry.api.answer import Answer
from registry.api.call import Call
from registry.api.jsonapi.documents import JSON, MEDIA_TYPE

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Relation:
    """Something else, at `path`; one resource where `type` and `id` say which, else a list."""

    path: str
    type: str | None = None
    id: str | None = None

    def render(self) -> Json:
        rendered: Json = {"links": {"related": self.path}}
        if self.type is not None:
            rendered["data"] = {"type": self.type, "id": self.id}
        return rendered


@dataclass(frozen=True, slots=True)
class Resource:
    """What a client sees of something. `id` is unique among its `type`; `path` is its address, if it has one."""

    type: str
    id: str
    path: str | None
    attributes: Mapping[str, object]
    relations: Mapping[str, Relation] = field(default_factory=dict)

    def render(self) -> Json:
        rendered: Json = {"type": self.type, "id": self.id, "attributes": self.attributes}
        if self.relations:
            rendered["relationships"] = {name: relation.render() for name, relation in self.relations.items()}
        if self.path is not None:
            rendered["links"] = {"self": self.path}
        return rendered


def path(*parts: object) -> str:
    """The path below `/v1` that these names lead to."""
    return "/v1/" + "/".join(quote(str(part), safe=":+@") for part in parts)


def one(call: Call, resource: Resource) -> Answer:
    return document_answer(call, {"data": resource.render()})


def created(call: Call, resource: Resource) -> Answer:
    answer = document_answer(call, {"data": resource.render()}, 201)
    if resource.path is not None:
        answer.add("Location", call.url(resource.path))
    return answer


def nothing() -> Answer:
    """What was asked for is done, and there is nothing to say about it."""
    return Answer(204, {"Cache-Control": "no-store"})


def document_answer(call: Call, document: Json, status: int = 200) -> Answer:
    """A whole document, as JSON:API unless the client asked for plain JSON."""
    headers = {"Content-Type": media_type(call.request.headers.get("Accept", "")), "Cache-Control": "no-store"}
    return Answer(status, headers, orjson.dumps(document))


def media_type(accept: str) -> str:
    """In which of the two media types an answer to a request with this Accept header is."""
    accepted = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    return JSON if JSON in accepted and MEDIA_TYPE not in accepted else MEDIA_TYPE
