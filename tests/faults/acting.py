"""What clients, operators and the collector do, one operation amid another, and what each is promised for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from storage.digest import digest_of
from tests.faults import tally
from tests.faults.promises import Promises
from tests.faults.stepping import Happening, Killed, Steps, die
from tests.faults.world import Document, Hands, World


class Broken(AssertionError):
    """The registry has not, or does not, what it promised."""


@dataclass(frozen=True)
class Operation:
    """Something that is done with hands. `act` tells the promises what was acknowledged; it raises `Broken`."""

    repository: str

    async def act(self, do: Hands, promises: Promises) -> None:
        raise NotImplementedError

    async def refused(self, promises: Promises, is_promised: Callable[[], bool]) -> None:
        """The operation was refused, or found nothing: raises `Broken` if that is not as it was promised."""
        await expect_kept(promises)
        if is_promised():
            raise Broken(f"{self} was refused")


async def expect_kept(promises: Promises) -> None:
    """Raises `Broken` unless everything that was promised is there."""
    problems = await promises.sync()
    if problems:
        raise Broken("\n".join(problems))


@dataclass(frozen=True)
class PushBlob(Operation):
    content: bytes

    async def act(self, do: Hands, promises: Promises) -> None:
        at = promises.now
        await do.push(self.repository, self.content)
        promises.leased(self.repository, digest_of(self.content), at, anew=True)


@dataclass(frozen=True)
class LookForBlob(Operation):
    content: bytes

    async def act(self, do: Hands, promises: Promises) -> None:
        at, digest = promises.now, digest_of(self.content)
        if await do.look(self.repository, digest):
            promises.leased(self.repository, digest, at, anew=False)
            return
        await self.refused(promises, lambda: promises.has_blob(self.repository, digest))


@dataclass(frozen=True)
class Mount(Operation):
    content: bytes
    source: str

    async def act(self, do: Hands, promises: Promises) -> None:
        at, digest = promises.now, digest_of(self.content)
        if await do.mount(self.repository, digest, self.source):
            promises.leased(self.repository, digest, at, anew=True)
            return
        await self.refused(promises, lambda: promises.has_blob(self.source, digest))


@dataclass(frozen=True)
class DeleteBlob(Operation):
    content: bytes

    async def act(self, do: Hands, promises: Promises) -> None:
        if await do.delete_blob(self.repository, digest_of(self.content)):
            promises.unlinked(self.repository, digest_of(self.content))


@dataclass(frozen=True)
class Put(Operation):
    """Push a manifest, whose blobs may be there or not."""

    document: Document
    tags: tuple[str, ...]

    async def act(self, do: Hands, promises: Promises) -> None:
        at = promises.now
        if await do.put(self.repository, self.document, *self.tags):
            promises.pushed(self.repository, self.document, at, *self.tags)
            return
        await self.refused(promises, lambda: promises.has_all(self.repository, self.document))


@dataclass(frozen=True)
class LookForManifest(Operation):
    document: Document

    async def act(self, do: Hands, promises: Promises) -> None:
        at, digest = promises.now, self.document.digest
        if await do.look_for_manifest(self.repository, digest):
            promises.looked(self.repository, digest, at)
            return
        await self.refused(promises, lambda: promises.has_manifest(self.repository, digest))


@dataclass(frozen=True)
class Untag(Operation):
    tag: str

    async def act(self, do: Hands, promises: Promises) -> None:
        at = promises.now
        if await do.untag(self.repository, self.tag):
            promises.untagged(self.repository, self.tag, at)
            return
        await self.refused(promises, lambda: promises.has_tag(self.repository, self.tag))


@dataclass(frozen=True)
class Delete(Operation):
    document: Document

    async def act(self, do: Hands, promises: Promises) -> None:
        at, digest = promises.now, self.document.digest
        if await do.delete(self.repository, digest):
            promises.deleted(self.repository, digest, at)
            return
        shelf = promises.shelf(self.repository)
        await self.refused(
            promises, lambda: promises.has_manifest(self.repository, digest) and not shelf.needing(digest)
        )


@dataclass(frozen=True)
class Restore(Operation):
    document: Document
    parts: tuple[Document, ...]
    tags: tuple[str, ...]

    async def act(self, do: Hands, promises: Promises) -> None:
        at, name = promises.now, self.repository
        brought = await do.restore(name, self.document.digest, *self.tags)
        if brought is not None:
            for part in self.parts:
                if part.digest in brought:
                    promises.pushed(name, part, at)
            promises.pushed(name, self.document, at, *self.tags)
            return
        wanted = [self.document.digest, *(part.digest for part in self.parts)]
        await self.refused(
            promises,
            lambda: all(promises.has_manifest(name, one) or promises.can_be_restored(name, one) for one in wanted),
        )


@dataclass(frozen=True)
class Collect(Operation):
    """A collection, of all repositories."""

    dry_run: bool = False

    async def act(self, do: Hands, promises: Promises) -> None:
        await do.collect(dry_run=self.dry_run)


@dataclass(frozen=True)
class Act:
    """An operation, others before some of its steps, and perhaps the step at which its process dies."""

    operation: Operation
    amid: tuple[tuple[int, Act], ...] = ()
    dies_at: int | None = None
    wait_s: float = 0.0

    async def perform(self, world: World, promises: Promises) -> None:
        """Do it all. Raises `Broken`."""
        if self.wait_s:
            await expect_kept(promises)
            world.clock.advance(self.wait_s)
        happenings: dict[int, Happening] = {
            number: partial(inner.perform_amid, world, promises) for number, inner in self.amid
        }
        if self.dies_at is not None:
            happenings[self.dies_at] = die
        try:
            await self.operation.act(world.stepped(Steps(happenings)), promises)
        except* Killed:
            tally.injected("operation killed at a step")

    async def perform_amid(self, world: World, promises: Promises) -> None:
        """As `perform`, at a step of another act."""
        tally.injected("operation amid another")
        await self.perform(world, promises)
