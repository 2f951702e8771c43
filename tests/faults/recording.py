"""Doubles that write down what happens to files and transactions, in the order in which it is done."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from storage.blobs.files import Files
from storage.metadata.sqlite import SqliteStore
from storage.metadata.store import Transaction

T = TypeVar("T")
FULL = 2  # what PRAGMA synchronous says for FULL


@dataclass(frozen=True)
class Event:
    """Something that was done. `name` is that of a file or folder below the data folder."""

    what: str
    name: str = ""


class Journal:
    """The events so far."""

    def __init__(self, data: Path) -> None:
        self.events: list[Event] = []
        self._data = data

    def add(self, what: str, path: Path | None = None) -> None:
        self.events.append(Event(what, "" if path is None else str(path.relative_to(self._data))))

    def first(self, what: str, name: str = "") -> int:
        """When it was done for the first time; AssertionError if it was not done."""
        return self._all(what, name)[0]

    def last(self, what: str, name: str = "") -> int:
        """When it was done for the last time; AssertionError if it was not done."""
        return self._all(what, name)[-1]

    def names(self, what: str) -> list[str]:
        """To which files it was done."""
        return [event.name for event in self.events if event.what == what]

    def _all(self, what: str, name: str) -> list[int]:
        found = [index for index, event in enumerate(self.events) if event == Event(what, name)]
        assert found, f"{what} {name} is not in {self.events}"
        return found


class RecordingFiles(Files):
    """Real file operations. Each is written down once it is done."""

    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self._journal = journal

    def write(self, descriptor: int, data: bytes) -> None:
        super().write(descriptor, data)
        self._journal.add("write", _path(descriptor))

    def sync(self, descriptor: int) -> None:
        super().sync(descriptor)
        self._journal.add("sync", _path(descriptor))

    def rename(self, source: Path, target: Path) -> None:
        super().rename(source, target)
        self._journal.add("rename from", source)
        self._journal.add("rename to", target)

    def sync_folder(self, folder: Path) -> None:
        super().sync_folder(folder)
        self._journal.add("sync folder", folder)

    def unlink(self, path: Path) -> None:
        super().unlink(path)
        self._journal.add("unlink", path)


class RecordingStore(SqliteStore):
    """A real store. A transaction is written down when its work begins and when it is committed: `durable` or not."""

    def __init__(self, data: Path, journal: Journal) -> None:
        super().__init__(data)
        self._journal = journal

    async def transact(self, work: Callable[[Transaction], Awaitable[T]], *, durable: bool = True) -> T:
        synchronous = 0

        async def watched(tx: Transaction) -> T:
            nonlocal synchronous
            row = await tx.fetch_one("PRAGMA synchronous")
            synchronous = 0 if row is None else int(row[0])
            self._journal.add("begin durable" if synchronous >= FULL else "begin")
            return await work(tx)

        result = await super().transact(watched, durable=durable)
        self._journal.add("commit durable" if synchronous >= FULL else "commit")
        return result


def _path(descriptor: int) -> Path:
    return Path(f"/proc/self/fd/{descriptor}").readlink()
