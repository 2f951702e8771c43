"""Logging in to a store with people in it."""

import asyncio
import threading

from auth.actor import OPERATING
from auth.passwords import Passwords
from auth.roles import Action
from registry.domain.access import Identity
from registry.domain.access_tokens import NewToken
from registry.domain.login import Login, Origin
from registry.domain.throttle import Throttle
from registry.errors import TooManyRequests, Unauthorized
from tests.unit.registry.domain.people import PASSWORD, People
from tests.unit.registry.domain.stores import FailingStore

ORIGIN = Origin("192.0.2.7", "docker/28")
ELSEWHERE = Origin("198.51.100.1", "docker/28")


class CountedPasswords(Passwords):
    """Counts how often a password was worked out; while `closed`, nobody gets an answer."""

    def __init__(self, *, time_cost: int = 1) -> None:
        super().__init__(time_cost=time_cost, memory_kib=64)
        self.verified = self.at_once = self.most_at_once = 0
        self.gate = threading.Event()
        self.gate.set()
        self.two_at_once = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()

    def verify(self, kept: str | None, text: str) -> bool:
        with self._lock:
            self.verified += 1
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            if self.at_once == 2:
                self._loop.call_soon_threadsafe(self.two_at_once.set)
        self.gate.wait(10)
        right = super().verify(kept, text)
        with self._lock:
            self.at_once -= 1
        return right


class Door:
    """Where people log in: one process of perhaps several on the same store."""

    def __init__(self, people: People, *, time_cost: int = 1) -> None:
        self.people = people
        self.store = FailingStore(people.store)
        self.passwords = CountedPasswords(time_cost=time_cost)
        self.throttle = Throttle(self.store, people.clock)
        self.login = Login(self.store, people.clock, self.passwords, self.throttle)

    async def knock(self, name: str, secret: str = PASSWORD, origin: Origin = ORIGIN) -> str:
        """Who came in; or `no`, or `wait` with the seconds that the client has to."""
        try:
            identity = await self.login.verify(name, secret, origin)
        except Unauthorized as error:
            return "no" if str(error) == "wrong user name or password" else str(error)
        except TooManyRequests as error:
            return f"wait {error.retry_after_s}"
        return _name(identity)

    async def show(self, secret: str, name: str | None = None) -> str:
        """As `knock`, with an access token, and the reason for a refusal."""
        try:
            if name is None:
                return _name(await self.login.verify_token(secret, ORIGIN))
            return _name(await self.login.verify(name, secret, ORIGIN))
        except Unauthorized as error:
            return str(error)

    async def guess(self, times: int, name: str = "alice", origin: Origin = ORIGIN) -> None:
        """Send that many different wrong passwords, one after the other."""
        for number in range(times):
            assert await self.knock(name, f"guess number {number}", origin) == "no"


def _name(identity: Identity) -> str:
    token = "" if identity.token is None else f" with {identity.token.name}"
    return identity.principal.name + token


async def a_token(people: People, owner: str = "alice", name: str = "laptop", lifetime_ms: int | None = None) -> str:
    """The secret of a new access token."""
    expires = None if lifetime_ms is None else people.clock.now_ms() + lifetime_ms
    _, secret = await people.tokens.create(OPERATING, owner, NewToken(name, frozenset({Action.PULL}), ("**",), expires))
    return secret
