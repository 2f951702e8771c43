"""The query parameter `ns` of pulls through a proxy (spec, "Registry Proxying")."""

from __future__ import annotations

from urllib.parse import urlsplit

from conformance.checks.common import drawn_digest, sample_blob, sample_by_tag
from conformance.content import ACCEPT
from conformance.requirement import Category, Checklist, Failed, Group, Level, Version
from conformance.session import Session, blob_path, manifest_path, with_query
from conformance.wire import Answer

PROXY = Checklist(Group.SPEC, Category.PULL, "Registry Proxying", Version.V1_2)

_ELSEWHERE = "registry.example"


def _pulls(session: Session, source: str) -> list[Answer]:
    """Pulls of a manifest and of a blob that are there, by way of this host."""
    manifest = with_query(manifest_path(session.name, sample_by_tag(session).reference), ns=source)
    blob = with_query(blob_path(session.name, sample_blob(session).reference), ns=source)
    return [session.send(method, path, {"Accept": ACCEPT}) for path in (manifest, blob) for method in ("GET", "HEAD")]


@PROXY.check(
    "proxy.ns.own",
    Level.SHOULD,
    "A pull with ns is answered as one without, if ns is the registry's own host",
    writes=False,
)
def own(session: Session) -> None:
    for answer in _pulls(session, urlsplit(session.wire.target.url).netloc):
        answer.expect(200)


@PROXY.check(
    "proxy.ns.accepted",
    Level.SHOULD,
    "A pull with ns is ignored or used, not refused: 200, or 404 if there is nothing of that host",
    writes=False,
)
def accepted(session: Session) -> None:
    for answer in _pulls(session, _ELSEWHERE):
        answer.expect(200, 404)


@PROXY.check(
    "proxy.ns.echoed",
    Level.SHOULD,
    "A registry that uses ns says so: OCI-Namespace is what ns was",
    writes=False,
)
def echoed(session: Session) -> None:
    for answer in _pulls(session, _ELSEWHERE):
        if answer.status == 200 and answer.header("OCI-Namespace") is not None:
            answer.expect_header("OCI-Namespace", _ELSEWHERE)


@PROXY.check("proxy.ns.unknown", Level.SHOULD, "What is not there answers 404, also with ns", writes=False)
def unknown(session: Session) -> None:
    for path in (manifest_path(session.name, session.new_tag()), blob_path(session.name, drawn_digest())):
        session.send("GET", with_query(path, ns=_ELSEWHERE), {"Accept": ACCEPT}).expect(404)


@PROXY.check("proxy.ns.not-invented", Level.SHOULD, "A pull without ns is answered without OCI-Namespace", writes=False)
def not_invented(session: Session) -> None:
    answer = session.get_manifest(sample_by_tag(session).reference).expect(200)
    if (found := answer.header("OCI-Namespace")) is not None:
        raise Failed(f"OCI-Namespace is {found}, but no ns was sent")
