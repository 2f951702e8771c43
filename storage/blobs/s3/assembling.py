"""Making one object of parts, looking at what came out, and undoing it."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import replace

from storage.blobs.s3.layout import new_storage_key
from storage.blobs.s3.objects import checksums
from storage.blobs.s3.parts import Part, expected_etag, part_size, part_start
from storage.blobs.s3.place import Place
from storage.blobs.s3.reading import open_object
from storage.blobs.s3.refusals import Refusal
from storage.blobs.s3.state import Loaded, State
from storage.digest import Digest
from storage.errors import RegistryError, StorageUnavailable, UploadUnknown


async def assemble(
    place: Place, state: State, parts: list[Part], rest: list[bytes], upload_id: str
) -> tuple[int, bool]:
    """Send the rest as the last part and make the object of all parts.

    Returns the object's size, and whether it is certain that it is made of these parts. When the answer of the store is
    lost, what is there decides. Raises `UploadUnknown` if the upload was discarded.
    """
    name, multipart = place.layout.blob(state.key), state.multipart or ""
    data = b"".join(rest)
    size, all_parts = part_start(len(parts) + 1, state.part_size) + len(data), list(parts)
    gone = False
    try:
        if data or not parts:
            checks = await place.run(checksums, data, place.options.checksum)
            all_parts.append(await place.multiparts.put(name, multipart, len(parts) + 1, data, checks))
        if await place.multiparts.complete(name, multipart, all_parts):
            return size, True
    except StorageUnavailable as error:
        gone = isinstance(error, Refusal) and error.missing
        if isinstance(error, Refusal) and not gone:
            raise
        found = await place.objects.look(name)
        if found is None and not gone:
            raise
    else:
        found = await place.objects.look(name)
    if found is None:
        raise UploadUnknown(upload_id)
    return found[0], found == (size, expected_etag(all_parts))


async def digest_of_object(place: Place, key: str, algorithm: str) -> tuple[Digest, int]:
    """The digest and the size of a blob that is in the store, by reading it."""
    hasher, size = hashlib.new(algorithm), 0
    reader = await open_object(place, key, None)
    try:
        async for piece in reader.read(0, reader.size):
            await place.run(hasher.update, piece)
            size += len(piece)
    finally:
        await reader.close()
    return Digest(algorithm, hasher.hexdigest()), size


async def take_apart(place: Place, upload_id: str, loaded: Loaded, size: int) -> Loaded:
    """Make parts of an object again, so that its upload can go on; the store copies them."""
    first, source = loaded.state.part_size, place.layout.blob(loaded.state.key)
    key = new_storage_key(upload_id)
    name = place.layout.blob(key)
    multipart = await place.multiparts.create(name)
    number, start = 1, 0
    while start + part_size(number, first) <= size:
        stop = start + part_size(number, first)
        await place.multiparts.copy(name, multipart, number, source, (start, stop))
        number, start = number + 1, stop
    tail = b"" if start == size else (await place.objects.fetch(source, (start, size))).data
    state = replace(loaded.state, key=key, multipart=multipart, parts=number - 1, ignored={})
    saved = await place.states.save(upload_id, loaded, state, tail)
    # No commit can end with the old object any more.
    with contextlib.suppress(RegistryError):
        await place.objects.delete(source)
    return saved
