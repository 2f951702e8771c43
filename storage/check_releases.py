"""What the oracle asks of releases: what is offered can be had, and what is said twice is said alike."""

from __future__ import annotations

from collections.abc import AsyncIterator

from storage.metadata.licensing.holding import HELD_MS
from storage.metadata.store import MetadataStore

Broken = tuple[str, str]

_ARTIFACT = "SELECT a.uuid, a.digest FROM artifacts a"
_LINK = "LEFT JOIN blob_links l ON l.repository_id = a.repository_id AND l.digest = a.digest"
_MANIFEST = "LEFT JOIN manifests m ON m.repository_id = {0}.repository_id AND m.digest = {0}.{1}"
_MISSING = (
    f"{_ARTIFACT} {_LINK} {_MANIFEST.format('a', 'digest')}"
    " WHERE a.status = 'UPLOADED' AND CASE a.kind WHEN 'manifest' THEN m.digest ELSE l.digest END IS NULL"
)
_UNHELD = f"{_ARTIFACT} {_LINK} WHERE a.status = 'UPLOADED' AND a.kind <> 'manifest' AND l.protected_until < {HELD_MS}"
_OTHER_SIZE = (
    "SELECT a.uuid, a.size, b.size FROM artifacts a JOIN blobs b ON b.digest = a.digest"
    " WHERE a.status = 'UPLOADED' AND a.kind <> 'manifest' AND a.size <> b.size"
)
_OTHER_RELEASE = (
    "SELECT a.uuid, r.uuid FROM artifacts a JOIN releases r ON r.id = a.release_id"
    " WHERE a.product_id <> r.product_id OR a.version_key <> r.version_key OR a.project_id <> r.project_id"
)
_RELEASE = "SELECT r.uuid, r.manifest_digest FROM releases r"
_WITHOUT_MANIFEST = (
    f"{_RELEASE} {_MANIFEST.format('r', 'manifest_digest')}"
    " WHERE r.status = 'PUBLISHED' AND r.manifest_digest IS NOT NULL AND m.digest IS NULL"
)
_NOT_ITS_OWN = (
    f"{_RELEASE} LEFT JOIN release_contents c ON c.repository_id = r.repository_id AND c.digest = r.manifest_digest"
    " AND c.release_id = r.id WHERE r.manifest_digest IS NOT NULL AND c.digest IS NULL"
)
_OTHER_PRODUCT = (
    "SELECT l.uuid, y.uuid FROM licenses l JOIN policies y ON y.id = l.policy_id WHERE l.product_id <> y.product_id"
)


async def broken_releases(store: MetadataStore) -> AsyncIterator[Broken]:
    """What is wrong with licensed distribution, as pairs of what it is about, and how it is broken."""
    for uuid, digest in await store.fetch_all(_MISSING):
        yield f"artifact {uuid}", f"its repository does not have its bytes, {digest}"
    for uuid, digest in await store.fetch_all(_UNHELD):
        yield f"artifact {uuid}", f"its bytes, {digest}, are not kept for as long as it is there"
    for uuid, size, stored in await store.fetch_all(_OTHER_SIZE):
        yield f"artifact {uuid}", f"its row says {size} bytes, its blob has {stored}"
    for uuid, release in await store.fetch_all(_OTHER_RELEASE):
        yield f"artifact {uuid}", f"it has not the project, product and version of its release {release}"
    for uuid, digest in await store.fetch_all(_WITHOUT_MANIFEST):
        yield f"release {uuid}", f"its repository does not have its manifest {digest}"
    for uuid, digest in await store.fetch_all(_NOT_ITS_OWN):
        yield f"release {uuid}", f"its manifest {digest} is not among what belongs to it: nobody can pull it"
    for uuid, policy in await store.fetch_all(_OTHER_PRODUCT):
        yield f"license {uuid}", f"it is for another product than its policy {policy}"
