"""The rows of the distribution API."""

from __future__ import annotations

from tests.api.content import LAYER, digest_of
from tests.api.matrix.callers import Caller
from tests.api.matrix.expected import Base, Catalog, Content
from tests.api.matrix.places import REPOSITORY, Place
from tests.api.matrix.rows import Arguments, Row
from tests.api.matrix.world import IMAGE, SPARE, World

_MANIFEST = "/v2/<name>/manifests/<reference>"
_UPLOADS = "/v2/<name>/blobs/uploads/"
_UPLOAD = "/v2/<name>/blobs/uploads/<upload>"
_BLOB = "/v2/<name>/blobs/<digest>"

_THERE = (Place.PUBLIC, Place.PRIVATE)


async def _spare_tag(world: World, caller: Caller, place: Place) -> Arguments:
    if place in _THERE:
        await world.push_image(REPOSITORY[place], "spare")
    return {"reference": "spare"}


async def _spare_blob(world: World, caller: Caller, place: Place) -> Arguments:
    if place in _THERE:
        await world.push_blob(REPOSITORY[place], SPARE)
    return {"digest": digest_of(SPARE)}


async def _own_upload(world: World, caller: Caller, place: Place) -> Arguments:
    """An upload of the caller's own, where there can be one, with the digest of what it will hold."""
    header = caller.registry(place)
    headers = {} if header is None else {"Authorization": header}
    started = await world.registry.ask("POST", f"/v2/{REPOSITORY[place]}/blobs/uploads/", headers=headers)
    # What belongs to no repository so far must not make one that was missing.
    content = SPARE if place in _THERE else b"something else"
    return {"upload": started.headers.get("Docker-Upload-UUID", "0" * 32), "digest": digest_of(content)}


CONTENT = [
    Row("GET", _MANIFEST, Content("pull", 200, 404), known={"reference": "v1"}),
    Row(
        *("PUT", _MANIFEST, Content("pull push", 201, 404)),
        body=IMAGE.content,
        media_type=IMAGE.media_type,
        known={"reference": "v1"},
    ),
    Row("DELETE", _MANIFEST, Content("delete", 202, 404), prepare=_spare_tag),
    Row("POST", _UPLOADS, Content("pull push", 202, 202)),
    Row("PATCH", _UPLOAD, Content("pull push", 202, 202), prepare=_own_upload, body=SPARE),
    Row("PUT", _UPLOAD, Content("pull push", 201, 400), prepare=_own_upload, body=SPARE, query="?digest={digest}"),
    Row("GET", _UPLOAD, Content("pull push", 204, 204), prepare=_own_upload),
    Row("DELETE", _UPLOAD, Content("push", 204, 204), prepare=_own_upload),
    Row("GET", _BLOB, Content("pull", 200, 404), known={"digest": digest_of(LAYER)}),
    Row("HEAD", _BLOB, Content("pull", 200, 404, asks="pull push"), known={"digest": digest_of(LAYER)}),
    Row("DELETE", _BLOB, Content("delete", 202, 404), prepare=_spare_blob),
    Row("GET", "/v2/<name>/tags/list", Content("pull", 200, 404)),
    # Nobody need have pushed anything for that.
    Row("GET", "/v2/<name>/referrers/<digest>", Content("pull", 200, 200), known={"digest": IMAGE.digest}),
    Row("GET", "/v2/_catalog", Catalog(), places=(Place.NOWHERE,)),
    Row("GET", "/v2/", Base(), places=(Place.NOWHERE,)),
]
