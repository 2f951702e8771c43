"""A data folder on a disk that gets full, for the blobs, for the database and for the names of files."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.client import Answer, Registry, digest_of, image
from tests.faults.mounts import Ballast, tmpfs
from tests.faults.trapped import TrappedDaemon

SIZE, FILES = 24 << 20, 500
REPOSITORY = "app"
CONFIG, LAYER = b"{}", random.Random(1).randbytes(200_000)
LARGE = random.Random(2).randbytes(16 << 20)
SMALL = random.Random(3).randbytes(1 << 20)
ROUNDS = 400  # of small changes: more than fit


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk."""
    with tmpfs(tmp_path / "disk", SIZE, FILES) as folder:
        yield folder


@pytest.fixture
def ballast(disk: Path) -> Ballast:
    """What fills the disk."""
    return Ballast(disk)


@pytest.fixture
def daemon(disk: Path, tmp_path: Path) -> Iterator[TrappedDaemon]:
    """A daemon on the small disk, with an image; in the end it stops cleanly and its store is whole."""
    daemon = TrappedDaemon(disk / "data")
    daemon.log = tmp_path / "log"
    with daemon:
        registry = Registry(daemon.address)
        for content in (CONFIG, LAYER):
            registry.push(REPOSITORY, content)
        registry.put_manifest(REPOSITORY, "1", image(CONFIG, LAYER)).expect(201)
        yield daemon
        registry.pull(REPOSITORY, "1")
        assert daemon.stop() == 0, daemon.tail()
    daemon.check()


@pytest.fixture
def registry(daemon: TrappedDaemon) -> Registry:
    """A client."""
    return Registry(daemon.address)


def expect_full(answer: Answer) -> None:
    """AssertionError unless the answer says, as the specification wants errors, that the disk is full."""
    assert answer.expect(507).code == "UNAVAILABLE"


def test_chunk_that_does_not_fit(registry: Registry, ballast: Ballast) -> None:
    """A chunk is refused with 507, the upload keeps what did fit, and goes on once there is room."""
    ballast.fill(spare=6 << 20)
    location = registry.start(REPOSITORY)
    expect_full(registry.append(location, LARGE))
    assert 0 < registry.status(location).expect(204).offset < len(LARGE)
    registry.pull(REPOSITORY, "1")
    ballast.remove()
    assert registry.resume(location, LARGE)
    assert registry.blob(REPOSITORY, digest_of(LARGE)).expect(200).body == LARGE


def test_closing_request_that_does_not_fit(registry: Registry, ballast: Ballast) -> None:
    """A last chunk is refused with 507, nothing is visible, and the upload goes on once there is room."""
    location = registry.append(registry.start(REPOSITORY), LARGE[: 1 << 20]).expect(202).headers["Location"]
    ballast.fill(spare=1 << 20)
    expect_full(registry.finish(location, digest_of(LARGE), LARGE[1 << 20 :]))
    registry.blob(REPOSITORY, digest_of(LARGE)).expect(404)
    ballast.remove()
    assert registry.resume(location, LARGE)
    assert registry.blob(REPOSITORY, digest_of(LARGE)).expect(200).body == LARGE


def test_push_that_does_not_fit_gives_its_room_back(registry: Registry, ballast: Ballast) -> None:
    """A push in one request that is refused with 507 leaves no bytes behind: a smaller one fits at once."""
    ballast.fill(spare=6 << 20)
    expect_full(registry.push_whole(REPOSITORY, LARGE))
    registry.push_whole(REPOSITORY, SMALL).expect(201)
    assert registry.blob(REPOSITORY, digest_of(SMALL)).expect(200).body == SMALL


def padded_image(padding: str) -> bytes:
    """The manifest of the image, made larger."""
    return image(CONFIG, LAYER)[:-1] + b', "annotations": {"padding": "%b"}}' % padding.encode()


def test_database_that_gets_full(registry: Registry, ballast: Ballast) -> None:
    """Manifests, tags and uploads are taken or refused with 507; what was taken is there, and the rest is not."""
    ballast.fill(spare=2 << 20)
    taken, refused = fill_database(registry)
    assert taken
    assert refused
    for tag, manifest in taken.items():
        assert registry.pull(REPOSITORY, tag) == manifest
    assert set(registry.tags(REPOSITORY)) == {"1", *taken}
    for tag in refused:
        registry.manifest(REPOSITORY, tag).expect(404)

    ballast.remove()
    for tag, manifest in refused.items():
        registry.put_manifest(REPOSITORY, tag, manifest).expect(201)
        assert registry.pull(REPOSITORY, tag) == manifest
    registry.push(REPOSITORY, SMALL)


def fill_database(registry: Registry) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Push manifests, large and small, until five were refused; return those taken and those refused, by tag."""
    taken: dict[str, bytes] = {}
    refused: dict[str, bytes] = {}
    chance = random.Random(4)
    for number in range(ROUNDS):
        tag = f"v{number}"
        manifest = padded_image(chance.randbytes(chance.choice((10, 5_000, 100_000))).hex())
        answer = registry.put_manifest(REPOSITORY, tag, manifest).expect(201, 507)
        if answer.status == 201:
            taken[tag] = manifest
        else:
            expect_full(answer)
            refused[tag] = manifest
            registry.request("POST", f"/v2/{REPOSITORY}/blobs/uploads/").expect(202, 507)
        if len(refused) == 5:
            break
    return taken, refused


def test_full_disk_can_be_read(registry: Registry, ballast: Ballast) -> None:
    """Whatever only reads works on a full disk, and the daemon calls itself ready for it."""
    ballast.fill()
    fill_database(registry)
    registry.pull(REPOSITORY, "1")
    assert "1" in registry.tags(REPOSITORY)
    assert registry.request("GET", "/v2/_catalog").expect(200).body == b'{"repositories":["app"]}'
    registry.blob(REPOSITORY, digest_of(LAYER), method="HEAD").expect(200)
    registry.request("GET", "/readyz").expect(200)


def test_daemon_starts_on_a_full_disk(daemon: TrappedDaemon, registry: Registry, ballast: Ballast) -> None:
    """A restart on a full disk serves what is there, and takes pushes once there is room."""
    ballast.fill()
    fill_database(registry)
    daemon.kill()
    daemon.start()
    registry.pull(REPOSITORY, "1")
    expect_full(registry.push_whole(REPOSITORY, LARGE))
    ballast.remove()
    registry.push(REPOSITORY, SMALL)


def test_disk_without_room_for_names(registry: Registry, ballast: Ballast) -> None:
    """An upload whose file cannot get its name is refused with 507 and finished once it can."""
    location = registry.append(registry.start(REPOSITORY), SMALL).expect(202).headers["Location"]
    ballast.take_all_names()
    expect_full(registry.finish(location, digest_of(SMALL)))
    expect_full(registry.push_whole(REPOSITORY, LAYER + b"!"))
    ballast.remove()
    registry.finish(location, digest_of(SMALL)).expect(201)
    assert registry.blob(REPOSITORY, digest_of(SMALL)).expect(200).body == SMALL
