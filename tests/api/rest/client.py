"""A client of `/v1`, and what it expects of every answer."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from tests.api.server import Answer, Body, Registry

JSON_API = "application/vnd.api+json"

Attributes = Mapping[str, object]


@dataclass(frozen=True)
class Client:
    """Somebody with a name and a password or token; without a name nobody in particular."""

    registry: Registry = field(repr=False)
    name: str = ""
    secret: str = field(default="", repr=False)

    async def ask(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: Body = b""
    ) -> Answer:
        """Send one request and read the whole answer, which nobody may keep."""
        answer = await self.registry.ask(method, path, headers={**self.login(), **(headers or {})}, body=body)
        assert answer.headers["Cache-Control"] == "no-store", answer
        return answer

    async def get(self, path: str) -> Answer:
        return await self.ask("GET", path)

    async def delete(self, path: str) -> Answer:
        return await self.ask("DELETE", path)

    async def send(self, method: str, path: str, kind: str, attributes: Attributes, **data: object) -> Answer:
        """Send a document of this type; `data` are further members of its data."""
        document = {"data": {"type": kind, "attributes": attributes, **data}}
        return await self.ask(method, path, headers={"Content-Type": JSON_API}, body=orjson.dumps(document))

    async def post(self, path: str, kind: str, attributes: Attributes) -> Answer:
        return await self.send("POST", path, kind, attributes)

    async def patch(self, path: str, kind: str, attributes: Attributes) -> Answer:
        return await self.send("PATCH", path, kind, attributes)

    async def put(self, path: str, kind: str, attributes: Attributes) -> Answer:
        return await self.send("PUT", path, kind, attributes)

    def login(self) -> dict[str, str]:
        """The headers that say who asks."""
        if not self.name:
            return {}
        return {"Authorization": "Basic " + base64.b64encode(f"{self.name}:{self.secret}".encode()).decode()}


def data_of(answer: Answer, status: int = 200) -> Any:
    """The data of a successful answer, which have to be in a document of JSON:API."""
    assert answer.status == status, answer.body
    assert answer.headers["Content-Type"] == JSON_API
    document = answer.json()
    assert set(document) <= {"data", "links"}
    resources = document["data"] if isinstance(document["data"], list) else [document["data"]]
    for resource in resources:
        assert {"type", "id", "attributes"} <= set(resource) <= {"type", "id", "attributes", "relationships", "links"}
        assert isinstance(resource["id"], str)
    return document["data"]


def attributes_of(answer: Answer, status: int = 200) -> dict[str, Any]:
    """The attributes of the one resource in a successful answer."""
    attributes: dict[str, Any] = data_of(answer, status)["attributes"]
    return attributes


def created(answer: Answer) -> dict[str, Any]:
    """The resource that was created, which says itself where it is."""
    resource: dict[str, Any] = data_of(answer, 201)
    assert answer.headers["Location"] == resource["links"]["self"]
    return resource


def ids_of(answer: Answer) -> list[str]:
    """The ids of what is on a page, in its order."""
    return [resource["id"] for resource in data_of(answer)]


def done(answer: Answer) -> None:
    """An answer that says no more than that something was done."""
    assert answer.status == 204, answer.body
    assert answer.body == b""


def codes_of(answer: Answer, status: int) -> list[str]:
    """The codes of a refusal, which has to have the form of JSON:API's errors."""
    return [code for code, _ in problems_of(answer, status)]


def problems_of(answer: Answer, status: int) -> list[tuple[str, str | None]]:
    """Codes, and pointers or parameters, of a refusal."""
    assert answer.status == status, answer.body
    assert answer.headers["Content-Type"] == JSON_API
    document = answer.json()
    assert set(document) == {"meta", "errors"}, document
    assert document["meta"] == {"id": answer.headers["X-Request-Id"]}
    return [_problem(error) for error in document["errors"]]


def _problem(error: dict[str, Any]) -> tuple[str, str | None]:
    assert {"title", "detail", "code"} <= set(error) <= {"title", "detail", "code", "source"}, error
    assert error["title"], error
    assert error["detail"], error
    source = error.get("source", {})
    assert len(source) <= 1, error
    return error["code"], source.get("pointer", source.get("parameter"))
