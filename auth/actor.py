"""Who does something, with which rights, and from where: what every change is given."""

from __future__ import annotations

from dataclasses import dataclass

from auth.policy import Access, Unlimited
from auth.principals import COLLECTOR, OPERATOR, Principal


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody at work.

    `token` names the access token that was used, if one was; `address`, `client` (User-Agent) and `request_id` are
    those of the request, None where there was none.
    """

    access: Access
    token: str | None = None
    address: str | None = None
    client: str | None = None
    request_id: str | None = None

    @property
    def principal(self) -> Principal:
        return self.access.principal


OPERATING = Actor(Unlimited(OPERATOR))
"""Whoever uses `berth` on the machine that holds the data."""

COLLECTING = Actor(Unlimited(COLLECTOR))
"""The collector, which deletes what the policies of registries tell it to."""
