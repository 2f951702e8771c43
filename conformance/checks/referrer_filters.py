"""Lists of referrers that are filtered (spec, "Listing Referrers")."""

from __future__ import annotations

from urllib.parse import quote

from conformance.checks.referrers import SBOM, SIGNATURE, digests, listed, new_subject
from conformance.checks.subjects import expect_referrers
from conformance.content import Blob, Manifest, new_blob, new_image
from conformance.requirement import Category, Checklist, Group, Level, Unsupported, Version
from conformance.session import Session, expect
from conformance.wire import Answer

FILTERS = Checklist(Group.SPEC, Category.DISCOVERY, "Listing Referrers", Version.V1_1)


def _two_kinds(session: Session) -> tuple[str, Manifest, Manifest]:
    """The digest of a subject with an SBOM and a signature."""
    subject = new_subject(session)
    sbom = new_image(subject=subject.descriptor, artifact_type=SBOM)
    signature = new_image(subject=subject.descriptor, config=Blob(new_blob(9).content.hex().encode(), SIGNATURE))
    session.manifest(sbom)
    session.manifest(signature)
    return subject.digest, sbom, signature


def _filtered(session: Session, digest: str, kind: str, *, escaped: bool = True) -> list[str]:
    """The digests that a filter leaves. Raises `Unsupported` if there are no filters."""
    answer, found = _first_page_and_all(session, digest, kind if not escaped else quote(kind, safe=""))
    if answer.header("OCI-Filters-Applied") is None:
        raise Unsupported("the filter was not applied: there is no OCI-Filters-Applied")
    return found


def _first_page_and_all(session: Session, digest: str, kind: str) -> tuple[Answer, list[str]]:
    """The first page of the list that a filter leaves, and the digests on all pages."""
    before = len(session.exchanges)
    found = digests(listed(session, digest, f"?artifactType={kind}"))
    return next(answer for answer in session.exchanges[before:] if answer.status == 200), found


@FILTERS.check("referrers.filter", Level.SHOULD, "A list of referrers can be filtered by artifactType")
def filtered(session: Session) -> None:
    digest, sbom, _ = _two_kinds(session)
    found = digests(listed(session, digest, f"?artifactType={quote(SBOM, safe='')}"))
    expect(found == [sbom.digest], f"the list of {SBOM} is {found}, expected {[sbom.digest]}")


@FILTERS.check("referrers.filter.header", Level.MUST, "If a list was filtered, OCI-Filters-Applied is artifactType")
def filter_header(session: Session) -> None:
    digest, sbom, signature = _two_kinds(session)
    answer, found = _first_page_and_all(session, digest, quote(SBOM, safe=""))
    if {sbom.digest, signature.digest} <= set(found):
        expect(answer.header("OCI-Filters-Applied") is None, "OCI-Filters-Applied is there, but nothing was filtered")
        raise Unsupported("lists of referrers cannot be filtered")
    answer.expect_header("OCI-Filters-Applied", "artifactType")


@FILTERS.check("referrers.filter.config", Level.MUST, "A filter finds an image by the type of its config, too")
def filter_config(session: Session) -> None:
    digest, _, signature = _two_kinds(session)
    found = _filtered(session, digest, SIGNATURE)
    expect(found == [signature.digest], f"the list of {SIGNATURE} is {found}, expected {[signature.digest]}")


@FILTERS.check("referrers.filter.none", Level.MUST, "A filter that nothing matches gives an empty list")
def filter_none(session: Session) -> None:
    digest, _, _ = _two_kinds(session)
    found = _filtered(session, digest, "application/vnd.example.other")
    expect(found == [], f"the list is {found}, expected none")


@FILTERS.check("referrers.filter.plus", Level.SHOULD, "A filter is understood whose + is not escaped in the URL")
def filter_plus(session: Session) -> None:
    digest, sbom, _ = _two_kinds(session)
    found = _filtered(session, digest, SBOM, escaped=False)
    expect(found == [sbom.digest], f"the list of {SBOM} is {found}, expected {[sbom.digest]}")


@FILTERS.check("referrers.no-filter.header", Level.SHOULD, "A list that was not filtered has no OCI-Filters-Applied")
def no_filter_header(session: Session) -> None:
    expect_referrers(session)
    found = session.referrers(new_subject(session).digest).expect(200).header("OCI-Filters-Applied")
    expect(found is None, f"OCI-Filters-Applied is {found}, but no filter was asked for")
