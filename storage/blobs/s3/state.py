"""`State`: how far an upload is, as one object, so that it changes as a whole.

The object is a line of JSON, followed by the last bytes of the upload, which are fewer than a part takes. It is written
when a writer leaves, and when the multipart upload begins. Parts that were sent since are found by listing them.
"""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass, field, replace

import orjson

from storage.blobs.s3.layout import Layout
from storage.blobs.s3.objects import Objects
from storage.blobs.s3.refusals import Refusal
from storage.errors import StorageUnavailable, UploadUnknown

# More than the line ever takes.
_HEAD_MAX = 16 * 1024


@dataclass(frozen=True, slots=True)
class State:
    """How far an upload is, without its tail.

    `parts` parts of the multipart upload `multipart`, which will become the blob `key`, are before the tail. Both are
    empty as long as there is less than a part. Parts of the numbers and ETags in `ignored` came from a writer that
    broke off, and do not count. `token` is new in each state that is written.
    `begun` was drawn when the upload was begun: it tells it from another one that is begun later under the same id.
    `committed` says that the upload has ended, and is being removed.
    """

    part_size: int
    key: str = ""
    multipart: str | None = None
    parts: int = 0
    ignored: dict[str, str] = field(default_factory=dict)
    committed: bool = False
    begun: str = ""
    token: str = ""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A state as the store has it. `tail` is None where only its size was asked for."""

    state: State
    tail: bytes | None
    tail_size: int
    etag: str


class States:
    """`conditional`: a state is only written over the one that was read, so that of two writers one fails."""

    def __init__(self, objects: Objects, layout: Layout, *, conditional: bool) -> None:
        self._objects, self._layout, self._conditional = objects, layout, conditional

    async def begin(self, upload_id: str, part_size: int) -> None:
        """Write the first state of an upload, unless there is one already."""
        name = self._layout.upload(upload_id)
        state = State(part_size, begun=secrets.token_hex(8))
        if not self._conditional and await self._objects.look(name) is not None:
            return
        try:
            await self._objects.put(name, _written(state, b""), new=self._conditional)
        except Refusal as refusal:
            if not refusal.changed:
                raise

    async def load(self, upload_id: str, *, with_tail: bool) -> Loaded:
        """Raises `UploadUnknown`."""
        span = None if with_tail else (0, _HEAD_MAX)
        try:
            found = await self._objects.fetch(self._layout.upload(upload_id), span)
        except Refusal as refusal:
            if refusal.missing:
                raise UploadUnknown(upload_id) from None
            raise
        head, newline, tail = found.data.partition(b"\n")
        try:
            state = State(**orjson.loads(head))
        except (orjson.JSONDecodeError, TypeError) as error:
            raise StorageUnavailable("the state of the upload cannot be read") from error
        if state.committed:
            raise UploadUnknown(upload_id)
        return Loaded(state, tail if with_tail else None, found.total - len(head) - len(newline), found.etag)

    async def save(self, upload_id: str, old: Loaded, new: State, tail: bytes) -> Loaded:
        """Write `new` in the place of `old`.

        Raises `UploadUnknown` if the upload ended, and `StorageUnavailable` if another writer has gone on with it.
        """
        state = replace(new, token=secrets.token_hex(8))
        match = old.etag if self._conditional else None
        try:
            etag = await self._objects.put(self._layout.upload(upload_id), _written(state, tail), match=match)
        except Refusal as refusal:
            if refusal.missing:
                raise UploadUnknown(upload_id) from None
            if refusal.changed:
                raise StorageUnavailable("another process goes on with this upload") from None
            raise
        return Loaded(state, tail, len(tail), etag)

    async def remove(self, upload_id: str) -> None:
        await self._objects.delete(self._layout.upload(upload_id))


def _written(state: State, tail: bytes) -> bytes:
    return orjson.dumps(asdict(state)) + b"\n" + tail
