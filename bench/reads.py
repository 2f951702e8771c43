"""Pulling: manifests and blobs under load, one big blob, and an image of many layers."""

from __future__ import annotations

import time

from bench.client import Client, in_parallel
from bench.content import ACCEPT, BigFile, Image, digest_of, push_blob, push_image, random_image, small_image
from bench.load import Load, get_load, head_load
from bench.measurements import Invalid, Measurement, Sample, Settings
from bench.servers import Registry

REPOSITORY = "bench/pull"
TAG = "latest"
BLOCK = 1 << 20


def checked(load: Load, size: int) -> dict[str, float]:
    """The latencies of a load whose answers were all good and of `size` bytes; raises Invalid otherwise."""
    problems = []
    if load.bad_status:
        problems.append(f"{load.bad_status} of {load.requests} answers were not 200")
    if load.socket_errors:
        problems.append(f"{load.socket_errors} connections broke or timed out")
    if not load.requests:
        problems.append("no answer at all")
    if load.bytes < load.requests * size:
        problems.append("answers were shorter than the content")
    if problems:
        raise Invalid(", ".join(problems))
    return {"p50_ms": load.p50_ms, "p99_ms": load.p99_ms}


def look_at(registry: Registry, target: str, digest: str) -> None:
    """GETs `target` once; raises Unexpected when it is not 200, Invalid when it is not this content."""
    with Client(registry.url) as client:
        answer = client.expect(200, "GET", target, headers={"Accept": ACCEPT})
    if digest_of(answer.body) != digest:
        raise Invalid(f"GET {target} brought other bytes than were pushed")


class ManifestGet(Measurement):
    """Requests for one small manifest, by tag or by digest."""

    unit = "requests/s"

    def __init__(self, settings: Settings, by: str, connections: int = 32) -> None:
        self.name = f"manifest-{by}"
        self.title = f"manifest GET by {by}, {connections} connections"
        self._settings = settings
        self._connections = connections
        self._image = small_image()
        reference = TAG if by == "tag" else self._image.digest
        self._target = f"/v2/{REPOSITORY}/manifests/{reference}"

    def prepare(self, registry: Registry) -> None:
        push_image(registry.url, REPOSITORY, TAG, self._image)

    def measure(self, registry: Registry) -> Sample:
        look_at(registry, self._target, self._image.digest)
        load = self._load(registry.url + self._target)
        return Sample(load.requests / load.seconds, checked(load, len(self._image.manifest)))

    def _load(self, url: str) -> Load:
        settings = self._settings
        return get_load(url, settings.folder, self._connections, settings.seconds, {"Accept": ACCEPT})


class ManifestHead(Measurement):
    """HEAD of one small manifest by tag, which is how clients resolve a tag."""

    name = "manifest-head"
    unit = "requests/s"

    def __init__(self, settings: Settings, connections: int = 32) -> None:
        self.title = f"manifest HEAD by tag, {connections} connections"
        self._settings = settings
        self._connections = connections
        self._image = small_image()
        self._target = f"/v2/{REPOSITORY}/manifests/{TAG}"

    def prepare(self, registry: Registry) -> None:
        push_image(registry.url, REPOSITORY, TAG, self._image)

    def measure(self, registry: Registry) -> Sample:
        with Client(registry.url) as client:
            answer = client.expect(200, "HEAD", self._target, headers={"Accept": ACCEPT})
        if answer.headers.get("docker-content-digest") != self._image.digest:
            raise Invalid("HEAD answered with another digest than was pushed")
        load = head_load(registry.url, self._target, self._connections, self._settings.seconds, {"Accept": ACCEPT})
        return Sample(load.requests / load.seconds, checked(load, 0))


class BlobGet(Measurement):
    """One blob, requested again and again, in requests or in gigabytes per second."""

    def __init__(self, settings: Settings, name: str, size: int, label: str, connections: int) -> None:
        self.name = name
        self.unit = "requests/s" if size < BLOCK else "GB/s"
        self.title = f"{label} blob GET, {connections} connections"
        self._settings = settings
        self._connections = connections
        self._content = b"berth" * (size // 5 + 1)
        self._content = self._content[:size]
        self._digest = digest_of(self._content)

    def prepare(self, registry: Registry) -> None:
        with Client(registry.url) as client:
            push_blob(client, REPOSITORY, self._digest, self._content)

    def measure(self, registry: Registry) -> Sample:
        target = f"/v2/{REPOSITORY}/blobs/{self._digest}"
        look_at(registry, target, self._digest)
        load = get_load(registry.url + target, self._settings.folder, self._connections, self._settings.seconds, {})
        latencies = checked(load, len(self._content))
        amount = load.requests if self.unit == "requests/s" else load.bytes / 1e9
        return Sample(amount / load.seconds, latencies)


class BlobStream(Measurement):
    """One big blob over one connection, as often as it fits into the time, at least once."""

    name = "blob-big"
    unit = "GB/s"

    def __init__(self, settings: Settings, big: BigFile) -> None:
        self.title = f"{big.size >> 20} MiB blob GET, 1 connection"
        self._settings = settings
        self._big = big
        self._digests: dict[str, str] = {}

    def prepare(self, registry: Registry) -> None:
        self._big.renew()
        with Client(registry.url) as client:
            self._big.put(client, REPOSITORY)
        self._digests[registry.name] = self._big.digest

    def measure(self, registry: Registry) -> Sample:
        target = f"/v2/{REPOSITORY}/blobs/{self._digests[registry.name]}"
        buffer = memoryview(bytearray(BLOCK))
        received = 0
        with Client(registry.url) as client:
            started = time.perf_counter()
            while (elapsed := time.perf_counter() - started) < self._settings.seconds or not received:
                received += client.download(target, buffer)
        if received % self._big.size:
            raise Invalid(f"the blob came with {received} bytes in all")
        return Sample(received / elapsed / 1e9)


class ImagePull(Measurement):
    """All of an image of many small layers: the manifest, then its blobs, every digest checked."""

    name = "image-pull"
    unit = "ms"
    more_is_better = False

    def __init__(self, layers: int = 50, size: int = 64 << 10, clients: int = 4) -> None:
        self.title = f"image pull, {layers} layers of {size >> 10} KiB, {clients} at a time"
        self._clients = clients
        self._image: Image = random_image(layers, size)

    def prepare(self, registry: Registry) -> None:
        push_image(registry.url, REPOSITORY, "many-layers", self._image, self._clients)

    def measure(self, registry: Registry) -> Sample:
        started = time.perf_counter()
        look_at(registry, f"/v2/{REPOSITORY}/manifests/many-layers", self._image.digest)
        in_parallel(registry.url, self._clients, (digest for digest, _ in self._image.blobs), _pull)
        return Sample(1e3 * (time.perf_counter() - started))


def _pull(client: Client, digest: str) -> None:
    answer = client.expect(200, "GET", f"/v2/{REPOSITORY}/blobs/{digest}")
    if digest_of(answer.body) != digest:
        raise Invalid(f"blob {digest} brought other bytes than were pushed")
