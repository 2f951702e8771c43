"""Lists of what refers to a manifest (spec, "Listing Referrers")."""

from __future__ import annotations

from dataclasses import replace

from conformance.checks.common import drawn_digest, json_object, pages
from conformance.checks.subjects import expect_referrers
from conformance.content import INDEX, Json, Manifest, new_image, new_index
from conformance.requirement import Category, Checklist, Failed, Group, Level, NotApplicable, Version
from conformance.session import Session, expect, manifest_path
from conformance.wire import Answer

REFERRERS = Checklist(Group.SPEC, Category.DISCOVERY, "Listing Referrers", Version.V1_1)
UPGRADE = Checklist(Group.SPEC, Category.DISCOVERY, "Enabling the Referrers API", Version.V1_1)

SBOM = "application/vnd.example.sbom.v1+json"
SIGNATURE = "application/vnd.example.signature.v1"


def listed(session: Session, digest: str, query: str = "") -> list[Json]:
    """The descriptors of all pages. Raises `Unsupported` if there is no referrers API, `Failed` if it is wrong."""
    first = session.referrers(digest, None, query)
    if first.status == 404:
        expect_referrers(session)
    return [descriptor for answer in pages(session, first) for descriptor in _descriptors(answer)]


def _descriptors(answer: Answer) -> list[Json]:
    found = json_object(answer.expect(200)).get("manifests")
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise Failed(f"the manifests of {answer.path} are {found!r}, expected a list of descriptors")
    return found


def digests(descriptors: list[Json]) -> list[str]:
    """What the descriptors name."""
    return [str(one.get("digest")) for one in descriptors]


def entry_of(session: Session, referrer: Manifest) -> Json:
    """Push a manifest with a subject, and find it in the list of that."""
    session.manifest(referrer)
    found = [
        one for one in listed(session, referrer.document["subject"]["digest"]) if one.get("digest") == referrer.digest
    ]
    expect(len(found) == 1, f"{referrer.digest} is listed {len(found)} times, expected once")
    return found[0]


def new_subject(session: Session) -> Manifest:
    """A new image that nothing refers to."""
    subject = new_image()
    session.manifest(subject)
    return subject


@REFERRERS.check(
    "support.referrers",
    Level.SHOULD,
    "The registry has a referrers API: GET of referrers answers 200",
    section="Requirements",
    writes=False,
)
def supported(session: Session) -> None:
    session.referrers(drawn_digest()).expect(200)


@REFERRERS.check("referrers.none", Level.MUST, "What nothing refers to has an empty list of referrers", writes=False)
def none(session: Session) -> None:
    expect(listed(session, drawn_digest()) == [], "there are referrers of a digest that was made up")


@REFERRERS.check("referrers.none.subject", Level.MUST, "A manifest that nothing refers to has an empty list, too")
def none_of_subject(session: Session) -> None:
    expect(listed(session, new_subject(session).digest) == [], "there are referrers of a new manifest")


@REFERRERS.check(
    "referrers.unknown-repository",
    Level.MUST,
    "A referrers API never answers 404, also in a repository that is not there",
    writes=False,
)
def unknown_repository(session: Session) -> None:
    expect_referrers(session)
    answer = session.referrers(drawn_digest(), session.new_name())
    expect(answer.status != 404, f"GET {answer.path} answered 404")


@REFERRERS.check("referrers.malformed-digest", Level.MUST, "A digest that is none answers 400", writes=False)
def malformed_digest(session: Session) -> None:
    expect_referrers(session)
    for digest in ("sha256:abc", "sha256:" + "g" * 64, "none"):
        session.referrers(digest).expect(400)


@REFERRERS.check(
    "referrers.content-type", Level.MUST, f"The Content-Type of a list of referrers is {INDEX}", writes=False
)
def content_type(session: Session) -> None:
    expect_referrers(session)
    session.referrers(drawn_digest()).expect(200).expect_header("Content-Type", INDEX)


@REFERRERS.check(
    "referrers.index", Level.MUST, "A list of referrers is an image index, also if it is empty", writes=False
)
def is_index(session: Session) -> None:
    expect_referrers(session)
    answer = session.referrers(drawn_digest()).expect(200)
    document = json_object(answer)
    _descriptors(answer)
    expect(document.get("schemaVersion") == 2, f"schemaVersion is {document.get('schemaVersion')!r}, expected 2")
    kind = document.get("mediaType")
    expect(kind in {None, INDEX}, f"mediaType is {kind!r}, expected {INDEX}")


@REFERRERS.check("referrers.image", Level.MUST, "An image with a subject is in the list of that")
def image(session: Session) -> None:
    entry_of(session, new_image(subject=new_subject(session).descriptor))


@REFERRERS.check("referrers.index.listed", Level.MUST, "An index with a subject is in the list of that")
def index(session: Session) -> None:
    entry_of(session, new_index([new_image()], subject=new_subject(session).descriptor))


@REFERRERS.check("referrers.index.subject", Level.MUST, "What refers to an index is in the list of that")
def index_subject(session: Session) -> None:
    subject = new_index([new_image()])
    session.manifest(subject)
    entry_of(session, new_image(subject=subject.descriptor))


@REFERRERS.check("referrers.subject-first", Level.MUST, "A referrer is listed that is pushed after its subject")
def subject_first(session: Session) -> None:
    referrer = new_image(subject=new_subject(session).descriptor)
    entry_of(session, referrer)


@REFERRERS.check("referrers.subject-later", Level.MUST, "A referrer is listed that is pushed before its subject")
def subject_later(session: Session) -> None:
    subject = new_image()
    referrer = new_image(subject=subject.descriptor)
    session.manifest(referrer)
    session.manifest(subject)
    found = digests(listed(session, subject.digest))
    expect(found == [referrer.digest], f"the list is {found}, expected {[referrer.digest]}")


@REFERRERS.check("referrers.subject-missing", Level.MUST, "A referrer is listed whose subject is not there")
def subject_missing(session: Session) -> None:
    entry_of(session, new_image(subject=new_image().descriptor))


@REFERRERS.check("referrers.subject-sha512", Level.MUST, "A referrer is listed whose subject is named by its sha512")
def subject_sha512(session: Session) -> None:
    entry_of(session, new_image(subject=replace(new_image(), algorithm="sha512").descriptor))


@REFERRERS.check("referrers.by-tag", Level.MUST, "A referrer is listed that is pushed by tag")
def by_tag(session: Session) -> None:
    subject = new_subject(session)
    referrer = new_image(subject=subject.descriptor)
    session.manifest(referrer, session.new_tag())
    found = digests(listed(session, subject.digest))
    expect(found == [referrer.digest], f"the list is {found}, expected {[referrer.digest]}")


@REFERRERS.check("referrers.of-referrer", Level.MUST, "What refers to a referrer is in the list of that alone")
def of_referrer(session: Session) -> None:
    subject = new_subject(session)
    first = new_image(subject=subject.descriptor)
    second = new_image(subject=first.descriptor)
    entry_of(session, first)
    entry_of(session, second)
    found = digests(listed(session, subject.digest))
    expect(found == [first.digest], f"the list is {found}, expected {[first.digest]}")


@REFERRERS.check("referrers.own", Level.MUST, "Referrers in another repository are not listed in this one")
def own(session: Session) -> None:
    subject, elsewhere = new_subject(session), session.new_name()
    session.manifest(new_image(subject=subject.descriptor), None, elsewhere)
    found = digests(listed(session, subject.digest))
    expect(found == [], f"the list is {found}, but the referrer is in {elsewhere}")


@REFERRERS.check("referrers.once", Level.SHOULD, "A referrer that is pushed again, and with tags, is listed once")
def once(session: Session) -> None:
    referrer = new_image(subject=new_subject(session).descriptor)
    for reference in (None, None, session.new_tag(), session.new_tag()):
        session.manifest(referrer, reference)
    entry_of(session, referrer)


@REFERRERS.check("referrers.all", Level.MUST, "All referrers are listed, each once, on all pages that a Link leads to")
def every_one(session: Session) -> None:
    subject = new_subject(session)
    noted = {"org.example.filler": "x" * 1000}
    pushed = [new_image(layers=[], subject=subject.descriptor, annotations=noted) for _ in range(30)]
    for referrer in pushed:
        session.manifest(referrer)
    found = digests(listed(session, subject.digest))
    wanted = {referrer.digest for referrer in pushed}
    missing = len(wanted - set(found))
    expect(missing == 0, f"{missing} of 30 referrers are not listed")
    expect(len(found) == 30, f"{len(found)} referrers are listed, expected 30")


@REFERRERS.check("referrers.deleted", Level.MUST, "A referrer that was deleted is not listed any more")
def deleted(session: Session) -> None:
    expect_referrers(session)
    subject = new_subject(session)
    goes, stays = (new_image(subject=subject.descriptor) for _ in range(2))
    session.manifest(goes)
    session.manifest(stays)
    # What was listed before must not be listed from memory.
    listed(session, subject.digest)
    if session.delete(manifest_path(session.name, goes.digest)).status != 202:
        raise NotApplicable("a manifest cannot be deleted")
    found = digests(listed(session, subject.digest))
    expect(found == [stays.digest], f"the list is {found}, expected {[stays.digest]}")


def _fallback_tag(digest: str) -> str:
    algorithm, _, encoded = digest.partition(":")
    return f"{algorithm[:32]}-{encoded[:64]}"


@UPGRADE.check(
    "referrers.fallback.listed",
    Level.MUST,
    "A referrer that is listed in an index with the tag of the referrers tag schema is listed, once",
)
def fallback_listed(session: Session) -> None:
    expect_referrers(session)
    subject = new_subject(session)
    referrer = new_image(subject=subject.descriptor)
    session.manifest(new_index([referrer]), _fallback_tag(subject.digest))
    found = digests(listed(session, subject.digest))
    expect(found == [referrer.digest], f"the list is {found}, expected {[referrer.digest]}")


@UPGRADE.check(
    "referrers.fallback.kept",
    Level.MUST,
    "An index with a tag of the referrers tag schema is kept as it was pushed",
    section="Referrers Tag Schema",
)
def fallback_kept(session: Session) -> None:
    subject = new_subject(session)
    index, tag = new_index([new_image(subject=subject.descriptor)]), _fallback_tag(subject.digest)
    session.manifest(index, tag)
    session.get_manifest(tag).expect(200).expect_body(index.content)


@UPGRADE.check("referrers.new", Level.MUST, "Each image with a subject is listed as soon as it is pushed")
def new(session: Session) -> None:
    subject = new_subject(session)
    pushed: list[str] = []
    for _ in range(4):
        referrer = new_image(subject=subject.descriptor)
        session.manifest(referrer)
        pushed.append(referrer.digest)
        found = digests(listed(session, subject.digest))
        expect(sorted(found) == sorted(pushed), f"the list is {found}, expected {pushed}")
