"""What registries do wrong when blobs are pulled from them."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable

from tests.conformance.mutants.messages import Reply, Request
from tests.conformance.mutants.remembering import from_elsewhere
from tests.conformance.mutants.rules import (
    Mutant,
    answers,
    asks,
    body,
    header,
    on,
    status,
    takes_for,
    with_header,
    without,
)

_GET = on("blob", "GET", 200)
_HEAD = on("blob", "HEAD", 200)
_PART = on("blob", "GET", 206)
_MIB = 1 << 20


def _cut(request: Request, reply: Reply) -> None:
    """The connection breaks in the middle."""
    reply.length, reply.is_cut = len(reply.body), True
    reply.body = reply.body[: len(reply.body) // 2]


def _longer(request: Request, reply: Reply) -> None:
    """More is announced than comes, and nothing tells that it is over but the end of the connection."""
    reply.length, reply.is_cut = len(reply.body) + 1, True


def _compressed(request: Request, reply: Reply) -> None:
    if "gzip" in (request.header("Accept-Encoding") or "") and reply.body[:1] == b"{":
        reply.body = gzip.compress(reply.body)
        reply.set("Content-Encoding", "gzip")


def _labelled(request: Request, reply: Reply) -> None:
    """As stores do that have noted of a file ending in .gz that it is compressed."""
    if reply.body[:2] == b"\x1f\x8b":
        reply.set("Content-Encoding", "gzip")


def _sha512(request: Request) -> bool:
    return request.reference.startswith("sha512:")


def _digest_cut(request: Request, reply: Reply) -> str:
    return f"sha256:{request.reference.partition(':')[2][:64]}"


def _range(change: Callable[[str], str | None]) -> Callable[[Request], Request]:
    """Requests with another range."""
    return lambda request: request.to(request.target, Range=change(request.header("Range") or ""))


def _shifted(request: Request, reply: Reply) -> str:
    stated = reply.header("Content-Range") or ""
    return re.sub(r"bytes (\d+)-(\d+)", lambda found: f"bytes {int(found[1]) + 1}-{int(found[2]) + 1}", stated)


def _multiplied(request: Request, reply: Reply) -> None:
    """Each range is sent, however many they are and whatever they have in common."""
    count = (request.header("Range") or "").count(",")
    if count > 100:
        reply.body = reply.body * count


_RANGED = asks("blob", "GET", with_header("Range"))

BLOBS = (
    Mutant(
        "blob-lacks-its-last-byte",
        {"pull.blob.get": "bytes, expected 5000", "clients.docker.pull": "expected"},
        answers(_GET, body(lambda content: content[:-1])),
        spared=["pull.blob.head"],
    ),
    Mutant(
        "blob-breaks-off",
        {"pull.blob.get": "got no whole answer", "pull.blob.get.sha512": "got no whole answer"},
        answers(_GET, _cut),
    ),
    Mutant("blob-is-announced-longer", {"pull.blob.get": "got no whole answer"}, answers(_GET, _longer)),
    Mutant(
        "blob-has-another-byte",
        {"pull.blob.get": "differ from the expected ones at 0", "push.blob.post-put.one-byte": "differ"},
        answers(_GET, body(lambda content: bytes([content[0] ^ 1]) + content[1:] if content else content)),
        spared=["pull.blob.get.empty"],
    ),
    Mutant(
        "blob-ends-at-eight-mebibytes",
        {"push.blob.post-put.large": "expected 16777216"},
        answers(_GET, body(lambda content: content[: 8 * _MIB])),
        spared=["pull.blob.get"],
    ),
    Mutant(
        "blob-is-compressed-by-the-way",
        {"pull.blob.not-compressed": "expected"},
        answers(_GET, _compressed),
        spared=["pull.blob.get"],
    ),
    Mutant(
        "compressed-blob-is-labelled",
        {"pull.blob.content-encoding": "Content-Encoding"},
        answers(_GET, _labelled),
        spared=["pull.blob.get", "pull.blob.not-compressed"],
    ),
    Mutant(
        "empty-blob-is-no-content",
        {"pull.blob.get.empty": "answered 204, expected 200"},
        answers(on("blob", "GET", 200, lambda request: request.reference.endswith("52b855")), status(204)),
        spared=["pull.blob.get"],
    ),
    Mutant(
        "empty-blob-without-length",
        {"pull.blob.head.length.empty": "without the header Content-Length"},
        answers(
            on("blob", "HEAD", 200, lambda request: request.reference.endswith("52b855")), without("Content-Length")
        ),
        spared=["pull.blob.head.length"],
    ),
    Mutant(
        "sha512-is-told-as-sha256",
        {
            "pull.blob.digest-true.sha512": "but the content is",
            "pull.blob.head.digest-true.sha512": "but the content is",
        },
        answers(on("blob", status=200, asked=_sha512), header("Docker-Content-Digest", _digest_cut)),
        spared=["pull.blob.digest-true"],
    ),
    Mutant(
        "sha512-is-not-found",
        {
            "pull.blob.get.sha512": "answered 404",
            "push.blob.post-put.sha512": "answered 404",
            "push.chunk.sha512": "404",
        },
        answers(on("blob", "GET", asked=_sha512), status(404)),
    ),
    Mutant(
        "blob-without-digest",
        {"pull.blob.digest-header": "without the header", "pull.blob.head.digest-header": "without the header"},
        answers(on("blob", status=200), without("Docker-Content-Digest")),
        spared=["pull.blob.digest-true"],
    ),
    Mutant(
        "blob-with-other-digest",
        {"pull.blob.digest-true": "but the content is", "pull.blob.head.digest-true": "but the content is"},
        answers(on("blob", status=200), header("Docker-Content-Digest", "sha256:" + "0" * 64)),
    ),
    Mutant(
        "blob-head-with-other-length",
        {"pull.blob.head.length": "expected 64", "clients.docker.push": "Content-Length"},
        answers(_HEAD, header("Content-Length", lambda _, reply: str(int(reply.header("Content-Length") or 0) + 1))),
    ),
    Mutant(
        "blob-head-is-no-content",
        {"pull.blob.head": "answered 204, expected 200"},
        answers(_HEAD, status(204)),
    ),
    Mutant(
        "every-blob-is-there",
        {"pull.blob.head.unknown": "answered 200, expected 404", "clients.docker.push": "answered 200, expected 404"},
        answers(on("blob", "HEAD", 404), status(200)),
        spared=["pull.blob.unknown"],
    ),
    Mutant(
        "unknown-blob-is-a-crash", {"pull.blob.unknown": "answered 500"}, answers(on("blob", "GET", 404), status(500))
    ),
    Mutant(
        "blob-leaks-from-another-repository",
        {
            "pull.blob.other-repository": "answered 200, expected 404",
            "security.isolation.blob": "answered 200, expected 404",
            "security.isolation.named-blob": "answered 200, expected 404",
        },
        from_elsewhere(asks("blob", "GET")),
        spared=["security.isolation.manifest"],
    ),
    Mutant(
        "head-finds-blobs-of-others",
        {"security.isolation.blob-head": "answered 200, expected 404"},
        from_elsewhere(asks("blob", "HEAD")),
        spared=["security.isolation.blob"],
    ),
    Mutant(
        "range-is-ignored",
        {"pull.range.first": "answered 200, expected 206", "clients.containerd.pull-in-parts": "answered 200"},
        takes_for(_RANGED, _range(lambda _: None)),
        spared=["pull.range.true", "pull.range.whole", "clients.docker.pull-resumed"],
    ),
    Mutant(
        "range-lacks-its-last-byte",
        {"pull.range.true": "expected 10", "pull.range.middle": "expected 50"},
        answers(_PART, body(lambda content: content[:-1])),
    ),
    Mutant(
        "range-is-told-one-further",
        {"pull.range.true": "differ", "pull.range.one": "differ"},
        answers(_PART, header("Content-Range", _shifted)),
    ),
    Mutant(
        "range-without-content-range",
        {"pull.range.true": "without the header Content-Range"},
        answers(_PART, without("Content-Range")),
    ),
    Mutant(
        "range-with-success",
        {"pull.range.true": "expected 1000", "clients.docker.pull-resumed": "expected 3000"},
        answers(_PART, status(200)),
    ),
    Mutant(
        "last-bytes-are-first",
        {"pull.range.last": "were sent, expected"},
        takes_for(_RANGED, _range(lambda asked: asked.replace("bytes=-", "bytes=0-"))),
        spared=["pull.range.first", "pull.range.open"],
    ),
    Mutant(
        "range-must-end-inside",
        {"pull.range.beyond-last": "answered 416, expected 206"},
        answers(
            on("blob", "GET", 206, with_header("Range", "bytes=40-")),
            status(416),
        ),
        spared=["pull.range.middle"],
    ),
    Mutant(
        "range-outside-is-all",
        {"pull.range.outside": "answered 200, expected 416"},
        answers(on("blob", "GET", 416), status(200)),
    ),
    Mutant(
        "range-outside-without-size",
        {"pull.range.outside.size": "Content-Range"},
        answers(on("blob", "GET", 416), without("Content-Range")),
        spared=["pull.range.outside"],
    ),
    Mutant(
        "only-the-first-range-counts",
        {"pull.range.several": "expected the bytes 0-9 and 50-59"},
        takes_for(_RANGED, _range(lambda asked: asked.partition(",")[0])),
        spared=["pull.range.first"],
    ),
    Mutant(
        "many-ranges-make-a-flood",
        {"security.answers.many-ranges": "500 ranges of a blob of 10 kB"},
        answers(on("blob", "GET"), _multiplied),
    ),
    Mutant(
        "broken-range-is-a-crash",
        {"pull.range.malformed": "answered 500"},
        answers(on("blob", "GET", asked=with_header("Range", "bytes=a-b")), status(500)),
    ),
    Mutant(
        "head-heeds-range",
        {"pull.range.head": "answered 206, expected 200"},
        answers(on("blob", "HEAD", 200, with_header("Range")), status(206)),
    ),
    Mutant(
        "if-range-is-ignored",
        {"pull.range.if-range.other": "answered 206, expected 200"},
        takes_for(
            asks("blob", "GET", with_header("If-Range")), lambda request: request.to(request.target, If_Range=None)
        ),
        spared=["pull.range.if-range"],
    ),
)
