"""The audit log: to look into, and to take away as JSON lines."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import orjson
from aiohttp import web

from registry.api.answer import Answer
from registry.api.call import Call
from registry.api.jsonapi.paging import asked_page, paged
from registry.api.jsonapi.problems import MalformedRequest, Problem
from registry.api.jsonapi.resources import Resource
from registry.api.jsonapi.values import time_ms, time_text
from registry.domain.audit_log import AuditEntry, AuditFilter

_WORDS = ("principal", "action", "project", "target", "outcome")
_TIMES = ("since", "until")
_LENGTH_MAX = 512
_LINES_HEADERS = {"Content-Type": "application/x-ndjson", "Cache-Control": "no-store"}
# Lines go out in pieces of about so many bytes.
_PIECE = 1 << 16


async def list_entries(call: Call) -> web.StreamResponse:
    """List entries, the newest first."""
    asked, wanted = asked_page(call), parse_filter(call.request.query)
    page = await call.services.management.audit_log.page(call.actor, wanted, asked.after, asked.size)
    return paged(call, asked, page, _resource, lambda entry: str(entry.id))


async def export_entries(call: Call) -> web.StreamResponse:
    """Send all entries, one JSON object a line, the oldest first."""
    entries = call.services.management.audit_log.export(call.actor, parse_filter(call.request.query))
    # Read before anything is sent: a refusal has to be an answer of its own.
    first = await anext(entries, None)
    if first is None or call.request.method == "HEAD":
        return Answer(200, _LINES_HEADERS)
    response = web.StreamResponse(headers=_LINES_HEADERS)
    await call.start(response)
    async for piece in _pieces(first, entries):
        await response.write(piece)
        call.sent += len(piece)
    await response.write_eof()
    return response


def parse_filter(query: Mapping[str, str]) -> AuditFilter:
    """What the `filter[…]` parameters of a query ask for. Raises `MalformedRequest`."""
    found: dict[str, str] = {}
    times: dict[str, int] = {}
    problems: list[Problem] = []
    for parameter, value in query.items():
        if not parameter.startswith("filter["):
            continue
        name = parameter.removeprefix("filter[").removesuffix("]")
        try:
            if name in _TIMES:
                # A client that did not encode the '+' of a zone sent a space.
                times[name] = time_ms(value.replace(" ", "+"))
            else:
                found[_known(name)] = _short(value)
        except ValueError as error:
            problems.append(Problem("PARAMETER_INVALID", f"{parameter[:80]} {error}", parameter=parameter[:80]))
    if problems:
        raise MalformedRequest(problems)
    return AuditFilter(**found, since_ms=times.get("since"), until_ms=times.get("until"))


def _known(name: str) -> str:
    # To leave it out would show what was not asked for.
    if name not in _WORDS:
        raise ValueError(f"is not known: there are {', '.join([*_WORDS, *_TIMES])}")
    return name


def _short(value: str) -> str:
    if len(value) > _LENGTH_MAX:
        raise ValueError(f"may have at most {_LENGTH_MAX} characters")
    return value


async def _pieces(first: AuditEntry, entries: AsyncIterator[AuditEntry]) -> AsyncIterator[bytes]:
    piece = bytearray(_line(first))
    async for entry in entries:
        piece += _line(entry)
        if len(piece) >= _PIECE:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece)


def _line(entry: AuditEntry) -> bytes:
    return orjson.dumps({"id": entry.id, **_attributes(entry)}, option=orjson.OPT_APPEND_NEWLINE)


def _resource(entry: AuditEntry) -> Resource:
    return Resource("audit-entries", str(entry.id), None, _attributes(entry))


def _attributes(entry: AuditEntry) -> dict[str, str | None]:
    return {
        "at": time_text(entry.at),
        "kind": entry.principal_kind,
        "principal": entry.principal,
        "token": entry.token,
        "action": entry.action,
        "project": entry.project,
        "target": entry.target,
        "outcome": entry.outcome,
        "detail": entry.detail,
        "address": entry.address,
        "client": entry.client,
        "requestId": entry.request_id,
    }
