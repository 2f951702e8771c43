"""The table of the distribution API: every endpoint of the specification is one row."""

from __future__ import annotations

from auth.policy import Action
from registry.api.routing import Route
from registry.api.v2 import base, blobs, manifests, referrers, tags, uploads

_PULL = (Action.PULL,)
_PUSH = (Action.PULL, Action.PUSH)
_DELETE = (Action.DELETE,)

_MANIFEST = "/v2/<name>/manifests/<reference>"
_UPLOADS = "/v2/<name>/blobs/uploads/"
_UPLOAD = "/v2/<name>/blobs/uploads/<upload>"
_BLOB = "/v2/<name>/blobs/<digest>"

# Where a row says GET, HEAD is answered too.
# The order matters for speed (most asked first), and where one template could be read as another.
ROUTES = [
    Route("GET", _MANIFEST, manifests.get_manifest, "manifest", _PULL, "end-3"),
    Route("PUT", _MANIFEST, manifests.put_manifest, "manifest", _PUSH, "end-7"),
    Route("DELETE", _MANIFEST, manifests.delete_manifest, "manifest", _DELETE, "end-9"),
    Route("POST", _UPLOADS, uploads.start_upload, "uploads", _PUSH, "end-4, end-11"),
    Route("PATCH", _UPLOAD, uploads.append_to_upload, "upload", _PUSH, "end-5"),
    Route("PUT", _UPLOAD, uploads.finish_upload, "upload", _PUSH, "end-6"),
    Route("GET", _UPLOAD, uploads.get_upload, "upload", _PUSH, "end-13"),
    Route("DELETE", _UPLOAD, uploads.cancel_upload, "upload", _PUSH, "end-14"),
    Route("GET", _BLOB, blobs.get_blob, "blob", _PULL, "end-2"),
    Route("HEAD", _BLOB, blobs.head_blob, "blob", _PULL, "end-2"),
    Route("DELETE", _BLOB, blobs.delete_blob, "blob", _DELETE, "end-10"),
    Route("GET", "/v2/<name>/tags/list", tags.list_tags, "tags", _PULL, "end-8"),
    Route("GET", "/v2/<name>/referrers/<digest>", referrers.list_referrers, "referrers", _PULL, "end-12"),
    Route("GET", "/v2/_catalog", base.list_repositories, "catalog"),
    Route("GET", "/v2/", base.check_support, "base", (), "end-1"),
]
