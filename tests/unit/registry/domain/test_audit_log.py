"""Reading the audit log: who may read what, in pages and as a whole, and how it expires."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auth.actor import OPERATING, Actor
from auth.policy import RegistryMap, Restriction, Rights
from auth.principals import ANONYMOUS, Kind, Principal
from auth.roles import Role, SystemRole
from registry.domain.audit_log import SLICE, AuditEntry, AuditFilter, AuditLog
from registry.errors import Denied, NotFound, RequestInvalid
from storage.metadata import audit, projects
from storage.metadata.audit import BEGIN, AuditRow
from storage.metadata.sqlite import MemoryStore
from storage.metadata.store import MetadataStore, Transaction
from tests.unit.storage.audit_rows import FILTERS, ROWS, a_row, sieve, write

ALL = AuditFilter()
ALICE = Principal(Kind.USER, "alice", 7)
# When the project of these tests was made.
CREATED = 1000


async def make_project(store: MetadataStore, name: str, created_at: int = CREATED) -> int:
    """A project, and its id."""

    async def insert(tx: Transaction) -> None:
        await projects.insert(tx, name, "", created_at)

    await store.transact(insert)
    row = await projects.find(store, name)
    assert row is not None
    return row.id


def alice(**rights: object) -> Actor:
    """Alice, with the rights that are given."""
    return Actor(Rights(ALICE, RegistryMap([]), **rights))  # type: ignore[arg-type]


def member(project_id: int, role: Role) -> Actor:
    """Alice as a member of one project."""
    return alice(roles={project_id: role})


async def targets(log: AuditLog, actor: Actor, wanted: AuditFilter = ALL) -> list[str]:
    """What the entries of the first page are about."""
    return [entry.target for entry in (await log.page(actor, wanted, "", 1000)).items]


async def pages(log: AuditLog, wanted: AuditFilter, size: int) -> list[AuditEntry]:
    """All entries, page by page."""
    found: list[AuditEntry] = []
    while True:
        page = await log.page(OPERATING, wanted, str(found[-1].id) if found else "", size)
        assert len(page.items) == size or not page.more
        found += page.items
        if not page.more:
            return found


async def test_empty_log(store: MetadataStore) -> None:
    """Where nothing happened there is an empty page, and nothing to export."""
    log = AuditLog(store)
    page = await log.page(OPERATING, ALL, "", 10)
    assert (page.items, page.more) == ([], False)
    assert [entry async for entry in log.export(OPERATING, ALL)] == []


async def test_pages(store: MetadataStore) -> None:
    """Pages go from the newest entry to the oldest, and the last one says so, also when it is full."""
    await write(store, [a_row(at=at) for at in (1, 2, 3, 4)])
    log = AuditLog(store)
    first = await log.page(OPERATING, ALL, "", 2)
    assert ([entry.at for entry in first.items], first.more) == ([4, 3], True)
    second = await log.page(OPERATING, ALL, str(first.items[-1].id), 2)
    assert ([entry.at for entry in second.items], second.more) == ([2, 1], False)


@settings(deadline=None, max_examples=60)
@given(rows=ROWS, wanted=FILTERS, size=st.integers(1, 7))
def test_any_filter(rows: list[AuditRow], wanted: AuditFilter, size: int) -> None:
    """The pages together, and the export in its order, are what a plain filter finds among all entries."""

    async def compare() -> None:
        store = MemoryStore()
        await write(store, rows)
        expected = sieve(await audit.oldest(store, ALL, BEGIN, 1000), wanted)
        log = AuditLog(store)
        assert await pages(log, wanted, size) == expected
        assert [entry async for entry in log.export(OPERATING, wanted)] == expected[::-1]
        await store.close()

    asyncio.run(compare())


async def test_rare_entries(store: MetadataStore) -> None:
    """What is wanted is found however many entries of the same project lie between."""
    rows = [a_row(at=at, outcome="allowed" if at % 300 else "refused") for at in range(3 * SLICE + 100)]
    await write(store, rows)
    log = AuditLog(store)
    wanted = AuditFilter(project="default", outcome="refused")
    assert [entry.at for entry in await pages(log, wanted, 1)] == [600, 300, 0]
    assert [entry.at async for entry in log.export(OPERATING, wanted)] == [0, 300, 600]


@pytest.mark.parametrize("count", [SLICE - 1, SLICE, SLICE + 1, 2 * SLICE])
async def test_whole_slices(store: MetadataStore, count: int) -> None:
    """Nothing is left out or doubled where one part of the log ends and the next begins."""
    await write(store, [a_row(at=at // 3) for at in range(count)])
    log = AuditLog(store)
    assert [entry.id async for entry in log.export(OPERATING, ALL)] == list(range(1, count + 1))
    assert [entry.id for entry in (await log.page(OPERATING, ALL, "", count)).items] == list(range(count, 0, -1))


async def test_entries_that_come_meanwhile(store: MetadataStore) -> None:
    """New entries do not shift the pages of who is reading."""
    log = AuditLog(store)
    await write(store, [a_row(at=at) for at in (1, 2, 3)])
    first = await log.page(OPERATING, ALL, "", 1)
    await write(store, [a_row(at=at) for at in (4, 5)])
    second = await log.page(OPERATING, ALL, str(first.items[-1].id), 5)
    assert [entry.at for entry in second.items] == [2, 1]


async def test_page_after_what_expired(store: MetadataStore) -> None:
    """After an entry that has expired comes nothing: what was older has expired too."""
    log = AuditLog(store)
    await write(store, [a_row(at=at) for at in (1, 2, 3)])
    assert await log.expire(3) == 2
    page = await log.page(OPERATING, ALL, "2", 5)
    assert (page.items, page.more) == ([], False)


@pytest.mark.parametrize("after", ["x", "-1", "1.5", "²", "9" * 19, "1 or 1", " 1"])
async def test_page_after_nonsense(store: MetadataStore, after: str) -> None:
    """What cannot be the number of an entry is said to be none."""
    with pytest.raises(RequestInvalid, match="not the id of an entry"):
        await AuditLog(store).page(OPERATING, ALL, after, 5)


async def test_administrator(store: MetadataStore) -> None:
    """Administrators read everything, also about projects that are gone."""
    await write(store, [a_row(target="a", project="gone"), a_row(target="b", project=None)])
    log, admin = AuditLog(store), alice(system_role=SystemRole.ADMIN)
    assert await targets(log, admin) == ["b", "a"]
    assert await targets(log, admin, AuditFilter(project="gone")) == ["a"]


@pytest.mark.parametrize("role", [Role.OWNER, Role.MAINTAINER])
async def test_project(store: MetadataStore, role: Role) -> None:
    """Owners and maintainers read what is about their project, and that alone."""
    actor = member(await make_project(store, "shop"), role)
    rows = [("mine", "shop"), ("other", "other"), ("nowhere", None)]
    await write(store, [a_row(at=CREATED, target=target, project=project) for target, project in rows])
    assert await targets(AuditLog(store), actor, AuditFilter(project="shop")) == ["mine"]
    exported = AuditLog(store).export(actor, AuditFilter(project="shop"))
    assert [entry.target async for entry in exported] == ["mine"]


async def test_earlier_project_of_the_same_name(store: MetadataStore) -> None:
    """Members do not see what was done in an earlier project of this name, whatever time they ask for."""
    actor, log = member(await make_project(store, "shop"), Role.OWNER), AuditLog(store)
    rows = [a_row(at=at, target=str(at), project="shop") for at in (CREATED - 1, CREATED, CREATED + 1)]
    await write(store, rows)
    assert await targets(log, actor, AuditFilter(project="shop")) == ["1001", "1000"]
    assert await targets(log, actor, AuditFilter(project="shop", since_ms=0)) == ["1001", "1000"]
    assert await targets(log, actor, AuditFilter(project="shop", since_ms=CREATED + 1)) == ["1001"]
    assert await targets(log, actor, AuditFilter(project="shop", until_ms=CREATED)) == []
    assert await targets(log, OPERATING, AuditFilter(project="shop")) == ["1001", "1000", "999"]


async def test_page_after_an_entry_of_others(store: MetadataStore) -> None:
    """The number of an entry that somebody may not read tells nothing about when that was written."""
    actor, log = member(await make_project(store, "shop"), Role.OWNER), AuditLog(store)
    rows = [(CREATED, "shop"), (CREATED + 1, "other"), (CREATED + 2, "shop")]
    await write(store, [a_row(at=at, project=project) for at, project in rows])
    assert (await log.page(actor, AuditFilter(project="shop"), "2", 5)).items == []
    assert len((await log.page(actor, AuditFilter(project="shop"), "3", 5)).items) == 1


async def refusal(store: MetadataStore, actor: Actor, wanted: AuditFilter) -> type[Exception] | None:
    """How somebody is refused, whether in pages or as a whole."""
    kinds: list[type[Exception] | None] = []
    log = AuditLog(store)
    for read in (log.page(actor, wanted, "", 5), anext(log.export(actor, wanted), None)):
        try:
            await read
        except (Denied, NotFound) as error:
            kinds.append(type(error))
        else:
            kinds.append(None)
    assert kinds[0] is kinds[1]
    return kinds[0]


async def test_refusals(store: MetadataStore) -> None:
    """Who may not read the log is refused; who may not know of the project, as if there were none."""
    shop, other = await make_project(store, "shop"), await make_project(store, "other")
    owner, of_shop = member(shop, Role.OWNER), AuditFilter(project="shop")
    developer, foreigner = member(shop, Role.DEVELOPER), member(other, Role.OWNER)
    monitor, nobody = alice(system_role=SystemRole.MONITOR), Actor(Rights(ANONYMOUS, RegistryMap([])))
    narrowed = alice(system_role=SystemRole.ADMIN, restriction=Restriction("ci", frozenset(), ()))
    assert await refusal(store, owner, ALL) is Denied
    assert await refusal(store, owner, of_shop) is None
    assert await refusal(store, developer, of_shop) is Denied
    assert await refusal(store, foreigner, of_shop) is NotFound
    assert await refusal(store, foreigner, AuditFilter(project="missing")) is NotFound
    assert await refusal(store, monitor, ALL) is Denied
    assert await refusal(store, nobody, of_shop) is NotFound
    assert await refusal(store, nobody, ALL) is Denied
    assert await refusal(store, narrowed, ALL) is Denied


async def test_expiry(store: MetadataStore) -> None:
    """Everything from before the time goes, in as many transactions as it takes, and nothing else."""
    await write(store, [a_row(at=at) for at in range(1234)])
    log = AuditLog(store)
    assert await log.expire(1200) == 1200
    assert [entry.at async for entry in log.export(OPERATING, ALL)] == list(range(1200, 1234))
    assert await log.expire(1200) == 0
