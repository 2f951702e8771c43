"""`/v2/` itself, and the headers that every answer has (spec, "Determining Support", "Registry Proxying")."""

from __future__ import annotations

from tests.api.conftest import Serve
from tests.api.content import ARTIFACT, BASICS, CONFIG, UNKNOWN, blob, digest_of, document, image, manifest
from tests.api.server import Registry
from tests.api.table import Case, Step, case, play, rows

PLAIN = image()
OLD = document(ARTIFACT, {"artifactType": "text/x"})
BLOB = f"/v2/app/blobs/{digest_of(CONFIG)}"
VERSION = {"Docker-Distribution-Api-Version": "registry/2.0"}

BASE: list[Case] = [
    case(
        "end-1",
        "this is a registry",
        Step("GET", "/v2/", 200, sees={**VERSION, "Content-Type": "application/json"}, gives={}),
        Step("HEAD", "/v2/", 200, sees={**VERSION, "Content-Length": "2"}, gives=b""),
        Step("GET", "/v2", 200, sees=VERSION, gives={}),
        Step("GET", "/v2/?x=y", 200, gives={}),
    ),
    case(
        "end-1",
        "other methods",
        *(
            Step(method, "/v2/", 405, sees={"Allow": "GET, HEAD"}, error="UNSUPPORTED")
            for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS")
        ),
    ),
]


def proxied(method: str, url: str, status: int, namespace: str, given: str | None) -> Step:
    separator = "&" if "?" in url else "?"
    return Step(method, f"{url}{separator}ns={namespace}", status, sees={"OCI-Namespace": given})


NAMESPACES: list[Case] = [
    case(
        "ns",
        "the namespace of a proxied request is given back on every answer",
        proxied("GET", "/v2/", 200, "docker.io", "docker.io"),
        proxied("GET", "/v2/app/manifests/v1", 200, "docker.io", "docker.io"),
        proxied("HEAD", f"/v2/app/manifests/{PLAIN.digest}", 200, "docker.io", "docker.io"),
        proxied("GET", BLOB, 200, "registry.example:5000", "registry.example:5000"),
        proxied("HEAD", BLOB, 200, "registry.example%3A5000", "registry.example:5000"),
        proxied("GET", "/v2/app/manifests/v9", 404, "docker.io", "docker.io"),
        proxied("GET", "/v2/other/tags/list", 404, "docker.io", "docker.io"),
        proxied("GET", f"/v2/app/referrers/{UNKNOWN}", 200, "docker.io", "docker.io"),
        proxied("POST", "/v2/app/blobs/uploads/", 202, "docker.io", "docker.io"),
        seed=[*BASICS, manifest(PLAIN, "v1")],
    ),
    case(
        "ns",
        "what is no host is not given back",
        *(
            proxied("GET", "/v2/", 200, namespace, None)
            for namespace in (
                "",
                "%0d%0aSet-Cookie:x=y",
                "a%00b",
                "a%20b",
                "-x",
                "%C3%A9.example",
                "x" * 300,
                "http://x",
            )
        ),
        Step("GET", "/v2/", 200, sees={"OCI-Namespace": None}),
    ),
]

WARNINGS: list[Case] = [
    case(
        "warnings",
        "a deprecated type is accepted with a warning in the form of the specification",
        Step(
            "PUT",
            "/v2/app/manifests/v1",
            201,
            {"Content-Type": ARTIFACT},
            OLD.content,
            {"Warning": f'299 - "{ARTIFACT} is deprecated: push an image manifest with artifactType"'},
        ),
        Step("GET", "/v2/app/manifests/v1", 200, sees={"Warning": None}),
        seed=[blob(CONFIG)],
    ),
]


@rows(BASE, NAMESPACES, WARNINGS)
async def test_base(serve: Serve, row: Case) -> None:
    """Every row of the tables is answered as it says."""
    await play(await serve(row.config), row)


async def test_every_answer(registry: Registry) -> None:
    """Every answer names the API's version and has an id of its own, which the log has too."""
    seen = set()
    for method, url in [
        ("GET", "/v2/"),
        ("GET", "/nowhere"),
        ("PUT", "/v2/"),
        ("GET", "/v2/A/tags/list"),
        ("HEAD", BLOB),
    ]:
        answer = await registry.ask(method, url)
        assert answer.headers["Docker-Distribution-Api-Version"] == "registry/2.0"
        assert answer.headers["Server"] == "berth"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        seen.add(answer.headers["X-Request-Id"])
    assert len(seen) == 5
    assert {entry["request_id"] for entry in registry.log.entries} == seen
