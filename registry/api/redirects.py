"""`Redirects`: which downloads clients are sent elsewhere for: to the store that keeps the bytes, with a signed URL."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from auth.policy import RegistryAccess
from registry.api.forwarded import Network
from registry.api.wire import Span
from storage.names import RepositoryName


class Registries(Protocol):
    async def registry_of(self, repository: RepositoryName) -> RegistryAccess | None:
        """The registry that takes a repository of this name, from memory."""
        ...


@dataclass(frozen=True, slots=True)
class Redirects:
    """All blobs (`always`), those of `large_size` bytes and more (`large`), or none (`never`).

    `usual` says which, for registries that do not say it themselves. Only clients in `networks` are sent anywhere,
    which is everybody if there are none. A URL is good for `lifetime_s` seconds: long enough to begin the download.
    """

    usual: str
    large_size: int
    networks: Sequence[Network]
    lifetime_s: int
    registries: Registries

    async def wanted(self, repository: RepositoryName, client: str | None, size: int, spans: list[Span] | None) -> bool:
        """Whether this client gets this much elsewhere. Stores do not answer with several ranges at a time."""
        if (spans is not None and len(spans) != 1) or not self._is_for(client):
            return False
        registry = await self.registries.registry_of(repository)
        which = self.usual if registry is None or registry.redirect is None else registry.redirect
        return which == "always" or (which == "large" and size >= self.large_size)

    def _is_for(self, client: str | None) -> bool:
        if not self.networks:
            return True
        try:
            address = ipaddress.ip_address((client or "").partition("%")[0])
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self.networks)
