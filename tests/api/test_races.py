"""Pushes of one tag at the same time, and requests one after the other on one connection."""

from __future__ import annotations

import asyncio

from tests.api.conftest import Serve
from tests.api.content import BASICS, IMAGE, Document, image
from tests.api.server import Answer, Registry

URL = "/v2/app/manifests/latest"
IMAGES = [image(annotations={"n": str(number)}) for number in range(10)]
WAIT_SECONDS = 10.0


async def push_all(registry: Registry, documents: list[Document], **condition: str) -> list[Answer]:
    """Push all of them to one tag, at the same time."""
    headers = {"Content-Type": IMAGE, **{name.replace("_", "-"): value for name, value in condition.items()}}
    return await asyncio.gather(*(registry.ask("PUT", URL, headers=headers, body=item.content) for item in documents))


async def fill(registry: Registry) -> None:
    for step in BASICS:
        assert (await registry.ask(step.method, step.url, body=step.body)).status == 201


async def test_one_tag(registry: Registry) -> None:
    """All pushes succeed, the tag is one of them, and each can be read by its digest."""
    await fill(registry)
    assert {answer.status for answer in await push_all(registry, IMAGES)} == {201}
    last = await registry.ask("GET", URL)
    assert last.body in {item.content for item in IMAGES}
    for item in IMAGES:
        assert (await registry.ask("GET", f"/v2/app/manifests/{item.digest}")).body == item.content


async def test_one_tag_that_must_not_exist(registry: Registry) -> None:
    """Of pushes that must not overwrite one succeeds, and the tag is that one."""
    await fill(registry)
    answers = await push_all(registry, IMAGES, If_None_Match="*")
    assert sorted(answer.status for answer in answers) == [201] + [412] * 9
    (won,) = [item for item, answer in zip(IMAGES, answers, strict=True) if answer.status == 201]
    assert (await registry.ask("GET", URL)).body == won.content


async def test_one_tag_that_everybody_read(registry: Registry) -> None:
    """Of clients that changed what they read only one can write it back: nobody's change is lost unseen."""
    await fill(registry)
    (first,) = await push_all(registry, IMAGES[:1])
    answers = await push_all(registry, IMAGES[1:], If_Match=f'"{first.headers["Docker-Content-Digest"]}"')
    assert sorted(answer.status for answer in answers) == [201] + [412] * 8


async def test_one_manifest(registry: Registry) -> None:
    """Pushing the same at the same time succeeds for everybody."""
    await fill(registry)
    assert {answer.status for answer in await push_all(registry, IMAGES[:1] * 10)} == {201}


async def ask_raw(registry: Registry, text: str) -> list[bytes]:
    """Send requests in one piece, and return the answers up to the end of the connection."""
    reader, writer = await registry.connect()
    try:
        writer.write(text.encode())
        async with asyncio.timeout(WAIT_SECONDS):
            return (await reader.read()).split(b"HTTP/1.1 ")[1:]
    finally:
        writer.close()
        await writer.wait_closed()


async def test_requests_in_one_piece(serve: Serve) -> None:
    """Requests that were sent without waiting are answered in order."""
    registry = await serve({})
    one = "GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n"
    two = "HEAD /v2/_catalog HTTP/1.1\r\nHost: x\r\n\r\n"
    three = "GET /v2/A/tags/list HTTP/1.1\r\nHost: x\r\n\r\n"
    last = "POST /v2/app/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    answers = await ask_raw(registry, one + two + three + last)
    assert [answer[:3] for answer in answers] == [b"200", b"200", b"400", b"202"]
    assert answers[1].endswith(b"\r\n\r\n")
    assert b"\r\nConnection: close\r\n" in answers[3]


async def test_old_client(registry: Registry) -> None:
    """A client of HTTP/1.0 has its connection closed after the answer, unless it asks for more."""
    (answer,) = await ask_raw(registry, "GET /v2/ HTTP/1.0\r\n\r\n")
    assert answer.endswith(b"{}")
    kept = "GET /v2/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
    answers = await ask_raw(registry, kept + "GET /v2/ HTTP/1.0\r\n\r\n")
    assert [answer[:3] for answer in answers] == [b"200", b"200"]
    assert b"\r\nConnection: keep-alive\r\n" in answers[0]
