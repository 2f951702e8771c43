"""Deleting tags, manifests and blobs (spec, "Content Management")."""

from __future__ import annotations

from tests.api.conftest import Serve
from tests.api.content import (
    BASICS,
    CONFIG,
    EMPTY,
    INDEX,
    LAYER,
    LAYER_TYPE,
    UNKNOWN,
    artifact,
    blob,
    descriptor,
    digest_of,
    image,
    index,
    manifest,
)
from tests.api.table import Case, Step, case, play, rows

URL = "/v2/app/manifests/"
BLOBS = "/v2/app/blobs/"
PLAIN = image()
OTHER = image(annotations={"n": "2"})
LIST = index([PLAIN.descriptor()])
CACHE = index([descriptor(b"cached", LAYER_TYPE)])
SPARSE_LAYER = b"from elsewhere"
SPARSE = image(layers=[descriptor(SPARSE_LAYER, "application/vnd.oci.image.layer.nondistributable.v1.tar")])


def deleted(url: str) -> Step:
    return Step("DELETE", url, 202, sees={"Content-Length": "0"})


def refused(url: str) -> Step:
    return Step("DELETE", url, 405, sees={"Allow": "GET, HEAD"}, error="UNSUPPORTED")


def tags(*names: str) -> Step:
    return Step("GET", "/v2/app/tags/list", 200, gives={"name": "app", "tags": list(names)})


def there(url: str) -> Step:
    return Step("HEAD", url, 200)


def absent(url: str, error: str = "MANIFEST_UNKNOWN") -> Step:
    return Step("GET", url, 404, error=error)


def of(content: bytes) -> str:
    return BLOBS + digest_of(content)


TAGS: list[Case] = [
    case(
        "end-9",
        "a deleted tag is gone at once, its manifest and its other tags stay",
        deleted(URL + "v1"),
        absent(URL + "v1"),
        there(URL + PLAIN.digest),
        there(URL + "v2"),
        tags("v2"),
        Step("DELETE", URL + "v1", 404, error="MANIFEST_UNKNOWN"),
        seed=[*BASICS, manifest(PLAIN, "v1"), manifest(PLAIN, "v2")],
    ),
    case(
        "end-9",
        "a deleted tag can be pushed again",
        deleted(URL + "v1"),
        manifest(OTHER, "v1"),
        Step("GET", URL + "v1", 200, gives=OTHER.content),
        seed=[*BASICS, manifest(PLAIN, "v1")],
    ),
    case(
        "end-9",
        "tags that are not there",
        Step("DELETE", URL + "v9", 404, error="MANIFEST_UNKNOWN"),
        Step("DELETE", URL + "-v9", 404, error="MANIFEST_UNKNOWN"),
        Step("DELETE", "/v2/other/manifests/v1", 404, error="NAME_UNKNOWN"),
        seed=[*BASICS, manifest(PLAIN, "v1")],
    ),
]

MANIFESTS: list[Case] = [
    case(
        "end-9",
        "a deleted manifest is gone at once, with all its tags",
        deleted(URL + PLAIN.digest),
        absent(URL + PLAIN.digest),
        absent(URL + "v1"),
        absent(URL + "v2"),
        tags("v3"),
        there(URL + "v3"),
        there(of(CONFIG)),
        Step("DELETE", URL + PLAIN.digest, 404, error="MANIFEST_UNKNOWN"),
        seed=[*BASICS, manifest(PLAIN, "v1"), manifest(PLAIN, "v2"), manifest(OTHER, "v3")],
    ),
    case(
        "end-9",
        "a deleted manifest can be pushed again",
        deleted(URL + PLAIN.digest),
        manifest(PLAIN, "v1"),
        Step("GET", URL + PLAIN.digest, 200, gives=PLAIN.content),
        seed=[*BASICS, manifest(PLAIN)],
    ),
    case(
        "end-9",
        "manifests that are not there",
        Step("DELETE", URL + UNKNOWN, 404, error="MANIFEST_UNKNOWN"),
        Step("DELETE", f"/v2/other/manifests/{PLAIN.digest}", 404, error="NAME_UNKNOWN"),
        Step("DELETE", URL + digest_of(CONFIG), 404, error="MANIFEST_UNKNOWN"),
        there(of(CONFIG)),
        seed=[*BASICS, manifest(PLAIN)],
    ),
    case(
        "end-9",
        "another repository keeps its own",
        deleted(URL + PLAIN.digest),
        there(f"/v2/other/manifests/{PLAIN.digest}"),
        seed=[*BASICS, blob(CONFIG, "other"), blob(LAYER, "other"), manifest(PLAIN), manifest(PLAIN, name="other")],
    ),
    case(
        "end-9",
        "a manifest that an index lists cannot be deleted before the index",
        refused(URL + PLAIN.digest),
        there(URL + PLAIN.digest),
        tags("all", "v1"),
        deleted(URL + "v1"),
        deleted(URL + LIST.digest),
        deleted(URL + PLAIN.digest),
        tags(),
        seed=[*BASICS, manifest(PLAIN, "v1"), manifest(LIST, "all")],
    ),
    case(
        "end-9",
        "an index whose manifests are elsewhere can be deleted",
        Step("PUT", URL + "all", 201, {"Content-Type": INDEX}, LIST.content),
        Step("GET", URL + "all", 200, gives=LIST.content),
        deleted(URL + LIST.digest),
        config={"manifests.sparse_indexes": True},
    ),
    case(
        "end-9",
        "a subject can be deleted, its referrers stay",
        deleted(URL + PLAIN.digest),
        there(URL + artifact(PLAIN.descriptor()).digest),
        seed=[*BASICS, blob(EMPTY), manifest(PLAIN), manifest(artifact(PLAIN.descriptor()))],
    ),
]

OF_BLOBS: list[Case] = [
    case(
        "end-10",
        "a deleted blob is gone at once",
        deleted(of(LAYER)),
        absent(of(LAYER), "BLOB_UNKNOWN"),
        Step("HEAD", of(LAYER), 404),
        there(of(CONFIG)),
        Step("DELETE", of(LAYER), 404, error="BLOB_UNKNOWN"),
        Step("PUT", URL + "v1", 404, {"Content-Type": PLAIN.media_type}, PLAIN.content, error="MANIFEST_BLOB_UNKNOWN"),
        seed=BASICS,
    ),
    case(
        "end-10",
        "a deleted blob can be pushed again",
        deleted(of(LAYER)),
        blob(LAYER),
        Step("GET", of(LAYER), 200, gives=LAYER),
        seed=BASICS,
    ),
    case(
        "end-10",
        "blobs that are not there",
        Step("DELETE", BLOBS + UNKNOWN, 404, error="BLOB_UNKNOWN"),
        Step("DELETE", BLOBS + "sha256:12", 400, error="DIGEST_INVALID"),
        Step("DELETE", f"/v2/other/blobs/{digest_of(LAYER)}", 404, error="NAME_UNKNOWN"),
        seed=BASICS,
    ),
    case(
        "end-10",
        "another repository keeps its own",
        deleted(of(LAYER)),
        Step("GET", f"/v2/other/blobs/{digest_of(LAYER)}", 200, gives=LAYER),
        Step("DELETE", f"/v2/other/blobs/{digest_of(LAYER)}", 202),
        Step("GET", f"/v2/other/blobs/{digest_of(LAYER)}", 404, error="BLOB_UNKNOWN"),
        seed=[*BASICS, blob(LAYER, "other")],
    ),
    case(
        "end-10",
        "a blob that a manifest needs cannot be deleted before the manifest",
        refused(of(LAYER)),
        refused(of(CONFIG)),
        Step("GET", of(LAYER), 200, gives=LAYER),
        deleted(URL + "v1"),
        refused(of(LAYER)),
        deleted(URL + PLAIN.digest),
        deleted(of(LAYER)),
        deleted(of(CONFIG)),
        seed=[*BASICS, manifest(PLAIN, "v1")],
    ),
    case(
        "end-10",
        "a layer that a build cache lists cannot be deleted before the cache",
        refused(of(b"cached")),
        deleted(URL + CACHE.digest),
        deleted(of(b"cached")),
        seed=[blob(b"cached"), manifest(CACHE)],
    ),
    case(
        "end-10",
        "a layer that need not be there can be deleted",
        deleted(of(SPARSE_LAYER)),
        there(URL + SPARSE.digest),
        seed=[*BASICS, blob(SPARSE_LAYER), manifest(SPARSE)],
    ),
    case(
        "end-10",
        "whatever type a manifest was first pushed as, what it needs now cannot be deleted",
        manifest(image_again := image(mediaType=None)),
        refused(of(LAYER)),
        seed=[
            *BASICS,
            Step(
                "PUT",
                URL + image_again.digest,
                201,
                {"Content-Type": "application/vnd.oci.artifact.manifest.v1+json"},
                image_again.content,
            ),
        ],
    ),
]

OFF: list[Case] = [
    case(
        "end-9",
        "deleting tags is switched off",
        refused(URL + "v1"),
        refused(URL + "v9"),
        # Its tag would go with it.
        refused(URL + PLAIN.digest),
        there(URL + "v1"),
        seed=[*BASICS, manifest(PLAIN, "v1")],
        config={"delete.tags": False},
    ),
    case(
        "end-9",
        "deleting manifests is switched off",
        refused(URL + PLAIN.digest),
        refused(URL + UNKNOWN),
        there(URL + PLAIN.digest),
        deleted(URL + "v1"),
        seed=[*BASICS, manifest(PLAIN, "v1")],
        config={"delete.manifests": False},
    ),
    case(
        "end-10",
        "deleting blobs is switched off",
        refused(of(LAYER)),
        refused(BLOBS + UNKNOWN),
        there(of(LAYER)),
        seed=BASICS,
        config={"delete.blobs": False},
    ),
    case(
        "end-14",
        "cancelling an upload is no deletion",
        Step("POST", BLOBS + "uploads/", 202),
        Step("DELETE", "{location}", 204),
        config={"delete.tags": False, "delete.manifests": False, "delete.blobs": False},
    ),
]


@rows(TAGS, MANIFESTS, OF_BLOBS, OFF)
async def test_deletes(serve: Serve, row: Case) -> None:
    """Every row of the tables is answered as it says."""
    await play(await serve(row.config), row)
