"""What every blob driver promises (`storage.blobs.driver`): one suite, subclassed once per driver."""

import asyncio

import pytest

from storage.blobs.driver import BlobDriver
from storage.digest import digest_of
from storage.errors import BlobDamaged, BlobMissing, DigestMismatch, RegistryError, UploadBusy, UploadUnknown
from tests.contract.blob_driver_suite import ALGORITHMS, BlobDriverSuite
from tests.contract.blobs import (
    MIB,
    append,
    commit,
    content_of,
    gone,
    in_pieces,
    listed_blobs,
    listed_uploads,
    new_id,
    noise,
    opened,
    pieces_of,
    store,
)


class BlobDriverContract(BlobDriverSuite):
    """Uploads, blobs, readers and listings of one driver."""

    async def test_begun_upload_is_empty(self, driver: BlobDriver) -> None:
        """An upload of which nothing came yet has size 0, and beginning it again changes nothing."""
        upload_id = new_id()
        await driver.begin_upload(upload_id)
        assert await driver.upload_size(upload_id) == 0
        await append(driver, upload_id, b"bytes")
        await driver.begin_upload(upload_id)
        assert await driver.upload_size(upload_id) == 5

    async def test_unknown_upload(self, driver: BlobDriver) -> None:
        """An upload that was never begun, or that ended, has no size and cannot be opened."""
        committed, discarded = new_id(), new_id()
        await append(driver, committed, b"bytes")
        await commit(driver, committed, b"bytes")
        await append(driver, discarded, b"bytes")
        await driver.discard_upload(discarded)
        for upload_id in (new_id(), committed, discarded):
            assert await gone(driver, upload_id)
            with pytest.raises(UploadUnknown):
                async with driver.open_upload(upload_id, "sha256"):
                    pass

    async def test_offset_counts_bytes(self, driver: BlobDriver) -> None:
        """The offset is the number of bytes taken, at every moment."""
        async with opened(driver, new_id(), "sha256") as writer:
            assert writer.offset == 0
            await writer.write(b"12345")
            assert writer.offset == 5
            await writer.write(noise(2 * MIB))
            assert writer.offset == 2 * MIB + 5

    @pytest.mark.parametrize("size", [1, 1000, MIB, 3 * MIB + 1])
    async def test_upload_is_continued(self, driver: BlobDriver, size: int) -> None:
        """What was written stays when the context ends, and the next context goes on behind it."""
        upload_id, content = new_id(), noise(2 * size)
        assert await append(driver, upload_id, content[:size]) == size
        assert await driver.upload_size(upload_id) == size
        assert await append(driver, upload_id, content[size:]) == 2 * size
        stored = await commit(driver, upload_id, content)
        assert await content_of(driver, stored.key) == content

    async def test_bytes_stay_after_an_error(self, driver: BlobDriver) -> None:
        """An error in the context comes through, and everything that was taken before it stays."""
        upload_id, content = new_id(), noise(MIB + 7)

        async def break_off() -> None:
            async with opened(driver, upload_id, "sha256") as writer:
                for piece in in_pieces(content):
                    await writer.write(piece)
                raise ConnectionResetError

        with pytest.raises(ConnectionResetError):
            await break_off()
        assert await driver.upload_size(upload_id) == len(content)
        stored = await commit(driver, upload_id, content)
        assert await content_of(driver, stored.key) == content

    @pytest.mark.parametrize("algorithm", ALGORITHMS)
    async def test_commit_makes_a_blob(self, driver: BlobDriver, algorithm: str) -> None:
        """After commit the bytes are readable under the key, and the upload is gone."""
        upload_id, content = new_id(), noise(MIB + 1)
        async with opened(driver, upload_id, algorithm) as writer:
            await writer.write(content)
            stored = await writer.commit(digest_of(content, algorithm))
        assert stored.size == len(content)
        assert await content_of(driver, stored.key) == content
        assert await gone(driver, upload_id)
        assert await listed_uploads(driver) == []

    @pytest.mark.parametrize(("announced", "algorithm"), [("sha256", "sha512"), ("sha512", "sha256")])
    async def test_another_algorithm_than_announced(self, driver: BlobDriver, announced: str, algorithm: str) -> None:
        """The algorithm given at the beginning is a guess: a digest of the other one is checked just as well."""
        content, wrong = noise(MIB + 1), digest_of(b"something else", algorithm)
        async with opened(driver, new_id(), announced) as writer:
            await writer.write(content)
            with pytest.raises(DigestMismatch):
                await writer.commit(wrong)
            stored = await writer.commit(digest_of(content, algorithm))
        assert await content_of(driver, stored.key) == content

    @pytest.mark.parametrize("algorithm", ALGORITHMS)
    async def test_mismatch_names_both_digests(self, driver: BlobDriver, algorithm: str) -> None:
        """Bytes that do not hash to the digest are no blob; the error says what they hash to."""
        wrong = digest_of(b"something else", algorithm)
        async with opened(driver, new_id(), algorithm) as writer:
            await writer.write(b"some bytes")
            with pytest.raises(DigestMismatch) as caught:
                await writer.commit(wrong)
        assert (caught.value.expected, caught.value.actual) == (wrong, digest_of(b"some bytes", algorithm))
        assert await listed_blobs(driver) == []

    async def test_mismatch_leaves_the_upload_unchanged(self, driver: BlobDriver) -> None:
        """After a mismatch the upload goes on as if nothing had happened: at once, and in a later context."""
        upload_id = new_id()
        async with opened(driver, upload_id, "sha256") as writer:
            await writer.write(b"one ")
            with pytest.raises(DigestMismatch):
                await writer.commit(digest_of(b"something else"))
            assert writer.offset == 4
            await writer.write(b"two ")
        assert await driver.upload_size(upload_id) == 8
        async with opened(driver, upload_id, "sha256") as writer:
            assert writer.offset == 8
            await writer.write(b"three")
            stored = await writer.commit(digest_of(b"one two three"))
        assert await content_of(driver, stored.key) == b"one two three"

    @pytest.mark.parametrize("algorithm", ALGORITHMS)
    async def test_empty_blob(self, driver: BlobDriver, algorithm: str) -> None:
        """No bytes at all are a blob too."""
        async with opened(driver, new_id(), algorithm) as writer:
            stored = await writer.commit(digest_of(b"", algorithm))
        assert stored.size == 0
        reader = await driver.open(stored.key)
        assert reader.size == 0
        assert [piece async for piece in reader.read(0, 0)] == []
        await reader.close()

    async def test_many_small_writes(self, driver: BlobDriver) -> None:
        """The size of the pieces in which bytes come does not matter."""
        content, begin = noise(20_000), 0
        async with opened(driver, new_id(), "sha256") as writer:
            for size in [0, 1, 2, 3, 5, 8, 13] * 600:
                await writer.write(content[begin : begin + size])
                begin += size
            assert begin == 19_200
            stored = await writer.commit(digest_of(content[:begin]))
        assert await content_of(driver, stored.key) == content[:begin]

    async def test_keys_of_one_digest_differ(self, driver: BlobDriver) -> None:
        """Each commit has a key of its own: deleting one leaves the other's bytes alone."""
        first, second = await store(driver, b"same"), await store(driver, b"same")
        assert first.key != second.key
        await driver.delete(first.key)
        assert await content_of(driver, second.key) == b"same"

    async def test_key_is_never_given_out_twice(self, driver: BlobDriver) -> None:
        """The same bytes in an upload of the same id get a new key, so a late delete of the old one is harmless."""
        upload_id = new_id()
        await append(driver, upload_id, b"same")
        first = await commit(driver, upload_id, b"same")
        await append(driver, upload_id, b"same")
        second = await commit(driver, upload_id, b"same")
        await driver.delete(first.key)
        assert first.key != second.key
        assert await content_of(driver, second.key) == b"same"

    async def test_upload_is_open_once(self, driver: BlobDriver) -> None:
        """A second writer is refused while the first one writes, and welcome after it."""
        upload_id = new_id()
        await append(driver, upload_id, b"12345")
        async with opened(driver, upload_id, "sha256") as writer:
            with pytest.raises(UploadBusy) as caught:
                await append(driver, upload_id, b"intruder")
            assert (caught.value.upload_id, caught.value.offset) == (upload_id, 5)
            await writer.write(b"678")
        assert await append(driver, upload_id, b"9") == 9
        stored = await commit(driver, upload_id, b"123456789")
        assert await content_of(driver, stored.key) == b"123456789"

    async def test_uploads_do_not_disturb_one_another(self, driver: BlobDriver) -> None:
        """Any number of uploads are written at the same time."""
        contents = [noise(MIB + number) for number in range(8)]
        stored = await asyncio.gather(*(store(driver, content) for content in contents))
        assert [await content_of(driver, one.key) for one in stored] == contents

    async def test_discard_forgets_the_bytes(self, driver: BlobDriver) -> None:
        """After a discard the same id begins anew; discarding what is not there does nothing."""
        upload_id = new_id()
        await append(driver, upload_id, b"old bytes")
        await driver.discard_upload(upload_id)
        await driver.discard_upload(upload_id)
        assert await gone(driver, upload_id)
        assert await append(driver, upload_id, b"new") == 3
        stored = await commit(driver, upload_id, b"new")
        assert await content_of(driver, stored.key) == b"new"

    async def test_whole_or_not(self, driver: BlobDriver) -> None:
        """Bytes are whole if they are there, and as many as asked; those of an empty blob too."""
        stored, empty = await store(driver, b"bytes"), await store(driver, b"")
        assert await driver.is_whole(stored.key, 5)
        assert await driver.is_whole(empty.key, 0)
        assert not await driver.is_whole(stored.key, 4)
        await driver.delete(stored.key)
        assert not await driver.is_whole(stored.key, 5)
        await driver.delete(empty.key)
        assert not await driver.is_whole(empty.key, 0)

    async def test_size_that_is_expected(self, driver: BlobDriver) -> None:
        """A blob that has not the size that its reader expects is damaged, and opens no reader."""
        stored = await store(driver, b"bytes")
        reader = await driver.open(stored.key, 5)
        await reader.close()
        with pytest.raises(BlobDamaged):
            await driver.open(stored.key, 6)

    async def test_unknown_key(self, driver: BlobDriver) -> None:
        """A key under which nothing lies is missing, and deleting it does nothing."""
        stored = await store(driver, b"bytes")
        await driver.delete(stored.key)
        await driver.delete(stored.key)
        with pytest.raises(BlobMissing) as caught:
            await driver.open(stored.key)
        assert caught.value.key == stored.key

    @pytest.mark.parametrize("size", [100, 3 * MIB])
    async def test_reader_outlives_its_blob(self, driver: BlobDriver, size: int) -> None:
        """What was opened before a delete can be read to its end after it."""
        content = noise(size)
        stored = await store(driver, content)
        reader = await driver.open(stored.key)
        await driver.delete(stored.key)
        assert b"".join([piece async for piece in reader.read(0, size)]) == content
        await reader.close()

    @pytest.mark.parametrize(
        ("start", "stop"),
        [(0, 0), (5, 5), (0, 1), (MIB - 1, MIB + 1), (1, 2 * MIB + 9), (2 * MIB + 9, 2 * MIB + 10), (0, 2 * MIB + 10)],
    )
    async def test_range(self, driver: BlobDriver, start: int, stop: int) -> None:
        """A range gives exactly its bytes, in pieces of at most 1 MiB, none of them empty."""
        content = noise(2 * MIB + 10)
        stored = await store(driver, content)
        pieces = await pieces_of(driver, stored.key, start, stop)
        assert b"".join(pieces) == content[start:stop]
        assert all(0 < len(piece) <= MIB for piece in pieces)

    @pytest.mark.parametrize("size", [0, 1, 100_000])
    async def test_file_is_the_blob(self, driver: BlobDriver, size: int) -> None:
        """Where a reader has a file, it holds the blob's bytes and nothing else."""
        content = noise(size)
        stored = await store(driver, content)
        reader = await driver.open(stored.key)
        assert reader.size == size
        file = reader.file()
        assert file is None or file.read() == content
        await reader.close()

    async def test_readers_are_independent(self, driver: BlobDriver) -> None:
        """Two readers of one blob, and two ranges of one reader, do not move one another."""
        content = noise(2 * MIB + 10)
        stored = await store(driver, content)
        first, second = await driver.open(stored.key), await driver.open(stored.key)
        ranges = [first.read(0, first.size), first.read(10, first.size), second.read(20, second.size)]
        heads = [await anext(pieces) for pieces in ranges]
        tails = [b"".join([piece async for piece in pieces]) for pieces in ranges]
        assert [head + tail for head, tail in zip(heads, tails, strict=True)] == [content, content[10:], content[20:]]
        await first.close()
        await second.close()

    async def test_listings(self, driver: BlobDriver) -> None:
        """Blobs are listed with their sizes, uploads that hold bytes by their ids, and neither among the other."""
        stored = [await store(driver, noise(size), algorithm) for size in (0, 1, 70_000) for algorithm in ALGORITHMS]
        uploads = sorted(new_id() for _ in range(3))
        for upload_id in uploads:
            await append(driver, upload_id, b"arriving")
        assert await listed_blobs(driver) == sorted(stored, key=lambda one: one.key)
        assert await listed_uploads(driver) == uploads

    async def test_discard_under_a_writer(self, driver: BlobDriver) -> None:
        """When an upload is discarded while it is written, its writer may fail, but never makes a wrong blob."""
        upload_id, content = new_id(), noise(MIB + 1)
        digest = digest_of(content)
        try:
            async with opened(driver, upload_id, "sha256") as writer:
                await writer.write(content)
                await driver.discard_upload(upload_id)
                stored = await writer.commit(digest)
        except RegistryError:
            assert await listed_blobs(driver) == []
        else:
            assert await content_of(driver, stored.key) == content

    async def test_every_key_names_whole_bytes(self, driver: BlobDriver) -> None:
        """Nothing is listed or readable before it was committed, at any moment of an upload."""
        upload_id, content = new_id(), noise(3 * MIB)
        async with opened(driver, upload_id, "sha256") as writer:
            for piece in in_pieces(content):
                await writer.write(piece)
                assert await listed_blobs(driver) == []
            with pytest.raises(DigestMismatch):
                await writer.commit(digest_of(content[:-1]))
            assert await listed_blobs(driver) == []
            stored = await writer.commit(digest_of(content))
            assert await listed_blobs(driver) == [stored]
