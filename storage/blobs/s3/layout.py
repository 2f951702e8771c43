"""What lies where in the bucket. The only place that turns ids and storage keys into object keys.

    <prefix>blobs/<storage key>         committed, never changed; and multipart uploads that will become one
    <prefix>uploads/<upload id>         how far an upload is, and its last bytes (see `state`)
    <prefix>locks/<lock name>           who writes to an upload (see `locks`)

A storage key is made up before the first byte is sent, since objects cannot be renamed: two digits that spread the
keys, the upload's id, by which a multipart upload that nobody knows any more is found out, and a number drawn for it.
Blobs that were moved here from files keep the keys that they had there.
"""

from __future__ import annotations

import re
import secrets

from storage.blobs.layout import is_storage_key, is_upload_id

_KEY = re.compile(r"[0-9a-f]{2}/([0-9a-f]{32})\.[0-9a-f]{32}")


def new_storage_key(upload_id: str) -> str:
    """A key that nobody has had before."""
    drawn = secrets.token_hex(16)
    return f"{drawn[:2]}/{upload_id}.{drawn}"


class Layout:
    def __init__(self, prefix: str) -> None:
        self.blobs = f"{prefix}blobs/"
        self.uploads = f"{prefix}uploads/"
        self.locks = f"{prefix}locks/"

    def blob(self, key: str) -> str:
        if not _is_key(key):
            raise ValueError(f"not a storage key: {key!r}")
        return self.blobs + key

    def upload(self, upload_id: str) -> str:
        return self.uploads + _checked(upload_id)

    def lock(self, name: str) -> str:
        return self.locks + name

    def key_of(self, name: str) -> str | None:
        """The storage key whose object has this name, if it is one."""
        key = name.removeprefix(self.blobs)
        return key if name.startswith(self.blobs) and _is_key(key) else None

    def upload_id_of(self, name: str) -> str | None:
        """The id of the upload whose state has this name, if it is one."""
        upload_id = name.removeprefix(self.uploads)
        return upload_id if name.startswith(self.uploads) and is_upload_id(upload_id) else None


def upload_of(key: str) -> str | None:
    """The id of the upload that a storage key was made for; none made it if it was moved here from files."""
    match = _KEY.fullmatch(key)
    return None if match is None else match[1]


def _is_key(text: str) -> bool:
    return _KEY.fullmatch(text) is not None or is_storage_key(text)


def _checked(upload_id: str) -> str:
    if not is_upload_id(upload_id):
        raise ValueError(f"not an upload id: {upload_id!r}")
    return upload_id
