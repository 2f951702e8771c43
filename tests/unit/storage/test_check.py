"""The oracle sees every fault, names it, and complains of nothing else."""

import json
import os
from pathlib import Path

import pytest

from storage.blobs.filesystem import FilesystemDriver
from storage.check import Problem, Report
from storage.digest import digest_of
from tests.contract.blobs import opened
from tests.unit.storage.sound_store import SoundStore, make_sound_store

OTHER = "(SELECT id FROM repositories WHERE name = 'other')"
INDEX = "(SELECT content FROM manifests WHERE digest = :index)"
FOREIGN = "(SELECT id FROM manifests WHERE digest = :foreign_image)"


@pytest.fixture
async def sound(tmp_path: Path) -> SoundStore:
    """A store in which nothing is wrong yet."""
    return await make_sound_store(tmp_path)


def expect(report: Report, subject: str, message: str, digests: dict[str, object]) -> None:
    """Some problem has these words; `{name}` stands for the digest of that name."""
    subject, message = subject.format(**digests), message.format(**digests)
    found = [problem for problem in report.problems if subject in problem.subject and message in problem.message]
    assert found, f"no problem says {subject!r}: {message!r}, only {list(map(str, report.problems))}"


async def test_sound_store(sound: SoundStore) -> None:
    """In a sound store nothing is wrong, and everything is counted."""
    report = await sound.check()
    assert report.problems == []
    assert (report.repositories, report.manifests, report.tags) == (2, 4, 3)
    assert (report.blobs, report.blob_bytes, report.unreferenced) == (3, 2 + 9 + 9, 0)


async def test_report_can_be_written_down(sound: SoundStore) -> None:
    """A report becomes JSON, problems and all."""
    sound.sql("UPDATE repositories SET name = 'App' WHERE name = 'app'")
    written = json.loads(json.dumps((await sound.check()).as_dict()))
    assert written["repositories"] == 2
    assert "App" in written["problems"][0]["message"]


def test_problem_is_a_sentence() -> None:
    """A problem reads as its subject and what is wrong with it."""
    assert str(Problem("blob x", "its bytes are missing")) == "blob x: its bytes are missing"


@pytest.mark.parametrize(
    ("statement", "subject", "message"),
    [
        # names
        ("UPDATE repositories SET name = 'App' WHERE name = 'app'", "repository 1", "malformed"),
        ("UPDATE repositories SET name = '' WHERE name = 'app'", "repository 1", "malformed"),
        ("UPDATE repositories SET name = '../x' WHERE name = 'app'", "repository 1", "malformed"),
        ("UPDATE tags SET name = '.x' WHERE name = 'latest'", "tag app:.x", "malformed"),
        ("UPDATE tags SET name = '' WHERE name = 'latest'", "tag app:", "malformed"),
        ("UPDATE blobs SET digest = 'sha256:x' WHERE digest = :layer", "blob sha256:x", "malformed"),
        ("UPDATE blobs SET digest = '' WHERE digest = :layer", "blob ", "malformed"),
        ("UPDATE manifests SET digest = 'md5:x' WHERE digest = :image", "manifest md5:x", "malformed"),
        # blobs
        ("UPDATE blobs SET size = size + 1 WHERE digest = :layer", "blob {layer}", "row says 10 bytes, 9 are stored"),
        ("UPDATE blobs SET size = -1 WHERE digest = :second", "blob {second}", "row says -1 bytes"),
        (
            "UPDATE blobs SET storage_key = 'x' || storage_key WHERE digest = :layer",
            "blob {layer}",
            "missing (key xsha",
        ),
        (
            "UPDATE blobs SET storage_key = replace(storage_key, '.', '.0') WHERE digest = :layer",
            "blob {layer}",
            "missing",
        ),
        ("DELETE FROM blobs WHERE digest = :layer", "blob {layer}", "repository 1 links it"),
        ("UPDATE blobs SET damaged_at = 1 WHERE digest = :layer", "blob {layer}", "its bytes were found damaged"),
        ("DELETE FROM blob_links WHERE digest = :layer", "manifest {image} in app", "it needs {layer}"),
        ("DELETE FROM blob_links WHERE digest = :config", "manifest {foreign_image} in other", "it needs {config}"),
        ("UPDATE blob_links SET repository_id = 99 WHERE digest = :layer", "blob {layer}", "repository 99 links it"),
        # manifests
        ("UPDATE manifests SET size = size - 1 WHERE digest = :index", "manifest {index}", "row says"),
        ("UPDATE manifests SET digest = :layer WHERE digest = :image", "manifest {layer}", "bytes hash to {image}"),
        (
            "UPDATE manifests SET content = CAST(replace(content, 'layers', 'Layers') AS BLOB) WHERE digest = :image",
            "manifest {image}",
            "its bytes hash to",
        ),
        (
            f"UPDATE manifests SET content = {INDEX} WHERE digest = :image",
            "manifest {image}",
            "its bytes hash to {index}",
        ),
        ("UPDATE manifests SET content = x'00' WHERE digest = :image", "manifest {image}", "not a valid manifest"),
        ("UPDATE manifests SET content = x'' WHERE digest = :image", "manifest {image}", "its bytes hash to"),
        (
            "UPDATE manifests SET media_type = 'application/vnd.oci.image.index.v1+json' WHERE digest = :image",
            "manifest {image}",
            "not a valid manifest",
        ),
        (
            "UPDATE manifests SET media_type = 'text/plain' WHERE digest = :image",
            "manifest {image}",
            "not a manifest type",
        ),
        ("DELETE FROM manifests WHERE digest = :image", "manifest {index} in app", "it needs {image}"),
        (
            f"UPDATE manifests SET repository_id = {OTHER} WHERE digest = :image",
            "manifest {index} in app",
            "it needs {image}",
        ),
        ("UPDATE manifests SET repository_id = 99 WHERE digest = :referrer", "database", "manifests points to no row"),
        # what manifests need, and whom they are about
        ("DELETE FROM manifest_references WHERE digest = :layer", "manifest {image}", "its rows do not: {layer}"),
        (
            "INSERT INTO manifest_references SELECT id, :layer, 'blob', 1, 1 FROM manifests WHERE digest = :index",
            "manifest {index}",
            "its bytes do not: {layer}",
        ),
        ("UPDATE manifest_references SET required = 0 WHERE digest = :layer", "manifest {image}", "{layer}"),
        ("UPDATE manifest_references SET kind = 'blob' WHERE digest = :image", "manifest {index}", "{image}"),
        (
            f"UPDATE manifest_references SET repository_id = {OTHER} WHERE digest = :layer",
            "manifest {image}",
            "{layer}",
        ),
        ("UPDATE manifests SET subject = :index WHERE digest = :referrer", "manifest {referrer}", ""),
        ("UPDATE manifests SET subject = NULL WHERE digest = :referrer", "manifest {referrer}", ""),
        ("UPDATE manifests SET subject = :index WHERE digest = :image", "manifest {image}", ""),
        ("UPDATE manifests SET artifact_type = 'x/y' WHERE digest = :referrer", "manifest {referrer}", ""),
        ("UPDATE manifests SET descriptor = '{}' WHERE digest = :referrer", "manifest {referrer}", ""),
        # tags
        (
            f"UPDATE tags SET manifest_id = {FOREIGN} WHERE name = 'latest'",
            "tag app:latest",
            "points to a manifest that its repository does not have",
        ),
        ("UPDATE tags SET manifest_id = 99 WHERE name = 'latest'", "tag app:latest", "points to a manifest"),
        ("UPDATE tags SET repository_id = 99 WHERE name = 'latest'", "tag", "points to a manifest"),
        ("DELETE FROM manifests WHERE digest = :index", "tag app:latest", "points to a manifest"),
        ("DELETE FROM repositories WHERE name = 'other'", "database", "tags points to no row of repositories"),
        # what was deleted, and the history of tags
        ("DELETE FROM blobs WHERE digest = :second", "deleted manifest {gone} in app", "it needs {second}"),
        ("UPDATE deleted_manifests SET digest = :image", "deleted manifest {image} in app", "was not deleted"),
        ("UPDATE deleted_manifests SET content = x'00'", "deleted manifest {gone}", "its bytes are not"),
        ("UPDATE deleted_manifests SET size = size + 1", "deleted manifest {gone}", "its bytes are not"),
        ("DELETE FROM tags WHERE name = 'latest'", "tag app:latest", "points to nowhere, the end of its history is"),
        (
            "UPDATE tag_history SET new_digest = :image WHERE new_digest = :index",
            "tag app:latest",
            "points to {index}, the end of its history is {image}",
        ),
        (
            "DELETE FROM tag_history WHERE new_digest = :index",
            "tag app:latest",
            "points to {index}, the end of its history is {gone}",
        ),
        (
            "UPDATE tag_history SET old_digest = NULL WHERE old_digest = :gone",
            "tag app:latest",
            "its history says that it left nowhere when it pointed to {gone}",
        ),
    ],
)
async def test_changed_rows(sound: SoundStore, statement: str, subject: str, message: str) -> None:
    """Whatever is changed in the rows, the oracle names it."""
    sound.sql(statement)
    expect(await sound.check(), subject, message, dict(sound.digests))


async def test_missing_bytes(sound: SoundStore) -> None:
    """A row whose bytes are gone."""
    sound.file_of("layer").unlink()
    expect(await sound.check(with_bytes=False), "blob {layer}", "its bytes are missing", dict(sound.digests))


@pytest.mark.parametrize(("size", "found"), [(0, 0), (8, 8), (10, 10)])
async def test_cut_bytes(sound: SoundStore, size: int, found: int) -> None:
    """Bytes that are fewer or more than their row says."""
    os.truncate(sound.file_of("layer"), size)
    expect(await sound.check(with_bytes=False), "blob {layer}", f"9 bytes, {found} are stored", dict(sound.digests))


@pytest.mark.parametrize("name", ["layer", "second"])
async def test_flipped_bit(sound: SoundStore, name: str) -> None:
    """A single wrong bit is seen by those who look at the bytes, and by nobody else."""
    path = sound.file_of(name)
    content = bytearray(path.read_bytes())
    content[4] ^= 1
    path.write_bytes(content)
    digest = sound.digests[name]
    assert (await sound.check(with_bytes=False)).problems == []
    actual = digest_of(bytes(content), digest.algorithm)
    expect(await sound.check(), f"blob {digest}", f"its bytes hash to {actual}", {})


async def test_damaged_database(sound: SoundStore) -> None:
    """Damage to the database's own file is a problem in the report, not a crash of the one who looks for it."""
    path = sound.place / "metadata.db"
    content = bytearray(path.read_bytes())
    for page in range(2, len(content) // 4096):
        content[page * 4096 + 100 : page * 4096 + 3000] = b"\xa5" * 2900
    path.write_bytes(content)
    expect(await sound.check(), "database", "", {})


async def test_missing_children(sound: SoundStore) -> None:
    """A child that is absent is a problem, unless indexes may be sparse; an absent layer always is one."""
    sound.sql("DELETE FROM tag_history WHERE tag = 'v1'")
    sound.sql("DELETE FROM tags WHERE name = 'v1'")
    sound.sql("DELETE FROM manifest_references WHERE manifest_id = (SELECT id FROM manifests WHERE digest = :image)")
    sound.sql("DELETE FROM manifests WHERE digest = :image")
    assert [problem.message for problem in (await sound.check()).problems] == [
        f"it needs {sound.digests['image']}, which is not there"
    ]
    assert (await sound.check(sparse_indexes=True)).problems == []
    sound.sql("DELETE FROM blob_links WHERE digest = :config AND repository_id = 1")
    expect(
        await sound.check(sparse_indexes=True), "manifest {referrer} in app", "it needs {config}", dict(sound.digests)
    )


async def test_every_fault_is_named(sound: SoundStore) -> None:
    """One fault does not hide another."""
    sound.sql("UPDATE repositories SET name = 'Other' WHERE name = 'other'")
    sound.sql("UPDATE blobs SET size = 7 WHERE digest = :second")
    sound.sql("UPDATE tags SET manifest_id = 99 WHERE name = 'latest'")
    sound.file_of("layer").unlink()
    report = await sound.check()
    for subject, message in [
        ("repository", "'Other' is malformed"),
        ("blob {second}", "7 bytes"),
        ("tag app:latest", "points to"),
        ("blob {layer}", "missing"),
    ]:
        expect(report, subject, message, dict(sound.digests))


async def test_uploads_are_no_problem(sound: SoundStore) -> None:
    """Bytes that are still arriving, and bytes that nothing names any more, may be there; the latter are counted."""
    driver = FilesystemDriver(sound.place)
    async with opened(driver, "a" * 32, "sha256") as writer:
        await writer.write(b"arriving")
        async with opened(driver, "b" * 32, "sha256") as other:
            await other.write(b"left behind")
            await other.commit(digest_of(b"left behind"))
        report = await sound.check()
    await driver.close()
    assert report.problems == []
    assert (report.blobs, report.unreferenced) == (3, 1)
