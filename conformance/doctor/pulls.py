"""Pulling: HEAD, Range, headers and bytes, as they left the registry or not."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.content import ACCEPT, digest_of
from conformance.doctor.finding import Examinations, Finding, Level
from conformance.doctor.sizes import told
from conformance.doctor.visit import Sample, Visit, is_of_registry
from conformance.requirement import NotApplicable
from conformance.session import manifest_path
from conformance.wire import Answer

EXAMINATIONS = Examinations()

_ACCEPT = {"Accept": ACCEPT}
_COMPRESSED = {"gzip", "br", "zstd", "deflate"}
_SLOW_S = 1.0


@EXAMINATIONS.add("head", "whether HEAD is answered as GET is")
def head_is_answered(visit: Visit) -> Iterator[Finding]:
    path = manifest_path(visit.name, "not-there")
    by_get = visit.send("GET", path, _ACCEPT)
    by_head = visit.send("HEAD", path, _ACCEPT)
    is_refused = by_head.status in {400, 403, 405, 500, 501, 502} and by_head.status != by_get.status
    if is_refused or (by_head.status < 400 <= by_get.status):
        seen = f"HEAD {by_head.path} answered {by_head.status}, and GET {by_get.status}"
        yield visit.found("head.refused", Level.FAULT, seen)
    elif is_of_registry(by_get) and visit.line.after_headers(by_head):
        yield visit.found("head.body", Level.FAULT, f"HEAD {by_head.path} is answered with a body")


@EXAMINATIONS.add("head.headers", "whether HEAD tells what updaters and pushes want to know")
def head_tells(visit: Visit) -> Iterator[Finding]:
    sample = visit.sample()
    manifest = visit.send("HEAD", sample.reference, _ACCEPT)
    blob = visit.send("HEAD", sample.blob)
    for answer in (manifest, blob):
        if answer.status != 200:
            return
        length = answer.header("Content-Length")
        if length in {None, "0"}:
            seen = f"HEAD {answer.path} answered 200 with Content-Length: {length or 'none'}"
            yield visit.found("head.length", Level.FAULT, seen, answer)
            return


@EXAMINATIONS.add("headers", "whether the headers of a manifest arrive")
def headers_arrive(visit: Visit) -> Iterator[Finding]:
    sample = visit.sample()
    for method in ("GET", "HEAD"):
        answer = visit.send(method, sample.reference, _ACCEPT)
        if answer.status == 200 and answer.header("Docker-Content-Digest") is None:
            seen = f"{method} {answer.path} answered 200 without Docker-Content-Digest"
            yield visit.found("headers.digest", Level.FAULT, seen)
            break
    answer = visit.send("GET", sample.reference, _ACCEPT)
    kind = answer.header("Content-Type") or ""
    if answer.status == 200 and sample.media_type and kind != sample.media_type:
        seen = f"GET {answer.path} answered with Content-Type: {kind or 'none'}, pushed was {sample.media_type}"
        yield visit.found("headers.type", Level.FAULT, seen)


@EXAMINATIONS.add("bytes", "whether manifests and blobs come as they were pushed")
def bytes_arrive(visit: Visit) -> Iterator[Finding]:
    sample = visit.sample()
    for path, digest in ((sample.reference, sample.digest), (sample.blob, sample.blob.rpartition("/")[2])):
        answer = visit.send("GET", path, _ACCEPT)
        algorithm = digest.partition(":")[0]
        if answer.status != 200 or _is_compressed(answer) or algorithm not in {"sha256", "sha512"}:
            continue
        found = digest_of(answer.body, algorithm)
        if found != digest:
            seen = f"GET {path} answered {len(answer.body)} bytes with the digest {found}, expected {digest}"
            yield visit.found("bytes", Level.FAULT, seen)


@EXAMINATIONS.add("compression", "whether anybody compresses what has a digest")
def nothing_is_compressed(visit: Visit) -> Iterator[Finding]:
    sample = visit.sample()
    for encoding in ("gzip", "identity"):
        for path in (sample.reference, sample.blob):
            answer = visit.send("GET", path, _ACCEPT | {"Accept-Encoding": encoding})
            if _is_compressed(answer):
                length = answer.header("Content-Length")
                seen = (
                    f"GET {path} with Accept-Encoding: {encoding} was answered with Content-Encoding:"
                    f" {answer.header('Content-Encoding')}, Content-Length: {length or 'none'}, ETag:"
                    f" {answer.header('ETag') or 'none'}"
                )
                yield visit.found("compression", Level.FAULT, seen)
                return


@EXAMINATIONS.add("length", "whether clients learn how much they will get")
def length_arrives(visit: Visit) -> Iterator[Finding]:
    sample = visit.sample()
    for path in (sample.reference, sample.blob):
        answer = visit.send("GET", path, _ACCEPT | {"Accept-Encoding": "gzip"})
        if answer.status == 200 and answer.header("Content-Length") is None and not _is_compressed(answer):
            yield visit.found("length", Level.FAULT, f"GET {path} answered 200 without Content-Length")
            return


@EXAMINATIONS.add("range", "whether a part of a blob can be pulled, as resuming clients do")
def ranges_arrive(visit: Visit) -> Iterator[Finding]:
    sample = visit.sample()
    first, last = sample.size // 2, sample.size - 1
    answer = visit.send("GET", sample.blob, {"Range": f"bytes={first}-{last}"})
    seen = f"GET {sample.blob} with Range: bytes={first}-{last} was answered {answer.status}"
    if answer.status == 200:
        offered = answer.header("Accept-Ranges") == "bytes"
        seen += " with the whole blob" + (" and Accept-Ranges: bytes" if offered else "")
        yield visit.found("range.ignored", Level.FAULT if offered else Level.WARNING, seen)
    elif answer.status == 206:
        yield from _part(visit, sample, first, answer)
    elif answer.status >= 400:
        yield visit.found("range.ignored", Level.FAULT, seen)


def _part(visit: Visit, sample: Sample, first: int, answer: Answer) -> Iterator[Finding]:
    said = f"bytes {first}-{sample.size - 1}/{sample.size}"
    is_right = sample.content is None or answer.body == sample.content[first:]
    if not is_right or len(answer.body) != sample.size - first or answer.header("Content-Range") != said:
        seen = (
            f"206 for bytes {first}- of {sample.size} came with Content-Range: {answer.header('Content-Range')}"
            f" and {len(answer.body)} bytes{'' if is_right else ', which are not those'}"
        )
        yield visit.found("range.wrong", Level.FAULT, seen)


@EXAMINATIONS.add("download", "whether blobs come while the registry still sends them")
def downloads_are_passed_on(visit: Visit) -> Iterator[Finding]:
    sample = visit.sample()
    visit.send("HEAD", sample.blob)
    with visit.talk("GET", sample.blob) as talk:
        answer = visit.noted_answer(talk.answer())
        first, whole = answer.seconds, talk.elapsed()
    if answer.status != 200:
        raise NotApplicable(f"GET {sample.blob} answered {answer.status}")
    if first >= _SLOW_S and first >= 0.9 * whole:
        seen = f"{told(sample.size)} took {whole:.1f} s, and the first byte came after {first:.1f} s"
        yield visit.found("download.late", Level.NOTE, seen)


def _is_compressed(answer: Answer) -> bool:
    return (answer.header("Content-Encoding") or "").lower() in _COMPRESSED
