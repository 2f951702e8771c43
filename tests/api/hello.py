"""An upload of one small blob, step by step."""

from __future__ import annotations

from tests.api.content import digest_of
from tests.api.server import Registry

HELLO = b"hello, world"
DIGEST = digest_of(HELLO)
START = "/v2/app/blobs/uploads/"
BLOB = f"/v2/app/blobs/{DIGEST}"


async def begin(registry: Registry, *chunks: bytes) -> str:
    """Begin an upload, send the chunks, and return the upload's path."""
    answer = await registry.ask("POST", START)
    assert answer.status == 202
    path = answer.headers["Location"]
    for chunk in chunks:
        assert (await registry.ask("PATCH", path, body=chunk)).status == 202
    return path


async def finish(registry: Registry, path: str, rest: bytes = b"") -> int:
    """Send the rest with the closing request, and return the answer's status."""
    return (await registry.ask("PUT", f"{path}?digest={DIGEST}", body=rest)).status


async def position(registry: Registry, path: str) -> int:
    """How many bytes the upload's status admits to; an upload of one byte answers as an empty one does."""
    status = await registry.ask("GET", path)
    assert status.status == 204
    end = int(status.headers["Range"].removeprefix("0-"))
    return 0 if end == 0 else end + 1


async def go_on(registry: Registry, path: str, most: int) -> None:
    """Continue an upload that holds at most `most` bytes of `HELLO` from where its status says, to the end."""
    offset = await position(registry, path)
    assert offset <= most
    headers = {"Content-Range": f"{offset}-{len(HELLO) - 1}"}
    answer = await registry.ask("PUT", f"{path}?digest={DIGEST}", headers=headers, body=HELLO[offset:])
    assert answer.status == 201, answer.body
    assert await stored(registry)


async def stored(registry: Registry) -> bool:
    """Whether the blob is there, whole."""
    answer = await registry.ask("GET", BLOB)
    assert answer.status == 404 or answer.body == HELLO
    return answer.status == 200


async def uploads_with_bytes(registry: Registry) -> list[str]:
    """Ids of the uploads of which the blob driver has bytes."""
    return [upload async for upload in registry.storage.driver.uploads()]
