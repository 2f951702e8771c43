"""Pushing: tags, one big blob in the two ways of clients, and an image of many layers."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable

from bench.client import Client
from bench.content import IMAGE_MANIFEST, BigFile, push_image, random_image, small_image
from bench.load import put_tags_load
from bench.measurements import Invalid, Measurement, Sample, Settings
from bench.servers import Registry

REPOSITORY = "bench/push"


def quiet_disk() -> None:
    """Writes out what earlier measurements left in the page cache, so that the next one is not slowed."""
    os.sync()


class TagPut(Measurement):
    """One small manifest under ever new tags; failures are counted and shown, not the end of it."""

    name = "tag-put"
    unit = "tags/s"

    def __init__(self, settings: Settings, clients: int = 16) -> None:
        self.title = f"tag PUT, {clients} clients"
        self._settings = settings
        self._clients = clients
        self._image = small_image()

    def prepare(self, registry: Registry) -> None:
        push_image(registry.url, REPOSITORY, "latest", self._image)

    def measure(self, registry: Registry) -> Sample:
        prefix = f"/v2/{REPOSITORY}/manifests/t{secrets.token_hex(4)}-"
        quiet_disk()
        settings = self._settings
        load = put_tags_load(
            registry.url,
            prefix,
            self._image.manifest,
            IMAGE_MANIFEST,
            settings.folder,
            self._clients,
            settings.seconds,
        )
        if load.socket_errors or not load.requests:
            raise Invalid(f"{load.requests} answers, {load.socket_errors} connections broke or timed out")
        note = f"{load.bad_status} of {load.requests} PUTs failed and are not counted" if load.bad_status else ""
        details = {"p50_ms": load.p50_ms, "p99_ms": load.p99_ms, "failed": load.bad_status}
        return Sample((load.requests - load.bad_status) / load.seconds, details, note)


class BlobPush(Measurement):
    """One big new blob over one connection, from the POST to the 201."""

    unit = "s"
    more_is_better = False

    def __init__(self, big: BigFile, name: str, label: str, push: Callable[[Client, str], None]) -> None:
        self.name = name
        self.title = f"push of a {big.size >> 20} MiB blob, {label}"
        self._big = big
        self._push = push

    def measure(self, registry: Registry) -> Sample:
        self._big.renew()
        quiet_disk()
        with Client(registry.url) as client:
            started = time.perf_counter()
            self._push(client, REPOSITORY)
            elapsed = time.perf_counter() - started
            self._check_and_delete(client)
        return Sample(elapsed)

    def _check_and_delete(self, client: Client) -> None:
        target = f"/v2/{REPOSITORY}/blobs/{self._big.digest}"
        if client.expect(200, "HEAD", target).headers.get("content-length") != str(self._big.size):
            raise Invalid("the blob that was pushed has another size")
        # Only to save space; a registry may refuse it or keep the bytes.
        client.request("DELETE", target)


class ImagePush(Measurement):
    """A new image of many small layers: HEAD, POST and PUT per blob, and then the manifest."""

    name = "image-push"
    unit = "ms"
    more_is_better = False

    def __init__(self, layers: int = 50, size: int = 64 << 10, clients: int = 4) -> None:
        self.title = f"image push, {layers} layers of {size >> 10} KiB, {clients} at a time"
        self._layers = layers
        self._size = size
        self._clients = clients

    def measure(self, registry: Registry) -> Sample:
        pushed = random_image(self._layers, self._size)
        quiet_disk()
        started = time.perf_counter()
        push_image(registry.url, REPOSITORY, f"image-{pushed.digest[-12:]}", pushed, self._clients)
        return Sample(1e3 * (time.perf_counter() - started))
