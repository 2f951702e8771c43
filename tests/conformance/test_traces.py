"""Traces of clients are read strictly, and what they need is made from their descriptions."""

import json

import jwt
import pytest

from conformance import trace
from conformance.scenery import contents_of, variable_of
from conformance.tokens import Jwt

BLOBS = ("layer", "config")


def test_unknown_field_is_refused() -> None:
    """A word that is misspelt in a trace is an error, so that no step judges less than it says."""
    step = {"send": "GET /v2/", "is": 200, "hsa": {}}
    document = {"client": "x", "trace": [{"id": "x", "text": "x", "category": "pull", "steps": [step]}]}
    with pytest.raises(ValueError, match="hsa"):
        list(trace._read(document))  # noqa: SLF001


def test_part_takes_its_item() -> None:
    """Steps that several traces share stand once in a file, with `$item` for the content."""
    parts = {"blob": [{"send": "HEAD /v2/{name}/blobs/{$item.digest}", "is": 404, "body": "$item"}]}
    (step,) = trace._expanded([{"do": "blob", "item": "layer", "when": "a=b"}], parts)  # noqa: SLF001
    assert step == {"send": "HEAD /v2/{name}/blobs/{layer.digest}", "is": 404, "body": "layer", "when": "a=b"}


@pytest.mark.parametrize(
    ("text", "name", "content"),
    [("layer", "layer", b"abcdef"), ("layer[2:]", "layer", b"cdef"), ("layer[1:3]", "layer", b"bc")],
)
def test_body_names_a_part(text: str, name: str, content: bytes) -> None:
    """A body is a content, or a part of it."""
    found, part = trace.part_of(text)
    assert (found, b"abcdef"[part]) == (name, content)


def test_contents_refer_to_one_another() -> None:
    """An index names an image, the image its layer with more fields, and a signature its subject."""
    contents = contents_of(
        {
            "layer": {"size": 10},
            "config": {},
            "image": {"layers": [{"of": "layer", "more": {"annotations": {"a": "b"}}}], "config": "config"},
            "list": {"manifests": ["image", "layer"]},
            "signature": {"layers": [], "config": "config", "subject": "image", "artifactType": "x/y"},
        }
    )
    documents = {name: json.loads(content.content) for name, content in contents.items() if name not in BLOBS}
    image = contents["image"]
    assert documents["image"]["layers"][0]["annotations"] == {"a": "b"}
    assert [one["digest"] for one in documents["list"]["manifests"]] == [image.digest, contents["layer"].digest]
    assert documents["signature"]["subject"] == image.descriptor
    assert variable_of(image).flat == image.digest.replace(":", "-")


def test_forged_tokens_are_what_they_seem() -> None:
    """A forged token's signature is right for the key that it brings along: only trust in that key is missing."""
    claims = {"sub": "me", "access": []}
    token = Jwt(jwt.encode(claims, "x" * 32, algorithm="HS256", headers={"kid": "one"}))
    header = jwt.get_unverified_header(token.signed_by_nobody())
    key = jwt.PyJWK({**header["jwk"], "alg": "RS256"})
    assert jwt.decode(token.signed_by_nobody(), key, algorithms=["RS256"]) == claims
    assert header["kid"] == header["jwk"]["kid"] == "one"
    assert jwt.decode(token.signed_with(b"y" * 32), "y" * 32, algorithms=["HS256"]) == claims
    assert jwt.get_unverified_header(token.unsigned("none"))["alg"] == "none"
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token.changed(sub="you"), "x" * 32, algorithms=["HS256"])
