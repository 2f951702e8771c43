"""What a check has in its hands: the registry, its repositories, and everything that was sent and received."""

from __future__ import annotations

import contextlib
import re
import secrets
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, urlsplit

from conformance.content import ACCEPT, OCTETS, Blob, Manifest, digest_of
from conformance.login import Credentials, Login
from conformance.requirement import Failed, NotApplicable, Unsupported, Version
from conformance.wire import Answer, Body, Broken, Wire

# How a registry says that it does not do something which it need not do.
DISABLED = (400, 405)
# Names may have parts that look like those of routes.
_MANIFEST = re.compile(r"/v2/(.+)/manifests/([^/]+)")


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
        return self._kept(answers, body)

    def send_as(
        self,
        credentials: Credentials,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: Body = None,
    ) -> Answer:
        """As `send`, for somebody else; `Credentials()` is nobody in particular."""
        return self._kept(Login(self.wire, credentials).send(method, path, headers, body), body)

    def send_plain(self, method: str, path: str, headers: Mapping[str, str] | None = None, body: Body = None) -> Answer:
        """Send a request exactly as it is, without logging in."""
        return self._kept([self.wire.send(method, path, headers, body, redirects=False)], body)

    def _kept(self, answers: Sequence[Answer], body: Body) -> Answer:
        """The last answer. Remembers what it made, so that it is removed in the end."""
        self.exchanges += answers
        answer = answers[-1]
        self.noted(answer, digest_of(body) if isinstance(body, bytes) else "")
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
        return answer.location()

    def put_blob(self, location: str, blob: Blob, content: bytes | None = None) -> Answer:
        """Send the whole blob, or these last bytes of it, and end the upload."""
        headers = {"Content-Type": OCTETS}
        body = blob.content if content is None else content
        return self.send("PUT", with_query(location, digest=blob.digest), headers, body)

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
        return self.send("PUT", path, {"Content-Type": manifest.media_type}, manifest.content)

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

    def begun(self, answer: Answer) -> str:
        """The location of the upload that an answer began. Raises `Failed`."""
        return answer.location()

    def noted(self, answer: Answer, digest: str = "") -> Answer:
        """Remember what an answer says was made, to remove it in the end; `digest` is that of what was sent."""
        path = answer.path.partition("?")[0]
        with self.litter.lock:
            if answer.status == 202 and answer.method == "POST" and answer.header("Location"):
                # What is no URL cannot be cancelled.
                with contextlib.suppress(Failed):
                    self.litter.uploads.append(answer.location())
            elif answer.status == 201 and (pushed := _MANIFEST.fullmatch(path)):
                name, reference = pushed.groups()
                # With a manifest its tags go, but not the other way round.
                stated = digest or answer.header("Docker-Content-Digest") or reference
                self.litter.manifests.append((name, reference if ":" in reference else stated))
            elif answer.status == 201 and (found := _pushed_blob(answer)):
                self.litter.blobs.append(found)
                self.litter.uploads = [one for one in self.litter.uploads if urlsplit(one).path != path]
        return answer

    def _expect_writing(self) -> None:
        if self.scope.read_only:
            raise NotApplicable("this run only reads")

    def _need(self, answer: Answer, status: int, otherwise: str) -> None:
        if answer.status != status:
            raise NotApplicable(f"{otherwise}: {answer.method} {answer.path} answered {answer.status}")


def _pushed_blob(answer: Answer) -> tuple[str, str] | None:
    """The repository and the digest of a blob that was pushed, as it was asked for, or else as its Location says."""
    name, found, _ = answer.path.removeprefix("/v2/").rpartition("/blobs/uploads/")
    query = dict(parse_qsl(urlsplit(answer.url).query))
    digest = query.get("digest") or query.get("mount") or ""
    if found and digest:
        return name, digest
    name, found, digest = (answer.header("Location") or "").partition("/v2/")[2].rpartition("/blobs/")
    return (name, digest) if found else None


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
