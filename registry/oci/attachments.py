"""Tags under which clients keep what belongs to another manifest: signatures and the like, and lists of referrers."""

from __future__ import annotations

import re

from storage.names import Tag

# cosign's tags, and those of the referrers tag schema, which cuts a digest after 64 characters.
_ATTACHMENT = re.compile(r"(sha256|sha512)-([0-9a-f]{64})(\.(sig|att|sbom))?")


def subject_of(tag: Tag) -> str | None:
    """What the digest of the manifest begins with that the tag belongs to; None for a tag that is one's own."""
    match = _ATTACHMENT.fullmatch(tag)
    return None if match is None else f"{match[1]}:{match[2]}"
