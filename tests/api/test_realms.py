"""Where clients are told to get tokens: at the URL by which they know the registry, whatever stands in front of it."""

from __future__ import annotations

import asyncio
import re

import pytest

from tests.api.accounts import Accounts, inhabited

PROXY = {"server.trusted_proxies": ["127.0.0.0/8"]}
STRANGER = {"server.trusted_proxies": ["192.0.2.0/24"]}
TLS = {"server.tls_certificate": "/etc/berth.pem", "server.tls_key": "/etc/berth.key"}
ELSEWHERE = "https://auth.example:8443/v2/token"


async def head_of(accounts: Accounts, *lines: str) -> str:
    """The header of the answer to `GET /v2/` with exactly these lines."""
    reader, writer = await accounts.registry.connect()
    try:
        writer.write("\r\n".join(["GET /v2/ HTTP/1.1", *lines, "", ""]).encode("latin-1"))
        async with asyncio.timeout(10):
            return (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    finally:
        writer.close()
        await writer.wait_closed()


async def realm(accounts: Accounts, *lines: str) -> str:
    """The realm in the challenge to such a request."""
    head = await head_of(accounts, *lines)
    assert head.startswith("HTTP/1.1 401 "), head
    (challenge,) = re.findall(r"(?im)^www-authenticate: (.*?)\r$", head)
    match = re.fullmatch(r'Bearer realm="([^"]*)",service="berth"', challenge)
    assert match is not None, challenge
    return match[1]


@pytest.mark.parametrize(
    ("settings", "lines", "expected"),
    [
        ({}, ["Host: registry.example"], "http://registry.example/token"),
        ({}, ["Host: registry.example:5000"], "http://registry.example:5000/token"),
        ({}, ["Host: 127.0.0.1:5000"], "http://127.0.0.1:5000/token"),
        ({}, ["Host: [::1]:5000"], "http://[::1]:5000/token"),
        ({}, ["Host: Registry.Example"], "http://Registry.Example/token"),
        (TLS, ["Host: registry.example"], "https://registry.example/token"),
        # what a request says of proxies is believed from proxies
        ({}, ["Host: a", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil"], "http://a/token"),
        (STRANGER, ["Host: a", "Forwarded: proto=https;host=evil"], "http://a/token"),
        (PROXY, ["Host: a", "X-Forwarded-Proto: https"], "https://a/token"),
        (PROXY, ["Host: a", "X-Forwarded-Proto: https", "X-Forwarded-Host: b:8443"], "https://b:8443/token"),
        (PROXY, ["Host: a", "X-Forwarded-Port: 8080"], "http://a:8080/token"),
        (PROXY, ["Host: a", 'Forwarded: for=1.2.3.4;proto=https;host="b:8443"'], "https://b:8443/token"),
        (TLS | PROXY, ["Host: a", "X-Forwarded-Proto: http"], "http://a/token"),
        # what is configured wins
        ({"server.public_url": "https://registry.example"}, ["Host: a"], "https://registry.example/token"),
        ({"server.public_url": "https://b:1/"} | PROXY, ["Host: a", "X-Forwarded-Host: c"], "https://b:1/token"),
        ({"auth.realm": ELSEWHERE, "server.public_url": "https://b"}, ["Host: a"], ELSEWHERE),
    ],
)
async def test_realm(settings: dict[str, object], lines: list[str], expected: str) -> None:
    """The realm is a URL that the client can reach."""
    async with inhabited(settings) as accounts:
        assert await realm(accounts, *lines) == expected


@pytest.mark.parametrize("server", ["direct", "proxied"])
@pytest.mark.parametrize(
    "host",
    [
        "",
        " ",
        'a"b',
        'a",service="evil',
        "a, Basic realm=evil",
        "a\\",
        "a b",
        "a/b",
        "a?b",
        "a#b",
        "user@evil",
        "a:b",
        "a:123456",
        "[::1",
        "-a",
        "a\tb",
        "\xe9",
        "a" * 300,
        "%61",
        "<script>",
        "${jndi:x}",
        "a\x00b",
        "a\x7fb",
    ],
)
async def test_odd_host(server: str, host: str) -> None:
    """A Host header that is no host gets into no challenge, nor what a proxy passes on of one: the realm is a path."""
    settings, lines = ({}, [f"Host: {host}"])
    if server == "proxied":
        settings, lines = PROXY, ["Host: a", f"X-Forwarded-Host: {host}"]
    async with inhabited(settings) as accounts:
        if " 400 " in (await head_of(accounts, *lines)).partition("\r\n")[0]:
            return
        # Of several hosts in a proxy's header the first one is the client's.
        assert await realm(accounts, *lines) in {"/token", "http://a/token" if server == "proxied" else "/token"}


@pytest.mark.parametrize(
    "forwarded",
    [
        'host="evil\\", service=\\"x"',
        "host=a/b",
        "proto=javascript",
        "proto=https;host=",
        'host="',
        "host=\xe9",
        "x" * 5000,
        "proto=https" + ";proto=ftp" * 100,
    ],
)
async def test_odd_forwarded(forwarded: str) -> None:
    """A proxy's header that makes no sense does no harm, either."""
    async with inhabited(PROXY) as accounts:
        found = await realm(accounts, "Host: a", f"Forwarded: {forwarded}")
        assert found in {"/token", "http://a/token", "https://a/token"}


async def test_without_host(accounts: Accounts) -> None:
    """A client of HTTP/1.0, which need not say what it asks for, is told a path."""
    reader, writer = await accounts.registry.connect()
    try:
        writer.write(b"GET /v2/ HTTP/1.0\r\n\r\n")
        async with asyncio.timeout(10):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
    finally:
        writer.close()
        await writer.wait_closed()
    assert " 401 " in head
    assert 'Bearer realm="/token",service="berth"' in head
