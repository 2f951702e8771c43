"""The words in which faults are told: where one happens, and what it does to a request or an answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.conformance.mutants.messages import Reply, Request
from tests.conformance.mutants.proxy import Handler, Proxy, RawHandler, faithful, untouched

When = Callable[[Request, Reply], bool]
Asked = Callable[[Request], bool]
Then = Callable[[Request, Reply], None]
Fault = Callable[[], Handler]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A registry with one fault.

    Attributes:
        name: what it does wrong.
        named: the ids of requirements that have to be named, each with a part of what is said of it.
        fault: makes what answers requests, with a memory of its own.
        raw: what answers requests that are no proper HTTP.
        spared: ids of requirements that it fulfils all the same.
        timeout_s: how long an answer may take.
    """

    name: str
    named: Mapping[str, str]
    fault: Fault = lambda: faithful
    raw: RawHandler = untouched
    spared: Sequence[str] = ()
    timeout_s: float = 20.0


# Where.


def on(routes: str, methods: str = "GET HEAD", status: int = 0, asked: Asked = lambda _: True) -> When:
    """Answers of these routes to requests of these methods, with this status if one is given."""

    def when(request: Request, reply: Reply) -> bool:
        fits = request.route in routes.split() and request.method in methods.split()
        return fits and status in {0, reply.status} and asked(request)

    return when


def asks(routes: str, methods: str = "GET HEAD", asked: Asked = lambda _: True) -> Asked:
    """Requests of these methods to these routes."""
    return lambda request: request.route in routes.split() and request.method in methods.split() and asked(request)


def with_query(*names: str) -> Asked:
    """Requests with all of these parameters."""
    return lambda request: set(names) <= set(request.query)


def with_header(name: str, part: str = "") -> Asked:
    """Requests with this header, which contains this part."""
    return lambda request: part in (request.header(name) or "") and request.header(name) is not None


def by_digest(request: Request) -> bool:
    return request.is_by_digest


def by_tag(request: Request) -> bool:
    return not request.is_by_digest


def both(*conditions: Asked) -> Asked:
    """Requests that fulfil all of these."""
    return lambda request: all(condition(request) for condition in conditions)


def sends(part: bytes) -> Asked:
    """Requests whose body contains this part."""
    return lambda request: part in request.body


# What.


def status(number: int) -> Then:
    def then(request: Request, reply: Reply) -> None:
        reply.status = number

    return then


def becomes(number: int, content: bytes) -> Then:
    """Another answer altogether."""

    def then(request: Request, reply: Reply) -> None:
        reply.status, reply.body = number, content

    return then


def header(name: str, value: str | Callable[[Request, Reply], str | None]) -> Then:
    """Set a header of the answer."""

    def then(request: Request, reply: Reply) -> None:
        reply.set(name, value if isinstance(value, str) else value(request, reply))

    return then


def without(name: str) -> Then:
    """Lose a header of the answer."""
    return header(name, lambda *_: None)


def body(change: Callable[[bytes], bytes]) -> Then:
    """Change the body of the answer; HEAD has none."""

    def then(request: Request, reply: Reply) -> None:
        if request.method != "HEAD":
            reply.body = change(reply.body)

    return then


def document(change: Callable[[dict[str, Any]], object]) -> Then:
    """Change the JSON object that is the body of the answer."""

    def then(request: Request, reply: Reply) -> None:
        found = json.loads(reply.body)
        change(found)
        reply.body = json.dumps(found).encode()

    return then


def error(number: int, code: str) -> Reply:
    """An answer that refuses a request."""
    content = json.dumps({"errors": [{"code": code, "message": "no"}]}).encode()
    return Reply(number, [("Content-Type", "application/json")], content)


def created(request: Request) -> Reply:
    """An answer that says that a blob was created."""
    return Reply(201, [("Location", f"/v2/{request.name}/blobs/{request.query['digest']}")])


# How.


def answers(when: When, *changes: Then) -> Fault:
    """Answers are changed."""

    def make() -> Handler:
        async def handle(request: Request, proxy: Proxy) -> Reply:
            reply = await proxy.ask(request)
            if when(request, reply):
                for change in changes:
                    change(request, reply)
            return reply

        return handle

    return make


def instead(when: Asked, reply: Callable[[Request], Reply]) -> Fault:
    """Requests are not carried out, but answered in this way."""

    def make() -> Handler:
        async def handle(request: Request, proxy: Proxy) -> Reply:
            return reply(request) if when(request) else await proxy.ask(request)

        return handle

    return make


def refuses(when: Asked, number: int, code: str) -> Fault:
    """Requests are refused."""
    return instead(when, lambda _: error(number, code))


def takes_for(when: Asked, change: Callable[[Request], Request]) -> Fault:
    """Requests are taken for other ones."""

    def make() -> Handler:
        async def handle(request: Request, proxy: Proxy) -> Reply:
            return await proxy.ask(change(request) if when(request) else request)

        return handle

    return make


def lets_in(when: When) -> Fault:
    """Where these answers refuse somebody, that is done which was asked for."""

    def make() -> Handler:
        async def handle(request: Request, proxy: Proxy) -> Reply:
            reply = await proxy.ask(request)
            return await proxy.ask_as_owner(request) if when(request, reply) else reply

        return handle

    return make
