"""The contents of traces: made from their descriptions, and as the variables of a trace."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from conformance.content import CONFIG, IMAGE, INDEX, LAYER, OCTETS, Blob, Json, Manifest, new_blob, new_config
from conformance.trace import Table

Content = Blob | Manifest


@dataclass(frozen=True, slots=True)
class Variable:
    """What texts of a trace can say about a content."""

    digest: str
    size: int
    type: str

    @property
    def hex(self) -> str:
        return self.digest.partition(":")[2]

    @property
    def quoted(self) -> str:
        """The digest, as it stands in a query."""
        return quote(self.digest, safe="")

    @property
    def flat(self) -> str:
        """The digest as a tag: of the referrers tag schema, and of signatures."""
        return self.digest.replace(":", "-")

    @property
    def last(self) -> int:
        """The position of the last byte."""
        return self.size - 1


def variable_of(content: Content) -> Variable:
    return Variable(content.digest, len(content.content), content.media_type)


def contents_of(descriptions: Mapping[str, Table]) -> dict[str, Content]:
    """The contents, which may name others before them.

    Each is a config, new bytes of a `size`, a `text`, an image with `layers`, or an index of `manifests`.
    """
    made: dict[str, Content] = {}
    for name, table in descriptions.items():
        made[name] = _content(table, made)
    return made


def _content(table: Table, made: Mapping[str, Content]) -> Content:
    if "layers" in table or "manifests" in table:
        return _manifest(table, made)
    if "size" in table:
        return new_blob(table["size"], media_type=table.get("type", LAYER))
    if "text" in table:
        return Blob(table["text"].encode(), table.get("type", OCTETS))
    return Blob(new_config().content, table.get("type", CONFIG))


def _manifest(table: Table, made: Mapping[str, Content]) -> Manifest:
    is_image = "layers" in table
    document: Json = {"schemaVersion": 2, "mediaType": table.get("type", IMAGE if is_image else INDEX)}
    named: list[Any] = list(table["layers"] if is_image else table["manifests"])
    if is_image:
        document["config"] = made[table["config"]].descriptor
        document["layers"] = [_descriptor(one, made) for one in named]
        named.append(table["config"])
    else:
        document["manifests"] = [_descriptor(one, made) for one in named]
    if "subject" in table:
        document["subject"] = made[table["subject"]].descriptor
    if "artifactType" in table:
        document["artifactType"] = table["artifactType"]
    document["annotations"] = {**table.get("annotations", {}), "conformance.drawn": secrets.token_hex(8)}
    needed = [made[one if isinstance(one, str) else one["of"]] for one in named]
    return Manifest(
        json.dumps(document).encode(),
        document["mediaType"],
        tuple(one for one in needed if isinstance(one, Blob)),
        tuple(one for one in needed if isinstance(one, Manifest)),
    )


def _descriptor(entry: str | Table, made: Mapping[str, Content]) -> Json:
    """Of an entry that is a name, or a table with more fields: `{of = "layer", more = {…}}`."""
    if isinstance(entry, str):
        return made[entry].descriptor
    return {**made[entry["of"]].descriptor, **entry["more"]}
