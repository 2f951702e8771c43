"""What is pushed and pulled: blobs, manifests, images, and one big file on disk."""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import random
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bench.client import Client, Unexpected, expected, in_parallel

IMAGE_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
IMAGE_CONFIG = "application/vnd.oci.image.config.v1+json"
IMAGE_LAYER = "application/vnd.oci.image.layer.v1.tar"
# What a pulling client sends; without it distribution 2.8 answers 404 for an OCI manifest.
ACCEPT = (
    "application/vnd.docker.distribution.manifest.v2+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.oci.image.index.v1+json, "
    f"{IMAGE_MANIFEST}"
)
# The size in which Go's HTTP client, and so docker, cuts a body of unknown length.
DOCKER_CHUNK = 32 * 1024


def digest_of(content: bytes) -> str:
    """The sha256 digest of `content`, as the spec writes it."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


@dataclass(frozen=True)
class Image:
    """An image manifest with its config and layers; `digests` pairs every blob with its digest."""

    manifest: bytes
    blobs: tuple[tuple[str, bytes], ...]

    @property
    def digest(self) -> str:
        """The digest of the manifest."""
        return digest_of(self.manifest)


def image(layers: list[bytes]) -> Image:
    """An image of these layers, with a config that belongs to it alone."""
    pairs = [(digest_of(layer), layer) for layer in layers]
    rootfs = {"type": "layers", "diff_ids": [digest for digest, _ in pairs]}
    config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": rootfs}).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": IMAGE_MANIFEST,
        "config": {"mediaType": IMAGE_CONFIG, "digest": digest_of(config), "size": len(config)},
        "layers": [{"mediaType": IMAGE_LAYER, "digest": digest, "size": len(layer)} for digest, layer in pairs],
    }
    return Image(json.dumps(manifest).encode(), ((digest_of(config), config), *pairs))


def small_image() -> Image:
    """An image of one 1 KiB layer, the same in every run."""
    return image([random.Random(1).randbytes(1024)])


def random_image(layers: int, size: int) -> Image:
    """An image that no registry has seen: `layers` layers of `size` random bytes."""
    return image([os.urandom(size) for _ in range(layers)])


def start_upload(client: Client, repository: str) -> str:
    """POSTs a new upload and returns the target (path and query) of its Location."""
    answer = client.expect(202, "POST", f"/v2/{repository}/blobs/uploads/")
    location = urlsplit(answer.headers.get("location", ""))
    if not location.path:
        raise Unexpected("POST of an upload answered without Location")
    return location.path + (f"?{location.query}" if location.query else "")


def with_digest(location: str, digest: str) -> str:
    """The upload's `location` with the query that finishes it."""
    return f"{location}{'&' if '?' in location else '?'}digest={digest}"


def push_blob(client: Client, repository: str, digest: str, content: bytes) -> None:
    """Pushes a blob the way clients do: HEAD, and POST and PUT when it is not there."""
    if client.request("HEAD", f"/v2/{repository}/blobs/{digest}").status == 200:
        return
    target = with_digest(start_upload(client, repository), digest)
    client.expect(201, "PUT", target, content, {"Content-Type": "application/octet-stream"})


def push_manifest(client: Client, repository: str, reference: str, manifest: bytes) -> None:
    """PUTs an image manifest under a tag or its digest."""
    target = f"/v2/{repository}/manifests/{reference}"
    client.expect(201, "PUT", target, manifest, {"Content-Type": IMAGE_MANIFEST})


def push_image(url: str, repository: str, tag: str, pushed: Image, clients: int = 1) -> None:
    """Pushes all blobs, `clients` at a time, and then the manifest."""

    def push(client: Client, blob: tuple[str, bytes]) -> None:
        push_blob(client, repository, *blob)

    in_parallel(url, clients, pushed.blobs, push)
    with Client(url) as client:
        push_manifest(client, repository, tag, pushed.manifest)


class BigFile:
    """A file of random bytes that lies in the page cache and gets a new digest for every push."""

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self.size = size
        self.digest = ""
        self._pushes = 0

    def renew(self) -> None:
        """Makes the content one that no registry has seen, and `digest` its digest."""
        if not self.path.exists():
            self._write()
        self._pushes += 1
        with self.path.open("r+b") as file:
            file.write(os.urandom(16))
            file.flush()
            # Otherwise writing this file back would be paid by the push that is measured.
            os.fsync(file.fileno())
        with self.path.open("rb") as file:
            self.digest = "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()

    def _write(self) -> None:
        block = 1 << 20
        with self.path.open("wb") as file:
            for start in range(0, self.size, block):
                file.write(os.urandom(min(block, self.size - start)))

    def put(self, client: Client, repository: str) -> None:
        """Pushes the file the way containerd does: POST, and one PUT with Content-Length."""
        target = with_digest(start_upload(client, repository), self.digest)
        headers = {"Content-Length": str(self.size), "Content-Type": "application/octet-stream"}
        client.send_head("PUT", target, headers)
        with self.path.open("rb") as file:
            client.connection().sendfile(file)
        expected(201, "PUT", target, client.answer("PUT"))

    def patch(self, client: Client, repository: str) -> None:
        """Pushes the file the way docker does: POST, PATCH in chunks of 32 KiB, and an empty PUT."""
        target = start_upload(client, repository)
        headers = {"Transfer-Encoding": "chunked", "Content-Type": "application/octet-stream"}
        client.send_head("PATCH", target, headers)
        self._send_chunks(client)
        answer = expected(202, "PATCH", target, client.answer("PATCH"))
        location = urlsplit(answer.headers.get("location", target))
        target = location.path + (f"?{location.query}" if location.query else "")
        client.expect(201, "PUT", with_digest(target, self.digest))

    def _send_chunks(self, client: Client) -> None:
        connection = client.connection()
        with self.path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            # Many chunks per write: the chunks are docker's, the system calls need not be.
            for start in range(0, self.size, 32 * DOCKER_CHUNK):
                parts: list[bytes] = []
                for offset in range(start, min(start + 32 * DOCKER_CHUNK, self.size), DOCKER_CHUNK):
                    chunk = data[offset : offset + DOCKER_CHUNK]
                    parts += [b"%x\r\n" % len(chunk), chunk, b"\r\n"]
                connection.sendall(b"".join(parts))
        connection.sendall(b"0\r\n\r\n")
