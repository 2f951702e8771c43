"""One row of the matrix: a request, and the rule that says how it is answered."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from tests.api.matrix.callers import Caller
from tests.api.matrix.expected import Rule
from tests.api.matrix.places import EVERYWHERE, GROUP, PROJECT, REPOSITORY, USER, Place
from tests.api.matrix.world import World

Arguments = Mapping[str, str]
Prepare = Callable[[World, Caller, Place], Awaitable[Arguments]]


async def nothing(world: World, caller: Caller, place: Place) -> Arguments:
    return {}


@dataclass(frozen=True)
class Row:
    """`template` is that of the route. `style` is the form of its errors: oci, oauth or json-api.

    `prepare` makes sure that there is what the request is about, wherever it can be, and says what it is called.
    `body` and `query` may name it in braces. `form` asks for the body that a client of the token service sends.
    """

    method: str
    template: str
    rule: Rule
    style: str = "oci"
    places: tuple[Place, ...] = EVERYWHERE
    query: str = ""
    body: bytes = b""
    media_type: str = ""
    prepare: Prepare = nothing
    form: bool = False
    known: Arguments = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.method} {self.template}{self.query}"

    @property
    def is_for_the_registry(self) -> bool:
        return self.template.startswith("/v2/")

    @property
    def is_about_content(self) -> bool:
        """Whether what somebody may know follows from what they may do to a repository."""
        return self.is_for_the_registry or "<name>" in self.template

    def path(self, place: Place, found: Arguments) -> str:
        """The path to ask for."""
        named = {
            "name": REPOSITORY[place],
            "project": PROJECT[place],
            "registry": "main",
            "user": USER.get(place, ""),
            "group": GROUP.get(place, ""),
            **self.known,
            **found,
        }
        return re.sub(r"<(\w+)>", lambda part: named[part[1]], self.template) + self.query.format_map(named)

    def headers(self, caller: Caller, place: Place) -> dict[str, str]:
        header = caller.registry(place) if self.is_for_the_registry else caller.login(place)
        authorization = {} if header is None or self.form else {"Authorization": header}
        return {**authorization, **({"Content-Type": self.media_type} if self.media_type else {})}
