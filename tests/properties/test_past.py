"""Any sequence of pushes, deletes and restores leaves what a simple model says, and a history that leads to it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from registry.errors import Conflict, ManifestUnknown, NotFound, StillReferenced
from storage.digest import Digest, parse_digest
from storage.errors import RegistryError
from storage.metadata.sqlite import MemoryStore
from tests.unit.registry.domain.past import Past
from tests.unit.registry.domain.shelf import GRACE

T = TypeVar("T")

EXAMPLES = 25
STEPS = 30

# Few of each, so that what is pushed, deleted and brought back is often the same.
layers = st.sampled_from([b"one", b"two", b"three"])
tags = st.sampled_from(["latest", "v1", None])
names = st.sampled_from(["latest", "v1"])
choices = st.integers(0, 1000)


def pick(some: Sequence[T], choice: int) -> T:
    return some[choice % len(some)]


class PastMachine(RuleBasedStateMachine):
    """`parts` are the manifests that each one ever pushed needs; what there is is `live`, what can come back `gone`."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.past = Past(MemoryStore())
        self.parts: dict[Digest, list[Digest]] = {}
        self.live: set[Digest] = set()
        self.gone: set[Digest] = set()
        self.tags: dict[str, Digest] = {}

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run(work)

    def teardown(self) -> None:
        self.run(self.past.store.close())
        self.loop.close()

    def pushed(self, digest: Digest, parts: list[Digest], tag: str | None) -> None:
        self.parts[digest] = parts
        self.live.add(digest)
        self.gone.discard(digest)
        if tag is not None:
            self.tags[tag] = digest

    @rule(layer=layers, tag=tags)
    def push_image(self, layer: bytes, tag: str | None) -> None:
        self.pushed(self.run(self.past.image(layer, tag=tag)), [], tag)

    @precondition(lambda self: self.live)
    @rule(first=choices, second=choices, tag=tags)
    def push_index(self, first: int, second: int, tag: str | None) -> None:
        known = sorted(self.live, key=str)
        parts = [pick(known, first), pick(known, second)]
        self.pushed(self.run(self.past.index(*parts, tag=tag)), parts, tag)

    @precondition(lambda self: self.parts)
    @rule(choice=choices, tag=tags)
    def push_referrer(self, choice: int, tag: str | None) -> None:
        subject = pick(list(self.parts), choice)
        self.pushed(self.run(self.past.referrer(subject, tag=tag)), [], tag)

    @precondition(lambda self: self.tags)
    @rule(choice=choices)
    def untag(self, choice: int) -> None:
        tag = pick(list(self.tags), choice)
        self.run(self.past.untag(tag))
        del self.tags[tag]

    @initialize()
    def fill(self) -> None:
        """Begin with an index and what it needs: most of what can be done needs something."""
        self.push_image(b"one", None)
        self.push_index(0, 0, "latest")

    def pick_known(self, some: set[Digest], choice: int) -> Digest:
        """One of these; or, once in a while, any that was ever pushed."""
        known = [digest for digest in self.parts if digest in some or choice % 8 == 7]
        return pick(known or list(self.parts), choice)

    @precondition(lambda self: self.parts)
    @rule(choice=choices)
    def delete(self, choice: int) -> None:
        self.take_away(self.pick_known(self.live, choice))

    @precondition(lambda self: self.parts)
    @rule(choice=choices)
    def delete_with_parts(self, choice: int) -> None:
        digest = self.pick_known({index for index in self.live if self.parts[index]}, choice)
        for one in [digest, *self.parts[digest]]:
            self.take_away(one)

    def take_away(self, digest: Digest) -> None:
        found = self.outcome(self.past.delete(digest))
        if digest not in self.live:
            assert found is ManifestUnknown
        elif any(digest in self.parts[index] for index in self.live):
            assert found is StillReferenced
        else:
            assert found is None
            self.live.discard(digest)
            self.gone.add(digest)
            self.tags = {tag: target for tag, target in self.tags.items() if target != digest}

    @precondition(lambda self: self.parts)
    @rule(choice=choices, tag=tags)
    def restore(self, choice: int, tag: str | None) -> None:
        digest = self.pick_known(self.gone, choice)
        found = self.outcome(self.past.restore(digest, *([] if tag is None else [tag])))
        assert found is self.brought_back(digest)
        if found is None and tag is not None:
            self.tags[tag] = digest

    @rule(tag=names)
    def restore_tag(self, tag: str) -> None:
        last = self.run(self.past.changes(tag=tag, size=1)) if self.parts else []
        found = self.outcome(self.past.restore_tag(tag))
        if not last:
            assert found is NotFound
        elif tag in self.tags:
            assert found is Conflict
        else:
            assert last[0].old is not None
            digest = parse_digest(last[0].old)
            assert found is self.brought_back(digest)
            if found is None:
                self.tags[tag] = digest

    @precondition(lambda self: self.gone)
    @rule(choice=choices)
    def give_up(self, choice: int) -> None:
        """What was deleted long ago is gone for good."""
        digest = pick(sorted(self.gone, key=str), choice)
        self.run(self.forget(digest))
        self.gone.discard(digest)

    @rule()
    def collect(self) -> None:
        """The leases end, and what nothing needs goes."""
        self.run(self.past.collect(GRACE + 1))

    def brought_back(self, digest: Digest) -> type[RegistryError] | None:
        """Do to the model what a restore does; the error that it ends in, if it does."""
        wanted, found = [digest], set[Digest]()
        while wanted:
            current = wanted.pop()
            if current in self.live or current in found:
                continue
            if current not in self.gone:
                return NotFound if current == digest else Conflict
            found.add(current)
            wanted += self.parts[current]
        self.live |= found
        self.gone -= found
        return None

    def outcome(self, work: Coroutine[Any, Any, object]) -> type[RegistryError] | None:
        try:
            self.run(work)
        except RegistryError as error:
            return type(error)
        return None

    async def forget(self, digest: Digest) -> None:
        await self.past.store.transact(
            lambda tx: tx.execute("DELETE FROM deleted_manifests WHERE digest = ?", str(digest))
        )

    @invariant()
    def as_the_model_says(self) -> None:
        self.run(self.compare())

    async def compare(self) -> None:
        fetch = self.past.store.fetch_all
        assert {digest for (digest,) in await fetch("SELECT digest FROM manifests")} == set(map(str, self.live))
        assert {digest for (digest,) in await fetch("SELECT digest FROM deleted_manifests")} == set(map(str, self.gone))
        targets = {tag: str(digest) for tag, digest in self.tags.items()}
        rows = await fetch("SELECT t.name, m.digest FROM tags t JOIN manifests m ON m.id = t.manifest_id")
        assert dict(rows) == targets
        replayed: dict[str, str] = {}
        for tag, old, new in await self.past.moves() if self.parts else []:
            assert replayed.pop(tag, None) == old
            if new is not None:
                replayed[tag] = new
        assert replayed == targets
        # The bytes that a deleted manifest needs are there, and orphans are held by nothing.
        assert await fetch("SELECT digest FROM deleted_references WHERE digest NOT IN (SELECT digest FROM blobs)") == []
        parts = {part for digest in self.live for part in self.parts[digest]}
        for (digest,) in await fetch("SELECT digest FROM manifests WHERE orphaned = 1"):
            assert parse_digest(digest) not in parts | set(self.tags.values())
        await self.past.expect_sound()


# Of a sequence that fails, hypothesis looks for the shortest one that fails, which takes minutes.
@pytest.mark.timeout(600)
def test_past() -> None:
    """Whatever is pushed, deleted and brought back, in any order: everything is sound, and as the model says."""
    run_state_machine_as_test(
        PastMachine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
