"""Manifests gone wrong: single bytes, fields and values changed, and JSON made to break a parser."""

from __future__ import annotations

import json
from random import Random
from typing import Any

BOMBS = [
    b"[" * 100_000,
    b"[" * 500 + b"]" * 500,
    b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
    b'{"manifests":[' * 300 + b"{}" + b"]}" * 300,
    b'{"schemaVersion":' + b"9" * 50_000 + b"}",
    b'{"schemaVersion":1e999}',
    b'{"schemaVersion":2.0,"manifests":[]}',
    b'{"schemaVersion":-0}',
    b'{"schemaVersion":2,"schemaVersion":1,"manifests":[],"manifests":{}}',
    b'{"schemaVersion":2,"manifests":[],"mediaType":"\xff\xfe"}',
    b'{"schemaVersion":2,"manifests":[],"annotations":{"\\ud800":"\\udfff"}}',
    b'{"schemaVersion":2,"manifests":[],"annotations":{"a\\u0000b":"\\u0000"}}',
    b'{"schemaVersion":2,"manifests":[' + b",".join([b"{}"] * 5_000) + b"]}",
    b'{"schemaVersion":2,"manifests":[' + b"null," * 1_000 + b"null]}",
    b'{"schemaVersion":2,"config":{"mediaType":"a","digest":"sha256:'
    + b"0" * 64
    + b'","size":1},"layers":['
    + b",".join(b'{"mediaType":"x","digest":"sha256:%064x","size":1}' % number for number in range(2_000))
    + b"]}",
    b'{"' + b"k" * 100_000 + b'":1}',
    b'\xef\xbb\xbf{"schemaVersion":2,"manifests":[]}',
    '{"schemaVersion":2,"manifests":[]}'.encode("utf-16"),
    b'{"schemaVersion":2,"manifests":[]}' + b" " * 100_000,
    b'{"schemaVersion":2,"manifests":[]}\x00',
    b"\x00" * 1000,
    b"NaN",
    b"",
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff",
]

VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    2,
    1.5,
    1 << 70,
    -(1 << 63),
    "",
    "x",
    "x" * 5000,
    "\ud800",
    "sha256:" + "0" * 64,
    "application/vnd.oci.image.index.v1+json",
    [],
    [[]],
    {},
    {"digest": None},
    [None],
    [{}],
]


def text(document: Any) -> bytes:
    """The document as JSON, with lone surrogates if it has some."""
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")


def flipped(random: Random, content: bytes) -> bytes:
    """The content with some of its bytes changed, left out or doubled."""
    data = bytearray(content)
    for _ in range(random.choice((1, 1, 3, 10))):
        place = random.randrange(len(data))
        change = random.randrange(3)
        if change == 0:
            data[place] = random.randrange(256)
        elif change == 1 and len(data) > 1:
            del data[place]
        else:
            data[place:place] = data[place : place + 10]
    return bytes(data)


def mutated(random: Random, document: Any) -> Any:
    """The document with some of its fields changed, left out or added, at any depth."""
    for _ in range(random.choice((0, 1, 1, 2, 4))):
        document = _changed(random, document)
    return document


def _changed(random: Random, value: Any) -> Any:
    if isinstance(value, dict) and value:
        return _changed_object(random, value)
    if isinstance(value, list) and value and random.random() < 0.8:
        place = random.randrange(len(value))
        return [*value[:place], _changed(random, value[place]), *value[place + random.choice((0, 1)) :]]
    return random.choice(VALUES)


def _changed_object(random: Random, value: dict[str, Any]) -> dict[str, Any]:
    key = random.choice(list(value))
    change = random.random()
    if change < 0.2:
        return {name: item for name, item in value.items() if name != key}
    if change < 0.4:
        added = random.choice(
            ["config", "layers", "manifests", "subject", "annotations", "artifactType", "data", "urls"]
        )
        return {**value, added: random.choice(VALUES)}
    if change < 0.6:
        return {**value, key: random.choice(VALUES)}
    return {**value, key: _changed(random, value[key])}


def grown(random: Random, document: dict[str, Any]) -> dict[str, Any]:
    """The document with fields that nobody knows, or without its type: still a manifest, under a digest of its own."""
    if random.random() < 0.3:
        document = {name: value for name, value in document.items() if name != "mediaType"}
    return {**document, f"x-{random.randrange(5)}": random.choice([None, 1, "x", [], {"a": [{}]}])}
