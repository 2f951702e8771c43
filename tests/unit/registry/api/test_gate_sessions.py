"""Sessions that the gate remembers, so that a token is verified once."""

from __future__ import annotations

from typing import cast

import pytest

from auth.policy import Claimed
from auth.principals import ANONYMOUS
from auth.tokens import Claims, Holder
from registry.api.answer import Answer
from registry.api.call import NO_REPOSITORY, Call, Services, Settings
from registry.api.forwarded import Origins
from registry.api.gate import Doors, Gate
from registry.api.routing import Guard, Match, Route
from registry.domain.access import Accesses, Standing
from registry.domain.login import Login
from storage.clock import FakeClock
from storage.metadata.sqlite import MemoryStore
from tests.unit.registry.api.requests import Request

NEVER = 4_000_000_000.0
ORIGINS = Origins(absolute=False, public_url="", trusted=(), secure=False)


class Believing:
    """Believes every token, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def verify(self, token: str) -> Claims:
        self.asked += 1
        return Claims(Holder(ANONYMOUS), (), NEVER)

    async def standing(self, claims: Claims) -> Standing:
        return Standing(Claimed(ANONYMOUS, {}))


class Silent:
    """Hears of refusals and keeps none."""

    def refused(self, call: Call, match: Match, reason: str) -> None:
        """Nothing is refused here."""


async def _handle(call: Call) -> Answer:
    return Answer(200)


BASE = Match(Route("GET", "/v2/", _handle, "base", Guard.REGISTRY), NO_REPOSITORY, {})


@pytest.mark.parametrize(("length", "asked"), [(100, 3000), (8000, 3001)], ids=["short", "long"])
async def test_sessions_do_not_fill_the_memory(length: int, asked: int) -> None:
    """Anybody gets tokens: as many are remembered as are of any use, and fewer when they are long."""
    store, bearers = MemoryStore(), Believing()
    doors = Doors(open_to_all=False, external=False, realm="", service="berth")
    gate = Gate(doors, Accesses(store, FakeClock()), cast("Login", None), bearers, Silent())
    for number in [*range(3000), 0]:
        request = Request(headers={"Authorization": f"Bearer {number:0{length}}"}).as_request()
        call = Call(request, cast("Services", None), cast("Settings", None), ORIGINS, "1")
        assert (await gate.enter(call, BASE)).is_anonymous
    assert bearers.asked == asked
    await store.close()
