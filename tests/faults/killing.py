"""Doubles that kill their own process, as `kill -9` would, when it comes to an armed step."""

import contextlib
import os
import signal
from collections.abc import Awaitable, Callable
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from storage.blobs.files import Files
from storage.metadata.sqlite import SqliteStore
from storage.metadata.store import Transaction

T = TypeVar("T")


class Step(StrEnum):
    """Where a process can die."""

    WRITING = "half of some bytes are written"
    WRITTEN = "all of some bytes are written"
    SYNCED = "an upload's file is synced"
    RENAMED = "an upload's file has its final name"
    FOLDER_SYNCED = "the folder of the final name is synced"
    UNLINKED = "a file is removed"
    TRANSACTING = "a transaction has done its work and is not committed"
    COMMITTED = "a transaction is committed and nobody was told"
    ASKED = "the object store has changed something and nobody was told"
    ANY = "any of these"


class Trap:
    """The step that is armed, shared by all processes that know the file `path`. It springs once."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def arm(self, step: Step, nth: int = 1) -> None:
        """Let the process that comes to `step` for the `nth` time die there."""
        self._path.write_text(f"{nth} {step.name}")

    @property
    def left(self) -> int:
        """How many times more the step has to be come to."""
        return int(self._path.read_text().partition(" ")[0])

    def disarm(self) -> None:
        """Let nobody die."""
        self._path.unlink()

    @property
    def armed(self) -> bool:
        """Whether nobody has died yet."""
        return self._path.exists()

    def reached(self, step: Step) -> None:
        """Die here, if this is the step."""
        with contextlib.suppress(FileNotFoundError):
            left, _, name = self._path.read_text().partition(" ")
            if name not in {step.name, Step.ANY.name}:
                return
            if int(left) > 1:
                self._path.write_text(f"{int(left) - 1} {name}")
                return
            self._path.unlink()
            os.kill(os.getpid(), signal.SIGKILL)


class KillingFiles(Files):
    """Real file operations, with steps."""

    def __init__(self, trap: Trap) -> None:
        super().__init__()
        self._trap = trap

    def write(self, descriptor: int, data: bytes) -> None:
        half = len(data) // 2
        super().write(descriptor, data[:half])
        self._trap.reached(Step.WRITING)
        super().write(descriptor, data[half:])
        self._trap.reached(Step.WRITTEN)

    def sync(self, descriptor: int) -> None:
        super().sync(descriptor)
        self._trap.reached(Step.SYNCED)

    def rename(self, source: Path, target: Path) -> None:
        super().rename(source, target)
        self._trap.reached(Step.RENAMED)

    def sync_folder(self, folder: Path) -> None:
        super().sync_folder(folder)
        # Folders of other names are synced when they are made, before a file gets its final name there.
        if any(folder.glob("*.*")):
            self._trap.reached(Step.FOLDER_SYNCED)

    def unlink(self, path: Path) -> None:
        super().unlink(path)
        self._trap.reached(Step.UNLINKED)


class KillingStore(SqliteStore):
    """A real store, with steps."""

    def __init__(self, data: Path, trap: Trap) -> None:
        super().__init__(data)
        self._trap = trap

    async def transact(self, work: Callable[[Transaction], Awaitable[T]], *, durable: bool = True) -> T:
        async def worked(tx: Transaction) -> T:
            result = await work(tx)
            self._trap.reached(Step.TRANSACTING)
            return result

        result = await super().transact(worked, durable=durable)
        self._trap.reached(Step.COMMITTED)
        return result
