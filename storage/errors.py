"""The root of Berth's error tree and its storage branch.

    RegistryError
    ├── NameInvalid, TagInvalid, DigestInvalid      malformed words of the spec
    ├── DigestMismatch, BlobTooLarge                content that is not what was announced
    ├── BlobUnknown, UploadUnknown, UploadBusy      what the caller named is not there, or is taken
    ├── BlobMissing                                 a row whose bytes are gone: the store is damaged
    │   └── BlobDamaged                             or are not what they were
    ├── StorageDamaged                              the database's files are not what they were
    ├── StorageFull                                 no room left for bytes or rows
    └── StorageUnavailable                          try again later
        └── DatabaseInUse                           once nobody else uses the database

Errors carry data; `str(error)` is a sentence for the person at the other end.
Statuses and wire codes are the business of `registry.api.errors` alone.
"""

from __future__ import annotations


class RegistryError(Exception):
    """Something the caller of Berth can be told in one sentence."""


class NameInvalid(RegistryError):
    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"repository name {name[:300]!r} is malformed: {reason}")
        self.name = name


class TagInvalid(RegistryError):
    def __init__(self, tag: str) -> None:
        super().__init__(
            f"tag {tag[:200]!r} is malformed: 1 to 128 letters, digits, '_', '.' and '-' are allowed, "
            "and the first may not be '.' or '-'"
        )
        self.tag = tag


class DigestInvalid(RegistryError):
    def __init__(self, text: str, reason: str) -> None:
        super().__init__(f"digest {text[:200]!r} is malformed: {reason}")
        self.text = text


class DigestMismatch(RegistryError):
    def __init__(self, expected: object, actual: object) -> None:
        super().__init__(f"the content received has digest {actual}, not {expected}")
        self.expected, self.actual = expected, actual


class BlobTooLarge(RegistryError):
    def __init__(self, limit: int) -> None:
        super().__init__(f"the blob is larger than the {limit} bytes that this registry accepts")
        self.limit = limit


class BlobUnknown(RegistryError):
    def __init__(self, digest: object) -> None:
        super().__init__(f"blob {digest} is not in this repository")
        self.digest = digest


class UploadUnknown(RegistryError):
    def __init__(self, upload_id: str) -> None:
        super().__init__(f"upload {upload_id[:80]!r} is not known: it was finished, cancelled, or expired")
        self.upload_id = upload_id


class UploadBusy(RegistryError):
    """Another request is writing to the upload; `offset` is how far the bytes reach now."""

    def __init__(self, upload_id: str, offset: int) -> None:
        super().__init__("another request is writing to this upload")
        self.upload_id, self.offset = upload_id, offset


class BlobMissing(RegistryError):
    def __init__(self, key: str) -> None:
        super().__init__("the registry's copy of this blob is missing")
        self.key = key


class BlobDamaged(BlobMissing):
    def __init__(self, key: str) -> None:
        RegistryError.__init__(self, "the registry's copy of this blob is damaged: push it again to mend it")
        self.key = key


class StorageDamaged(RegistryError):
    """`message` is the engine's own."""


class StorageFull(RegistryError):
    def __init__(self) -> None:
        super().__init__("the registry's storage is full")


class StorageUnavailable(RegistryError):
    def __init__(self, reason: str, *, retry_after_s: int = 5) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class DatabaseInUse(StorageUnavailable):
    """Somebody wanted it for himself alone."""

    def __init__(self) -> None:
        super().__init__("the metadata database is in use")
