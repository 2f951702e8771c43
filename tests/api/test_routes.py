"""Every row of the route table is reached by a request, and answers it."""

from __future__ import annotations

import pytest

from registry.api.v2.routes import ROUTES
from tests.api.content import BASICS, LAYER, digest_of, image, manifest
from tests.api.hello import DIGEST, HELLO, begin
from tests.api.server import Registry

PLAIN = image()
BLOB = f"/v2/app/blobs/{digest_of(LAYER)}"
UPLOAD = "/v2/<name>/blobs/uploads/<upload>"
MANIFEST = "/v2/<name>/manifests/<reference>"

# For each route a request that succeeds, with its status. `{upload}` is the path of an upload of `HELLO`.
REQUESTS: dict[tuple[str, str], tuple[str, int]] = {
    ("GET", MANIFEST): ("/v2/app/manifests/v1", 200),
    ("HEAD", MANIFEST): ("/v2/app/manifests/v1", 200),
    ("PUT", MANIFEST): ("/v2/app/manifests/v2", 201),
    ("DELETE", MANIFEST): ("/v2/app/manifests/v1", 202),
    ("POST", "/v2/<name>/blobs/uploads/"): ("/v2/app/blobs/uploads/", 202),
    ("PATCH", UPLOAD): ("{upload}", 202),
    ("PUT", UPLOAD): (f"{{upload}}?digest={DIGEST}", 201),
    ("GET", UPLOAD): ("{upload}", 204),
    ("HEAD", UPLOAD): ("{upload}", 204),
    ("DELETE", UPLOAD): ("{upload}", 204),
    ("GET", "/v2/<name>/blobs/<digest>"): (BLOB, 200),
    ("HEAD", "/v2/<name>/blobs/<digest>"): (BLOB, 200),
    ("HEAD", "/v2/<name>/tags/list"): ("/v2/app/tags/list", 200),
    ("HEAD", "/v2/<name>/referrers/<digest>"): (f"/v2/app/referrers/{PLAIN.digest}", 200),
    ("HEAD", "/v2/_catalog"): ("/v2/_catalog", 200),
    ("DELETE", "/v2/<name>/blobs/<digest>"): (f"/v2/app/blobs/{digest_of(b'spare')}", 202),
    ("GET", "/v2/<name>/tags/list"): ("/v2/app/tags/list", 200),
    ("GET", "/v2/<name>/referrers/<digest>"): (f"/v2/app/referrers/{PLAIN.digest}", 200),
    ("GET", "/v2/_catalog"): ("/v2/_catalog", 200),
    ("GET", "/v2/"): ("/v2/", 200),
    ("HEAD", "/v2/"): ("/v2/", 200),
}
NAMES = {(route.method, route.template): route.name for route in ROUTES}
# Wherever GET is answered, HEAD is.
NAMES |= {("HEAD", template): name for (method, template), name in NAMES.items() if method == "GET"}


def test_no_route_is_left_out() -> None:
    """The requests here are for all routes there are."""
    assert set(REQUESTS) == set(NAMES)


@pytest.mark.parametrize("route", list(REQUESTS), ids=" ".join)
async def test_routes(registry: Registry, route: tuple[str, str]) -> None:
    """The request is answered by that route."""
    for step in (*BASICS, manifest(PLAIN, "v1")):
        await registry.ask(step.method, step.url, headers=step.headers, body=step.body)
    await registry.ask("POST", f"/v2/app/blobs/uploads/?digest={digest_of(b'spare')}", body=b"spare")
    url, status = REQUESTS[route]
    url = url.replace("{upload}", await begin(registry, HELLO))
    is_manifest = route == ("PUT", MANIFEST)
    headers = {"Content-Type": PLAIN.media_type} if is_manifest else {}
    answer = await registry.ask(route[0], url, headers=headers, body=PLAIN.content if is_manifest else b"")
    assert answer.status == status
    assert registry.log.entries[-1]["route"] == NAMES[route]
