"""A client of a registry that shows every answer and repairs nothing: each request has a connection of its own."""

import hashlib
import http.client
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

SECONDS = 30.0
TRIES = 5
OCTETS = "application/octet-stream"
IMAGE = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"

Body = bytes | Iterable[bytes] | None
NONE: Mapping[str, str] = {}


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def expect(self, *statuses: int) -> "Answer":
        """This answer, if its status is one of `statuses`; raises `Refused` if it is not."""
        if self.status not in statuses:
            raise Refused(self, statuses)
        return self

    @property
    def code(self) -> str:
        """The code of the error that the body speaks of."""
        errors = json.loads(self.body)["errors"]
        return str(errors[0]["code"])

    @property
    def offset(self) -> int:
        """How many bytes of an upload are there, as the `Range` header tells it; one byte looks like none."""
        last = int(self.headers["Range"].removeprefix("0-"))
        return last + 1 if last else 0


class Refused(AssertionError):
    """The answer is not what was expected."""

    def __init__(self, answer: Answer, expected: tuple[int, ...]) -> None:
        super().__init__(f"{answer.status} instead of {expected}: {answer.body[:500]!r}")
        self.answer = answer


class Registry:
    """The registry at `address`, HOST:PORT. Methods that are named after a request return its answer.

    What breaks off raises OSError or http.client.HTTPException: `Lost` is both.
    """

    def __init__(self, address: str) -> None:
        self.address = address

    def request(self, method: str, path: str, body: Body = None, headers: Mapping[str, str] = NONE) -> Answer:
        """Send one request."""
        connection = http.client.HTTPConnection(self.address, timeout=SECONDS)
        try:
            connection.request(method, path, body=body, headers=dict(headers))
            response = connection.getresponse()
            return Answer(response.status, dict(response.headers), response.read())
        finally:
            connection.close()

    # Uploads ---------------------------------------------------------------------------------------------

    def start(self, repository: str) -> str:
        """Begin an upload and return its location."""
        return self.request("POST", f"/v2/{repository}/blobs/uploads/").expect(202).headers["Location"]

    def append(self, location: str, content: Body, start: int | None = None) -> Answer:
        """Send a chunk; with `start` it says where it belongs."""
        headers = {"Content-Type": OCTETS}
        if start is not None and isinstance(content, bytes):
            headers["Content-Range"] = f"{start}-{start + len(content) - 1}"
        return self.request("PATCH", location, content, headers)

    def finish(self, location: str, digest: str, content: bytes = b"") -> Answer:
        return self.request("PUT", f"{location}?digest={digest}", content, {"Content-Type": OCTETS})

    def status(self, location: str) -> Answer:
        return self.request("GET", location)

    def push_whole(self, repository: str, content: bytes) -> Answer:
        """Push a blob in a single POST."""
        path = f"/v2/{repository}/blobs/uploads/?digest={digest_of(content)}"
        return self.request("POST", path, content, {"Content-Type": OCTETS})

    def push(self, repository: str, content: bytes, chunk: int = 1 << 30) -> str:
        """Push a blob in chunks of so many bytes, and return its digest."""
        location = self.start(repository)
        for begin in range(0, len(content), chunk):
            location = self.append(location, content[begin : begin + chunk], begin).expect(202).headers["Location"]
        digest = digest_of(content)
        self.finish(location, digest).expect(201)
        return digest

    def resume(self, location: str, content: bytes) -> bool:
        """Do what a client does whose connection broke: ask how far the upload got, send the rest, finish.

        The server may still be busy with what arrived before: then ask again. False if the upload was gone, so that
        the blob was there already, or had to be pushed anew.
        """
        for _ in range(TRIES):
            status = self.status(location).expect(204, 404)
            if status.status == 404:
                self._push_unless_there(location, content)
                return False
            rest = content[status.offset :]
            if rest and self.append(location, rest, status.offset).expect(202, 404, 416).status != 202:
                continue
            if self.finish(location, digest_of(content)).expect(201, 404, 416).status == 201:
                return True
        raise AssertionError("the upload did not go on")

    def _push_unless_there(self, location: str, content: bytes) -> None:
        repository = location.removeprefix("/v2/").partition("/blobs/")[0]
        if self.blob(repository, digest_of(content), method="HEAD").expect(200, 404).status == 404:
            self.push(repository, content)

    # The rest --------------------------------------------------------------------------------------------

    def mount(self, repository: str, digest: str, source: str) -> Answer:
        return self.request("POST", f"/v2/{repository}/blobs/uploads/?mount={digest}&from={source}")

    def blob(self, repository: str, digest: str, method: str = "GET") -> Answer:
        return self.request(method, f"/v2/{repository}/blobs/{digest}")

    def put_manifest(self, repository: str, reference: str, content: bytes) -> Answer:
        return self.request("PUT", f"/v2/{repository}/manifests/{reference}", content, {"Content-Type": IMAGE})

    def manifest(self, repository: str, reference: str, method: str = "GET") -> Answer:
        return self.request(method, f"/v2/{repository}/manifests/{reference}", headers={"Accept": IMAGE})

    def tags(self, repository: str) -> list[str]:
        """All tags of a repository; none if it is not known."""
        answer = self.request("GET", f"/v2/{repository}/tags/list").expect(200, 404)
        return list(json.loads(answer.body)["tags"]) if answer.status == 200 else []

    def pull(self, repository: str, reference: str) -> bytes:
        """Pull an image with every digest compared, and return its manifest; AssertionError if something is wrong."""
        answer = self.manifest(repository, reference).expect(200)
        assert answer.headers["Docker-Content-Digest"] == digest_of(answer.body)
        for descriptor in descriptors(answer.body):
            blob = self.blob(repository, descriptor["digest"]).expect(200).body
            assert (len(blob), digest_of(blob)) == (descriptor["size"], descriptor["digest"])
        return answer.body


Lost = (OSError, http.client.HTTPException)


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def image(config: bytes, *layers: bytes) -> bytes:
    """The manifest of an image."""
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": IMAGE,
            "config": _descriptor(CONFIG, config),
            "layers": [_descriptor(LAYER, layer) for layer in layers],
        }
    ).encode()


def descriptors(manifest: bytes) -> Iterator[dict[str, Any]]:
    """What an image's manifest says of its config and its layers."""
    document = json.loads(manifest)
    yield document["config"]
    yield from document["layers"]


def _descriptor(media_type: str, content: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}
