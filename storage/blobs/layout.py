"""Where the filesystem driver keeps things. The only place that turns ids and keys into paths.

    <data>/
        blobs/<algorithm>/<first two hex digits>/<hex>.<random>       committed, read-only, never changed
        uploads/<upload id>                                           still arriving

A storage key is the path below `blobs/`. It ends in a number that was drawn for it, so two copies of one blob never
share a file; and it starts with the digest, so that a lost database could be rebuilt from the names.
"""

from __future__ import annotations

import re
import secrets
from pathlib import Path

from storage.digest import Digest

_UPLOAD_ID = re.compile(r"[0-9a-f]{32}")
_KEY = re.compile(r"(sha256|sha512)/[0-9a-f]{2}/[0-9a-f]{64,128}\.[0-9a-f]{32}")


class Layout:
    def __init__(self, data: Path) -> None:
        self.data = data
        self.blobs = data / "blobs"
        self.uploads = data / "uploads"

    def upload(self, upload_id: str) -> Path:
        if not _UPLOAD_ID.fullmatch(upload_id):
            raise ValueError(f"not an upload id: {upload_id!r}")
        return self.uploads / upload_id

    def blob(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError(f"not a storage key: {key!r}")
        return self.blobs / key


def is_upload_id(text: str) -> bool:
    return _UPLOAD_ID.fullmatch(text) is not None


def new_storage_key(digest: Digest) -> str:
    """A key that nobody has had before."""
    return f"{digest.algorithm}/{digest.hex[:2]}/{digest.hex}.{secrets.token_hex(16)}"


def is_storage_key(text: str) -> bool:
    return _KEY.fullmatch(text) is not None
