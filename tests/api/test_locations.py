"""`Location` headers, right behind the proxies that are trusted and no others."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.api.conftest import Serve
from tests.api.content import BASICS, blob, digest_of, image, manifest
from tests.api.table import Case, Step, case, play, rows

ABSOLUTE = {"server.locations": "absolute"}
TRUSTED = {**ABSOLUTE, "server.trusted_proxies": ["127.0.0.0/8"]}
ELSEWHERE = {**ABSOLUTE, "server.trusted_proxies": ["10.0.0.0/8"]}
PUBLIC = {**ABSOLUTE, "server.public_url": "https://registry.example"}

UPLOADS = "/v2/app/blobs/uploads/"
PROXY = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "hub.example"}
STANDARD = {"Forwarded": 'for=192.0.2.1;proto=https;host="hub.example:8443", for=10.0.0.1;proto=http;host=inner'}


def begins(name: str, config: Mapping[str, object], headers: Mapping[str, str], base: str) -> Case:
    """What an upload's Location begins with."""
    step = Step(
        "POST", UPLOADS, 202, {"Host": "inner:5000", **headers}, sees={"Location": f"{base}{UPLOADS}{{upload}}"}
    )
    return case("location", name, step, config=config)


LOCATIONS: list[Case] = [
    begins("a path, by default", {}, {}, ""),
    begins("a path, whatever proxies say", {"server.trusted_proxies": ["127.0.0.1"]}, PROXY, ""),
    begins("a path, though there is a public URL", {"server.public_url": "https://registry.example"}, {}, ""),
    begins("absolute: the host that the client asked for", ABSOLUTE, {}, "http://inner:5000"),
    begins("absolute: proxies are not believed unasked", ABSOLUTE, PROXY, "http://inner:5000"),
    begins("absolute: other proxies are trusted", ELSEWHERE, {**PROXY, **STANDARD}, "http://inner:5000"),
    begins("absolute: the public URL", PUBLIC, {}, "https://registry.example"),
    begins(
        "absolute: the public URL wins over proxies",
        {**PUBLIC, "server.trusted_proxies": ["127.0.0.1"]},
        PROXY,
        "https://registry.example",
    ),
    begins("trusted: X-Forwarded", TRUSTED, PROXY, "https://hub.example"),
    begins("trusted: only the scheme is forwarded", TRUSTED, {"X-Forwarded-Proto": "https"}, "https://inner:5000"),
    begins("trusted: with a port", TRUSTED, {**PROXY, "X-Forwarded-Port": "8443"}, "https://hub.example:8443"),
    begins("trusted: with the scheme's own port", TRUSTED, {**PROXY, "X-Forwarded-Port": "443"}, "https://hub.example"),
    begins(
        "trusted: a host with a port needs no other",
        TRUSTED,
        {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "hub.example:1", "X-Forwarded-Port": "2"},
        "https://hub.example:1",
    ),
    begins(
        "trusted: the first of a chain",
        TRUSTED,
        {"X-Forwarded-Proto": "https, http", "X-Forwarded-Host": "hub.example, inner"},
        "https://hub.example",
    ),
    begins("trusted: Forwarded", TRUSTED, STANDARD, "https://hub.example:8443"),
    begins(
        "trusted: Forwarded wins", TRUSTED, {**PROXY, "Forwarded": "proto=http;host=one.example"}, "http://one.example"
    ),
    begins("trusted: an IPv6 host", TRUSTED, {"X-Forwarded-Host": "[2001:db8::1]:5000"}, "http://[2001:db8::1]:5000"),
    begins("trusted: what is no host gives a path", TRUSTED, {"X-Forwarded-Host": "a/b@c"}, ""),
    begins("trusted: what is no scheme gives a path", TRUSTED, {"X-Forwarded-Proto": "javascript"}, ""),
    begins("absolute: what is no host gives a path", ABSOLUTE, {"Host": "a b"}, ""),
]

HELLO = b"hello, world"
DIGEST = digest_of(HELLO)
PLAIN = image()

EVERYWHERE: list[Case] = [
    case(
        "location",
        "every Location is of the same kind",
        *BASICS,
        Step("POST", UPLOADS, 202, sees={"Location": f"{base}{UPLOADS}{{upload}}"}),
        Step("PATCH", f"{UPLOADS}{{upload}}", 202, body=HELLO, sees={"Location": f"{base}{UPLOADS}{{upload}}"}),
        Step("GET", f"{UPLOADS}{{upload}}", 204, sees={"Location": f"{base}{UPLOADS}{{upload}}"}),
        Step(
            "PATCH",
            f"{UPLOADS}{{upload}}",
            416,
            {"Content-Range": "90-99"},
            b"0123456789",
            {"Location": f"{base}{UPLOADS}{{upload}}"},
        ),
        Step("PUT", f"{UPLOADS}{{upload}}?digest={DIGEST}", 201, sees={"Location": f"{base}/v2/app/blobs/{DIGEST}"}),
        Step(
            "POST",
            f"/v2/other/blobs/uploads/?mount={DIGEST}&from=app",
            201,
            sees={"Location": f"{base}/v2/other/blobs/{DIGEST}"},
        ),
        Step(
            "PUT",
            "/v2/app/manifests/v1",
            201,
            {"Content-Type": PLAIN.media_type},
            PLAIN.content,
            {"Location": f"{base}/v2/app/manifests/{PLAIN.digest}"},
        ),
        manifest(PLAIN, "v2"),
        blob(b"x"),
        Step("GET", "/v2/app/tags/list?n=1", 200, sees={"Link": f'<{base}/v2/app/tags/list?n=1&last=v1>; rel="next"'}),
        Step("GET", "/v2/_catalog?n=1", 200, sees={"Link": f'<{base}/v2/_catalog?n=1&last=app>; rel="next"'}),
        config=config,
    )
    for base, config in [("https://registry.example", PUBLIC)]
]


@pytest.fixture
def engine() -> dict[str, object]:
    """Locations have nothing to do with how things are kept."""
    return {"storage.ephemeral": True}


@rows(LOCATIONS, EVERYWHERE)
async def test_locations(serve: Serve, row: Case) -> None:
    """Every row of the tables is answered as it says."""
    await play(await serve(row.config), row)
