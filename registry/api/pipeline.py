"""What happens to every request: route → gate → handler → error to answer → headers → log and metrics."""

from __future__ import annotations

import itertools
import logging
import secrets
import time

from aiohttp import web

from registry.api.answer import Answer, NoAnswer
from registry.api.call import Call, Services, Settings
from registry.api.errors import render, render_oauth, render_unexpected, wire_of
from registry.api.forwarded import Origins
from registry.api.gate import Gate
from registry.api.jsonapi import errors as json_api
from registry.api.routing import Match, Route, Router, Style
from registry.errors import Denied, TagImmutable, Unauthorized
from registry.log import Entry, RequestLog
from registry.metrics import Metrics
from storage.errors import RegistryError

_LOG = logging.getLogger("berth.api")
_NO_ROUTE = "none"
# For the log: the client hung up before it got an answer.
_CLIENT_GONE = 499


class Pipeline:
    """The handler that the HTTP server calls. One per worker."""

    def __init__(
        self,
        routes: list[Route],
        services: Services,
        gate: Gate,
        settings: Settings,
        origins: Origins,
        log: RequestLog,
        metrics: Metrics,
    ) -> None:
        self._router = Router(routes)
        self._services, self._gate, self._settings, self._origins = services, gate, settings, origins
        self._log, self._metrics = log, metrics
        self._id_prefix, self._ids = secrets.token_hex(4), itertools.count(1)

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        started = time.perf_counter()
        call = Call(request, self._services, self._settings, self._origins, self._next_id())
        status = _CLIENT_GONE
        match: Match | None = None
        error: Exception | None = None
        try:
            try:
                match = self._router.find(request.method, _path(request))
                call.repository, call.arguments = match.repository, match.arguments
                call.session = await self._gate.enter(call, match)
                response = await self._handle(call, match)
            except RegistryError as refusal:
                error = refusal
                response = self._refuse(call, match, refusal)
            except ConnectionError:
                return NoAnswer()
            except Exception as fault:  # noqa: BLE001 - the last place that can answer for it
                error = fault
                _LOG.exception("request %s failed", call.request_id)
                response = _rendered_unexpected(call, match)
            if error is not None and call.started:
                # Better no end than a wrong one: the client must see that the answer is not whole.
                return NoAnswer()
            if not call.started:
                call.dress(response)
            status = response.status
            if isinstance(response, Answer) and request.method != "HEAD":
                call.sent += response.size
            return response
        finally:
            self._report(call, match, status, error, time.perf_counter() - started)

    async def _handle(self, call: Call, match: Match) -> web.StreamResponse:
        try:
            return await match.route.handler(call)
        except (Denied, TagImmutable) as refusal:
            # Who got past the gate may still be refused by the use case.
            self._gate.note_refusal(call, match, refusal)
            raise

    def _next_id(self) -> str:
        return f"{self._id_prefix}-{next(self._ids):x}"

    def _refuse(self, call: Call, match: Match | None, refusal: RegistryError) -> web.StreamResponse:
        if wire_of(refusal).status >= 500:
            _LOG.error("request %s failed: %s", call.request_id, refusal, exc_info=refusal.__cause__)
        answer = _rendered(call, match, refusal)
        if isinstance(refusal, Unauthorized) and match is not None:
            answer.add("WWW-Authenticate", self._gate.challenge(call, match, refusal))
        return answer

    def _report(self, call: Call, match: Match | None, status: int, error: Exception | None, seconds: float) -> None:
        request = call.request
        route = _NO_ROUTE if match is None else match.route.name
        self._metrics.observe_request(route, request.method, status, seconds, call.received, call.sent)
        entry = Entry(
            at=time.time(),
            request_id=call.request_id,
            method=request.method,
            path=request.raw_path,
            status=status,
            seconds=seconds,
            received=call.received,
            sent=call.sent,
            remote=self._origins.client(request),
            user_agent=request.headers.get("User-Agent"),
            principal=None if call.session.is_anonymous else call.session.principal.name,
            route=route,
            error=None if error is None else str(error),
        )
        self._log.write(entry)


def _style(call: Call, match: Match | None) -> Style:
    """The form of errors that clients of this part of the surface read."""
    if match is not None:
        return match.route.style
    return Style.JSON_API if call.request.raw_path.startswith("/v1/") else Style.OCI


def _rendered_unexpected(call: Call, match: Match | None) -> Answer:
    managing = _style(call, match) is Style.JSON_API
    return json_api.render_unexpected(call.request_id) if managing else render_unexpected()


def _rendered(call: Call, match: Match | None, refusal: RegistryError) -> Answer:
    style = _style(call, match)
    if style is Style.JSON_API:
        return json_api.render(refusal, call.request_id)
    return render_oauth(refusal) if style is Style.OAUTH else render(refusal)


def _path(request: web.BaseRequest) -> str:
    # A proxy may send the whole URL (RFC 9112, 3.2.2).
    return request.raw_path if request.raw_path.startswith("/") else request.rel_url.raw_path
