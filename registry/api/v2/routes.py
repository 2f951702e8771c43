"""The table of the distribution API: every endpoint of the specification is one row."""

from __future__ import annotations

from auth.roles import Action
from registry.api.routing import Guard, Route
from registry.api.v2 import base, blobs, manifests, referrers, tags, uploads

_PULL = (Action.PULL,)
_PUSH = (Action.PULL, Action.PUSH)
# Clients that cancel an upload after all may hold a token that lets them push and nothing else.
_CANCEL = (Action.PUSH,)
_DELETE = (Action.DELETE,)
_IN = Guard.REGISTRY

_MANIFEST = "/v2/<name>/manifests/<reference>"
_UPLOADS = "/v2/<name>/blobs/uploads/"
_UPLOAD = "/v2/<name>/blobs/uploads/<upload>"
_BLOB = "/v2/<name>/blobs/<digest>"
_TAGS = "/v2/<name>/tags/list"
_REFERRERS = "/v2/<name>/referrers/<digest>"

# Where a row says GET, HEAD is answered too.
# The order matters for speed (most asked first), and where one template could be read as another.
ROUTES = [
    Route("GET", _MANIFEST, manifests.get_manifest, "manifest", _IN, _PULL, "end-3", "manifest.pull"),
    Route("PUT", _MANIFEST, manifests.put_manifest, "manifest", _IN, _PUSH, "end-7", "manifest.push"),
    Route("DELETE", _MANIFEST, manifests.delete_manifest, "manifest", _IN, _DELETE, "end-9", "manifest.delete"),
    Route("POST", _UPLOADS, uploads.start_upload, "uploads", _IN, _PUSH, "end-4, end-11", "blob.push"),
    Route("PATCH", _UPLOAD, uploads.append_to_upload, "upload", _IN, _PUSH, "end-5", "blob.push"),
    Route("PUT", _UPLOAD, uploads.finish_upload, "upload", _IN, _PUSH, "end-6", "blob.push"),
    Route("GET", _UPLOAD, uploads.get_upload, "upload", _IN, _PUSH, "end-13", "blob.push"),
    Route("DELETE", _UPLOAD, uploads.cancel_upload, "upload", _IN, _CANCEL, "end-14", "blob.push"),
    Route("GET", _BLOB, blobs.get_blob, "blob", _IN, _PULL, "end-2", "blob.pull"),
    # Who looks for a blob is about to push: some clients keep the token that they get here for all of the push.
    Route("HEAD", _BLOB, blobs.head_blob, "blob", _IN, _PULL, "end-2", "blob.pull", asks=_PUSH),
    Route("DELETE", _BLOB, blobs.delete_blob, "blob", _IN, _DELETE, "end-10", "blob.delete"),
    Route("GET", _TAGS, tags.list_tags, "tags", _IN, _PULL, "end-8", "tags.list"),
    Route("GET", _REFERRERS, referrers.list_referrers, "referrers", _IN, _PULL, "end-12", "referrers.list"),
    Route("GET", "/v2/_catalog", base.list_repositories, "catalog", Guard.CATALOG, (), "", "catalog.list"),
    Route("GET", "/v2/", base.check_support, "base", _IN, (), "end-1", "login"),
]
