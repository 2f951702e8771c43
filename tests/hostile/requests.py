"""Requests that no honest client sends, made up from a seed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from urllib.parse import quote

from tests.hostile import documents
from tests.hostile.words import BROKEN_HEADERS, DIGESTS, HEADERS, METHODS, NAMES, NUMBERS, REFERENCES, TARGETS, TEXTS

CHUNK_ENDS = [
    b"0\r\n\r\n",
    b"0\r\nTrailer: x\r\n\r\n",
    b"",
    b"0\r\n",
    b"-1\r\n\r\n",
    b"zz\r\n",
    b"ffffffffffffffffffff\r\n",
    b"0;" + b"x" * 9000 + b"\r\n\r\n",
]


WRITING = {"POST", "PUT", "PATCH"}


@dataclass(frozen=True)
class Hostile:
    """The bytes of a request.

    Attributes:
        split: where the client pauses between two packets, if it does.
        head_only: the answer has no body.
        whole: nothing was cut off, so an answer has to come.
        patient: the client waits for the answer; otherwise it hangs up at once.
    """

    payload: bytes
    split: int | None
    head_only: bool
    whole: bool
    patient: bool


@dataclass
class Maker:
    """Makes one request after the other. `uploads` are ids of live uploads, `manifests` valid manifests."""

    random: Random
    uploads: list[str] = field(default_factory=list)
    manifests: list[bytes] = field(default_factory=list)

    def request(self) -> Hostile:
        method, path = self._endpoint()
        if self.random.random() < 0.05:
            method = self.random.choice(METHODS)
        lines = [f"{method} {self._target(path)} HTTP/1.1", "Host: registry.example"]
        body = self._body(method, wants_manifest="/manifests/" in path)
        if self.random.random() < 0.25:
            framing, body = ["Transfer-Encoding: chunked"], self._chunked(body)
        else:
            framing = [f"Content-Length: {len(body)}"] if body or method in WRITING else []
        if self.random.random() < 0.1:
            framing = self._odd_framing(framing, len(body))
        lines += framing + self._headers()
        head = "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")
        return self._cut(head + body, head_only=method == "HEAD")

    def _cut(self, payload: bytes, *, head_only: bool) -> Hostile:
        split = self.random.randrange(len(payload)) if self.random.random() < 0.2 else None
        if self.random.random() < 0.9:
            return Hostile(payload, split, head_only, whole=True, patient=True)
        end = self.random.randrange(1, len(payload))
        return Hostile(payload[:end], split, head_only, whole=False, patient=self.random.random() < 0.3)

    def _endpoint(self) -> tuple[str, str]:
        """A method and a path that go together."""
        name = self._usually("app", NAMES)
        pick: Callable[[list[str]], str] = self.random.choice
        reference = pick([*REFERENCES, *DIGESTS, "v0", "v1", "v2"])
        upload = pick(self.uploads) if self.uploads and self.random.random() < 0.7 else pick(REFERENCES)
        return self.random.choice(
            [
                (pick(["GET", "HEAD", "DELETE"]), f"/v2/{name}/manifests/{reference}"),
                ("PUT", f"/v2/{name}/manifests/{reference}"),
                ("PUT", f"/v2/{name}/manifests/{reference}"),
                (pick(["GET", "HEAD", "GET", "DELETE"]), f"/v2/{name}/blobs/{pick(DIGESTS)}"),
                ("POST", f"/v2/{name}/blobs/uploads/"),
                (pick(["PATCH", "PATCH", "PUT", "GET", "DELETE"]), f"/v2/{name}/blobs/uploads/{upload}"),
                (pick(["GET", "HEAD"]), f"/v2/{name}/tags/list"),
                (pick(["GET", "HEAD"]), f"/v2/{name}/referrers/{pick(DIGESTS)}"),
                (pick(["GET", "HEAD"]), pick(["/v2/_catalog", "/v2/", "/healthz", "/readyz", "/metrics"])),
            ]
        )

    def _target(self, path: str) -> str:
        if self.random.random() < 0.08:
            return self.random.choice(TARGETS)
        # As they are, most are refused by the HTTP parser and get no further.
        if self.random.random() < 0.95:
            path = _encoded(path)
        parameters = [self._parameter() for _ in range(self.random.choice((0, 0, 0, 1, 1, 2, 5)))]
        if self.random.random() < 0.5 and "/uploads" in path:
            parameters.append(f"digest={self.random.choice(DIGESTS)}")
        return path + ("?" + self.random.choice("&&&;").join(parameters) if parameters else "")

    def _usually(self, honest: str, others: list[str]) -> str:
        return honest if self.random.random() < 0.75 else self.random.choice(others)

    def _parameter(self) -> str:
        name = self.random.choice(
            ["mount", "from", "digest", "digest-algorithm", "n", "last", "artifactType", "after", "ns", "tag", "_", ""]
        )
        value = self.random.choice([*NUMBERS, *DIGESTS, *NAMES, *REFERENCES, *TEXTS])
        if self.random.random() < 0.97:
            value = _encoded(value)
        return self.random.choice([f"{name}={value}", f"{name}={value}", name, f"{name}={value}&{name}={value}"])

    def _headers(self) -> list[str]:
        lines = [self._header() for _ in range(self.random.choice((0, 1, 1, 2, 4)))]
        if lines and self.random.random() < 0.05:
            lines += [self.random.choice(lines)] * self.random.choice((1, 5, 200))
        return lines

    def _header(self) -> str:
        name, values = self.random.choice(HEADERS if self.random.random() < 0.93 else BROKEN_HEADERS)
        value = self.random.choice(values if self.random.random() < 0.95 else [*TEXTS, *NUMBERS])
        return f"{name}: {value}"

    def _body(self, method: str, *, wants_manifest: bool) -> bytes:
        if wants_manifest and self.manifests and self.random.random() < 0.4:
            document = json.loads(self.random.choice(self.manifests))
            return documents.text(documents.grown(self.random, document))
        if method not in WRITING and self.random.random() < 0.8:
            return b""
        odd = self.random.choice(self.manifests or [b"{}"])
        bodies: list[Callable[[], bytes]] = [
            lambda: b"",
            lambda: self.random.randbytes(self.random.choice((1, 7, 100, 5000))),
            lambda: documents.flipped(self.random, odd),
            lambda: documents.text(documents.mutated(self.random, json.loads(odd))),
            lambda: self.random.choice(documents.BOMBS),
        ]
        return self.random.choice(bodies)()

    def _chunked(self, body: bytes) -> bytes:
        pieces = b""
        while body:
            size = self.random.choice((1, 10, 1000, len(body)))
            piece, body = body[:size], body[size:]
            length = len(piece) if self.random.random() < 0.97 else self.random.randrange(100)
            pieces += b"%x\r\n%s\r\n" % (length, piece)
        return pieces + (CHUNK_ENDS[0] if self.random.random() < 0.8 else self.random.choice(CHUNK_ENDS))

    def _odd_framing(self, framing: list[str], length: int) -> list[str]:
        return self.random.choice(
            [
                [*framing, *framing],
                [*framing, f"Content-Length: {length + 1}"],
                [f"Content-Length: {length}", "Transfer-Encoding: chunked"],
                ["Content-Length: -1"],
                [f"Content-Length: {length + 10}"],
                ["Content-Length: 99999999999999999999999"],
                ["Content-Length: 0x10"],
                ["Content-Length: "],
                [f"Content-Length: {length}, {length}"],
                ["Transfer-Encoding: gzip, chunked"],
                ["Transfer-Encoding: identity"],
                ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
                ["Transfer-Encoding: xchunked"],
                ["Content-Encoding: gzip", *framing],
                [],
            ]
        )


def _encoded(text: str) -> str:
    """The text with what may not stand in a target encoded; what is encoded already stays as it is."""
    return quote(text.encode("utf-8", "surrogateescape"), safe="/%:?#;,'()*+=&!$@-._~<>{}[]|^")
