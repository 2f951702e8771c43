"""What the metadata suites write and read: rows of the table of repositories, which every engine has."""

from collections.abc import Awaitable, Callable

from storage.metadata.store import MetadataStore, Queries, Transaction

Work = Callable[[Transaction], Awaitable[None]]

INSERT = "INSERT INTO repositories (name, created_at) VALUES (?, ?)"


def inserting(*names: str) -> Work:
    """Work that adds a row for each name."""

    async def work(tx: Transaction) -> None:
        for name in names:
            await tx.execute(INSERT, name, 0)

    return work


def counting_up(name: str) -> Work:
    """Work that reads a row's number and writes the next one."""

    async def work(tx: Transaction) -> None:
        row = await tx.fetch_one("SELECT created_at FROM repositories WHERE name = ?", name)
        assert row is not None
        await tx.execute("UPDATE repositories SET created_at = ? WHERE name = ?", row[0] + 1, name)

    return work


async def names(queries: Queries) -> list[str]:
    """All names, in the engine's order."""
    return [row[0] for row in await queries.fetch_all("SELECT name FROM repositories ORDER BY name")]


async def number_of(store: MetadataStore, name: str) -> int:
    """The number in a row."""
    row = await store.fetch_one("SELECT created_at FROM repositories WHERE name = ?", name)
    assert row is not None
    return int(row[0])
