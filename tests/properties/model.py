"""A registry in plain Python: what has to be true of the real one after the same requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.api.content import Document, Json, digest_of

Answer = tuple[int, list[str]]
"""A status, and the codes of the errors that go with it."""

NAME_UNKNOWN: Answer = (404, ["NAME_UNKNOWN"])
MANIFEST_UNKNOWN: Answer = (404, ["MANIFEST_UNKNOWN"])
BLOB_UNKNOWN: Answer = (404, ["BLOB_UNKNOWN"])
UPLOAD_UNKNOWN: Answer = (404, ["BLOB_UPLOAD_UNKNOWN"])
REFERENCED: Answer = (405, ["UNSUPPORTED"])


@dataclass(frozen=True)
class Manifest:
    """A manifest and what it needs; `entry` is what a referrers list says of it, if it has a subject."""

    document: Document
    needs: tuple[str, ...]
    subject: str | None = None
    entry: Json | None = None


@dataclass
class Repository:
    """Manifests are in the order in which they came; pushing one again changes nothing."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, Manifest] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def needing(self, digest: str) -> bool:
        return any(digest in manifest.needs for manifest in self.manifests.values())


@dataclass
class Upload:
    repository: str
    content: bytes = b""


@dataclass
class Model:
    repositories: dict[str, Repository] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)

    def add_blob(self, name: str, content: bytes, algorithm: str = "sha256") -> None:
        repository = self.repositories.setdefault(name, Repository())
        repository.blobs[digest_of(content, algorithm)] = content

    def mount(self, name: str, digest: str, source: str | None) -> bool:
        """Whether the blob could be mounted: from `source`, or from any repository."""
        for candidate in [source] if source else list(self.repositories):
            content = self._find(candidate).blobs.get(digest)
            if content is not None:
                self.add_blob(name, content, digest.partition(":")[0])
                return True
        return False

    def put_manifest(self, name: str, manifest: Manifest, tags: list[str]) -> Answer:
        there = self._find(name)
        missing = {digest for digest in manifest.needs if digest not in there.blobs and digest not in there.manifests}
        if missing:
            return 404, ["MANIFEST_BLOB_UNKNOWN"] * len(missing)
        repository = self.repositories.setdefault(name, Repository())
        digest = manifest.document.digest
        repository.manifests.setdefault(digest, manifest)
        repository.tags |= dict.fromkeys(tags, digest)
        return 201, []

    def delete_tag(self, name: str, tag: str) -> Answer:
        if name not in self.repositories:
            return NAME_UNKNOWN
        if self._find(name).tags.pop(tag, None) is None:
            return MANIFEST_UNKNOWN
        return 202, []

    def delete_manifest(self, name: str, digest: str) -> Answer:
        if name not in self.repositories:
            return NAME_UNKNOWN
        repository = self.repositories[name]
        if digest not in repository.manifests:
            return MANIFEST_UNKNOWN
        if repository.needing(digest):
            return REFERENCED
        del repository.manifests[digest]
        repository.tags = {tag: target for tag, target in repository.tags.items() if target != digest}
        return 202, []

    def delete_blob(self, name: str, digest: str) -> Answer:
        if name not in self.repositories:
            return NAME_UNKNOWN
        repository = self.repositories[name]
        if repository.needing(digest):
            return REFERENCED
        if repository.blobs.pop(digest, None) is None:
            return BLOB_UNKNOWN
        return 202, []

    def tags(self, name: str) -> list[str]:
        return sorted(self._find(name).tags)

    def referrers(self, name: str, subject: str) -> list[Any]:
        return [item.entry for item in self._find(name).manifests.values() if item.subject == subject]

    def _find(self, name: str) -> Repository:
        return self.repositories.get(name, Repository())
