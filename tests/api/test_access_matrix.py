"""Every route, for everybody, everywhere: who gets past, and how the others are refused.

What is expected is written down in `tests.api.matrix.expected`, and not taken from the code.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest
import pytest_asyncio

from auth.keyfiles import KeyFolder
from registry.api.ops import Operations
from registry.api.routing import Route
from registry.app.access import build_access
from registry.app.first_start import ADMIN_PASSWORD_VARIABLE
from registry.app.keys import prepare_keys
from registry.app.management import build_management
from registry.app.serving import routes_of
from registry.config.settings import Config
from registry.log import RequestLog
from registry.metrics import Metrics
from registry.state import WorkerState
from storage.clock import SystemClock
from storage.metadata.sqlite import MemoryStore
from tests.api.accounts import PASSWORD, PASSWORDS
from tests.api.matrix.callers import Caller, callers
from tests.api.matrix.checking import anonymised, faults
from tests.api.matrix.content import CONTENT
from tests.api.matrix.expected import Standing, Who
from tests.api.matrix.management import MANAGEMENT
from tests.api.matrix.operations import OPERATIONS
from tests.api.matrix.places import Place
from tests.api.matrix.rows import Row
from tests.api.matrix.world import World
from tests.api.server import Answer, RequestLines, configured, running

pytestmark = pytest.mark.asyncio(loop_scope="module")

_WRITTEN = [*CONTENT, *MANAGEMENT, *OPERATIONS]
# Wherever GET is answered, HEAD is.
_HEADS = {row.template for row in _WRITTEN if row.method == "HEAD"}
ROWS = [
    *_WRITTEN,
    *(replace(row, method="HEAD") for row in _WRITTEN if row.method == "GET" and row.template not in _HEADS),
]


@dataclass(frozen=True)
class Matrix:
    world: World
    callers: list[Caller]

    async def ask(self, row: Row, caller: Caller, place: Place) -> Answer:
        """Ask for what the row is about, of which there is one now if there can be."""
        found = await row.prepare(self.world, caller, place)
        body = caller.form(place) if row.form else row.body
        path, headers = row.path(place, found), row.headers(caller, place)
        return await self.world.registry.ask(row.method, path, headers=headers, body=body)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def matrix(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Matrix]:
    """One registry for all rows, and everybody who asks it."""
    keys = tmp_path_factory.mktemp("matrix") / "keys"
    config = configured({"storage.ephemeral": True, "auth.mode": "builtin", "auth.keys": str(keys)})
    prepare_keys(config)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(ADMIN_PASSWORD_VARIABLE, PASSWORD)
        async with running(config, passwords=PASSWORDS) as registry:
            management = build_management(registry.storage.store, SystemClock(), PASSWORDS)
            world = World(registry, management, KeyFolder(keys))
            await world.populate()
            yield Matrix(world, await callers(world))


async def all_routes(config: Config) -> list[Route]:
    """The whole table of a registry that is set up so."""
    store = MemoryStore()
    access = build_access(config, store, SystemClock(), PASSWORDS)
    state = WorkerState(RequestLog("json", "all", RequestLines()))
    routes = routes_of(config, access, Operations(state, Metrics(), store, {}))
    await store.close()
    return routes


async def test_no_route_is_left_out() -> None:
    """There is an expectation for every route that there is, and for no other."""
    routes = await all_routes(configured({"storage.ephemeral": True, "auth.mode": "builtin"}))
    found = {(route.method, route.template) for route in routes}
    found |= {("HEAD", template) for method, template in found if method == "GET"}
    assert {(row.method, row.template) for row in ROWS} == found


@pytest.mark.parametrize("row", ROWS, ids=str)
async def test_row(matrix: Matrix, row: Row) -> None:
    """Everybody is answered as their standing says, wherever they ask."""
    wrong = []
    for caller in matrix.callers:
        for place in row.places:
            answer = await matrix.ask(row, caller, place)
            expected = row.rule.answer(caller.standing, place)
            found = faults(row, answer, expected, matrix.world.registry.url)
            wrong += [f"{caller.name}, {place}: {fault}" for fault in found]
    assert wrong == []


@pytest.mark.parametrize("row", [row for row in ROWS if Place.PRIVATE in row.places and len(row.places) > 1], ids=str)
async def test_nothing_is_betrayed(matrix: Matrix, row: Row) -> None:
    """Who may not know what is there gets the same answer as where nothing is, byte by byte."""
    wrong = []
    for caller in matrix.callers:
        if _may_know(row, caller.standing):
            continue
        places = [place for place in row.places if place is not Place.PUBLIC]
        answers = [anonymised(await matrix.ask(row, caller, place)) for place in places]
        if any(answer != answers[0] for answer in answers):
            wrong.append((caller.name, answers))
    assert wrong == []


def _may_know(row: Row, standing: Standing) -> bool:
    if standing.who is not Who.KNOWN:
        return False
    if row.is_about_content:
        return bool(standing.content(Place.PRIVATE))
    return bool(standing.project(Place.PRIVATE)) or standing.role == "admin"
