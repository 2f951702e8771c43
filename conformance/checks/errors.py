"""How errors and warnings look (spec, "Error Codes", "Warnings")."""

from __future__ import annotations

import re
from collections.abc import Callable

from conformance.checks.common import drawn_digest, error_codes, is_json, json_object
from conformance.content import IMAGE, OCTETS, Manifest, new_blob, new_image
from conformance.requirement import Category, Checklist, Failed, Group, Level, NotApplicable, Version
from conformance.session import Session, blob_path, expect, manifest_path, uploads_path, with_query
from conformance.wire import Answer

PULL = Checklist(Group.SPEC, Category.PULL, "Error Codes")
PUSH = Checklist(Group.SPEC, Category.PUSH, "Error Codes")
API = Checklist(Group.SPEC, Category.PULL, "API", Version.V1_2)
WARNINGS = Checklist(Group.SPEC, Category.PULL, "Warnings", Version.V1_1)

CODES = {
    *("BLOB_UNKNOWN", "BLOB_UPLOAD_INVALID", "BLOB_UPLOAD_UNKNOWN", "DIGEST_INVALID", "MANIFEST_BLOB_UNKNOWN"),
    *("MANIFEST_INVALID", "MANIFEST_UNKNOWN", "NAME_INVALID", "NAME_UNKNOWN", "SIZE_INVALID", "UNAUTHORIZED"),
    *("DENIED", "UNSUPPORTED", "TOOMANYREQUESTS"),
}
# Left over from Docker; clients may meet them (spec, "Legacy Docker support error codes").
_LEGACY = {"TAG_INVALID", "MANIFEST_UNVERIFIED"}
_CODE = re.compile(r"[A-Z_]+")
_WARNING = re.compile(r'299 - "(?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\.)*"')
_WARNING_BYTES_MAX = 4096

Ask = Callable[[Session], Answer]


def _expect_form(answer: Answer) -> None:
    """Raises `Failed` if the body is JSON, and not as the specification wants errors to be."""
    if not 400 <= answer.status < 500:
        raise NotApplicable(f"{answer.method} {answer.path} answered {answer.status}, which is no error of the client")
    if not is_json(answer):
        return
    errors = json_object(answer).get("errors")
    if not isinstance(errors, list) or not errors:
        raise Failed(f"the errors of {answer.path} are {errors!r}, expected a list")
    for error in errors:
        code = error.get("code") if isinstance(error, dict) else None
        expect(isinstance(code, str), f"{error!r} has no code")
        expect(_CODE.fullmatch(str(code)) is not None, f"{code} is not made of uppercase letters and underscores")
        expect(code in CODES | _LEGACY, f"the code {code} is not one of the specification's")


def _unknown_manifest(session: Session) -> Answer:
    return session.get_manifest(session.new_tag())


def _unknown_blob(session: Session) -> Answer:
    return session.get_blob(drawn_digest())


def _unknown_repository(session: Session) -> Answer:
    return session.tags(session.new_name())


def _malformed_digest(session: Session) -> Answer:
    return session.send("GET", blob_path(session.name, "sha256:abc"))


def _malformed_name(session: Session) -> Answer:
    return session.get_manifest("latest", f"{session.name}/UPPER")


def _unknown_upload(session: Session) -> Answer:
    begun, blob = session.begin_upload(), new_blob()
    if session.put_blob(begun, blob).status != 201:
        raise NotApplicable("a blob cannot be pushed")
    return session.send("PATCH", begun, {"Content-Type": OCTETS}, blob.content)


def _mismatch(session: Session) -> Answer:
    path = with_query(session.begin_upload(), digest=drawn_digest())
    return session.send("PUT", path, {"Content-Type": OCTETS}, b"content")


def _out_of_order(session: Session) -> Answer:
    headers = {"Content-Type": OCTETS, "Content-Range": "100-106"}
    return session.send("PATCH", session.begin_upload(), headers, b"content")


def _no_manifest(session: Session) -> Answer:
    return session.put_manifest(Manifest(b"no JSON", IMAGE), session.new_tag())


def _missing_blob(session: Session) -> Answer:
    return session.put_manifest(new_image(), session.new_tag())


def _malformed_upload_name(session: Session) -> Answer:
    return session.send("POST", uploads_path(f"{session.name}/UPPER"), {"Content-Length": "0"})


_PULLED: tuple[tuple[str, str, Ask, set[str]], ...] = (
    ("unknown-manifest", "a manifest that is not there", _unknown_manifest, {"MANIFEST_UNKNOWN", "NAME_UNKNOWN"}),
    ("unknown-blob", "a blob that is not there", _unknown_blob, {"BLOB_UNKNOWN", "NAME_UNKNOWN"}),
    ("unknown-repository", "the tags of a repository that is not there", _unknown_repository, {"NAME_UNKNOWN"}),
    ("malformed-digest", "a digest that is none", _malformed_digest, {"DIGEST_INVALID", "BLOB_UNKNOWN"}),
    ("malformed-name", "a name that is none", _malformed_name, {"NAME_INVALID", "NAME_UNKNOWN"}),
)
_PUSHED: tuple[tuple[str, str, Ask, set[str]], ...] = (
    ("unknown-upload", "an upload that has ended", _unknown_upload, {"BLOB_UPLOAD_UNKNOWN"}),
    ("mismatch", "a digest that does not match the content", _mismatch, {"DIGEST_INVALID"}),
    ("out-of-order", "a chunk out of order", _out_of_order, {"BLOB_UPLOAD_INVALID", "SIZE_INVALID"}),
    ("no-manifest", "a manifest that is none", _no_manifest, {"MANIFEST_INVALID"}),
    ("missing-blob", "a manifest whose parts are not there", _missing_blob, {"MANIFEST_BLOB_UNKNOWN"}),
    ("malformed-upload-name", "an upload to a name that is none", _malformed_upload_name, {"NAME_INVALID"}),
)


def _add(checks: Checklist, name: str, what: str, ask: Ask, codes: set[str], *, writes: bool) -> None:
    """Two checks of the answer to one kind of error: of its form, and of its code."""

    def form(session: Session) -> None:
        _expect_form(ask(session))

    def code(session: Session) -> None:
        answer = ask(session)
        if not 400 <= answer.status < 500:
            raise NotApplicable(f"{answer.method} {answer.path} answered {answer.status}")
        if not is_json(answer):
            raise NotApplicable("the error is not told in JSON, which the specification allows")
        found = error_codes(answer)
        expected = " or ".join(sorted(codes))
        expect(bool(codes & set(found)), f"{answer.status} came with the codes {found}, expected {expected}")

    told = f"If the error of {what} is told in JSON, that has the form and the codes of the specification"
    checks.check(f"error.form.{name}", Level.MUST, told, writes=writes)(form)
    named = " or ".join(sorted(codes))
    checks.check(f"error.code.{name}", Level.SHOULD, f"The error of {what} has the code {named}", writes=writes)(code)


for _name, _what, _ask, _codes in _PULLED:
    _add(PULL, _name, _what, _ask, _codes, writes=False)
for _name, _what, _ask, _codes in _PUSHED:
    _add(PUSH, _name, _what, _ask, _codes, writes=True)


@PULL.check("error.json", Level.SHOULD, "Errors are told in JSON, so that clients can tell what is wrong", writes=False)
def told_in_json(session: Session) -> None:
    for ask in (_unknown_manifest, _unknown_blob, _unknown_repository):
        answer = ask(session)
        expect(is_json(answer), f"GET {answer.path} answered {answer.status} without errors in JSON")


@PULL.check("error.message", Level.SHOULD, "The message of an error, if there is one, is a text", writes=False)
def message(session: Session) -> None:
    for ask in (_unknown_manifest, _unknown_blob):
        answer = ask(session)
        if not error_codes(answer):
            raise NotApplicable("the errors are not told in JSON")
        for error in json_object(answer)["errors"]:
            told = error.get("message", "") if isinstance(error, dict) else error
            expect(isinstance(told, str), f"the message is {told!r}, expected a text")


@PULL.check("error.head.no-body", Level.MUST, "An error that answers HEAD has no body (RFC 9110, 9.3.2)", writes=False)
def head_no_body(session: Session) -> None:
    for path in (manifest_path(session.name, session.new_tag()), blob_path(session.name, drawn_digest())):
        answer = session.send("HEAD", path)
        body = session.wire.after_headers(answer)
        expect(not body, f"HEAD {answer.path} was answered with a body that begins with {body[:40]!r}")


@PULL.check(
    "error.retry-after", Level.SHOULD, "A 429, if one ever comes, says in Retry-After when to try again", writes=False
)
def retry_after(session: Session) -> None:
    for _ in range(30):
        answer = session.get_blob(drawn_digest(), method="HEAD")
        if answer.status == 429:
            answer.expect_header("Retry-After")
            return


@API.check(
    "error.method",
    Level.SHOULD,
    "A method that is not offered answers 405 with Allow (RFC 9110, 15.5.6), or 404",
    writes=False,
)
def method_not_offered(session: Session) -> None:
    for path in (manifest_path(session.name, "latest"), f"/v2/{session.name}/tags/list"):
        if session.send("POST", path, {"Content-Length": "0"}).expect(404, 405).status == 405:
            session.exchanges[-1].expect_header("Allow")


def _some_answers(session: Session) -> list[Answer]:
    """Answers of many kinds, to look for warnings in."""
    answers = [session.send("GET", "/v2/"), _unknown_manifest(session), _unknown_repository(session), session.tags()]
    if not session.scope.read_only:
        manifest, tag = new_image(), session.new_tag()
        session.manifest(manifest, tag)
        answers += [session.get_manifest(tag), session.get_blob(manifest.blobs[0].digest), _deprecated(session)]
    return answers


def _deprecated(session: Session) -> Answer:
    """What a registry may well warn of: a manifest of a type that was given up before 1.1."""
    kind = "application/vnd.oci.artifact.manifest.v1+json"
    blob = new_blob()
    session.blob(blob)
    content = f'{{"mediaType": "{kind}", "artifactType": "application/vnd.example", "blobs": [{_json(blob.digest)}]}}'
    manifest = Manifest(content.encode(), kind)
    return session.put_manifest(manifest, manifest.digest)


def _json(digest: str) -> str:
    return f'{{"mediaType": "application/octet-stream", "digest": "{digest}", "size": 64}}'


@WARNINGS.check(
    "warnings.form",
    Level.MUST,
    'A Warning header, if there is one, is: 299 - "<text>", and has no date',
    writes=False,
)
def warnings_form(session: Session) -> None:
    for answer in _some_answers(session):
        for value in answer.all("Warning"):
            rest = _WARNING.sub("", value).replace(",", "").strip()
            if rest or not _WARNING.match(value.strip()):
                raise Failed(f'{answer.method} {answer.path} answered with Warning: {value}, expected: 299 - "<text>"')


@WARNINGS.check(
    "warnings.size", Level.MUST, "The Warning headers of an answer are not more than 4096 bytes", writes=False
)
def warnings_size(session: Session) -> None:
    for answer in _some_answers(session):
        size = sum(len(value) for value in answer.all("Warning"))
        expect(size <= _WARNING_BYTES_MAX, f"{answer.method} {answer.path} answered with {size} bytes of warnings")
