"""A real registry on disk and the model of it, which get the same requests and have to stay equal."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any, TypeVar

from hypothesis.stateful import RuleBasedStateMachine

from tests.api.content import digest_of
from tests.api.server import Answer, Body, Registry, assert_sound, configured, running
from tests.properties.model import BLOB_UNKNOWN, MANIFEST_UNKNOWN, NAME_UNKNOWN, Model, Upload
from tests.properties.model import Answer as Expected

T = TypeVar("T")

WAIT_SECONDS = 10.0
STEP_SECONDS = 60.0


class Content(bytes):
    """Bytes that are shown by their number: failing sequences print what they sent."""

    def __repr__(self) -> str:
        return f"<{len(self)} bytes>"


# Few of each, so that requests meet: one blob in two repositories, one tag on two manifests.
REPOSITORIES = ["one", "two/three"]
CONTENTS = [Content(text) for text in (b"", b"a", b"hello, world", bytes(range(256)) * 300)]
TAGS = ["latest", "v1", "sha256-x"]
ALGORITHMS = ["sha256", "sha512"]


class RegistryAndModel(RuleBasedStateMachine):
    """What the rules work with. In the end everything is compared, and the registry's data are checked."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="berth-properties-"))
        self.config = configured({"storage.data": str(self.folder / "data")})
        self.loop = asyncio.Runner()
        self.model = Model()
        self.failed = False
        self.stack = contextlib.AsyncExitStack()
        self.registry: Registry = self.run(self.stack.enter_async_context(running(self.config)))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run(asyncio.wait_for(work, STEP_SECONDS))

    def stop_and_start(self) -> None:
        """Stop the application, and start another one on the same data."""
        self.run(self.stack.aclose())
        self.registry = self.run(self.stack.enter_async_context(running(self.config)))

    def teardown(self) -> None:
        try:
            if not self.failed:
                self.compare()
            self.run(self.stack.aclose())
            if not self.failed:
                self.run(assert_sound(self.config.storage.data))
        finally:
            self.loop.close()
            shutil.rmtree(self.folder)

    def ask(
        self, method: str, path: str, expected: Expected, headers: Mapping[str, str] | None = None, body: Body = b""
    ) -> Answer:
        """Send a request; AssertionError unless status and error codes are as expected."""
        answer = self.run(self.registry.ask(method, path, headers=headers, body=body))
        codes = answer.codes() if answer.status >= 400 else []
        self.expect(f"{method} {path}", (answer.status, codes), expected)
        return answer

    def expect(self, about: str, actual: object, expected: object) -> None:
        if actual != expected:
            self.failed = True
            raise AssertionError(f"{about}: {actual!r}, expected {expected!r}")

    def pick_upload(self, choice: int) -> tuple[str, Upload, str]:
        """One of the live uploads: its id, what the model knows of it, and its path."""
        upload_id = list(self.model.uploads)[choice % len(self.model.uploads)]
        upload = self.model.uploads[upload_id]
        return upload_id, upload, f"/v2/{upload.repository}/blobs/uploads/{upload_id}"

    def offset(self, path: str, begin: int, *, closing: bool = False) -> int:
        """How far an upload got, as the refusal of a chunk in the wrong place says."""
        method, query = ("PUT", f"?digest={digest_of(b'x')}") if closing else ("PATCH", "")
        headers = {"Content-Range": f"{begin}-{begin}"}
        answer = self.ask(method, path + query, (416, ["BLOB_UPLOAD_INVALID"]), headers, b"x")
        offset: int = answer.json()["errors"][0]["detail"]["offset"]
        return offset

    async def hang_up(self, target: str, path: str, content: bytes, length: int) -> None:
        """Send a part of a body, hang up, and wait until the registry is done with the request."""

        def answered() -> int:
            return sum(entry["path"] == path for entry in self.registry.log.entries)

        before = answered()
        _, writer = await self.registry.connect()
        writer.write(f"{target} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode() + content)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        async with asyncio.timeout(WAIT_SECONDS):
            while answered() == before:  # noqa: ASYNC110 - the log has no event to wait for
                await asyncio.sleep(0.002)

    def compare(self) -> None:
        """AssertionError where the registry does not say what the model says."""
        catalog = self.ask("GET", "/v2/_catalog", (200, [])).json()
        self.expect("catalog", catalog, {"repositories": sorted(self.model.repositories)})
        for upload_id, upload in self.model.uploads.items():
            path = f"/v2/{upload.repository}/blobs/uploads/{upload_id}"
            self.expect(f"offset of {path}", self.offset(path, len(upload.content) + 1), len(upload.content))
        manifests = [item for known in self.model.repositories.values() for item in known.manifests.items()]
        for name in REPOSITORIES:
            self.compare_blobs(name)
            for subject in {manifest.subject or digest for digest, manifest in manifests}:
                self.compare_referrers(name, subject)
            if name in self.model.repositories:
                self.compare_manifests(name)
            else:
                self.ask("GET", f"/v2/{name}/tags/list", NAME_UNKNOWN)

    def compare_blobs(self, name: str) -> None:
        """Each blob that any repository ever had is in this one, or is not."""
        known = self.model.repositories.get(name)
        for digest in {digest_of(content, algorithm) for content in CONTENTS for algorithm in ALGORITHMS}:
            path = f"/v2/{name}/blobs/{digest}"
            if known is None:
                self.ask("GET", path, NAME_UNKNOWN)
            elif digest not in known.blobs:
                self.ask("GET", path, BLOB_UNKNOWN)
        for digest, content in known.blobs.items() if known else ():
            answer = self.ask("GET", f"/v2/{name}/blobs/{digest}", (200, []))
            self.expect(f"content of {digest}", answer.body, content)

    def compare_manifests(self, name: str) -> None:
        known = self.model.repositories[name]
        listed = self.ask("GET", f"/v2/{name}/tags/list", (200, [])).json()
        self.expect(f"tags of {name}", listed, {"name": name, "tags": sorted(known.tags)})
        for tag in TAGS:
            path = f"/v2/{name}/manifests/{tag}"
            if tag not in known.tags:
                self.ask("GET", path, MANIFEST_UNKNOWN)
                continue
            answer = self.ask("GET", path, (200, []))
            self.expect(path, answer.headers["Docker-Content-Digest"], known.tags[tag])
        for digest, manifest in known.manifests.items():
            answer = self.ask("GET", f"/v2/{name}/manifests/{digest}", (200, []))
            self.expect(digest, answer.body, manifest.document.content)
            self.expect(f"type of {digest}", answer.headers["Content-Type"], manifest.document.media_type)

    def compare_referrers(self, name: str, subject: str) -> None:
        listed = self.ask("GET", f"/v2/{name}/referrers/{subject}", (200, [])).json()["manifests"]
        self.expect(f"referrers of {subject}", listed, self.model.referrers(name, subject))
