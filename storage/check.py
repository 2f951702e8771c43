"""The oracle: every invariant of the store as a question, asked of all rows and bytes.

Reads only, and may run beside a daemon. Bytes that no row names are allowed (a push may be under way, or was broken
off; the collector finds them), so they are counted, not complained of.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass, field
from typing import TypeVar

from storage.blobs.driver import BlobDriver
from storage.check_past import broken_past
from storage.check_releases import broken_releases
from storage.digest import Digest, digest_of, new_hasher, parse_digest
from storage.errors import BlobMissing, RegistryError, StorageDamaged
from storage.metadata.manifests import NewManifest, Reference
from storage.metadata.store import MetadataStore, Row, Value
from storage.names import parse_repository_name, parse_tag

_BATCH = 500
_FACTS = ("artifact_type", "subject", "descriptor")
_Parsed = TypeVar("_Parsed")

# Says what the rows of a manifest have to be, from its bytes, media type and digest.
# Raises `RegistryError` if the bytes make no sense.
ReadManifest = Callable[[bytes, str, Digest], tuple[NewManifest, list[Reference]]]


@dataclass(frozen=True, slots=True)
class Problem:
    """One broken promise: about what, and how."""

    subject: str
    message: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.message}"


@dataclass(slots=True)
class Report:
    """What was looked at, and what was wrong. `unreferenced` counts stored blobs that no row names."""

    repositories: int = 0
    manifests: int = 0
    tags: int = 0
    blobs: int = 0
    blob_bytes: int = 0
    unreferenced: int = 0
    problems: list[Problem] = field(default_factory=list)

    def add(self, subject: object, message: str) -> None:
        self.problems.append(Problem(str(subject), message))

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


class Check:
    """One look at a store. `with_bytes` also hashes every blob, which reads all of them."""

    def __init__(
        self,
        store: MetadataStore,
        driver: BlobDriver,
        read_manifest: ReadManifest,
        *,
        with_bytes: bool,
        sparse_indexes: bool,
    ) -> None:
        self._store, self._driver, self._read_manifest = store, driver, read_manifest
        self._with_bytes, self._sparse_indexes = with_bytes, sparse_indexes
        self._report = Report()

    async def run(self) -> Report:
        for message in await self._store.verify():
            self._report.add("database", message)
        try:
            await self._look_at_everything()
        except StorageDamaged as error:
            self._report.add("database", str(error))
        return self._report

    async def _look_at_everything(self) -> None:
        await self._check_repositories()
        await self._check_manifests()
        await self._check_references()
        await self._check_tags()
        await self._check_links()
        await self._check_blobs()
        await self._check_past()
        await self._check_releases()
        await self._count_unreferenced()

    async def _check_repositories(self) -> None:
        async for repository_id, name in self._rows("SELECT id, name FROM repositories WHERE id > ?", 0):
            self._report.repositories += 1
            self._expect(f"repository {repository_id}", parse_repository_name, name)
            tags = f"SELECT name FROM tags WHERE repository_id = {int(repository_id)} AND name > ?"  # noqa: S608 - a number
            async for (tag,) in self._rows(tags, "", order="name"):
                self._report.tags += 1
                self._expect(f"tag {name}:{tag}", parse_tag, tag)

    async def _check_manifests(self) -> None:
        """A manifest's bytes hash to its digest, and its rows say what its bytes say."""
        query = f"SELECT id, digest, media_type, size, content, {', '.join(_FACTS)} FROM manifests WHERE id > ?"  # noqa: S608
        async for manifest_id, text, media_type, size, content, *facts in self._rows(query, 0):
            self._report.manifests += 1
            about = f"manifest {text} (row {manifest_id})"
            digest = self._expect(about, parse_digest, text)
            if digest is None:
                continue
            actual = digest_of(content, digest.algorithm)
            if actual != digest:
                self._report.add(about, f"its bytes hash to {actual}")
            if size != len(content):
                self._report.add(about, f"its row says {size} bytes, it has {len(content)}")
            try:
                stated, references = self._read_manifest(content, media_type, digest)
            except RegistryError as error:
                self._report.add(about, f"its bytes are not a valid manifest: {error}")
                continue
            self._compare_facts(about, facts, stated)
            await self._compare_references(about, manifest_id, references)

    def _compare_facts(self, about: str, kept: list[object], stated: NewManifest) -> None:
        subject = None if stated.subject is None else str(stated.subject)
        for name, found, right in zip(_FACTS, kept, (stated.artifact_type, subject, stated.descriptor), strict=True):
            if found != right:
                self._report.add(about, f"its row says {name} {found}, its bytes say {right}")

    async def _compare_references(self, about: str, manifest_id: int, references: list[Reference]) -> None:
        rows = await self._store.fetch_all(
            "SELECT x.digest, x.kind, x.required FROM manifest_references x JOIN manifests m ON m.id = x.manifest_id"
            " WHERE x.manifest_id = ? AND x.repository_id = m.repository_id",
            manifest_id,
        )
        kept = {digest: (kind, required) for digest, kind, required in rows}
        stated: dict[str, tuple[str, int]] = {}
        for item in references:
            kind, required = stated.get(str(item.digest), (item.kind, 0))
            stated[str(item.digest)] = kind, max(required, int(item.required))
        for digest in stated.keys() & kept.keys():
            if stated[digest] != kept[digest]:
                self._report.add(about, f"its row for {digest} says {kept[digest]}, its bytes say {stated[digest]}")
        for digest in stated.keys() ^ kept.keys():
            where = (
                "its bytes reference, its rows do not:" if digest in stated else "its rows reference, its bytes do not:"
            )
            self._report.add(about, f"{where} {digest}")

    async def _check_references(self) -> None:
        """What a manifest needs is readable through its repository."""
        allowed = "AND x.kind <> 'manifest'" if self._sparse_indexes else ""
        rows = await self._store.fetch_all(
            "SELECT m.digest, x.digest, r.name FROM manifest_references x"  # noqa: S608 - a constant
            " JOIN manifests m ON m.id = x.manifest_id JOIN repositories r ON r.id = m.repository_id"
            " LEFT JOIN blob_links l ON l.repository_id = m.repository_id AND l.digest = x.digest"
            " LEFT JOIN manifests c ON c.repository_id = m.repository_id AND c.digest = x.digest"
            " WHERE x.required = 1"
            f" AND CASE x.kind WHEN 'manifest' THEN c.digest ELSE l.digest END IS NULL {allowed}"
        )
        for manifest, digest, repository in rows:
            self._report.add(f"manifest {manifest} in {repository}", f"it needs {digest}, which is not there")

    async def _check_tags(self) -> None:
        query = (
            "SELECT t.name, r.name, t.repository_id, m.repository_id FROM tags t"
            " LEFT JOIN manifests m ON m.id = t.manifest_id LEFT JOIN repositories r ON r.id = t.repository_id"
        )
        rows = await self._store.fetch_all(query + " WHERE m.id IS NULL OR m.repository_id <> t.repository_id")
        for tag, repository, *_ in rows:
            self._report.add(f"tag {repository}:{tag}", "it points to a manifest that its repository does not have")

    async def _check_links(self) -> None:
        rows = await self._store.fetch_all(
            "SELECT l.digest, l.repository_id FROM blob_links l LEFT JOIN blobs b ON b.digest = l.digest"
            " LEFT JOIN repositories r ON r.id = l.repository_id WHERE b.digest IS NULL OR r.id IS NULL"
        )
        for digest, repository_id in rows:
            self._report.add(f"blob {digest}", f"repository {repository_id} links it, but one of the two is not there")

    async def _check_blobs(self) -> None:
        """Every row's bytes are there, whole, and (with bytes) what their digest says."""
        query = "SELECT digest, size, storage_key, damaged_at FROM blobs WHERE digest > ?"
        async for text, size, key, damaged_at in self._rows(query, "", order="digest"):
            self._report.blobs += 1
            self._report.blob_bytes += size
            if damaged_at is not None:
                self._report.add(f"blob {text}", "its bytes were found damaged; push it again to mend it")
            digest = self._expect(f"blob {text}", parse_digest, text)
            if digest is not None:
                await self._check_blob(digest, size, key)

    async def _check_blob(self, digest: Digest, size: int, key: str) -> None:
        try:
            if not self._with_bytes and await self._driver.is_whole(key, size):
                return
            reader = await self._driver.open(key)
        except (BlobMissing, ValueError):
            self._report.add(f"blob {digest}", f"its bytes are missing (key {key})")
            return
        try:
            if reader.size != size:
                self._report.add(f"blob {digest}", f"its row says {size} bytes, {reader.size} are stored")
            elif self._with_bytes:
                hasher = new_hasher(digest.algorithm)
                async for piece in reader.read(0, size):
                    hasher.update(piece)
                if hasher.hexdigest() != digest.hex:
                    self._report.add(f"blob {digest}", f"its bytes hash to {digest.algorithm}:{hasher.hexdigest()}")
        finally:
            await reader.close()

    async def _check_past(self) -> None:
        async for subject, message in broken_past(self._store):
            self._report.add(subject, message)

    async def _check_releases(self) -> None:
        async for subject, message in broken_releases(self._store):
            self._report.add(subject, message)

    async def _count_unreferenced(self) -> None:
        async for stored in self._driver.blobs():
            row = await self._store.fetch_one("SELECT 1 FROM blobs WHERE storage_key = ?", stored.key)
            self._report.unreferenced += row is None

    async def _rows(self, query: str, start: Value, order: str = "id") -> AsyncIterator[Row]:
        """All rows of a query that ends in `<first column> > ?`, from `start` on, a batch at a time."""
        last, batch = start, query.replace(" > ?", " >= ?")
        while rows := await self._store.fetch_all(f"{batch} ORDER BY {order} LIMIT {_BATCH}", last):
            for row in rows:
                yield row
            last, batch = rows[-1][0], query

    def _expect(self, subject: str, parse: Callable[[str], _Parsed], text: str) -> _Parsed | None:
        try:
            return parse(text)
        except RegistryError as error:
            self._report.add(subject, str(error))
            return None
