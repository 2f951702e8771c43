"""What happens to every request: route → authorize → handler → error to answer → headers → log and metrics."""

from __future__ import annotations

import itertools
import logging
import secrets
import time

from aiohttp import web

from registry.api.answer import Answer, NoAnswer
from registry.api.call import Call, Services, Settings
from registry.api.errors import render, render_unexpected, wire_of
from registry.api.forwarded import Origins
from registry.api.routing import Match, Route, Router
from registry.errors import NameUnknown
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
        settings: Settings,
        origins: Origins,
        log: RequestLog,
        metrics: Metrics,
    ) -> None:
        self._router = Router(routes)
        self._services, self._settings, self._origins = services, settings, origins
        self._log, self._metrics = log, metrics
        self._id_prefix, self._ids = secrets.token_hex(4), itertools.count(1)

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        started = time.perf_counter()
        call = Call(request, self._services, self._settings, self._next_id())
        status, route = _CLIENT_GONE, _NO_ROUTE
        error: Exception | None = None
        try:
            try:
                match = self._router.find(request.method, _path(request))
                route = match.route.name
                self._admit(call, match)
                response = await match.route.handler(call)
            except RegistryError as refusal:
                error = refusal
                response = self._refuse(call, refusal)
            except ConnectionError:
                return NoAnswer()
            except Exception as fault:  # noqa: BLE001 - the last place that can answer for it
                error = fault
                _LOG.exception("request %s failed", call.request_id)
                response = render_unexpected()
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
            self._report(call, route, status, error, time.perf_counter() - started)

    def _next_id(self) -> str:
        return f"{self._id_prefix}-{next(self._ids):x}"

    def _admit(self, call: Call, match: Match) -> None:
        call.repository, call.arguments = match.repository, match.arguments
        call.base_url = self._origins.base_url(call.request)
        for action in match.route.actions:
            if not call.may(action, call.repository):
                # To those who may not know, what is forbidden looks like what is not there.
                raise NameUnknown(call.repository)

    def _refuse(self, call: Call, refusal: RegistryError) -> web.StreamResponse:
        if wire_of(refusal).status >= 500:
            _LOG.error("request %s failed: %s", call.request_id, refusal, exc_info=refusal.__cause__)
        return render(refusal)

    def _report(self, call: Call, route: str, status: int, error: Exception | None, seconds: float) -> None:
        request = call.request
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
            principal=None,
            route=route,
            error=None if error is None else str(error),
        )
        self._log.write(entry)


def _path(request: web.BaseRequest) -> str:
    # A proxy may send the whole URL (RFC 9112, 3.2.2).
    return request.raw_path if request.raw_path.startswith("/") else request.rel_url.raw_path
