"""What a check has in its hands: the registry, its repositories, and everything that was sent and received."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from conformance.content import ACCEPT, OCTETS, Blob, Manifest
from conformance.login import Credentials, Login
from conformance.requirement import Failed, NotApplicable, Unsupported, Version
from conformance.wire import Answer, Body, Broken, Wire

# How a registry says that it does not do something which it need not do.
DISABLED = (400, 405)


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a run may work. `repository` and `other` are names of two repositories; checks make more below them.

    `others` are credentials of somebody who may not see the repositories, where they were given. `given` are references
    of content that is there, for a run that only reads: `repository`, tag, manifest digest and blob digest.
    """

    repository: str
    other: str
    credentials: Credentials = field(default_factory=Credentials)
    others: Credentials | None = None
    version: Version = Version.V1_1
    read_only: bool = False
    tag: str | None = None
    manifest: str | None = None
    blob: str | None = None


@dataclass(slots=True)
class Litter:
    """What was pushed, so that it can be removed. Shared by all sessions of a run."""

    manifests: list[tuple[str, str]] = field(default_factory=list)
    blobs: list[tuple[str, str]] = field(default_factory=list)
    uploads: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Session:
    """One check's view of the registry. `exchanges` is what went back and forth, in order."""

    def __init__(self, wire: Wire, scope: Scope, login: Login, litter: Litter) -> None:
        self.wire, self.scope, self.litter = wire, scope, litter
        self._login = login
        self.exchanges: list[Answer] = []
        self.name, self.other = scope.repository, scope.other

    def new_name(self) -> str:
        """The name of a repository that is not there yet."""
        return f"{self.scope.repository}/{secrets.token_hex(6)}"

    def new_tag(self) -> str:
        """A tag that is not there yet."""
        return f"t{secrets.token_hex(8)}"

    def send(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: Body = None,
        *,
        redirects: bool = True,
    ) -> Answer:
        """Send a request as the user of the run, log in where that is asked for, and note what went back and forth."""
        try:
            answers = self._login.send(method, path, headers, body, redirects=redirects)
        except Broken as error:
            self.exchanges.append(error.answer)
            raise
        self.exchanges += answers
        return answers[-1]

    def send_as(
        self,
        credentials: Credentials,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: Body = None,
    ) -> Answer:
        """As `send`, for somebody else; `Credentials()` is nobody in particular."""
        answers = Login(self.wire, credentials).send(method, path, headers, body)
        self.exchanges += answers
        return answers[-1]

    def send_plain(self, method: str, path: str, headers: Mapping[str, str] | None = None, body: Body = None) -> Answer:
        """Send a request exactly as it is, without logging in."""
        answer = self.wire.send(method, path, headers, body, redirects=False)
        self.exchanges.append(answer)
        return answer

    # What most checks begin with. Each raises `NotApplicable` if the registry does not do it: that is for another
    # check to judge.

    def blob(self, blob: Blob, name: str | None = None) -> str:
        """Push a blob the most common way, unless it is there, and return its digest."""
        self._expect_writing()
        name = name or self.name
        if self.send("HEAD", blob_path(name, blob.digest)).status != 200:
            begun = self.begin_upload(name, blob.algorithm)
            self._need(self.put_blob(begun, blob), 201, "a blob cannot be pushed")
        return blob.digest

    def begin_upload(self, name: str | None = None, algorithm: str = "sha256") -> str:
        """Begin an upload, and return its location."""
        self._expect_writing()
        path = uploads_path(name or self.name) + ("" if algorithm == "sha256" else f"?digest-algorithm={algorithm}")
        answer = self.send("POST", path, {"Content-Length": "0"})
        self._need(answer, 202, "an upload cannot be begun")
        return self.begun(answer)

    def begun(self, answer: Answer) -> str:
        """The location of the upload that an answer began. Remembers it, so that it is cancelled in the end."""
        location = answer.location()
        with self.litter.lock:
            self.litter.uploads.append(location)
        return location

    def put_blob(self, location: str, blob: Blob, content: bytes | None = None) -> Answer:
        """Send the whole blob, or these last bytes of it, and end the upload."""
        headers = {"Content-Type": OCTETS}
        return self.noted(
            self.send(
                "PUT", with_query(location, digest=blob.digest), headers, blob.content if content is None else content
            )
        )

    def manifest(self, manifest: Manifest, reference: str | None = None, name: str | None = None) -> str:
        """Push a manifest with everything that it needs, by a reference or by its digest, and return its digest."""
        self._expect_writing()
        name = name or self.name
        for blob in manifest.blobs:
            self.blob(blob, name)
        for child in manifest.manifests:
            self.manifest(child, None, name)
        answer = self.put_manifest(manifest, reference or manifest.digest, name)
        self._need(answer, 201, "a manifest cannot be pushed")
        return manifest.digest

    def put_manifest(self, manifest: Manifest, reference: str, name: str | None = None) -> Answer:
        """Send the manifest alone."""
        path = manifest_path(name or self.name, reference)
        answer = self.send("PUT", path, {"Content-Type": manifest.media_type}, manifest.content)
        return self.noted(answer)

    def get_manifest(self, reference: str, name: str | None = None, *, method: str = "GET") -> Answer:
        return self.send(method, manifest_path(name or self.name, reference), {"Accept": ACCEPT})

    def get_blob(self, digest: str, name: str | None = None, *, method: str = "GET", **headers: str) -> Answer:
        """GET a blob; other headers by their names with `_` for `-`."""
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        return self.send(method, blob_path(name or self.name, digest), named)

    def tags(self, name: str | None = None, query: str = "") -> Answer:
        return self.send("GET", f"/v2/{name or self.name}/tags/list{query}")

    def referrers(self, digest: str, name: str | None = None, query: str = "") -> Answer:
        return self.send("GET", f"/v2/{name or self.name}/referrers/{digest}{query}")

    def delete(self, path: str) -> Answer:
        """DELETE a path. Raises `Unsupported` if the registry says that this is not offered."""
        self._expect_writing()
        answer = self.send("DELETE", path)
        if answer.status in DISABLED:
            raise Unsupported(f"DELETE {answer.path} answered {answer.status}: deleting is switched off")
        return answer

    def noted(self, answer: Answer) -> Answer:
        """Remember what a successful push made, so that it is removed in the end."""
        if answer.status == 201:
            path = answer.path.partition("?")[0]
            with self.litter.lock:
                if "/manifests/" in path:
                    name, _, reference = path.removeprefix("/v2/").partition("/manifests/")
                    # With a manifest its tags go, but not the other way round.
                    self.litter.manifests.append((name, answer.header("Docker-Content-Digest") or reference))
                elif (location := answer.header("Location")) and "/blobs/" in location:
                    name, _, digest = location.partition("/v2/")[2].partition("/blobs/")
                    self.litter.blobs.append((name, digest))
                    self.litter.uploads = [one for one in self.litter.uploads if urlsplit(one).path != path]
        return answer

    def _expect_writing(self) -> None:
        if self.scope.read_only:
            raise NotApplicable("this run only reads")

    def _need(self, answer: Answer, status: int, otherwise: str) -> None:
        if answer.status != status:
            raise NotApplicable(f"{otherwise}: {answer.method} {answer.path} answered {answer.status}")


def blob_path(name: str, digest: str) -> str:
    return f"/v2/{name}/blobs/{digest}"


def uploads_path(name: str) -> str:
    return f"/v2/{name}/blobs/uploads/"


def manifest_path(name: str, reference: str) -> str:
    return f"/v2/{name}/manifests/{reference}"


def with_query(url: str, **parameters: str | Sequence[str]) -> str:
    """A URL with more parameters in its query."""
    pairs = [
        (name, one) for name, value in parameters.items() for one in ([value] if isinstance(value, str) else value)
    ]
    added = "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs)
    return f"{url}{'&' if '?' in url else '?'}{added}"


def expect(condition: bool, message: str) -> None:  # noqa: FBT001 - reads as a sentence: expect(found, "…")
    """Raises `Failed` with the message unless the condition holds."""
    if not condition:
        raise Failed(message)
