"""Parts of blobs (spec, "Pulling blobs": `Range`, as in RFC 9110, section 14)."""

from __future__ import annotations

import re

from conformance.checks.common import Sample, sample_blob
from conformance.content import Blob
from conformance.requirement import Category, Checklist, Failed, Group, Level, NotApplicable, Version
from conformance.session import Session, expect
from conformance.wire import Answer

RANGES = Checklist(Group.SPEC, Category.PULL, "Pulling blobs", Version.V1_1)

_SIZE = 1000
_CONTENT_RANGE = re.compile(r"bytes ([0-9]+)-([0-9]+)/([0-9]+|\*)")


def _sample(session: Session) -> Sample:
    sample = sample_blob(session, _SIZE)
    if len(sample.content) < 100:
        raise NotApplicable("the blob has less than 100 bytes")
    return sample


def _part(answer: Answer, content: bytes) -> tuple[int, int]:
    """The positions of the part that a 206 brings. Raises `Failed` if it brings something else than it says."""
    stated = answer.expect(206).expect_header("Content-Range")
    positions = _content_range(stated, content)
    answer.expect_body(content[slice(*positions)])
    return positions


def _content_range(stated: str, content: bytes) -> tuple[int, int]:
    match = _CONTENT_RANGE.fullmatch(stated)
    if match is None or match[3] not in {"*", str(len(content))}:
        raise Failed(f"Content-Range: {stated}, expected: bytes <first>-<last>/{len(content)}")
    return int(match[1]), int(match[2]) + 1


def _expect_part(session: Session, asked: str, start: int, stop: int | None = None) -> None:
    """Ask for a range of a blob; positions may count from its end."""
    sample = _sample(session)
    size = len(sample.content)
    wanted = slice(start, stop).indices(size)[:2]
    found = _part(session.get_blob(sample.reference, Range=asked.format(last=size - 1, far=size + 100)), sample.content)
    expect(found == wanted, f"the bytes {found[0]}-{found[1] - 1} were sent, expected {wanted[0]}-{wanted[1] - 1}")


@RANGES.check("pull.range.first", Level.SHOULD, "The first bytes of a blob can be asked for", writes=False)
def first(session: Session) -> None:
    _expect_part(session, "bytes=0-9", 0, 10)


@RANGES.check("pull.range.middle", Level.SHOULD, "Bytes of the middle of a blob can be asked for", writes=False)
def middle(session: Session) -> None:
    _expect_part(session, "bytes=10-59", 10, 60)


@RANGES.check("pull.range.one", Level.SHOULD, "A single byte of a blob can be asked for", writes=False)
def one(session: Session) -> None:
    _expect_part(session, "bytes=7-7", 7, 8)


@RANGES.check(
    "pull.range.last", Level.SHOULD, "The last bytes of a blob can be asked for by their number", writes=False
)
def last(session: Session) -> None:
    _expect_part(session, "bytes=-20", -20)


@RANGES.check("pull.range.open", Level.SHOULD, "All from a byte of a blob on can be asked for", writes=False)
def open_end(session: Session) -> None:
    _expect_part(session, "bytes=30-", 30)


@RANGES.check("pull.range.beyond-last", Level.SHOULD, "A range that goes beyond the end stops at the end", writes=False)
def beyond_last(session: Session) -> None:
    _expect_part(session, "bytes=40-{far}", 40)


@RANGES.check("pull.range.whole", Level.SHOULD, "A range of the whole blob brings the whole blob", writes=False)
def whole(session: Session) -> None:
    sample = _sample(session)
    size = len(sample.content)
    for asked in (f"bytes=0-{size - 1}", "bytes=0-", f"bytes=-{size + 5}"):
        answer = session.get_blob(sample.reference, Range=asked).expect(200, 206).expect_body(sample.content)
        if answer.status == 206:
            _part(answer, sample.content)


@RANGES.check(
    "pull.range.true", Level.MUST, "A 206 brings exactly the bytes that its Content-Range names", writes=False
)
def true(session: Session) -> None:
    sample = _sample(session)
    for asked in ("bytes=0-9", "bytes=90-", "bytes=-10"):
        answer = session.get_blob(sample.reference, Range=asked).expect(200, 206)
        if answer.status == 200:
            answer.expect_body(sample.content)
        else:
            _part(answer, sample.content)


@RANGES.check("pull.range.length", Level.SHOULD, "The Content-Length of a 206 is the size of the part", writes=False)
def length(session: Session) -> None:
    answer = session.get_blob(_sample(session).reference, Range="bytes=0-24").expect(206)
    if answer.header("Transfer-Encoding") is None:
        answer.expect_header("Content-Length", "25")


@RANGES.check("pull.range.outside", Level.SHOULD, "A range that begins beyond the end answers 416", writes=False)
def outside(session: Session) -> None:
    sample = _sample(session)
    session.get_blob(sample.reference, Range=f"bytes={len(sample.content)}-").expect(416)


@RANGES.check(
    "pull.range.outside.size",
    Level.SHOULD,
    "A 416 says how large the blob is: Content-Range: bytes */<size>",
    writes=False,
)
def outside_size(session: Session) -> None:
    sample = _sample(session)
    size = len(sample.content)
    answer = session.get_blob(sample.reference, Range=f"bytes={size + 10}-{size + 20}").expect(416)
    answer.expect_header("Content-Range", f"bytes */{size}")


@RANGES.check(
    "pull.range.several",
    Level.SHOULD,
    "Several ranges bring all these parts as multipart/byteranges, or the whole blob",
    writes=False,
)
def several(session: Session) -> None:
    sample = _sample(session)
    answer = session.get_blob(sample.reference, Range="bytes=0-9,50-59").expect(200, 206)
    if answer.status == 200:
        answer.expect_body(sample.content)
        return
    found = b"".join(parts_of(answer, sample.content))
    wanted = (sample.content[0:10] + sample.content[50:60], sample.content[0:60])
    expect(found in wanted, f"{len(found)} bytes came in parts, expected the bytes 0-9 and 50-59")


def parts_of(answer: Answer, content: bytes) -> list[bytes]:
    """The parts of the content that a 206 brings, in their order. Raises `Failed` if one is not what it says it is."""
    kind = answer.expect_header("Content-Type")
    if not kind.lower().startswith("multipart/byteranges"):
        start, stop = _part(answer, content)
        return [content[start:stop]]
    boundary = re.search(r'boundary="?([^";]+)"?', kind)
    if boundary is None:
        raise Failed(f"Content-Type: {kind} has no boundary")
    found = []
    for piece in answer.body.split(b"--" + boundary[1].encode())[1:-1]:
        head, _, body = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        stated = re.search(rb"(?im)^content-range:\s*(.*?)\s*$", head)
        if stated is None:
            raise Failed("a part has no Content-Range")
        start, stop = _content_range(stated[1].decode("latin-1"), content)
        expect(body == content[start:stop] + b"\r\n", f"a part is not what its Content-Range says: {stated[1]!r}")
        found.append(content[start:stop])
    return found


@RANGES.check(
    "pull.range.malformed",
    Level.SHOULD,
    "A Range header that makes no sense is ignored, or refused with 400 or 416",
    writes=False,
)
def malformed(session: Session) -> None:
    sample = _sample(session)
    for asked in ("bytes=a-b", "bytes=9-3", "bytes", "bytes=-"):
        answer = session.get_blob(sample.reference, Range=asked).expect(200, 400, 416)
        if answer.status == 200:
            answer.expect_body(sample.content)


@RANGES.check("pull.range.unit", Level.SHOULD, "A range of a unit that nobody knows is ignored", writes=False)
def unit(session: Session) -> None:
    sample = _sample(session)
    session.get_blob(sample.reference, Range="lines=0-9").expect(200).expect_body(sample.content)


@RANGES.check("pull.range.empty", Level.SHOULD, "A range of an empty blob answers 416, or 200 with nothing")
def empty(session: Session) -> None:
    session_digest = session.blob(Blob(b""))
    answer = session.get_blob(session_digest, Range="bytes=0-").expect(200, 416)
    if answer.status == 200:
        answer.expect_body(b"")


@RANGES.check(
    "pull.range.if-range",
    Level.SHOULD,
    "A range comes with If-Range and the blob's own ETag",
    writes=False,
)
def if_range(session: Session) -> None:
    sample = _sample(session)
    tag = session.get_blob(sample.reference, method="HEAD").expect(200).header("ETag")
    if tag is None or tag.startswith("W/"):
        raise NotApplicable("the blob has no strong ETag")
    found = _part(session.get_blob(sample.reference, Range="bytes=5-14", If_Range=tag), sample.content)
    expect(found == (5, 15), f"the bytes {found[0]}-{found[1] - 1} were sent, expected 5-14")


@RANGES.check(
    "pull.range.if-range.other",
    Level.SHOULD,
    "With If-Range and another ETag the whole blob comes",
    writes=False,
)
def if_range_other(session: Session) -> None:
    sample = _sample(session)
    answer = session.get_blob(sample.reference, Range="bytes=5-14", If_Range='"of-something-else"')
    answer.expect(200).expect_body(sample.content)


@RANGES.check(
    "pull.range.head",
    Level.MUST,
    "HEAD of a blob answers 200, also with a Range header, which is for GET alone (RFC 9110, 14.2)",
    section="Checking if content exists in the registry",
    writes=False,
)
def head(session: Session) -> None:
    session.get_blob(_sample(session).reference, method="HEAD", Range="bytes=0-9").expect(200)


@RANGES.check("pull.range.offered", Level.MAY, "Accept-Ranges: bytes tells clients that they can resume", writes=False)
def offered(session: Session) -> None:
    answer = session.get_blob(_sample(session).reference, method="HEAD").expect(200)
    answer.expect_header("Accept-Ranges", "bytes")
