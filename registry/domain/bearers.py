"""Tokens for the registry, as clients bring them."""

from __future__ import annotations

from typing import Protocol

from auth.policy import Claimed
from auth.roles import Action
from auth.scopes import by_repository
from auth.tokens import Claims, Verifier, key_id
from registry.domain.access import Accesses, Standing
from registry.domain.keys import Keys


class Bearers(Protocol):
    """Whose tokens are believed, and what they are worth."""

    async def verify(self, token: str) -> Claims:
        """What a token says. Raises `TokenRefused`."""
        ...

    async def standing(self, claims: Claims) -> Standing:
        """What its holder may do now. Raises `TokenRefused` when it was revoked."""
        ...


class OwnBearers:
    """Tokens of our own token service: what they grant holds as long as the policy grants it too."""

    def __init__(self, verifier: Verifier, keys: Keys, accesses: Accesses) -> None:
        self._verifier, self._keys, self._accesses = verifier, keys, accesses

    async def verify(self, token: str) -> Claims:
        """See `Bearers`."""
        return await _verify(self._verifier, self._keys, token)

    async def standing(self, claims: Claims) -> Standing:
        """See `Bearers`."""
        return await self._accesses.of_holder(claims.holder)


class ExternalBearers:
    """Tokens of another token service: what they grant is all there is, and all that is asked."""

    def __init__(self, verifier: Verifier, keys: Keys) -> None:
        self._verifier, self._keys = verifier, keys

    async def verify(self, token: str) -> Claims:
        """See `Bearers`."""
        return await _verify(self._verifier, self._keys, token)

    async def standing(self, claims: Claims) -> Standing:
        """See `Bearers`."""
        actions = {
            name: frozenset(action for action in Action if action in words)
            for name, words in by_repository(claims.scopes).items()
        }
        return Standing(Claimed(claims.holder.principal, actions))


async def _verify(verifier: Verifier, keys: Keys, token: str) -> Claims:
    key = await keys.find(key_id(token))
    return verifier.verify(token, key)
