"""Pulls of manifests, for the audit log of those who want them in it."""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from registry.api.call import Call
from registry.api.refusals import project_of, target_of
from registry.api.routing import Route
from registry.api.v2.manifests import get_manifest
from registry.domain.logins import LoginLog


def with_audited_pulls(routes: list[Route], log: LoginLog) -> list[Route]:
    """The same routes, but that every manifest that is sent is recorded.

    Neither HEAD nor an answer that the client has it already sends one.
    """

    async def get_audited_manifest(call: Call) -> web.StreamResponse:
        answer = await get_manifest(call)
        if answer.status == 200 and call.request.method == "GET":
            log.pulled(call.actor, target_of(call), project_of(call))
        return answer

    return [
        replace(route, handler=get_audited_manifest) if route.handler is get_manifest else route for route in routes
    ]
