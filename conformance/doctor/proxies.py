"""What stands between here and the registry, as far as its answers give it away."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from conformance.wire import Answer

NAMES = {
    "cloudflare": "Cloudflare",
    "cloudfront": "Amazon CloudFront",
    "aws": "an AWS load balancer",
    "google": "a Google Cloud load balancer",
    "azure": "Azure Application Gateway or Front Door",
    "varnish": "Varnish or Fastly",
    "nginx": "nginx",
    "traefik": "Traefik",
    "haproxy": "HAProxy",
    "envoy": "Envoy",
    "caddy": "Caddy",
    "apache": "Apache httpd",
}
"""Those that are recognised, the ones that are furthest from the registry first."""


@dataclass(frozen=True, slots=True)
class _Sign:
    """A header with this name and value, or a body like this, gives a proxy away."""

    proxy: str
    header: str
    value: re.Pattern[str]


def _sign(proxy: str, header: str, value: str = "") -> _Sign:
    return _Sign(proxy, header, re.compile(value, re.IGNORECASE))


_SIGNS = (
    _sign("cloudflare", "CF-RAY"),
    _sign("cloudflare", "Server", "^cloudflare"),
    _sign("cloudfront", "X-Amz-Cf-Id"),
    _sign("cloudfront", "Via", r"cloudfront"),
    _sign("aws", "Server", "^awselb"),
    _sign("aws", "X-Amzn-Trace-Id"),
    _sign("aws", "X-Amzn-Remapped-Www-Authenticate"),
    _sign("google", "Via", r"\b1\.1 google$"),
    _sign("google", "Server", "^(google frontend|gws)"),
    _sign("azure", "X-Azure-Ref"),
    _sign("azure", "Server", "^microsoft-azure-application-gateway"),
    _sign("varnish", "X-Varnish"),
    _sign("varnish", "Via", "varnish"),
    _sign("nginx", "Server", "^(nginx|openresty)"),
    _sign("haproxy", "Server", "^haproxy"),
    _sign("envoy", "Server", "envoy$"),
    _sign("envoy", "X-Envoy-Upstream-Service-Time"),
    _sign("caddy", "Server", "^caddy"),
    _sign("caddy", "Via", r"\bcaddy$"),
    _sign("apache", "Server", "^apache"),
)
# What each says of a request that it does not understand, or that it cannot pass on.
_PAGES = {
    "nginx": re.compile(rb"<center>(nginx|openresty)"),
    "cloudflare": re.compile(rb"<center>cloudflare</center>|cf-error-details"),
    "haproxy": re.compile(
        rb"^<html><body><h1>\d{3} [A-Za-z -]+</h1>\n"
        rb"(Your browser|No server is|The server (didn't|returned)|Request forbidden|You need|The request entity)"
    ),
    "envoy": re.compile(rb"^(upstream connect error|no healthy upstream|upstream request timeout)"),
    "apache": re.compile(rb"^<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2\.0"),
    "google": re.compile(rb"<title>Error \d{3} \([^<]*\)!!1</title>"),
}
_TRAEFIK_404 = b"404 page not found\n"


def proxies_in(answers: Iterable[Answer]) -> set[str]:
    """The proxies that the answers give away."""
    found: set[str] = set()
    for answer in answers:
        found |= {sign.proxy for sign in _SIGNS if _shows(sign, answer)}
        found |= {proxy for proxy, page in _PAGES.items() if page.search(answer.body)}
    return found


def ordered(proxies: Iterable[str]) -> Sequence[str]:
    """These proxies, the ones that are furthest from the registry first."""
    known = set(proxies)
    return [proxy for proxy in NAMES if proxy in known]


def is_traefik(stranger: Answer, known: Answer) -> bool:
    """Whether the answer for a host that nobody knows is Traefik's, and that for the real host is not."""
    return stranger.status == 404 and stranger.body == _TRAEFIK_404 and known.status != 404


def _shows(sign: _Sign, answer: Answer) -> bool:
    value = answer.header(sign.header)
    return value is not None and sign.value.search(value) is not None
