"""Tag lists."""

from __future__ import annotations

from aiohttp import web

from registry.api.answer import json_answer
from registry.api.call import Call
from registry.api.wire import next_link, parse_count


async def list_tags(call: Call) -> web.StreamResponse:
    """List a repository's tags, a page at a time (end-8a, end-8b)."""
    size = parse_count(call.query("n"), call.settings.page_size, call.settings.max_page_size)
    page = await call.services.tags.page(call.repository, call.query("last") or "", size)
    headers = {}
    if page.more and page.tags:
        path = f"/v2/{call.repository}/tags/list"
        headers["Link"] = next_link(call.url(path), {"n": size, "last": page.tags[-1]})
    return json_answer({"name": call.repository, "tags": page.tags}, headers=headers)
