"""Any sequence of pushes, deletes, broken connections and restarts leaves the registry as a simple model says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule, run_state_machine_as_test

from tests.api.content import CONFIG_TYPE, LAYER_TYPE, Document, descriptor, digest_of, image, index
from tests.api.server import Body
from tests.properties.comparing import ALGORITHMS, CONTENTS, REPOSITORIES, TAGS, RegistryAndModel
from tests.properties.model import UPLOAD_UNKNOWN, Manifest, Upload

T = TypeVar("T")

EXAMPLES = 70
STEPS = 40

names = st.sampled_from(REPOSITORIES)
contents = st.sampled_from(CONTENTS)
tags = st.sampled_from(TAGS)
algorithms = st.sampled_from([*ALGORITHMS[:1] * 3, *ALGORITHMS])
choices = st.integers(0, 1000)
types = st.sampled_from([None, "application/vnd.example.sbom+json"])


def image_of(config: bytes, layers: list[bytes], **fields: Any) -> Document:
    return image(descriptor(config, CONFIG_TYPE), [descriptor(layer, LAYER_TYPE) for layer in layers], **fields)


def pick(some: Sequence[T], choice: int) -> T:
    return some[choice % len(some)]


class RegistryMachine(RegistryAndModel):
    """The requests that a sequence is made of."""

    @initialize(some=st.lists(contents, min_size=2, max_size=4, unique=True))
    def fill(self, some: list[bytes]) -> None:
        """Begin with a few blobs and an image in one repository: most of what can be done needs some."""
        name = REPOSITORIES[0]
        for content in some:
            self.push(name, content, "sha256")
        self.put(name, Manifest(image_of(some[0], some[1:]), tuple(digest_of(content) for content in some)), "latest")

    @rule(name=names, algorithm=st.sampled_from(["", *ALGORITHMS]))
    def start(self, name: str, algorithm: str) -> None:
        query = f"?digest-algorithm={algorithm}" if algorithm else ""
        answer = self.ask("POST", f"/v2/{name}/blobs/uploads/{query}", (202, []))
        self.model.uploads[answer.headers["Docker-Upload-UUID"]] = Upload(name)

    @precondition(lambda self: self.model.uploads)
    @rule(choice=choices, content=contents, ranged=st.booleans(), chunked=st.booleans())
    def append(self, choice: int, content: bytes, ranged: bool, chunked: bool) -> None:  # noqa: FBT001
        _, upload, path = self.pick_upload(choice)
        begin = len(upload.content)
        headers = {"Content-Range": f"{begin}-{begin + len(content) - 1}"} if ranged and content else {}
        body: Body = (content[:5], content[5:]) if chunked and len(content) > 5 else content
        answer = self.ask("PATCH", path, (202, []), headers, body)
        upload.content += content
        self.expect(f"Range of {path}", answer.headers["Range"], f"0-{max(len(upload.content) - 1, 0)}")

    @precondition(lambda self: self.model.uploads)
    @rule(choice=choices, shift=st.integers(1, 20), closing=st.booleans())
    def append_in_the_wrong_place(self, choice: int, shift: int, closing: bool) -> None:  # noqa: FBT001
        _, upload, path = self.pick_upload(choice)
        begin = len(upload.content) + shift
        self.expect(f"offset of {path}", self.offset(path, begin, closing=closing), len(upload.content))

    @precondition(lambda self: self.model.uploads)
    @rule(choice=choices, content=contents, closing=st.booleans())
    def break_off(self, choice: int, content: bytes, closing: bool) -> None:  # noqa: FBT001
        _, upload, path = self.pick_upload(choice)
        whole = upload.content + content + b"never sent"
        target = f"PUT {path}?digest={digest_of(whole)}" if closing else f"PATCH {path}"
        self.run(self.hang_up(target, path, content, len(content) + len(b"never sent")))
        kept = self.offset(path, len(whole) + 1)
        if not len(upload.content) <= kept <= len(upload.content) + len(content):
            self.expect(f"bytes kept of {path}", kept, len(upload.content) + len(content))
        upload.content = whole[:kept]

    @precondition(lambda self: self.model.uploads)
    @rule(choice=choices, rest=contents, algorithm=algorithms)
    def finish(self, choice: int, rest: bytes, algorithm: str) -> None:
        upload_id, upload, path = self.pick_upload(choice)
        content = upload.content + rest
        digest = digest_of(content, algorithm)
        self.ask("PUT", f"{path}?digest={digest}", (201, []), body=rest)
        del self.model.uploads[upload_id]
        self.model.add_blob(upload.repository, content, algorithm)
        self.ask("GET", path, UPLOAD_UNKNOWN)

    @precondition(lambda self: self.model.uploads)
    @rule(choice=choices, algorithm=algorithms, cancel=st.booleans())
    def end_without_a_blob(self, choice: int, algorithm: str, cancel: bool) -> None:  # noqa: FBT001
        """Cancel an upload, or finish it with the digest of something else."""
        upload_id, _, path = self.pick_upload(choice)
        if cancel:
            self.ask("DELETE", path, (204, []))
        else:
            self.ask("PUT", f"{path}?digest={digest_of(b'another', algorithm)}", (400, ["DIGEST_INVALID"]))
        del self.model.uploads[upload_id]
        self.ask("PATCH", path, UPLOAD_UNKNOWN, body=b"x")

    @rule(name=names, content=contents, algorithm=algorithms)
    def push(self, name: str, content: bytes, algorithm: str) -> None:
        digest = digest_of(content, algorithm)
        self.ask("POST", f"/v2/{name}/blobs/uploads/?digest={digest}", (201, []), body=content)
        self.model.add_blob(name, content, algorithm)

    @rule(name=names, source=st.sampled_from([None, *REPOSITORIES]), content=contents, algorithm=algorithms)
    def mount(self, name: str, source: str | None, content: bytes, algorithm: str) -> None:
        digest = digest_of(content, algorithm)
        query = f"?mount={digest}" + (f"&from={source}" if source else "")
        mounted = self.model.mount(name, digest, source)
        answer = self.ask("POST", f"/v2/{name}/blobs/uploads/{query}", (201 if mounted else 202, []))
        if not mounted:
            self.model.uploads[answer.headers["Docker-Upload-UUID"]] = Upload(name)

    @rule(
        name=names,
        tag=st.sampled_from([None, *TAGS]),
        config=choices,
        some=st.lists(choices, max_size=2),
        subject=st.none() | st.lists(choices, max_size=1),
        artifact_type=types,
    )
    def put_image(
        self,
        name: str,
        tag: str | None,
        config: int,
        some: list[int],
        subject: list[int] | None,
        artifact_type: str | None,
    ) -> None:
        """Push an image; the subject, if there is one, is an image of the same config."""
        picked, *layers = [self.pick_content(name, choice) for choice in (config, *some)]
        fields: dict[str, Any] = {} if artifact_type is None else {"artifactType": artifact_type}
        about = None
        if subject is not None:
            about = image_of(picked, [self.pick_content(name, choice) for choice in subject]).descriptor()
            fields["subject"] = about
        document = image_of(picked, layers, **fields)
        manifest = Manifest(
            document,
            tuple(digest_of(content) for content in (picked, *layers)),
            None if about is None else about["digest"],
            None if about is None else document.descriptor(artifactType=artifact_type or CONFIG_TYPE),
        )
        self.put(name, manifest, tag)

    @precondition(lambda self: any(repository.manifests for repository in self.model.repositories.values()))
    @rule(name=names, tag=st.sampled_from([None, *TAGS]), some=st.lists(choices, max_size=2))
    def put_index(self, name: str, tag: str | None, some: list[int]) -> None:
        """Push an index of manifests of this repository, or once in a while of any."""
        children = [child for choice in some if (child := self.pick_manifest(name, choice)) is not None]
        document = index([child.document.descriptor() for child in children])
        self.put(name, Manifest(document, tuple(child.document.digest for child in children)), tag)

    def put(self, name: str, manifest: Manifest, tag: str | None) -> None:
        document = manifest.document
        expected = self.model.put_manifest(name, manifest, [] if tag is None else [tag])
        path = f"/v2/{name}/manifests/{tag or document.digest}"
        answer = self.ask("PUT", path, expected, {"Content-Type": document.media_type}, document.content)
        if expected == (201, []):
            self.expect(f"digest of {path}", answer.headers["Docker-Content-Digest"], document.digest)
            self.expect(f"subject of {path}", answer.headers.get("OCI-Subject"), manifest.subject)

    @rule(name=names, choice=choices, some=st.lists(tags, min_size=1, max_size=3, unique=True))
    def move_tags(self, name: str, choice: int, some: list[str]) -> None:
        """Point tags to a manifest that the repository has, or to one that it has not."""
        manifest = self.pick_manifest(name, choice)
        if manifest is None:
            return
        document = manifest.document
        path = f"/v2/{name}/manifests/{document.digest}?" + "&".join(f"tag={tag}" for tag in some)
        expected = self.model.put_manifest(name, manifest, some)
        answer = self.ask("PUT", path, expected, {"Content-Type": document.media_type}, document.content)
        if expected == (201, []):
            self.expect(f"tags of {path}", answer.headers.getall("OCI-Tag"), some)

    @rule(name=names, choice=choices, tag=tags)
    def delete_tag(self, name: str, choice: int, tag: str) -> None:
        name, tag = self.pick_known("tags", choice) or (name, tag)
        self.ask("DELETE", f"/v2/{name}/manifests/{tag}", self.model.delete_tag(name, tag))

    @rule(name=names, choice=choices)
    def delete_manifest(self, name: str, choice: int) -> None:
        name, digest = self.pick_known("manifests", choice) or (name, digest_of(b"no manifest"))
        self.ask("DELETE", f"/v2/{name}/manifests/{digest}", self.model.delete_manifest(name, digest))

    @rule(name=names, choice=choices)
    def delete_blob(self, name: str, choice: int) -> None:
        name, digest = self.pick_known("blobs", choice) or (name, digest_of(b"no blob"))
        self.ask("DELETE", f"/v2/{name}/blobs/{digest}", self.model.delete_blob(name, digest))

    def pick_known(self, kind: str, choice: int) -> tuple[str, str] | None:
        """A repository and the key of one of its `tags`, `manifests` or `blobs`; once in a while, or else, None."""
        known = [
            (name, key) for name, repository in self.model.repositories.items() for key in getattr(repository, kind)
        ]
        return pick(known, choice) if known and choice % 8 != 7 else None

    def pick_content(self, name: str, choice: int) -> bytes:
        """One of the repository's blobs; or, once in a while, a content that it may not have."""
        known = self.model.repositories.get(name)
        if known is None or not known.blobs or choice % 8 == 7:
            return pick(CONTENTS, choice)
        return pick(list(known.blobs.values()), choice)

    def pick_manifest(self, name: str, choice: int) -> Manifest | None:
        """One of the repository's manifests; or, once in a while, one of any repository."""
        known = self.model.repositories.get(name)
        if known is None or not known.manifests or choice % 8 == 7:
            manifests = [item for known in self.model.repositories.values() for item in known.manifests.values()]
            return pick(manifests, choice) if manifests else None
        return pick(list(known.manifests.values()), choice)

    @rule()
    def restart(self) -> None:
        self.stop_and_start()


# Of a sequence that fails, hypothesis looks for the shortest one that fails, which takes minutes.
@pytest.mark.timeout(600)
def test_any_sequence_of_requests() -> None:
    """After any sequence registry and model are equal, and `berth check --bytes` finds nothing wrong."""
    run_state_machine_as_test(
        RegistryMachine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
