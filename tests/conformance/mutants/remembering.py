"""Faults of registries that remember too much, or not enough."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable

from tests.conformance.mutants.messages import Reply, Request
from tests.conformance.mutants.proxy import Handler, Proxy
from tests.conformance.mutants.rules import Asked, Fault

Key = Callable[[Request], object]


def by_path(request: Request) -> object:
    return request.method, request.path


def first_answer(when: Asked, key: Key = by_path) -> Fault:
    """Whoever asks once more gets the first answer that was a success: a cache that is never cleared."""

    def make() -> Handler:
        kept: dict[object, Reply] = {}

        async def handle(request: Request, proxy: Proxy) -> Reply:
            if not when(request):
                return await proxy.ask(request)
            found = kept.get(key(request))
            if found is None:
                found = await proxy.ask(request)
                if found.status == 200:
                    kept[key(request)] = found
            return found.copy()

        return handle

    return make


def remembered_misses(when: Asked, key: Key = by_path) -> Fault:
    """What was not there when somebody asked is not there for good."""

    def make() -> Handler:
        missed: dict[object, Reply] = {}

        async def handle(request: Request, proxy: Proxy) -> Reply:
            if not when(request):
                return await proxy.ask(request)
            if key(request) in missed:
                return missed[key(request)].copy()
            reply = await proxy.ask(request)
            if reply.status == 404:
                missed[key(request)] = reply.copy()
            return reply

        return handle

    return make


def from_elsewhere(when: Asked) -> Fault:
    """What is not in a repository is looked for in all that have been pushed to."""

    def make() -> Handler:
        where: dict[str, set[str]] = defaultdict(set)

        async def handle(request: Request, proxy: Proxy) -> Reply:
            reply = await proxy.ask(request)
            if reply.status == 201:
                for reference in _pushed(request):
                    where[reference].add(request.name)
            if reply.status != 404 or not when(request):
                return reply
            for name in where[request.reference]:
                there = request.to(request.target.replace(f"/v2/{request.name}/", f"/v2/{name}/"))
                found = await proxy.ask_as_owner(there)
                if found.status == 200:
                    return found
            return reply

        return handle

    return make


def _pushed(request: Request) -> list[str]:
    """What a request that succeeded has pushed."""
    digest = request.query.get("digest") or request.query.get("mount")
    if digest is not None:
        return [digest]
    return [request.reference, f"sha256:{hashlib.sha256(request.body).hexdigest()}"]


def once_more(when: Asked, reply: Callable[[Request, Reply], Reply], key: Key = by_path) -> Fault:
    """From the second time on that the same is asked, and was a success before, it is answered in another way."""

    def make() -> Handler:
        seen: set[object] = set()

        async def handle(request: Request, proxy: Proxy) -> Reply:
            found = await proxy.ask(request)
            if not when(request) or found.status >= 400:
                return found
            if key(request) in seen:
                return reply(request, found)
            seen.add(key(request))
            return found

        return handle

    return make


def also(when: Asked, more: Callable[[Request, Proxy], object]) -> Fault:
    """What is asked for is done, and something else besides."""

    def make() -> Handler:
        async def handle(request: Request, proxy: Proxy) -> Reply:
            reply = await proxy.ask(request)
            if when(request) and reply.status < 300:
                await more(request, proxy)  # type: ignore[misc]
            return reply

        return handle

    return make
