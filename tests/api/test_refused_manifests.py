"""What is no manifest: refused with a reason, and never stored (spec, "Pushing Manifests")."""

from __future__ import annotations

import pytest

from tests.api.conftest import Serve
from tests.api.content import (
    BASICS,
    CONFIG,
    CONFIG_TYPE,
    IMAGE,
    INDEX,
    LAYER,
    LAYER_TYPE,
    UNKNOWN,
    descriptor,
    digest_of,
    document,
    image,
    index,
)
from tests.api.table import Case, Step, case, play, rows

URL = "/v2/app/manifests/v1"
PLAIN = image()


def refused(name: str, content: bytes, media_type: str = IMAGE) -> Case:
    push = Step("PUT", URL, 400, {"Content-Type": media_type}, content, error="MANIFEST_INVALID")
    return case("end-7a", name, push, Step("GET", URL, 404), seed=BASICS)


NOT_MANIFESTS: list[Case] = [
    refused(name, content, media_type)
    for name, media_type, content in [
        ("nothing at all", IMAGE, b""),
        ("no JSON", IMAGE, b"{"),
        ("JSON with something after it", IMAGE, PLAIN.content + b"x"),
        ("JSON with a trailing comma", IMAGE, b'{"schemaVersion":2,}'),
        ("not UTF-8", IMAGE, b'{"schemaVersion":2,"x":"\xff"}'),
        ("a lone surrogate", IMAGE, b'{"schemaVersion":2,"x":"\\ud800"}'),
        ("UTF-16", IMAGE, PLAIN.content.decode().encode("utf-16")),
        ("a byte order mark", IMAGE, b"\xef\xbb\xbf" + PLAIN.content),
        ("a list", IMAGE, b"[]"),
        ("a string", IMAGE, b'"x"'),
        ("null", IMAGE, b"null"),
        ("not a number", IMAGE, b'{"schemaVersion":NaN}'),
        ("very deep", IMAGE, b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
        ("a name twice", IMAGE, PLAIN.content[:-1] + b',"schemaVersion":2}'),
        ("a name twice, further in", IMAGE, PLAIN.content[:-1] + b',"annotations":{"a":"b","a":"c"}}'),
        ("a name in other letters, which some clients take for it", IMAGE, PLAIN.content[:-1] + b',"Manifests":[]}'),
        ("schemaVersion 1", IMAGE, image(schemaVersion=1).content),
        ("schemaVersion as text", IMAGE, image(schemaVersion="2").content),
        ("schemaVersion true", IMAGE, image(schemaVersion=True).content),
        ("mediaType that is no text", IMAGE, image(mediaType=2).content),
        ("image without config", IMAGE, document(IMAGE, {"layers": []}).content),
        ("config that is null", IMAGE, document(IMAGE, {"config": None, "layers": []}).content),
        ("config that is a list", IMAGE, document(IMAGE, {"config": [], "layers": []}).content),
        (
            "layers that are an object",
            IMAGE,
            document(IMAGE, {"config": descriptor(CONFIG, CONFIG_TYPE), "layers": {}}).content,
        ),
        ("a layer that is a text", IMAGE, image(layers=["x"]).content),  # type: ignore[list-item]
        ("index without manifests", INDEX, document(INDEX, {}).content),
        ("manifests that are an object", INDEX, document(INDEX, {"manifests": {}}).content),
        ("both image and index", IMAGE, image(manifests=[]).content),
        ("both index and image", INDEX, index([], config=descriptor(CONFIG, CONFIG_TYPE)).content),
        ("both index and layers", INDEX, index([], layers=[]).content),
        ("both index and schema 1", INDEX, index([], fsLayers=[]).content),
        ("subject that is a text", IMAGE, image(subject=UNKNOWN).content),
        ("subject without digest", IMAGE, image(subject={"mediaType": IMAGE, "size": 1}).content),
        ("annotations that are a list", IMAGE, image(annotations=[]).content),
        ("an annotation that is a number", IMAGE, image(annotations={"a": 1}).content),
        ("artifactType that is a number", IMAGE, image(artifactType=1).content),
    ]
]

DESCRIPTORS: list[Case] = [
    refused(f"a layer with {name}", image(layers=[layer]).content)
    for name, layer in [
        ("no mediaType", {"digest": digest_of(LAYER), "size": 7}),
        ("an empty mediaType", {**descriptor(LAYER, ""), "size": 7}),
        ("no digest", {"mediaType": LAYER_TYPE, "size": 7}),
        ("a malformed digest", {"mediaType": LAYER_TYPE, "digest": "sha256:12", "size": 7}),
        ("a digest in capitals", {"mediaType": LAYER_TYPE, "digest": digest_of(LAYER).upper(), "size": 7}),
        ("an unknown algorithm", {"mediaType": LAYER_TYPE, "digest": "md5:" + "a" * 32, "size": 7}),
        ("no size", {"mediaType": LAYER_TYPE, "digest": digest_of(LAYER)}),
        ("a negative size", {**descriptor(LAYER, LAYER_TYPE), "size": -1}),
        ("a size with a fraction", {**descriptor(LAYER, LAYER_TYPE), "size": 7.5}),
        ("a size as text", {**descriptor(LAYER, LAYER_TYPE), "size": "7"}),
        ("a size beyond all storage", {**descriptor(LAYER, LAYER_TYPE), "size": 1 << 80}),
        ("data that is no base64", descriptor(LAYER, LAYER_TYPE, data="***")),
        ("data that is another content", descriptor(LAYER, LAYER_TYPE, data="YSBsYXllcg")),
        ("data that is no text", descriptor(LAYER, LAYER_TYPE, data=5)),
        ("data of another size", {**descriptor(LAYER, LAYER_TYPE, data="YSBsYXllcg=="), "size": 8}),
    ]
]


@pytest.fixture
def engine() -> dict[str, object]:
    """What is refused never reaches the storage."""
    return {"storage.ephemeral": True}


@rows(NOT_MANIFESTS, DESCRIPTORS)
async def test_refused_manifests(serve: Serve, row: Case) -> None:
    """Every row of the tables is answered as it says."""
    await play(await serve(row.config), row)
