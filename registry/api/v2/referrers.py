"""Referrers lists."""

from __future__ import annotations

from aiohttp import web

from registry.api.answer import Answer
from registry.api.call import Call
from registry.api.wire import next_link
from registry.errors import RequestInvalid
from registry.oci.media_types import OCI_INDEX
from storage.digest import parse_digest


async def list_referrers(call: Call) -> web.StreamResponse:
    """List the manifests whose subject is the digest (end-12a, end-12b). Unknown subjects have an empty list."""
    subject = parse_digest(call.arguments["digest"])
    # In a query an unescaped `+` reads as a space, which no media type has.
    artifact_type = (call.query("artifactType") or "").replace(" ", "+") or None
    position = _position(call.query("after"))
    page = await call.services.referrers.page(call.repository, subject, artifact_type, position)
    headers = {"Content-Type": OCI_INDEX}
    if artifact_type is not None:
        headers["OCI-Filters-Applied"] = "artifactType"
    if page.next is not None:
        filters = {} if artifact_type is None else {"artifactType": artifact_type}
        path = call.url(f"/v2/{call.repository}/referrers/{subject}")
        headers["Link"] = next_link(path, {**filters, "after": page.next})
    body = f'{{"schemaVersion":2,"mediaType":"{OCI_INDEX}","manifests":[{",".join(page.descriptors)}]}}'
    return Answer(200, headers, body.encode())


def _position(text: str | None) -> int:
    if text is None:
        return 0
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise RequestInvalid("after has to be the number from the Link header of the page before")
    return int(text)
