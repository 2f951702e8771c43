"""What registries do wrong with names, tags and subjects of manifests, and with conditions of pushes."""

from __future__ import annotations

from tests.conformance.mutants.messages import Reply, Request
from tests.conformance.mutants.proxy import Handler, Proxy
from tests.conformance.mutants.remembering import once_more
from tests.conformance.mutants.rules import (
    Asked,
    Mutant,
    answers,
    asks,
    both,
    by_digest,
    by_tag,
    header,
    instead,
    on,
    refuses,
    sends,
    status,
    with_header,
    with_query,
    without,
)

_PUT = on("manifest", "PUT", 201)
_SUBJECT = on("manifest", "PUT", 201, sends(b'"subject"'))


def _lost_tags() -> Handler:
    """Tags that come as parameters are said to be there, and are not."""

    async def handle(request: Request, proxy: Proxy) -> Reply:
        if not asks("manifest", "PUT", with_query("tag"))(request):
            return await proxy.ask(request)
        reply = await proxy.ask(_without_tags(request))
        reply.set("OCI-Tag", request.target.partition("?tag=")[2].replace("&tag=", ", "))
        return reply

    return handle


def _one_tag() -> Handler:
    """Of several tags the first is taken, and all are said to be."""

    async def handle(request: Request, proxy: Proxy) -> Reply:
        if not asks("manifest", "PUT", with_query("tag"))(request):
            return await proxy.ask(request)
        told = request.target.partition("?tag=")[2].replace("&tag=", ", ")
        reply = await proxy.ask(request.to(request.target.partition("&")[0]))
        reply.set("OCI-Tag", told)
        return reply

    return handle


def _without_tags(request: Request) -> Request:
    return request.to(request.path)


def _ignoring(condition: str) -> Asked:
    return asks("manifest", "PUT", with_header(condition))


def _does_refused() -> Handler:
    """A push whose condition does not hold is answered rightly, and carried out."""

    async def handle(request: Request, proxy: Proxy) -> Reply:
        reply = await proxy.ask(request)
        if request.method == "PUT" and reply.status == 412:
            await proxy.ask(request.to(request.target, If_Match=None, If_None_Match=None))
        return reply

    return handle


async def _ignores_if_match(request: Request, proxy: Proxy) -> Reply:
    return await proxy.ask(request.to(request.target, If_Match=None) if _ignoring("If-Match")(request) else request)


NAMING = (
    Mutant(
        "names-are-taken-for-routes",
        {"push.name.forms": "answered 404"},
        refuses(asks("uploads", "POST", lambda r: r.name.endswith("/tags/list")), 404, "NAME_UNKNOWN"),
    ),
    Mutant(
        "malformed-digest-is-a-tag",
        {"push.manifest.malformed-digest": "is neither a tag nor a digest"},
        answers(on("manifest", "PUT", 400, by_digest), status(201)),
        spared=["push.tag.invalid"],
    ),
    Mutant(
        "names-have-no-doubles",
        {"push.name.forms": "answered 400"},
        refuses(asks("uploads", "POST", lambda request: "__" in request.name), 400, "NAME_INVALID"),
    ),
    Mutant(
        "names-may-be-anything",
        {
            "push.name.invalid": "UPPER is not allowed",
            "security.name.upper-case": "answered 202",
            "security.name.nul": "202",
        },
        answers(on("uploads other", "POST", 400), status(202)),
    ),
    Mutant(
        "tags-are-short",
        {"push.tag.forms": "answered 400"},
        refuses(asks("manifest", "PUT", lambda request: len(request.reference) == 128), 400, "MANIFEST_INVALID"),
        spared=["push.tag.invalid"],
    ),
    Mutant(
        "tags-may-be-anything",
        {"push.tag.invalid": "is no tag", "security.tag.path": "answered 201", "security.tag.overlong": "answered 201"},
        answers(on("manifest other", "PUT"), status(201)),
        spared=["push.tag.forms"],
    ),
    Mutant(
        "digests-in-capitals-are-found",
        {"security.digest.capitals": "answered 200", "security.digest.short": "answered 200"},
        instead(
            asks("blob", "GET", lambda request: "AB" in request.reference or request.reference[-1] == "a"),
            lambda _: Reply(200),
        ),
    ),
    Mutant(
        "one-tag-is-not-told",
        {"push.manifest.tag-parameter.header": "but the tags that are there are"},
        answers(
            on("manifest", "PUT", 201, with_query("tag")), header("OCI-Tag", lambda request, _: request.query["tag"])
        ),
        spared=["push.manifest.tag-parameter.ten"],
    ),
    Mutant(
        "told-tags-are-lost",
        {"push.manifest.tag-parameter.header": "but the tags that are there are []"},
        _lost_tags,
    ),
    Mutant(
        "only-one-tag-is-taken",
        {
            "push.manifest.tag-parameter.ten": "answered 404",
            "push.manifest.tag-parameter.header": "but the tags that are there are",
        },
        _one_tag,
        spared=["push.manifest.tag-parameter.moves"],
    ),
    Mutant(
        "subject-must-be-there",
        {"push.subject.missing": "answered 400", "push.subject.missing.index": "answered 400"},
        refuses(asks("manifest", "PUT", both(sends(b'"subject"'), by_digest)), 400, "MANIFEST_BLOB_UNKNOWN"),
    ),
    Mutant(
        "subject-is-not-told",
        {"push.subject.header": "without the header OCI-Subject"},
        answers(_SUBJECT, without("OCI-Subject")),
        spared=["push.subject.present"],
    ),
    Mutant(
        "subject-is-told-once",
        {"push.subject.header.again": "without the header OCI-Subject"},
        once_more(
            asks("manifest", "PUT", sends(b'"subject"')),
            lambda _, reply: Reply(reply.status, [("Location", "/")]),
            lambda request: request.body,
        ),
        spared=["push.subject.header"],
    ),
    Mutant(
        "subject-is-the-manifest",
        {"push.subject.header": "OCI-Subject", "push.subject.header.by-tag": "OCI-Subject"},
        answers(_SUBJECT, header("OCI-Subject", lambda _, reply: reply.header("Docker-Content-Digest"))),
    ),
    Mutant(
        "subject-of-tags-is-not-told",
        {"push.subject.header.by-tag": "without the header OCI-Subject"},
        answers(on("manifest", "PUT", 201, both(sends(b'"subject"'), by_tag)), without("OCI-Subject")),
        spared=["push.subject.header"],
    ),
    Mutant(
        "subject-of-indexes-is-not-told",
        {"push.subject.header.index": "without the header OCI-Subject"},
        answers(on("manifest", "PUT", 201, both(sends(b'"subject"'), sends(b'"manifests"'))), without("OCI-Subject")),
        spared=["push.subject.header"],
    ),
    Mutant(
        "subject-of-sha512-is-not-told",
        {"push.subject.header.sha512": "without the header OCI-Subject"},
        answers(on("manifest", "PUT", 201, sends(b"sha512:")), without("OCI-Subject")),
        spared=["push.subject.header"],
    ),
    Mutant(
        "subject-without-subject",
        {"push.subject.header.none": "but the manifest has no subject"},
        answers(_PUT, header("OCI-Subject", lambda _, reply: reply.header("Docker-Content-Digest"))),
    ),
    Mutant(
        "refused-push-is-done",
        {"push.if-none-match.there": "expected", "push.if-match.stale": "expected", "push.if-match.not-there": "200"},
        _does_refused,
        spared=["push.if-none-match.new"],
    ),
    Mutant(
        "conditions-never-hold",
        {"push.if-match.current": "answered 412", "push.if-none-match.new": "answered 412"},
        refuses(
            asks(
                "manifest", "PUT", lambda r: r.header("If-Match") is not None or r.header("If-None-Match") is not None
            ),
            412,
            "DENIED",
        ),
        spared=["push.if-none-match.there"],
    ),
    Mutant(
        "if-match-is-ignored",
        {"push.if-match.stale": "answered 201, expected 412", "push.if-match.not-there": "answered 201, expected 412"},
        lambda: _ignores_if_match,
        spared=["push.if-none-match.there", "push.if-match.current"],
    ),
)
