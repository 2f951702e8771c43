"""Which URL a client used, where proxies stand in front: only those that are trusted are believed."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,253})|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_PAIR = re.compile(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s;,"]+))')


@dataclass(frozen=True, slots=True)
class Origins:
    """How `Location` headers begin and whose word on the client's address counts.

    With `absolute` false they are paths. `public_url` wins over everything that a request says.
    """

    absolute: bool
    public_url: str
    trusted: Sequence[Network]
    secure: bool

    def base_url(self, request: web.BaseRequest) -> str:
        """What comes before the path in a `Location`; "" for a relative one."""
        return self.origin(request) if self.absolute else ""

    def origin(self, request: web.BaseRequest) -> str:
        """Scheme and host of the URL that the client used; "" where its Host header is none."""
        if self.public_url:
            return self.public_url.rstrip("/")
        scheme, host = ("https" if self.secure else "http"), request.headers.get("Host", "")
        if self._trusts(request.remote):
            scheme, host = _forwarded(request, scheme, host)
        if not _HOST.fullmatch(host) or scheme not in {"http", "https"}:
            return ""
        return f"{scheme}://{host}"

    def client(self, request: web.BaseRequest) -> str | None:
        """The client's address: the last one of the chain that no trusted proxy stands for."""
        address = request.remote
        if not self.trusted or not self._trusts(address):
            return address
        hops = [hop.strip() for value in request.headers.getall("X-Forwarded-For", ()) for hop in value.split(",")]
        for hop in reversed(hops):
            parsed = _address(hop)
            if parsed is None:
                break
            address = str(parsed)
            if not self._trusts(address):
                break
        return address

    def _trusts(self, address: str | None) -> bool:
        if not self.trusted or address is None:
            return False
        parsed = _address(address)
        return parsed is not None and any(parsed in network for network in self.trusted)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        # The zone behind a '%' may be any text, of any length, and means nothing on another machine.
        parsed = ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(parsed, "ipv4_mapped", None)
    return mapped if mapped is not None else parsed


def _forwarded(request: web.BaseRequest, scheme: str, host: str) -> tuple[str, str]:
    """Scheme and host as the client sent them to the first proxy (RFC 7239, or the headers that came before it)."""
    standard = request.headers.get("Forwarded")
    if standard:
        pairs = {key.lower(): quoted or bare for key, quoted, bare in _PAIR.findall(standard.split(",")[0])}
        return pairs.get("proto", scheme).lower(), pairs.get("host", host)
    scheme = request.headers.get("X-Forwarded-Proto", scheme).split(",")[0].strip().lower()
    host = request.headers.get("X-Forwarded-Host", host).split(",")[0].strip()
    port = request.headers.get("X-Forwarded-Port", "").strip()
    if port.isdigit() and ":" not in host.rpartition("]")[2] and port != {"http": "80", "https": "443"}.get(scheme):
        host = f"{host}:{port}"
    return scheme, host
