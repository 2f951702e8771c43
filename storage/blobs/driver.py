"""`BlobDriver`: what every place that keeps bytes promises.

A blob's bytes lie under a *storage key* that the driver makes up at commit and never gives out twice; which digest a
key belongs to is the business of the metadata. Bytes still arriving belong to an *upload*, named by the caller.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from storage.digest import Digest

# From the first number up to but without the second, in bytes.
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class StoredBytes:
    """Bytes that a driver holds: their key and their size in bytes."""

    key: str
    size: int


class UploadWriter(Protocol):
    """The exclusive right to append to one upload, held while its context is open."""

    @property
    def offset(self) -> int:
        """How many bytes have been taken so far."""
        ...

    async def write(self, data: bytes) -> None:
        """Take `data` as the next bytes. Returns when there is room for more, which bounds memory.

        Raises `StorageFull`.
        """
        ...

    async def commit(self, digest: Digest) -> StoredBytes:
        """Make the upload's bytes a blob, and end the upload.

        On return the bytes hash to `digest`, lie under a new key, and survive a power cut.
        Raises `DigestMismatch`, after which the upload is unchanged, and `StorageFull`.
        """
        ...


class BlobReader(Protocol):
    """An open blob. Stays readable until closed, even when the blob is deleted meanwhile."""

    size: int

    def file(self) -> BinaryIO | None:
        """The open file that holds exactly the blob, for sendfile, where the driver has one."""
        ...

    def read(self, start: int, stop: int) -> AsyncIterator[bytes]:
        """The bytes from `start` up to but without `stop`, in pieces of at most 1 MiB."""
        ...

    async def close(self) -> None: ...


class ObjectStore(Protocol):
    """What a driver can do besides whose bytes lie in a store that clients can reach, too."""

    async def signed_url(self, key: str, lifetime_s: int) -> str:
        """A URL by which whoever has it can GET the blob, and nothing else, for that many seconds."""
        ...

    async def reap(self) -> int:
        """Remove what broken-off uploads left that no listing shows; return how many were found."""
        ...


class BlobDriver(Protocol):
    async def begin_upload(self, upload_id: str) -> None:
        """Make an upload without bytes. It need not survive a power cut. Nothing happens if it is there already."""
        ...

    async def upload_size(self, upload_id: str) -> int:
        """How many bytes of the upload would survive a crash of this process. Raises `UploadUnknown`."""
        ...

    def open_upload(self, upload_id: str, algorithm: str) -> AbstractAsyncContextManager[UploadWriter]:
        """Continue an upload.

        Raises `UploadBusy` while another writer has it open, in any process, and `UploadUnknown` if it was never begun,
        or was committed or discarded.
        What was written stays when the context ends by an error or by cancellation: the upload can be continued.
        `algorithm` is the one that the digest at commit will probably have.
        """
        ...

    async def discard_upload(self, upload_id: str) -> None:
        """Forget the upload and its bytes. Nothing happens if there is none."""
        ...

    async def open(self, key: str, size: int | None = None, span: Span | None = None) -> BlobReader:
        """Raises `BlobMissing`, and `BlobDamaged` if the bytes are not as many as `size`, where it is given.

        `span` is what will be read, if not all: a driver whose bytes are far away asks for that at once.
        """
        ...

    async def is_whole(self, key: str, size: int) -> bool:
        """Whether as many bytes as `size` are stored under the key. Does not read them."""
        ...

    async def delete(self, key: str) -> None:
        """Remove the bytes. Nothing happens if there are none."""
        ...

    def blobs(self) -> AsyncIterator[StoredBytes]:
        """All committed bytes, in no order; those that come or go meanwhile may be missed or listed."""
        ...

    def uploads(self) -> AsyncIterator[str]:
        """Ids of all uploads."""
        ...

    async def close(self) -> None: ...
