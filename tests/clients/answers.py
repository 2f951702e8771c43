"""What the registry itself answers, asked over plain HTTP without any client's library."""

import json
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPMessage
from typing import Any

from tests.clients.images import IMAGE, INDEX, digest_of
from tests.daemon import Daemon

DOCKER_IMAGE = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
ACCEPT = f"{IMAGE}, {INDEX}, {DOCKER_IMAGE}, {DOCKER_LIST}"


@dataclass(frozen=True)
class Manifest:
    """A manifest as served: its digest by header and by bytes, its media type, and its parsed content."""

    digest: str
    media_type: str
    content: dict[str, Any]


def manifest(daemon: Daemon, repository: str, reference: str) -> Manifest:
    """Get a manifest by tag or digest and assert that `Docker-Content-Digest` belongs to the bytes."""
    headers, body = _get(daemon, f"/v2/{repository}/manifests/{reference}")
    digest = digest_of(body)
    assert headers["Docker-Content-Digest"] == digest
    return Manifest(digest, headers["Content-Type"], json.loads(body))


def referrers(daemon: Daemon, repository: str, digest: str) -> list[tuple[str, str]]:
    """The digests and artifact types of the manifests in `repository` whose subject is `digest`."""
    _, body = _get(daemon, f"/v2/{repository}/referrers/{digest}")
    return [(each["digest"], each["artifactType"]) for each in json.loads(body)["manifests"]]


def _get(daemon: Daemon, path: str) -> tuple[HTTPMessage, bytes]:
    connection = HTTPConnection("127.0.0.1", daemon.port, timeout=10)
    try:
        connection.request("GET", path, headers={"Accept": ACCEPT})
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    assert answer.status == 200, f"GET {path} answered {answer.status}: {body.decode(errors='replace')}"
    return answer.headers, body
