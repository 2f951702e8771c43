"""`/v2/` itself and the catalog."""

from __future__ import annotations

from aiohttp import web

from registry.api.answer import json_answer
from registry.api.call import Call
from registry.api.wire import next_link, parse_count


async def check_support(_: Call) -> web.StreamResponse:
    """Say that this is a registry (end-1)."""
    return json_answer({})


async def list_repositories(call: Call) -> web.StreamResponse:
    """List the repositories that the caller may see."""
    size = parse_count(call.query("n"), call.settings.page_size, call.settings.max_page_size)
    last = call.query("last") or ""
    page = await call.services.catalog.page(last, size, call.session.sees)
    headers = {}
    if page.more and page.repositories:
        headers["Link"] = next_link(call.url("/v2/_catalog"), {"n": size, "last": page.repositories[-1]})
    return json_answer({"repositories": page.repositories}, headers=headers)
