"""Names, tags and digests that are none: paths that lead elsewhere, other ways to write a character, too much of it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from conformance.content import new_blob, new_image
from conformance.requirement import Category, Checklist, Failed, Group, Level
from conformance.session import Session, blob_path, expect, manifest_path, uploads_path

NAMES = Checklist(Group.SECURITY, Category.PUSH, "Pulling manifests")
DIGESTS = Checklist(Group.SECURITY, Category.PULL, "Pulling blobs")

# What is wrong with a name, which is added to the name of a repository. A server in front may resolve dots and slashes
# before the registry sees them, so these are not binding.
_NAMES = {
    "dots": (Level.SHOULD, "with a segment of two dots", "/%2e%2e/elsewhere"),
    "slashes": (Level.SHOULD, "with an empty segment", "//elsewhere"),
    "upper-case": (Level.MUST, "with capitals", "/Upper"),
    "nul": (Level.MUST, "with a NUL", "/a%00b"),
    "line-break": (Level.MUST, "with a line break", "/a%0d%0ab"),
    "backslash": (Level.MUST, "with a backslash", "/a%5c..%5cb"),
    "space": (Level.MUST, "with a space", "/a%20b"),
    "accent": (Level.MUST, "with a letter that is not ASCII", "/%c3%a9"),
    "not-utf-8": (Level.MUST, "that is not UTF-8", "/%ff%fe"),
    "full-width": (Level.MUST, "with a letter that only looks like one of ASCII", "/%ef%bd%81"),
    "hidden": (Level.MUST, "with a segment that begins with a dot", "/.hidden"),
    "underscore": (Level.MUST, "with a segment that begins with an underscore", "/_uploads"),
    "percent": (Level.MUST, "with a percent sign", "/a%25b"),
}
_TAGS = {
    "dots": (Level.SHOULD, "of two dots", "%2e%2e"),
    "path": (Level.MUST, "with a path in it", "..%2f..%2f..%2fetc"),
    "hyphen": (Level.MUST, "that begins with a hyphen", "-tag"),
    "nul": (Level.MUST, "with a NUL", "tag%00tag"),
    "line-break": (Level.MUST, "with a line break", "tag%0d%0aX-Injected:%20yes"),
    "overlong": (Level.MUST, "of 129 characters", "t" * 129),
}
_HEX = "ab" * 32
_DIGESTS = {
    "path": ("with a path in it", "sha256:..%2f..%2f..%2f..%2f..%2fetc%2fpasswd"),
    "capitals": ("in capitals", f"sha256:{_HEX.upper()}"),
    "short": ("that is too short", f"sha256:{_HEX[:-1]}"),
    "nul": ("with a NUL at its end", f"sha256:{_HEX}%00"),
    "no-algorithm": ("without an algorithm", _HEX),
    "unknown-algorithm": ("of an algorithm that nobody has", f"sha13:{_HEX}"),
    "overlong": ("of ten thousand characters", f"sha256:{'ab' * 5000}"),
}


def _push_to(added: str, session: Session) -> None:
    session.begin_upload()
    answer = session.send("POST", uploads_path(session.name + added), {"Content-Length": "0"})
    if answer.status in {201, 202}:
        raise Failed(f"POST {answer.path} answered {answer.status}, but that is not the name of a repository")


def _push_tag(reference: str, session: Session) -> None:
    image = new_image()
    session.manifest(image)
    answer = session.put_manifest(image, reference)
    if answer.status == 201:
        raise Failed(f"PUT {answer.path} answered 201, but that is not a tag")
    expect(answer.header("X-Injected") is None, f"PUT {answer.path} put a header of its own into the answer")


def _read_digest(digest: str, session: Session) -> None:
    session.blob(new_blob())
    for path in (blob_path(session.name, digest), manifest_path(session.name, digest)):
        answer = session.send("GET", path)
        expect(answer.status >= 400, f"GET {answer.path} answered {answer.status}, but that is not a digest")


for _id, (_level, _what, _added) in _NAMES.items():
    NAMES.check(f"security.name.{_id}", _level, f"Nothing can be pushed to a name {_what}")(partial(_push_to, _added))
for _id, (_level, _what, _reference) in _TAGS.items():
    NAMES.check(f"security.tag.{_id}", _level, f"No manifest can be pushed by a tag {_what}")(
        partial(_push_tag, _reference)
    )
for _id, (_what, _digest) in _DIGESTS.items():
    DIGESTS.check(f"security.digest.{_id}", Level.MUST, f"Nothing is found under a digest {_what}")(
        partial(_read_digest, _digest)
    )


def _odd_paths(session: Session) -> Iterator[str]:
    for _, _, added in _NAMES.values():
        yield f"/v2/{session.name}{added}/tags/list"
    for _, _, reference in _TAGS.values():
        yield manifest_path(session.name, reference)
    for _, digest in _DIGESTS.values():
        yield blob_path(session.name, digest)
        yield manifest_path(session.name, digest)
        yield f"/v2/{session.name}/referrers/{digest}"
    yield "/v2/%zz"
    yield f"/v2/{session.name}/{'a/' * 2000}tags/list"
    yield f"/v2/{session.name}/blobs/uploads/%2e%2e%2f%2e%2e"


@DIGESTS.check(
    "security.path.no-crash",
    Level.SHOULD,
    "Paths with names, tags and digests that are none are answered below 500",
)
def no_crash(session: Session) -> None:
    session.blob(new_blob())
    for path in _odd_paths(session):
        answer = session.send("GET", path)
        expect(answer.status < 500, f"GET {answer.path[:200]} answered {answer.status}, expected 400 or 404")


@DIGESTS.check(
    "security.path.files", Level.MUST, "No path leads to files of the machine that the registry runs on", writes=False
)
def files(session: Session) -> None:
    for climb in ("%2e%2e/" * 12, "%2e%2e%2f" * 12, "..%5c" * 12, "%252e%252e%252f" * 12):
        for begin in ("/", "/v2/", "/static/", f"/v2/{session.name}/blobs/"):
            answer = session.send("GET", f"{begin}{climb}etc/passwd")
            expect(b"root:" not in answer.body, f"GET {answer.path} gave a file of the machine")


@NAMES.check("security.name.overlong", Level.SHOULD, "Nothing can be pushed to a name of five thousand characters")
def overlong_name(session: Session) -> None:
    _push_to("/" + "a" * 5000, session)
