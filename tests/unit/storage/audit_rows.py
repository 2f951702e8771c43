"""Rows of the audit log for tests: some to begin with, any that Hypothesis can think of, and a plain filter."""

from dataclasses import replace
from typing import TypedDict, Unpack

from hypothesis import strategies as st

from storage.metadata import audit
from storage.metadata.audit import AuditEntry, AuditFilter, AuditRow
from storage.metadata.store import MetadataStore, Transaction

ROW = AuditRow(
    at=1_700_000_000_000,
    principal_kind="user",
    principal="alice",
    token=None,
    action="manifest.push",
    project="default",
    target="app:1",
    outcome="allowed",
    detail=None,
    address="192.0.2.1",
    client="docker/28.0",
    request_id="r1",
)


class Fields(TypedDict, total=False):
    """What a test says about a row."""

    at: int
    principal_kind: str
    principal: str
    token: str | None
    action: str
    project: str | None
    target: str
    outcome: str
    detail: str | None
    address: str | None
    client: str | None
    request_id: str | None


def a_row(**changes: Unpack[Fields]) -> AuditRow:
    """A row that is like all others, but for these fields."""
    return replace(ROW, **changes)


async def write(store: MetadataStore, rows: list[AuditRow]) -> None:
    """Append the rows."""

    async def append(tx: Transaction) -> None:
        for row in rows:
            await audit.append(tx, row)

    await store.transact(append)


def sieve(entries: list[AuditEntry], wanted: AuditFilter) -> list[AuditEntry]:
    """What the filter wants, newest first, worked out in another way than the log does it."""
    kept = [
        entry
        for entry in entries
        if wanted.principal in {None, entry.principal}
        and (wanted.action is None or wanted.action == entry.action)
        and (wanted.project is None or wanted.project == entry.project)
        and (wanted.target is None or wanted.target == entry.target)
        and (wanted.outcome is None or wanted.outcome == entry.outcome)
        and (wanted.since_ms is None or wanted.since_ms <= entry.at)
        and (wanted.until_ms is None or wanted.until_ms > entry.at)
    ]
    return sorted(kept, key=lambda entry: (entry.at, entry.id), reverse=True)


# Few values, so that many rows are alike and filters find some.
TIMES = st.integers(0, 6)
PRINCIPALS = st.sampled_from(["alice", "default+ci", "anonymous"])
ACTIONS = st.sampled_from(["manifest.push", "tag.delete"])
PROJECTS = st.sampled_from(["default", "other"])
TARGETS = st.sampled_from(["app:1", "app:2", "user:alice"])
OUTCOMES = st.sampled_from(["allowed", "refused"])

ROWS = st.lists(
    st.builds(
        a_row,
        at=TIMES,
        principal=PRINCIPALS,
        action=ACTIONS,
        project=st.none() | PROJECTS,
        target=TARGETS,
        outcome=OUTCOMES,
    ),
    max_size=40,
)
FILTERS = st.builds(
    AuditFilter,
    principal=st.none() | PRINCIPALS,
    action=st.none() | ACTIONS,
    project=st.none() | PROJECTS,
    target=st.none() | TARGETS,
    outcome=st.none() | OUTCOMES,
    since_ms=st.none() | TIMES,
    until_ms=st.none() | TIMES,
)
