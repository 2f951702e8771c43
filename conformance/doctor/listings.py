"""What changes, and what is answered in pages: caches that hide what is new, and headers that lead on."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.content import Blob, Manifest, digest_of, new_config, new_image
from conformance.doctor.finding import Examinations, Finding, Level
from conformance.doctor.visit import Visit, image_of
from conformance.requirement import NotApplicable
from conformance.wire import Answer

EXAMINATIONS = Examinations()

_CACHES = ("Age", "X-Cache", "X-Cache-Status", "CF-Cache-Status", "X-Proxy-Cache", "X-Varnish", "Via")
_ARTIFACT = "application/vnd.doctor.examination+json"


@EXAMINATIONS.add("cache", "whether a tag that moves is seen to move")
def tags_are_fresh(visit: Visit) -> Iterator[Finding]:
    layer = _layer(visit)
    tag, first, second = visit.new_tag(), image_of([layer], "first"), image_of([layer], "second")
    visit.get_manifest(tag)
    for image, seen in ((first, "a tag that was asked for before it was pushed"), (second, "a tag that was moved")):
        visit.manifest(image, tag)
        for method in ("GET", "HEAD"):
            answer = visit.get_manifest(tag, method=method)
            if answer.status not in {200, 404}:
                raise NotApplicable(f"{method} of a tag is answered {answer.status}")
            found = answer.header("Docker-Content-Digest") or (digest_of(answer.body) if method == "GET" else "")
            if answer.status == 404 or (found and found != image.digest):
                signs = "; ".join(f"{name}: {answer.header(name)}" for name in _CACHES if answer.header(name))
                told = f"{method} of {seen} is answered {answer.status}, as it was before"
                yield visit.found("cache", Level.FAULT, f"{told}{signs and f' ({signs})'}")
                return


@EXAMINATIONS.add("subject", "whether the registry's word on referrers arrives")
def subjects_are_confirmed(visit: Visit) -> Iterator[Finding]:
    image, attached = _with_referrer(visit)
    put = visit.put_manifest(attached, attached.digest)
    if put.status != 201:
        raise NotApplicable(f"a manifest with a subject cannot be pushed: PUT answered {put.status}")
    listed = visit.referrers(image.digest)
    if not _lists(listed, attached.digest):
        raise NotApplicable(f"this registry lists no referrers: GET {listed.path} answered {listed.status}")
    if put.header("OCI-Subject") is None:
        yield visit.found("headers.subject", Level.WARNING, "PUT of a manifest with a subject: no OCI-Subject", put)
    encoded = visit.referrers(image.digest, query=f"?artifactType={_ARTIFACT.replace('/', '%2F').replace('+', '%2B')}")
    if not _lists(encoded, attached.digest):
        seen = f"GET {encoded.path} does not list the referrer of that type"
        yield visit.found("path.query", Level.FAULT, seen)


@EXAMINATIONS.add("pages", "whether clients learn that a list goes on")
def pages_lead_on(visit: Visit) -> Iterator[Finding]:
    layer, name = _layer(visit), visit.name
    for _ in range(2):
        visit.manifest(image_of([layer], "page"), visit.new_tag())
    answer = visit.tags(name, "?n=1")
    if answer.status != 200 or len(answer.json().get("tags") or []) != 1:
        raise NotApplicable(f"GET {answer.path} answered {answer.status}, and not one tag")
    if answer.header("Link") is None:
        yield visit.found("headers.link", Level.FAULT, f"GET {answer.path} answered one of several tags without Link")


def _layer(visit: Visit) -> Blob:
    content = visit.sample().content
    if content is None:
        raise NotApplicable("nothing is pushed where an image is named: --tag")
    return Blob(content)


def _with_referrer(visit: Visit) -> tuple[Manifest, Manifest]:
    """An image that is there, and one that names it as its subject, of which all else is there."""
    layer = _layer(visit)
    image = image_of([layer], "subject")
    visit.manifest(image, visit.new_tag())
    config = new_config()
    visit.blob(config)
    return image, new_image(layers=[layer], config=config, subject=image.descriptor, artifact_type=_ARTIFACT)


def _lists(answer: Answer, digest: str) -> bool:
    if answer.status != 200:
        return False
    document = answer.json()
    return isinstance(document, dict) and digest in [one.get("digest") for one in document.get("manifests") or ()]
