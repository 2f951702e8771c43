"""Pushing manifests: types, sizes, tags, conditions, and what is refused (spec, "Pushing Manifests")."""

from __future__ import annotations

import json

from tests.api.conftest import Serve
from tests.api.content import (
    ARTIFACT,
    BASICS,
    CONFIG,
    CONFIG_TYPE,
    EMPTY_TYPE,
    IMAGE,
    INDEX,
    LAYER,
    LAYER_TYPE,
    LIST,
    SCHEMA1,
    SCHEMA2,
    Document,
    blob,
    descriptor,
    digest_of,
    image,
    index,
    manifest,
)
from tests.api.table import Case, Step, case, play, rows

URL = "/v2/app/manifests/"
PLAIN = image()
OTHER = image(annotations={"version": "2"})
UNTYPED = json.dumps({"schemaVersion": 2, "config": descriptor(CONFIG, CONFIG_TYPE), "layers": []}).encode()
OLD = b'{"schemaVersion":1,"fsLayers":[]}'
LIMIT = 4 * 1024 * 1024


def put(
    content: bytes, status: int, content_type: str | None = IMAGE, reference: str = "v1", error: str | None = None
) -> Step:
    headers = {} if content_type is None else {"Content-Type": content_type}
    return Step("PUT", URL + reference, status, headers, content, error=error)


def typed(media_type: str) -> Step:
    return Step("GET", URL + "v1", 200, sees={"Content-Type": media_type})


absent = Step("GET", URL + "v1", 404)

TYPES: list[Case] = [
    *(
        case("end-7a", name, put(content, 201, content_type), typed(media_type), seed=BASICS)
        for name, content, content_type, media_type in [
            ("parameters of Content-Type are ignored", PLAIN.content, f"{IMAGE}; charset=utf-8", IMAGE),
            ("a media type has no case", PLAIN.content, IMAGE.upper(), IMAGE),
            ("without Content-Type, mediaType says what it is", PLAIN.content, None, IMAGE),
            ("application/json leaves it to mediaType", PLAIN.content, "application/json", IMAGE),
            ("without mediaType, Content-Type says what it is", UNTYPED, SCHEMA2, SCHEMA2),
        ]
    ),
    *(
        case("end-7a", name, put(content, status, content_type, error="MANIFEST_INVALID"), absent, seed=BASICS)
        for name, content, content_type, status in [
            ("neither says what it is", UNTYPED, None, 400),
            ("they contradict one another", PLAIN.content, SCHEMA2, 400),
            ("schema 1", OLD, SCHEMA1, 415),
            ("schema 1 that says it is schema 2", OLD, SCHEMA2, 400),
            ("a type that is no manifest's", b"{}", "text/plain", 415),
        ]
    ),
    *(
        case(
            "end-7a",
            f"the same bytes as {first.rpartition('.')[0][-12:]}, then as {second.rpartition('.')[0][-12:]}",
            put(content, 201, first),
            put(content, 201, second),
            typed(second),
            Step("GET", URL + digest_of(content), 200, sees={"Content-Type": second}),
            seed=[*BASICS, manifest(PLAIN)],
        )
        for content, first, second in [
            (UNTYPED, IMAGE, SCHEMA2),
            (UNTYPED, ARTIFACT, IMAGE),
            (b'{"manifests":[]}', INDEX, LIST),
            (json.dumps({"manifests": [PLAIN.descriptor()]}).encode(), ARTIFACT, INDEX),
        ]
    ),
]

LACKING = image(descriptor(b"1", CONFIG_TYPE), [descriptor(text, LAYER_TYPE) for text in (b"2", LAYER, b"2")])

MISSING: list[Case] = [
    case(
        "end-7a",
        "every blob that is not there is named",
        put(
            image(descriptor(b"1", CONFIG_TYPE), [descriptor(b"2", LAYER_TYPE), descriptor(LAYER, LAYER_TYPE)]).content,
            404,
        ),
        absent,
        seed=BASICS,
    ),
    case(
        "end-7a",
        "a push that is refused makes no repository",
        put(PLAIN.content, 404),
        Step("GET", "/v2/app/tags/list", 404, error="NAME_UNKNOWN"),
    ),
    case(
        "end-7a",
        "a blob of another repository does not count",
        put(PLAIN.content, 404),
        absent,
        seed=[blob(CONFIG), blob(LAYER, "other")],
    ),
    case(
        "end-7a",
        "an index needs its manifests, unless it may be sparse",
        put(index([PLAIN.descriptor(), OTHER.descriptor()]).content, 404, INDEX, error="MANIFEST_BLOB_UNKNOWN"),
        absent,
        seed=[*BASICS, manifest(PLAIN)],
    ),
    case(
        "end-7a",
        "a sparse index is taken where the configuration says so; a sparse image never is",
        put(index([PLAIN.descriptor(), OTHER.descriptor()]).content, 201, INDEX),
        typed(INDEX),
        put(index([descriptor(b"1", LAYER_TYPE)]).content, 404, INDEX, error="MANIFEST_BLOB_UNKNOWN"),
        put(image(layers=[descriptor(b"1", LAYER_TYPE)]).content, 404, error="MANIFEST_BLOB_UNKNOWN"),
        seed=[*BASICS, manifest(PLAIN)],
        config={"manifests.sparse_indexes": True},
    ),
    case(
        "end-7a",
        "a layer that is there as a manifest only cannot be pulled, so it is missing; and so is a child that is a blob",
        put(image(layers=[descriptor(PLAIN.content, LAYER_TYPE)]).content, 404, error="MANIFEST_BLOB_UNKNOWN"),
        put(index([descriptor(LAYER, IMAGE)]).content, 404, INDEX, error="MANIFEST_BLOB_UNKNOWN"),
        seed=[*BASICS, manifest(PLAIN)],
    ),
    case(
        "end-7a",
        "an empty layer is a blob like any other",
        put(image(layers=[descriptor(b"{}", EMPTY_TYPE)]).content, 404, error="MANIFEST_BLOB_UNKNOWN"),
        seed=BASICS,
    ),
]


def padded(size: int) -> bytes:
    """A manifest of exactly that many bytes."""
    empty = image(annotations={"padding": ""}).content
    return image(annotations={"padding": "x" * (size - len(empty))}).content


SIZES: list[Case] = [
    case(
        "end-7a",
        "4 MiB are taken, one byte more is not",
        put(padded(LIMIT), 201),
        Step("GET", URL + "v1", 200, sees={"Content-Length": str(LIMIT)}, gives=padded(LIMIT)),
        put(padded(LIMIT + 1), 413, reference="v2", error="MANIFEST_INVALID"),
        Step("PUT", URL + "v2", 413, {"Content-Type": IMAGE}, (padded(LIMIT), b" "), error="MANIFEST_INVALID"),
        Step("GET", URL + "v2", 404, error="MANIFEST_UNKNOWN"),
        seed=BASICS,
    ),
    case(
        "end-7a",
        "the limit is a setting",
        put(padded(500), 201),
        put(padded(501), 413, error="MANIFEST_INVALID"),
        seed=BASICS,
        config={"limits.manifest_size": 500},
    ),
    case(
        "end-7a",
        "chunked transfer encoding",
        Step("PUT", URL + "v1", 201, {"Content-Type": IMAGE}, (PLAIN.content[:100], PLAIN.content[100:])),
        Step("GET", URL + "v1", 200, gives=PLAIN.content),
        seed=BASICS,
    ),
]

TEN = [f"1.{number}" for number in range(10)]


def push_tagged(query: str, status: int, **more: object) -> Step:
    return Step("PUT", f"{URL}{PLAIN.digest}?{query}", status, {"Content-Type": IMAGE}, PLAIN.content, **more)  # type: ignore[arg-type]


TAGS: list[Case] = [
    case(
        "end-7b",
        "ten tags with one push",
        push_tagged("&".join(f"tag={tag}" for tag in TEN), 201, sees={"OCI-Tag": ", ".join(TEN)}),
        *(Step("GET", URL + tag, 200, gives=PLAIN.content) for tag in TEN),
        Step("GET", "/v2/app/tags/list", 200, gives={"name": "app", "tags": TEN}),
        seed=BASICS,
    ),
    case("end-7b", "a tag named twice", push_tagged("tag=a&tag=b&tag=a", 201, sees={"OCI-Tag": "a, b"}), seed=BASICS),
    case(
        "end-7b",
        "one malformed tag, and nothing is stored",
        push_tagged("tag=good&tag=-bad", 400, error="MANIFEST_INVALID"),
        push_tagged("tag=", 400, error="MANIFEST_INVALID"),
        push_tagged(f"tag={'x' * 129}", 400, error="MANIFEST_INVALID"),
        Step("GET", URL + "good", 404),
        Step("GET", URL + PLAIN.digest, 404),
        seed=BASICS,
    ),
    case(
        "end-7b",
        "more tags than are allowed",
        push_tagged("tag=a&tag=b&tag=c", 414, error="UNSUPPORTED"),
        Step("GET", URL + PLAIN.digest, 404),
        push_tagged("tag=a&tag=b", 201, sees={"OCI-Tag": "a, b"}),
        seed=BASICS,
        config={"limits.tags_per_push": 2},
    ),
    case(
        "end-7b",
        "tags move to what is pushed",
        push_tagged("tag=v1&tag=v2", 201),
        Step("GET", URL + "v1", 200, gives=PLAIN.content),
        Step("GET", URL + OTHER.digest, 200, gives=OTHER.content),
        seed=[*BASICS, manifest(OTHER, "v1")],
    ),
    case(
        "end-7a",
        "tags that cannot be one",
        put(PLAIN.content, 400, reference="-v1", error="MANIFEST_INVALID"),
        put(PLAIN.content, 400, reference=".v1", error="MANIFEST_INVALID"),
        put(PLAIN.content, 400, reference="v%201", error="MANIFEST_INVALID"),
        put(PLAIN.content, 400, reference="v1+x", error="MANIFEST_INVALID"),
        put(PLAIN.content, 400, reference="x" * 129, error="MANIFEST_INVALID"),
        put(PLAIN.content, 201, reference="x" * 128),
        put(PLAIN.content, 201, reference="_"),
        seed=BASICS,
    ),
]


def conditional(condition: dict[str, str], status: int, pushed: Document = OTHER, reference: str = "v1") -> Step:
    headers = {"Content-Type": IMAGE, **condition}
    return Step("PUT", URL + reference, status, headers, pushed.content, error="DENIED" if status == 412 else None)


IS_PLAIN, IS_OTHER = f'"{PLAIN.digest}"', f'"{OTHER.digest}"'

CONDITIONS: list[Case] = [
    case(
        "end-7a",
        "If-Match: only what the client knows is overwritten",
        conditional({"If-Match": IS_OTHER}, 412),
        Step("GET", URL + "v1", 200, gives=PLAIN.content),
        conditional({"If-Match": f'"x", {IS_PLAIN}'}, 201),
        Step("GET", URL + "v1", 200, gives=OTHER.content),
        conditional({"If-Match": IS_PLAIN}, 412, PLAIN),
        conditional({"If-Match": OTHER.digest}, 201, PLAIN),
        conditional({"If-Match": "*"}, 201),
        conditional({"If-Match": "*"}, 412, reference="new"),
        conditional({"If-Match": IS_PLAIN}, 412, reference="new"),
        Step("GET", URL + "new", 404),
        seed=[*BASICS, manifest(PLAIN, "v1")],
    ),
    case(
        "end-7a",
        "If-None-Match: nothing is overwritten",
        conditional({"If-None-Match": "*"}, 412),
        conditional({"If-None-Match": IS_PLAIN}, 412),
        Step("GET", URL + "v1", 200, gives=PLAIN.content),
        conditional({"If-None-Match": "*"}, 201, reference="new"),
        conditional({"If-None-Match": IS_OTHER}, 201),
        seed=[*BASICS, manifest(PLAIN, "v1")],
    ),
    case(
        "end-7a",
        "a refused condition stores nothing",
        conditional({"If-Match": "*"}, 412),
        Step("GET", URL + OTHER.digest, 404, error="MANIFEST_UNKNOWN"),
        seed=BASICS,
    ),
    case(
        "end-7a",
        "conditions on a push by digest are about the digest",
        conditional({"If-None-Match": "*"}, 412, PLAIN, PLAIN.digest),
        conditional({"If-None-Match": "*"}, 201, OTHER, OTHER.digest),
        conditional({"If-Match": "*"}, 201, OTHER, OTHER.digest),
        seed=[*BASICS, manifest(PLAIN)],
    ),
    case(
        "end-7a",
        "both conditions have to hold",
        conditional({"If-Match": IS_PLAIN, "If-None-Match": IS_PLAIN}, 412),
        conditional({"If-Match": IS_PLAIN, "If-None-Match": IS_OTHER}, 201),
        seed=[*BASICS, manifest(PLAIN, "v1")],
    ),
]


@rows(TYPES, MISSING, SIZES, TAGS, CONDITIONS)
async def test_manifest_pushes(serve: Serve, row: Case) -> None:
    """Every row of the tables is answered as it says."""
    await play(await serve(row.config), row)
