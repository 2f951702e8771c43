"""What the checks of the specification share: content to look at, and judgements that many of them make."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from conformance.content import Manifest, digest_of, new_blob, new_image
from conformance.requirement import Failed, NotApplicable
from conformance.session import Session, expect
from conformance.wire import Answer

PAGES_MAX = 50
_LINK = re.compile(r'<([^>]*)>((?:\s*;\s*[a-zA-Z*]+\s*=\s*(?:"[^"]*"|[^\s";,]+))*)')
_RELATION = re.compile(r';\s*rel\s*=\s*(?:"([^"]*)"|([^\s";,]+))', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sample:
    """Content that is there: the reference that it is asked for by, and its bytes."""

    reference: str
    content: bytes


def sample_by_tag(session: Session) -> Sample:
    """A manifest with a tag: a new one, or the given one in a run that only reads."""
    if session.scope.read_only:
        return _given(session.scope.tag, "tag", session.get_manifest)
    tag, manifest = session.new_tag(), new_image()
    session.manifest(manifest, tag)
    return Sample(tag, manifest.content)


def sample_by_digest(session: Session) -> Sample:
    """A manifest by its digest: a new one, or the given one in a run that only reads."""
    if session.scope.read_only:
        return _given(session.scope.manifest, "manifest", session.get_manifest)
    manifest = new_image()
    return Sample(session.manifest(manifest), manifest.content)


def sample_blob(session: Session, size: int = 64) -> Sample:
    """A blob: a new one of this size, or the given one in a run that only reads."""
    if session.scope.read_only:
        return _given(session.scope.blob, "blob", session.get_blob)
    blob = new_blob(size)
    return Sample(session.blob(blob), blob.content)


def _given(reference: str | None, what: str, get: Callable[[str], Answer]) -> Sample:
    if reference is None:
        raise NotApplicable(f"no {what} is given: --{what}")
    answer = get(reference)
    if answer.status != 200:
        raise NotApplicable(f"the given {what} is not there: GET {answer.path} answered {answer.status}")
    return Sample(reference, answer.body)


def drawn_digest() -> str:
    """A digest of content that nobody has."""
    return digest_of(secrets.token_bytes(32))


def push_parts(session: Session, manifest: Manifest, name: str | None = None) -> None:
    """Push what a manifest needs, but not the manifest."""
    for blob in manifest.blobs:
        session.blob(blob, name)
    for child in manifest.manifests:
        session.manifest(child, None, name)


def expect_refused(answer: Answer, why: str) -> None:
    """Raises `Failed` unless the answer is an error of the client."""
    if not 400 <= answer.status < 500:
        raise Failed(f"{answer.method} {answer.path} answered {answer.status}, expected a 4XX: {why}")


def expect_true_digest(answer: Answer, content: bytes) -> None:
    """Raises `Failed` if `Docker-Content-Digest` is there and is no digest of the content."""
    stated = answer.header("Docker-Content-Digest")
    if stated is None:
        return
    algorithm, colon, _ = stated.partition(":")
    if colon and algorithm not in hashlib.algorithms_available:
        raise NotApplicable(f"the algorithm of {stated} is not known here")
    if not colon or stated != digest_of(content, algorithm):
        wanted = digest_of(content, algorithm if colon else "sha256")
        raise Failed(f"{answer.method} {answer.path} says Docker-Content-Digest: {stated}, but the content is {wanted}")


def is_json(answer: Answer) -> bool:
    """Whether an answer has a body that is JSON, or claims to be."""
    kind = (answer.header("Content-Type") or "").lower()
    return bool(answer.body) and ("json" in kind or answer.body.lstrip()[:1] == b"{")


def error_codes(answer: Answer) -> list[str]:
    """The codes of an answer's JSON errors; none if its body is nothing like that."""
    try:
        document = answer.json() if is_json(answer) else None
    except Failed:
        return []
    errors = document.get("errors") if isinstance(document, dict) else None
    return [str(one.get("code")) for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []


def next_page(answer: Answer) -> str | None:
    """The URL of the next page, if a `Link` header names one. Raises `Failed` if a header cannot be understood."""
    value = answer.header("Link")
    if value is None:
        return None
    links: list[tuple[str, str]] = _LINK.findall(value)
    expect(bool(links), f'Link: {value} is not as RFC 5988 has it: <URL>; rel="next"')
    for target, parameters in links:
        if any("next" in (quoted or bare).lower().split() for quoted, bare in _RELATION.findall(parameters)):
            return answer.link(target)
    raise Failed(f'Link: {value} has no rel="next"')


def pages(session: Session, first: Answer) -> list[Answer]:
    """A first page and all that its `Link` leads to. Raises `Failed` if that has no end."""
    found = [first.expect(200)]
    while (following := next_page(found[-1])) is not None:
        expect(len(found) < PAGES_MAX, f"Link still names a next page after {PAGES_MAX} pages")
        found.append(session.send("GET", following).expect(200))
    return found


def json_object(answer: Answer) -> dict[str, Any]:
    """The body as a JSON object. Raises `Failed`."""
    document = answer.json()
    if not isinstance(document, dict):
        raise Failed(f"the body of {answer.method} {answer.path} is no JSON object")
    return document
