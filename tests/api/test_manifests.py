"""Pulling and pushing manifests of every kind (spec, "Pulling manifests", "Pushing Manifests")."""

from __future__ import annotations

import base64
import json

from tests.api.conftest import Serve
from tests.api.content import (
    ARTIFACT,
    BASICS,
    CONFIG,
    CONFIG_TYPE,
    EMPTY,
    IMAGE,
    INDEX,
    LAYER,
    LAYER_TYPE,
    LIST,
    SCHEMA1,
    SCHEMA2,
    UNKNOWN,
    Document,
    artifact,
    blob,
    descriptor,
    digest_of,
    document,
    image,
    index,
    manifest,
)
from tests.api.table import Case, Step, case, play, rows

URL = "/v2/app/manifests/"
FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
PLAIN = image()
DOCKER = image(
    descriptor(CONFIG, "application/vnd.docker.container.image.v1+json"),
    [descriptor(LAYER, "application/vnd.docker.image.rootfs.diff.tar.gzip")],
    SCHEMA2,
)


def created(pushed: Document, reference: str, **more: str | None) -> Step:
    sees = {
        "Location": f"{URL}{pushed.digest}",
        "Docker-Content-Digest": pushed.digest,
        "Content-Length": "0",
        "OCI-Subject": None,
        "OCI-Tag": None,
        "Warning": None,
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    return Step("PUT", URL + reference, 201, {"Content-Type": pushed.media_type}, pushed.content, sees)


def reads(pushed: Document, reference: str) -> list[Step]:
    """GET gives exactly what was pushed, HEAD the same headers."""
    sees = {
        "Content-Type": pushed.media_type,
        "Content-Length": str(len(pushed.content)),
        "Docker-Content-Digest": pushed.digest,
        "ETag": f'"{pushed.digest}"',
        "Cache-Control": "max-age=31536000, immutable" if ":" in reference else "no-cache",
    }
    return [
        Step("GET", URL + reference, 200, sees=sees, gives=pushed.content),
        Step("HEAD", URL + reference, 200, sees=sees, gives=b""),
    ]


def pushed_and_read(name: str, pushed: Document, *seed: Step, **more: str | None) -> Case:
    """A manifest is taken by tag and by digest, and read back as it was."""
    steps = [
        created(pushed, "latest", **more),
        *reads(pushed, "latest"),
        *reads(pushed, pushed.digest),
        created(pushed, pushed.digest, **more),
    ]
    return case("end-7a", f"{name}: pushed by tag", *steps, seed=seed)


def by_digest(name: str, pushed: Document, *seed: Step) -> Case:
    return case("end-7a", name, created(pushed, pushed.digest), *reads(pushed, pushed.digest), seed=seed)


def raw(content: bytes, media_type: str = IMAGE) -> Document:
    return Document(content, media_type)


CONFIG_FIELD = {"config": descriptor(CONFIG, CONFIG_TYPE)}
CONFIG_ALONE = document(IMAGE, CONFIG_FIELD)
CHILDREN = [PLAIN.descriptor(platform={"os": "linux", "architecture": "amd64"}), DOCKER.descriptor()]
FLAT = index(CHILDREN)
both = (*BASICS, manifest(PLAIN), manifest(DOCKER))
CACHE = index([descriptor(LAYER, LAYER_TYPE), descriptor(CONFIG, "application/vnd.buildkit.cacheconfig.v0")])
SUBJECT = PLAIN.descriptor()
ABOUT = artifact(SUBJECT, "application/vnd.example.sbom")
ABOUT_INDEX = index([], subject=SUBJECT, artifactType="application/vnd.example.set")
OLD_ARTIFACT = document(ARTIFACT, {"artifactType": "text/x", "blobs": [descriptor(LAYER, "text/plain")]})

KINDS: list[Case] = [
    pushed_and_read("OCI image", PLAIN, *BASICS),
    pushed_and_read("Docker schema 2", DOCKER, *BASICS),
    pushed_and_read("OCI index", FLAT, *both),
    pushed_and_read("Docker list", index(CHILDREN, LIST), *both),
    pushed_and_read("nested index", index([FLAT.descriptor(), PLAIN.descriptor()]), *both, manifest(FLAT)),
    pushed_and_read("empty index", index([])),
    pushed_and_read("empty Docker list", index([], LIST)),
    pushed_and_read("index of platforms that are one manifest", index([PLAIN.descriptor(), PLAIN.descriptor()]), *both),
    pushed_and_read("build cache, an index of layers", CACHE, *BASICS),
    pushed_and_read("image without layers", image(layers=[]), blob(CONFIG)),
    pushed_and_read(
        "image of a config alone", document(IMAGE, {"config": descriptor(CONFIG, CONFIG_TYPE)}), blob(CONFIG)
    ),
    pushed_and_read("artifact of empty content", artifact(None, "application/vnd.example"), blob(EMPTY)),
    pushed_and_read(
        "artifact with a config of its own type",
        image(descriptor(CONFIG, "application/vnd.cncf.helm.config.v1+json")),
        *BASICS,
    ),
    pushed_and_read("one layer twice", image(layers=[descriptor(LAYER, LAYER_TYPE)] * 2), *BASICS),
    pushed_and_read(
        "artifact manifest of the release candidates",
        OLD_ARTIFACT,
        blob(LAYER),
        Warning=f'299 - "{ARTIFACT} is deprecated: push an image manifest with artifactType"',
    ),
]

SUBJECTS: list[Case] = [
    pushed_and_read("subject that is there", ABOUT, *both, blob(EMPTY), OCI_Subject=PLAIN.digest),
    pushed_and_read("subject that is not there yet", ABOUT, blob(EMPTY), OCI_Subject=PLAIN.digest),
    pushed_and_read("index with a subject", ABOUT_INDEX, *both, OCI_Subject=PLAIN.digest),
    pushed_and_read(
        "subject by sha512",
        artifact({**SUBJECT, "digest": digest_of(PLAIN.content, "sha512")}),
        blob(EMPTY),
        OCI_Subject=digest_of(PLAIN.content, "sha512"),
    ),
]

SPECIAL: list[Case] = [
    pushed_and_read(
        "embedded data",
        image(descriptor(CONFIG, CONFIG_TYPE, data=base64.b64encode(CONFIG).decode())),
        *BASICS,
    ),
    pushed_and_read(
        "embedded empty data",
        image(layers=[descriptor(b"", "text/plain", data="")]),
        *BASICS,
        blob(b""),
    ),
    pushed_and_read(
        "layers that are not to be distributed need not be there",
        image(
            layers=[
                descriptor(
                    b"1", "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", urls=["https://x.example/1"]
                ),
                descriptor(b"2", "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd"),
                descriptor(b"3", "application/vnd.oci.image.layer.nondistributable.v1.tar"),
                descriptor(b"4", FOREIGN, urls=["https://x.example/4"]),
            ]
        ),
        *BASICS,
    ),
    pushed_and_read(
        "unknown fields, spaces and the order of keys are kept to the byte",
        raw(
            f'{{ "x-ours" : [1.0, 1e2, "\\u00e9", null],\n\t"layers":[],\r\n"config": '
            f'{json.dumps(descriptor(CONFIG, CONFIG_TYPE, extra={"a": 1}))}, "schemaVersion":2 }}\n\n'.encode()
        ),
        *BASICS,
    ),
    pushed_and_read("annotations in every script", image(annotations={"ключ": "値 \U0001f6a2", "": ""}), *BASICS),
    pushed_and_read(
        "null where a field may be missing", image(subject=None, annotations=None, artifactType=None), *BASICS
    ),
    by_digest("pushed by digest alone, without a tag", PLAIN, *BASICS),
]

LONG = digest_of(PLAIN.content, "sha512")

DIGESTS: list[Case] = [
    case(
        "end-7a",
        "a manifest pushed by its sha512 digest is known by that",
        Step(
            "PUT",
            URL + LONG,
            201,
            {"Content-Type": IMAGE},
            PLAIN.content,
            {"Location": URL + LONG, "Docker-Content-Digest": LONG},
        ),
        Step("GET", URL + LONG, 200, sees={"Docker-Content-Digest": LONG, "ETag": f'"{LONG}"'}, gives=PLAIN.content),
        Step("HEAD", URL + LONG, 200, sees={"Docker-Content-Digest": LONG}),
        Step("GET", URL + PLAIN.digest, 404, error="MANIFEST_UNKNOWN"),
        seed=BASICS,
    ),
    case(
        "end-7b",
        "a tag on a sha512 manifest",
        Step("PUT", f"{URL}{LONG}?tag=v1", 201, {"Content-Type": IMAGE}, PLAIN.content, {"OCI-Tag": "v1"}),
        Step("GET", URL + "v1", 200, sees={"Docker-Content-Digest": LONG}, gives=PLAIN.content),
        seed=BASICS,
    ),
    case(
        "end-7a",
        "another digest than the content's",
        Step("PUT", URL + UNKNOWN, 400, {"Content-Type": IMAGE}, PLAIN.content, error="DIGEST_INVALID"),
        Step("GET", URL + UNKNOWN, 404, error="MANIFEST_UNKNOWN"),
        Step("GET", URL + PLAIN.digest, 404, error="MANIFEST_UNKNOWN"),
        seed=BASICS,
    ),
    case(
        "end-7a",
        "digests that cannot be one",
        Step("PUT", URL + "sha256:12", 400, {"Content-Type": IMAGE}, PLAIN.content, error="DIGEST_INVALID"),
        Step("PUT", f"{URL}md5:{'a' * 32}", 400, {"Content-Type": IMAGE}, PLAIN.content, error="DIGEST_INVALID"),
        Step("GET", URL + "sha256:12", 400, error="DIGEST_INVALID"),
        Step("HEAD", URL + "sha256:12", 400),
        Step("DELETE", URL + "sha256:12", 400, error="DIGEST_INVALID"),
        seed=BASICS,
    ),
]

READING: list[Case] = [
    case(
        "end-3",
        "manifests that are not there",
        Step("GET", URL + "v9", 404, error="MANIFEST_UNKNOWN"),
        Step("GET", URL + UNKNOWN, 404, error="MANIFEST_UNKNOWN"),
        Step("HEAD", URL + "v9", 404, gives=b""),
        Step("HEAD", URL + UNKNOWN, 404, gives=b""),
        Step("GET", URL + "-not-a-tag", 404, error="MANIFEST_UNKNOWN"),
        Step("GET", f"{URL}{'x' * 129}", 404, error="MANIFEST_UNKNOWN"),
        seed=BASICS,
    ),
    case(
        "end-3",
        "a repository that nobody pushed to",
        Step("GET", "/v2/other/manifests/latest", 404, error="NAME_UNKNOWN"),
        Step("GET", f"/v2/other/manifests/{PLAIN.digest}", 404, error="NAME_UNKNOWN"),
        Step("HEAD", "/v2/other/manifests/latest", 404),
        seed=[*BASICS, manifest(PLAIN, "latest")],
    ),
    case(
        "end-3",
        "knowing a digest does not open another repository's manifest",
        Step("GET", f"/v2/other/manifests/{PLAIN.digest}", 404, error="MANIFEST_UNKNOWN"),
        seed=[*BASICS, manifest(PLAIN), blob(CONFIG, "other")],
    ),
    case(
        "end-3",
        "a blob is no manifest, and a manifest is no blob",
        Step("GET", f"{URL}{digest_of(CONFIG)}", 404, error="MANIFEST_UNKNOWN"),
        Step("GET", f"/v2/app/blobs/{PLAIN.digest}", 404, error="BLOB_UNKNOWN"),
        seed=[*BASICS, manifest(PLAIN)],
    ),
    *(
        case(
            "end-3",
            f"whatever Accept says ({accept or 'nothing'}), the manifest comes as it is",
            Step("GET", URL + "latest", 200, {"Accept": accept} if accept else {}, sees={"Content-Type": IMAGE}),
            seed=[*BASICS, manifest(PLAIN, "latest")],
        )
        for accept in ["", "*/*", IMAGE, f"{INDEX}, {IMAGE};q=0.1", SCHEMA1, "text/html", ";;"]
    ),
    *(
        case(
            "end-3",
            f"If-None-Match {value[:10]} on a manifest is answered {status}",
            Step("GET", URL + "latest", status, {"If-None-Match": value}, sees={"ETag": f'"{PLAIN.digest}"'}),
            Step(
                "HEAD",
                URL + PLAIN.digest,
                status,
                {"If-None-Match": value},
                sees={"Docker-Content-Digest": PLAIN.digest},
            ),
            seed=[*BASICS, manifest(PLAIN, "latest")],
        )
        for value, status in [(f'"{PLAIN.digest}"', 304), (PLAIN.digest, 304), ("*", 304), ('"other"', 200)]
    ),
]


@rows(KINDS, SUBJECTS, SPECIAL, DIGESTS, READING)
async def test_manifests(serve: Serve, row: Case) -> None:
    """Every row of the tables is answered as it says."""
    await play(await serve(row.config), row)
