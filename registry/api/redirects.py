"""`Redirects`: which downloads clients are sent elsewhere for: to the store that keeps the bytes, with a signed URL."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from registry.api.forwarded import Network
from registry.api.wire import Span


@dataclass(frozen=True, slots=True)
class Redirects:
    """Blobs of `from_size` bytes and more, for clients in `networks`, which is everybody if there are none.

    A URL is good for `lifetime_s` seconds: long enough to begin the download.
    """

    from_size: int
    networks: Sequence[Network]
    lifetime_s: int

    def wanted(self, client: str | None, size: int, spans: list[Span] | None) -> bool:
        """Whether this client gets this much elsewhere. Stores do not answer with several ranges at a time."""
        return size >= self.from_size and (spans is None or len(spans) == 1) and self._is_for(client)

    def _is_for(self, client: str | None) -> bool:
        if not self.networks:
            return True
        try:
            address = ipaddress.ip_address((client or "").partition("%")[0])
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self.networks)
