"""Referrers lists (spec, "Listing Referrers", "Enabling the Referrers API")."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from tests.api.conftest import Serve
from tests.api.content import (
    ARTIFACT,
    BASICS,
    CONFIG_TYPE,
    EMPTY,
    EMPTY_TYPE,
    IMAGE,
    INDEX,
    LIST,
    UNKNOWN,
    Document,
    artifact,
    blob,
    digest_of,
    document,
    image,
    index,
    manifest,
)
from tests.api.server import Registry
from tests.api.table import Case, Step, case, play, rows

SUBJECT = image()
ABOUT = SUBJECT.descriptor()
URL = f"/v2/app/referrers/{SUBJECT.digest}"
SBOM = "application/vnd.example.sbom.v1+json"
SIGNATURE = "application/vnd.example.signature"

ONE = artifact(ABOUT, SBOM, annotations={"org.example.format": "json", "größe": "42"})
TWO = artifact(ABOUT, SIGNATURE)
THREE = artifact(ABOUT, SBOM, annotations={"n": "3"})
BASE = (*BASICS, blob(EMPTY), manifest(SUBJECT))
ALL = (*BASE, manifest(ONE), manifest(TWO, "signature"), manifest(THREE))


def entry(referrer: Document, artifact_type: str | None, annotations: dict[str, str] | None = None) -> dict[str, Any]:
    found = referrer.descriptor()
    if artifact_type is not None:
        found["artifactType"] = artifact_type
    if annotations is not None:
        found["annotations"] = annotations
    return found


ENTRIES = [
    entry(ONE, SBOM, {"org.example.format": "json", "größe": "42"}),
    entry(TWO, SIGNATURE),
    entry(THREE, SBOM, {"n": "3"}),
]


def listing(entries: list[dict[str, Any]], query: str = "", url: str = URL) -> Step:
    sees = {
        "Content-Type": INDEX,
        "OCI-Filters-Applied": "artifactType" if "artifactType=" in query else None,
        "Link": None,
    }
    gives = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
    return Step("GET", url + query, 200, sees=sees, gives=gives)


LISTS: list[Case] = [
    case("end-12a", "all manifests with the subject", listing(ENTRIES), seed=ALL),
    case("end-12a", "nobody refers to the subject", listing([]), seed=BASE),
    case(
        "end-12a",
        "a subject that nobody pushed",
        listing([], url=f"/v2/app/referrers/{UNKNOWN}"),
        listing([], url=f"/v2/app/referrers/sha256:{'0' * 64}"),
        listing([], url=f"/v2/app/referrers/{digest_of(b'', 'sha512')}"),
        seed=ALL,
    ),
    case(
        "end-12a",
        "a repository that nobody pushed to",
        listing([], url=f"/v2/other/referrers/{SUBJECT.digest}"),
        listing([], f"?artifactType={SIGNATURE}", f"/v2/other/referrers/{SUBJECT.digest}"),
        seed=ALL,
    ),
    case(
        "end-12a",
        "referrers of another repository are not listed",
        listing([], url=f"/v2/other/referrers/{SUBJECT.digest}"),
        seed=[*ALL, blob(EMPTY, "other")],
    ),
    case(
        "end-12a",
        "malformed digests",
        Step("GET", "/v2/app/referrers/sha256:12", 400, error="DIGEST_INVALID"),
        Step("GET", "/v2/app/referrers/latest", 400, error="DIGEST_INVALID"),
        Step("GET", f"/v2/app/referrers/md5:{'a' * 32}", 400, error="DIGEST_INVALID"),
        Step("GET", "/v2/other/referrers/sha256:12", 400, error="DIGEST_INVALID"),
        seed=ALL,
    ),
    case(
        "end-12a",
        "a referrer pushed before its subject",
        listing([entry(TWO, SIGNATURE)]),
        manifest(SUBJECT, "late"),
        listing([entry(TWO, SIGNATURE)]),
        seed=[*BASICS, blob(EMPTY), manifest(TWO)],
    ),
    case(
        "end-12a",
        "a referrer pushed twice is listed once",
        manifest(TWO),
        manifest(TWO, "again"),
        listing(ENTRIES),
        seed=ALL,
    ),
    case(
        "end-12a",
        "a deleted referrer is not listed, an untagged one is",
        Step("DELETE", f"/v2/app/manifests/{ONE.digest}", 202),
        Step("DELETE", "/v2/app/manifests/signature", 202),
        listing(ENTRIES[1:]),
        seed=ALL,
    ),
    case(
        "end-12a",
        "referrers outlive their subject",
        Step("DELETE", f"/v2/app/manifests/{SUBJECT.digest}", 202),
        listing(ENTRIES),
        seed=ALL,
    ),
    case(
        "end-12a",
        "a referrer can be a subject",
        listing([entry(chained := artifact(TWO.descriptor(), SBOM), SBOM)], url=f"/v2/app/referrers/{TWO.digest}"),
        listing(ENTRIES),
        seed=[*ALL, manifest(chained)],
    ),
    case(
        "end-12a",
        "a subject by sha512 is listed under that digest alone",
        listing(
            [entry(long := artifact({**ABOUT, "digest": digest_of(SUBJECT.content, "sha512")}), EMPTY_TYPE)],
            url=f"/v2/app/referrers/{digest_of(SUBJECT.content, 'sha512')}",
        ),
        listing([]),
        seed=[*BASE, manifest(long)],
    ),
]

PLUS = quote(SBOM, safe="")

FILTERS: list[Case] = [
    case("end-12b", "one type", listing(ENTRIES[1:2], f"?artifactType={SIGNATURE}"), seed=ALL),
    case("end-12b", "a type that nobody has", listing([], "?artifactType=application/vnd.none"), seed=ALL),
    case(
        "end-12b", "a type with a plus, encoded", listing([ENTRIES[0], ENTRIES[2]], f"?artifactType={PLUS}"), seed=ALL
    ),
    case(
        "end-12b", "a type with a plus, as it is", listing([ENTRIES[0], ENTRIES[2]], f"?artifactType={SBOM}"), seed=ALL
    ),
    case(
        "end-12b", "the beginning of a type is another type", listing([], f"?artifactType={SIGNATURE[:-1]}"), seed=ALL
    ),
    case(
        "end-12b",
        "an empty filter is none",
        Step("GET", f"{URL}?artifactType=", 200, sees={"OCI-Filters-Applied": None}, gives=listing(ENTRIES).gives),
        seed=ALL,
    ),
    case("end-12b", "parameters that mean nothing", listing(ENTRIES, "?n=1&x=y"), seed=ALL),
]


def typed(name: str, referrer: Document, artifact_type: str | None) -> Case:
    """A referrer's artifactType in the list."""
    filtered = (
        [listing([entry(referrer, artifact_type)], f"?artifactType={quote(artifact_type, safe='')}")]
        if artifact_type
        else []
    )
    return case(
        "end-12a",
        f"artifactType: {name}",
        listing([entry(referrer, artifact_type)]),
        *filtered,
        seed=[*BASE, manifest(referrer)],
    )


TYPES: list[Case] = [
    typed("what the manifest says", artifact(ABOUT, SBOM), SBOM),
    typed("the config's type, if the manifest says nothing", image(subject=ABOUT), CONFIG_TYPE),
    typed("the config's type, if what the manifest says is empty", image(subject=ABOUT, artifactType=""), CONFIG_TYPE),
    typed("the config's type, though it is the empty one", artifact(ABOUT), EMPTY_TYPE),
    typed("what an index says", index([], subject=ABOUT, artifactType=SBOM), SBOM),
    typed("none, if an index says nothing", index([], subject=ABOUT), None),
    typed("none, if what an index says is empty", index([], subject=ABOUT, artifactType=""), None),
    typed("none, if a Docker list says nothing", index([], LIST, subject=ABOUT), None),
    typed("what an artifact manifest says", document(ARTIFACT, {"subject": ABOUT, "artifactType": SBOM}), SBOM),
]

TAG = SUBJECT.digest.replace(":", "-")
# As some clients write it: without types and annotations, and with what is no referrer.
FALLBACK = index([ONE.descriptor(), TWO.descriptor(), SUBJECT.descriptor()])

FALLBACKS: list[Case] = [
    case(
        "end-12a",
        "a fallback tag that a client pushes does no harm: referrers are listed once, as their manifests say",
        manifest(FALLBACK, TAG),
        listing(ENTRIES[:2]),
        Step("GET", f"/v2/app/manifests/{TAG}", 200, gives=FALLBACK.content),
        listing(ENTRIES[1:2], f"?artifactType={SIGNATURE}"),
        seed=[*BASE, manifest(ONE), manifest(TWO)],
    ),
    case(
        "end-12a",
        "deleting the fallback tag leaves the list",
        Step("DELETE", f"/v2/app/manifests/{TAG}", 202),
        listing(ENTRIES[:2]),
        seed=[*BASE, manifest(ONE), manifest(TWO), manifest(FALLBACK, TAG)],
    ),
    case(
        "end-12a",
        "a fallback tag that is no index is a tag like any other",
        manifest(SUBJECT, TAG),
        listing(ENTRIES),
        seed=ALL,
    ),
]


@rows(LISTS, FILTERS, TYPES, FALLBACKS)
async def test_referrers(serve: Serve, row: Case) -> None:
    """Every row of the tables is answered as it says."""
    await play(await serve(row.config), row)


async def push_referrers(registry: Registry, sizes: list[int]) -> list[str]:
    """Push referrers with annotations of so many bytes, and return their digests."""
    for step in (blob(EMPTY), *BASICS):
        await registry.ask(step.method, step.url, body=step.body)
    digests = []
    for number, size in enumerate(sizes):
        referrer = artifact(ABOUT, SBOM if number % 2 else SIGNATURE, annotations={"text": f"{number}" + "x" * size})
        path = f"/v2/app/manifests/{referrer.digest}"
        answer = await registry.ask("PUT", path, headers={"Content-Type": IMAGE}, body=referrer.content)
        assert answer.status == 201
        digests.append(referrer.digest)
    return digests


async def pages(registry: Registry, path: str) -> list[list[str]]:
    """The digests on each page, following the Links; no page is larger than a client may expect."""
    found = []
    while path:
        answer = await registry.ask("GET", path)
        assert answer.status == 200
        assert len(answer.body) <= 4 * 1024 * 1024
        found.append([item["digest"] for item in answer.json()["manifests"]])
        if "artifactType" in path:
            assert answer.headers["OCI-Filters-Applied"] == "artifactType"
        path = answer.headers.get("Link", "").partition(">")[0].removeprefix("<")
    return found


async def test_pages(registry: Registry) -> None:
    """A list goes on with a Link when it would pass 4 MiB; filters go on with it."""
    digests = await push_referrers(registry, [1_000_000] * 9)
    found = await pages(registry, URL)
    assert [len(page) for page in found] == [4, 4, 1]
    assert [digest for page in found for digest in page] == digests
    filtered = await pages(registry, f"{URL}?artifactType={PLUS}")
    assert filtered == [digests[1::2]]
    filtered = await pages(registry, f"{URL}?artifactType={SIGNATURE}")
    assert [digest for page in filtered for digest in page] == digests[0::2]


async def test_number_makes_no_page(registry: Registry) -> None:
    """Many small referrers come on one page: some clients read no other."""
    digests = await push_referrers(registry, [0] * 600)
    assert await pages(registry, URL) == [digests]
    assert await pages(registry, f"{URL}?n=10") == [digests]


async def test_malformed_position(registry: Registry) -> None:
    """The position of a page is the registry's own number, and nothing else."""
    for position in ("x", "-1", "1.5", "9" * 30):
        answer = await registry.ask("GET", f"{URL}?after={position}")
        assert (answer.status, answer.codes()) == (400, ["UNSUPPORTED"])
