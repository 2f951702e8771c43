"""What broken-off uploads leave in a store, and who removes it.

States that nobody wants any more are listed as uploads, and discarded like others. Multipart uploads and locks are
listed nowhere else: they are looked for here. A rule of the bucket that aborts multipart uploads after some days does
no harm, and helps with stores that list only those of one name.
"""

from __future__ import annotations

from storage.blobs.s3.layout import upload_of
from storage.blobs.s3.parts import Arriving
from storage.blobs.s3.place import Place
from storage.blobs.s3.refusals import Refusal
from storage.errors import UploadUnknown

# Between the beginning of a multipart upload and the state that names it there are two requests.
_GRACE_S = 3600.0


async def reap(place: Place) -> int:
    """Abort multipart uploads that no state names; return how many. Locks of dead processes go, too."""
    strays = 0
    async for arriving in place.multiparts.all(place.layout.blobs):
        if arriving.age_s > _GRACE_S and await _is_stray(place, arriving):
            await _abort(place, arriving)
            strays += 1
    await place.locks.sweep()
    return strays


async def _is_stray(place: Place, arriving: Arriving) -> bool:
    key = place.layout.key_of(arriving.name)
    upload_id = None if key is None else upload_of(key)
    if upload_id is None:
        # Not one of ours: somebody else uses the bucket, too, or moves blobs to it.
        return False
    try:
        state = (await place.states.load(upload_id, with_tail=False)).state
    except UploadUnknown:
        return True
    return state.multipart != arriving.multipart


async def _abort(place: Place, arriving: Arriving) -> None:
    try:
        await place.multiparts.abort(arriving.name, arriving.multipart)
    except Refusal as refusal:
        if not refusal.missing:
            raise
