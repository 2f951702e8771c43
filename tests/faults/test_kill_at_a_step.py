"""`kill -9` of a worker at each step of each request that changes something."""

import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from tests.faults import tally
from tests.faults.client import Answer, Lost, Registry, digest_of, image
from tests.faults.killing import Step
from tests.faults.trapped import TrappedDaemon, find_problems

BEFORE = "before"  # holds what was acknowledged before anybody died
_NUMBERS = itertools.count(1)
_RANDOM = random.Random(1)


@dataclass(frozen=True)
class Content:
    """One test's repository, and what it pushes: nothing that another test has pushed."""

    registry: Registry
    repository: str
    config: bytes = b"{}"
    layer: bytes = field(default_factory=lambda: _RANDOM.randbytes(100_000))
    blob: bytes = field(default_factory=lambda: _RANDOM.randbytes(2 << 20))

    @property
    def image(self) -> bytes:
        return image(self.config, self.layer)

    @property
    def newer_image(self) -> bytes:
        return image(self.config, self.layer, self.config)

    def push_layers(self, repository: str | None = None) -> str:
        """Push what both images need."""
        for content in (self.config, self.layer):
            self.registry.push(repository or self.repository, content)
        return ""

    def push_image(self) -> str:
        """Push `image`, with the tag 1, and `newer_image`, without one."""
        self.push_layers()
        self.put("1", self.image).expect(201)
        self.put(digest_of(self.newer_image), self.newer_image).expect(201)
        return ""

    def upload(self) -> str:
        """Begin an upload that holds all of `blob`."""
        return self.registry.append(self.registry.start(self.repository), self.blob).expect(202).headers["Location"]

    def put(self, reference: str, manifest: bytes) -> Answer:
        return self.registry.put_manifest(self.repository, reference, manifest)

    def delete(self, path: str) -> Answer:
        return self.registry.request("DELETE", f"/v2/{self.repository}/{path}")

    def has(self, content: bytes) -> bool:
        """Whether a blob can be read; AssertionError if what can be read is not the blob."""
        answer = self.registry.blob(self.repository, digest_of(content)).expect(200, 404)
        assert answer.body == content or answer.status == 404
        return answer.status == 200

    def leads(self, reference: str, manifest: bytes) -> bool:
        """Whether a reference leads to this manifest; AssertionError if it leads to what nobody pushed."""
        answer = self.registry.manifest(self.repository, reference).expect(200, 404)
        assert answer.body in (self.image, self.newer_image) or answer.status == 404
        return answer.body == manifest


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrappedDaemon]:
    """A daemon with an image in the repository `BEFORE`; in the end it stops cleanly and its store is whole."""
    with TrappedDaemon(tmp_path_factory.mktemp("kill") / "data") as daemon:
        Content(Registry(daemon.address), BEFORE, layer=b"layer").push_image()
        yield daemon
        assert daemon.stop() == 0, daemon.tail()
    daemon.check()


@pytest.fixture
def content(daemon: TrappedDaemon) -> Iterator[Content]:
    """Something to push; afterwards what was pushed before the test is there, and the store is whole."""
    registry = Registry(daemon.address)
    yield Content(registry, f"test/{next(_NUMBERS)}")
    registry.pull(BEFORE, "1")
    assert find_problems(daemon.data) == []


def die(daemon: TrappedDaemon, step: Step, nth: int, request: Callable[[], object]) -> None:
    """Let a worker die at a step of `request`, and wait for its replacement."""
    workers = daemon.workers()
    daemon.trap.arm(step, nth)
    with pytest.raises(Lost):
        request()
    assert not daemon.trap.armed, "nobody came to the step"
    tally.injected("kill -9 at a step")
    daemon.wait_for_replacement(workers)


@dataclass(frozen=True)
class Change:
    """A request that changes something, and whether the change is there.

    `make` and `happened` are given what `prepare` returned. `repeat` is what a client does who got no answer.
    """

    make: Callable[[Content, str], object]
    happened: Callable[[Content, str], bool]
    prepare: Callable[[Content], str] = lambda _: ""
    repeat: Callable[[Content, str], object] | None = None


CHANGES = {
    "finish an upload": Change(
        prepare=Content.upload,
        make=lambda it, upload: it.registry.finish(upload, digest_of(it.blob)),
        happened=lambda it, _: it.has(it.blob),
        repeat=lambda it, upload: it.registry.resume(upload, it.blob),
    ),
    "push a blob in one request": Change(
        make=lambda it, _: it.registry.push_whole(it.repository, it.blob),
        happened=lambda it, _: it.has(it.blob),
    ),
    "push a blob that is stored already": Change(
        prepare=lambda it: it.push_layers(BEFORE),
        make=lambda it, _: it.registry.push_whole(it.repository, it.layer),
        happened=lambda it, _: it.has(it.layer),
    ),
    "mount a blob": Change(
        prepare=lambda it: it.push_layers(BEFORE),
        make=lambda it, _: it.registry.mount(it.repository, digest_of(it.layer), BEFORE),
        happened=lambda it, _: it.has(it.layer),
    ),
    "cancel an upload": Change(
        prepare=Content.upload,
        make=lambda it, upload: it.registry.request("DELETE", upload),
        happened=lambda it, upload: it.registry.status(upload).expect(204, 404).status == 404,
    ),
    "push a manifest by digest": Change(
        prepare=Content.push_layers,
        make=lambda it, _: it.put(digest_of(it.image), it.image),
        happened=lambda it, _: it.leads(digest_of(it.image), it.image),
    ),
    "push a manifest with a tag": Change(
        prepare=Content.push_layers,
        make=lambda it, _: it.put("1", it.image),
        happened=lambda it, _: it.leads("1", it.image) and it.leads(digest_of(it.image), it.image),
    ),
    "move a tag": Change(
        prepare=Content.push_image,
        make=lambda it, _: it.put("1", it.newer_image),
        happened=lambda it, _: it.leads("1", it.newer_image),
    ),
    "delete a tag": Change(
        prepare=Content.push_image,
        make=lambda it, _: it.delete("manifests/1"),
        happened=lambda it, _: not it.leads("1", it.image),
    ),
    "delete a manifest": Change(
        prepare=Content.push_image,
        make=lambda it, _: it.delete(f"manifests/{digest_of(it.image)}"),
        happened=lambda it, _: not it.leads("1", it.image) and not it.leads(digest_of(it.image), it.image),
    ),
    "delete a blob": Change(
        prepare=Content.push_layers,
        make=lambda it, _: it.delete(f"blobs/{digest_of(it.layer)}"),
        happened=lambda it, _: not it.has(it.layer),
    ),
}

CHANGES_OF_ROWS = [name for name in CHANGES if not name.startswith(("finish", "push a blob", "cancel"))]

# The step, for the how manieth time it is come to, and whether the change is there after the death.
DEATHS = [
    ("finish an upload", Step.SYNCED, 1, False),
    ("finish an upload", Step.RENAMED, 1, False),
    ("finish an upload", Step.FOLDER_SYNCED, 1, False),
    ("finish an upload", Step.TRANSACTING, 1, False),
    ("finish an upload", Step.COMMITTED, 1, True),
    ("push a blob in one request", Step.COMMITTED, 1, False),
    ("push a blob in one request", Step.WRITING, 2, False),
    ("push a blob in one request", Step.SYNCED, 1, False),
    ("push a blob in one request", Step.TRANSACTING, 2, False),
    ("push a blob in one request", Step.COMMITTED, 2, True),
    ("push a blob that is stored already", Step.UNLINKED, 1, True),
    # The bytes go first, and without them there is no upload any more.
    *[("cancel an upload", step, 1, True) for step in (Step.UNLINKED, Step.TRANSACTING, Step.COMMITTED)],
    *[
        (name, step, 1, step is Step.COMMITTED)
        for name in CHANGES_OF_ROWS
        for step in (Step.TRANSACTING, Step.COMMITTED)
    ],
]


@pytest.mark.parametrize(
    ("name", "step", "nth", "is_there"), DEATHS, ids=[f"{name}-{step.name}-{nth}" for name, step, nth, _ in DEATHS]
)
def test_a_change_is_whole_or_not_there(
    daemon: TrappedDaemon,
    content: Content,
    name: str,
    step: Step,
    nth: int,
    is_there: bool,  # noqa: FBT001
) -> None:
    """A change happens at its commit and not before, and the client that got no answer can repeat it."""
    change = CHANGES[name]
    prepared = change.prepare(content)
    die(daemon, step, nth, lambda: change.make(content, prepared))
    assert change.happened(content, prepared) == is_there
    (change.repeat or change.make)(content, prepared)
    assert change.happened(content, prepared)


@pytest.mark.parametrize("step", [Step.WRITING, Step.WRITTEN], ids=lambda step: step.name)
def test_an_upload_goes_on_after_a_death_in_a_chunk(daemon: TrappedDaemon, content: Content, step: Step) -> None:
    """What was written of a chunk is a beginning of it, and the upload goes on from there."""
    blob, registry = content.blob, content.registry
    location = registry.start(content.repository)
    location = registry.append(location, blob[:100_000], 0).expect(202).headers["Location"]
    die(daemon, step, 3, lambda: registry.append(location, blob[100_000:], 100_000))
    assert 100_000 < registry.status(location).expect(204).offset < len(blob)
    assert not content.has(blob)
    assert registry.resume(location, blob)
    assert content.has(blob)


@pytest.mark.parametrize("step", [Step.TRANSACTING, Step.COMMITTED], ids=lambda step: step.name)
def test_an_upload_that_nobody_heard_of_is_not_seen(daemon: TrappedDaemon, content: Content, step: Step) -> None:
    """A death at the start of an upload leaves no repository, and the next upload succeeds."""
    die(daemon, step, 1, lambda: content.registry.start(content.repository))
    assert content.registry.request("GET", f"/v2/{content.repository}/tags/list").expect(404).code == "NAME_UNKNOWN"
    content.registry.push(content.repository, content.blob)
    assert content.has(content.blob)


@pytest.mark.parametrize(
    "step", [Step.WRITTEN, Step.SYNCED, Step.RENAMED, Step.TRANSACTING], ids=lambda step: step.name
)
def test_the_next_daemon_goes_on(daemon: TrappedDaemon, content: Content, step: Step) -> None:
    """When every process dies, the next daemon has what was acknowledged, and the client goes on with its upload."""
    registry, blob = content.registry, content.blob
    location = registry.start(content.repository)
    daemon.trap.arm(step)
    with pytest.raises(Lost):
        registry.finish(location, digest_of(blob), blob)
    daemon.kill()
    tally.injected("kill -9 at a step")
    daemon.start()
    assert not content.has(blob)
    registry.resume(location, blob)
    assert content.has(blob)
