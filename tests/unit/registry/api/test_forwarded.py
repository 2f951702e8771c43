"""Behind proxies: which URL a client used, and who it is."""

import ipaddress

import pytest

from registry.api.forwarded import Network, Origins
from tests.unit.registry.api.requests import Request

TRUSTED = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("::1/128"))
PROXY, STRANGER = "10.1.2.3", "192.0.2.1"


def origins(
    *, absolute: bool = True, public_url: str = "", trusted: tuple[Network, ...] = TRUSTED, secure: bool = False
) -> Origins:
    """Absolute locations behind proxies in 10.0.0.0/8, unless told otherwise."""
    return Origins(absolute, public_url, trusted, secure)


def base_url(headers: dict[str, str], remote: str | None = PROXY, *, secure: bool = False) -> str:
    """What a `Location` begins with for a request from `remote`."""
    return origins(secure=secure).base_url(Request(headers=headers, remote=remote).as_request())


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Host": "registry.example"}, "http://registry.example"),
        ({"Host": "registry.example:5000"}, "http://registry.example:5000"),
        ({"Host": "[::1]:5000"}, "http://[::1]:5000"),
        ({"Host": "a", "X-Forwarded-Proto": "https"}, "https://a"),
        ({"Host": "a", "X-Forwarded-Proto": "HTTPS"}, "https://a"),
        ({"Host": "a", "X-Forwarded-Proto": "https, http"}, "https://a"),
        ({"Host": "a", "X-Forwarded-Host": "b.example"}, "http://b.example"),
        ({"Host": "a", "X-Forwarded-Host": "b.example, c.example"}, "http://b.example"),
        ({"Host": "a", "X-Forwarded-Host": "b:8443", "X-Forwarded-Proto": "https"}, "https://b:8443"),
        ({"Host": "a", "X-Forwarded-Port": "8080"}, "http://a:8080"),
        ({"Host": "a", "X-Forwarded-Port": "80"}, "http://a"),
        ({"Host": "a", "X-Forwarded-Port": "443", "X-Forwarded-Proto": "https"}, "https://a"),
        ({"Host": "a", "X-Forwarded-Port": "443"}, "http://a:443"),
        ({"Host": "a:5000", "X-Forwarded-Port": "8080"}, "http://a:5000"),
        ({"Host": "[::1]", "X-Forwarded-Port": "8080"}, "http://[::1]:8080"),
        ({"Host": "a", "X-Forwarded-Port": "x"}, "http://a"),
        ({"Host": "a", "Forwarded": "proto=https;host=b.example"}, "https://b.example"),
        ({"Host": "a", "Forwarded": 'for="[::1]:4711"; proto=https; host="b.example:8443"'}, "https://b.example:8443"),
        ({"Host": "a", "Forwarded": "Proto=HTTPS;Host=b"}, "https://b"),
        ({"Host": "a", "Forwarded": "for=1.2.3.4;proto=https, for=10.0.0.1;proto=http"}, "https://a"),
        ({"Host": "a", "Forwarded": "for=1.2.3.4"}, "http://a"),
        ({"Host": "a", "Forwarded": "host=b", "X-Forwarded-Host": "c"}, "http://b"),
    ],
)
def test_url_behind_a_trusted_proxy(headers: dict[str, str], expected: str) -> None:
    """What a trusted proxy says about the client's URL is believed; the standard's header wins over the older ones."""
    assert base_url(headers) == expected


@pytest.mark.parametrize("remote", [STRANGER, None, "not an address", "::2", "11.0.0.1"])
def test_url_from_a_stranger(remote: str | None) -> None:
    """What anybody else says about it is not."""
    headers = {
        "Host": "a",
        "X-Forwarded-Host": "evil",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Port": "1",
        "Forwarded": "host=evil;proto=https",
    }
    assert base_url(headers, remote) == "http://a"


@pytest.mark.parametrize("remote", [PROXY, "::1", "::ffff:10.1.2.3"])
def test_trusted_addresses(remote: str) -> None:
    """A trusted address is known in every way of writing it."""
    assert base_url({"Host": "a", "X-Forwarded-Host": "b"}, remote) == "http://b"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Host": ""},
        {"Host": "a b"},
        {"Host": "a/b"},
        {"Host": "user@a"},
        {"Host": "a?b"},
        {"Host": "a:x"},
        {"Host": "a:123456"},
        {"Host": "a:\u0661"},
        {"Host": "-a"},
        {"Host": "[::1"},
        {"Host": "a" * 300},
        {"Host": 'a"b'},
        {"Host": "a\\b"},
        {"Host": "a", "X-Forwarded-Proto": "javascript"},
        {"Host": "a", "X-Forwarded-Proto": ""},
        {"Host": "a", "X-Forwarded-Host": "b/c"},
        {"Host": "a", "Forwarded": 'host="b/c"'},
        {"Host": "a", "Forwarded": "proto=ftp"},
        {"Host": "a", "X-Forwarded-Port": "1234567"},
        {"Host": "a", "X-Forwarded-Port": "\u00b2"},
    ],
)
def test_nonsense(headers: dict[str, str]) -> None:
    """Where the URL cannot be made from what came, the location stays a path."""
    assert base_url(headers) == ""


def test_own_tls() -> None:
    """Without a proxy the scheme is the one that this registry speaks."""
    assert base_url({"Host": "a"}, STRANGER, secure=True) == "https://a"


def test_relative_locations() -> None:
    """Locations are paths unless absolute ones are wanted."""
    request = Request(headers={"Host": "a"}, remote=PROXY).as_request()
    assert origins(absolute=False, public_url="https://b").base_url(request) == ""


@pytest.mark.parametrize("public_url", ["https://registry.example", "https://registry.example/"])
def test_public_url(public_url: str) -> None:
    """A public URL wins over all that a request says, and its last slash does not count."""
    request = Request(headers={"Host": "a", "X-Forwarded-Host": "b"}, remote=PROXY).as_request()
    assert origins(public_url=public_url).base_url(request) == "https://registry.example"


@pytest.mark.parametrize(
    ("remote", "chain", "client"),
    [
        (PROXY, [], PROXY),
        (PROXY, ["1.2.3.4"], "1.2.3.4"),
        (PROXY, ["1.2.3.4, 10.0.0.9"], "1.2.3.4"),
        (PROXY, ["6.6.6.6, 1.2.3.4"], "1.2.3.4"),
        (PROXY, ["6.6.6.6", "1.2.3.4, 10.0.0.9"], "1.2.3.4"),
        (PROXY, ["10.0.0.8, 10.0.0.9"], "10.0.0.8"),
        (PROXY, ["2001:db8::1"], "2001:db8::1"),
        (PROXY, ["nonsense"], PROXY),
        (PROXY, ["1.2.3.4, nonsense, 10.0.0.9"], "10.0.0.9"),
        (PROXY, [""], PROXY),
        (PROXY, ["1.2.3.4,"], PROXY),
        (STRANGER, ["1.2.3.4"], STRANGER),
        (None, ["1.2.3.4"], None),
    ],
)
def test_client(remote: str | None, chain: list[str], client: str | None) -> None:
    """The client is the last address of the chain for which no trusted proxy stands: the rest anybody can write."""
    headers = [("X-Forwarded-For", value) for value in chain]
    assert origins().client(Request(headers=headers, remote=remote).as_request()) == client


def test_nobody_is_trusted() -> None:
    """Without trusted proxies, headers are never looked at."""
    request = Request(headers={"Host": "a", "X-Forwarded-For": "1.2.3.4", "X-Forwarded-Host": "b"}, remote="::1")
    open_ended = origins(trusted=())
    assert open_ended.client(request.as_request()) == "::1"
    assert open_ended.base_url(request.as_request()) == "http://a"


@pytest.mark.parametrize("chain", ["fe80::1%x", "[fe80::1%x]", f"fe80::1%{'y' * 9000}", "fe80::1%\udcff, ::1%z"])
def test_zone_of_an_address(chain: str) -> None:
    """What stands behind a '%' is no part of an address: it could be any text, which would be written down."""
    assert origins().client(Request(headers={"X-Forwarded-For": chain}, remote=PROXY).as_request()) == "fe80::1"
