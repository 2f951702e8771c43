"""Clients that push, push again, mount, tag, move and delete at random while the collector is at work.

Each has a repository of its own, so that it knows what has to be there. But all take their blobs from one small pool:
the same content comes and goes all the time, and is mounted from where it is just being deleted.
"""

from __future__ import annotations

import asyncio
import io
import json
import random
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import aiohttp

from tests.faults.client import CONFIG, IMAGE, LAYER, OCTETS, digest_of

INDEX = "application/vnd.oci.image.index.v1+json"
TAGS = ("latest", "stable", "v1", "v2", "v3")
POOL = 24
Json = dict[str, Any]


class LetDown(AssertionError):
    """The registry has not, or not any more, what it promised."""


@dataclass(frozen=True)
class Pool:
    """What blobs are made of: few, and the same for all clients."""

    contents: tuple[bytes, ...]

    @classmethod
    def of(cls, dice: random.Random) -> Pool:
        return cls(tuple(dice.randbytes(dice.choice((20, 4_000, 100_000))) for _ in range(POOL)))


@dataclass(frozen=True)
class Pushed:
    """A manifest, and the contents of the blobs that it needs."""

    content: bytes
    media_type: str
    blobs: tuple[bytes, ...] = ()
    children: tuple[Pushed, ...] = ()

    @property
    def digest(self) -> str:
        return digest_of(self.content)


@dataclass
class Churner:
    """One client. `lease_s` is for how long a blob is promised to stay that was pushed, mounted or asked for.

    `tags` says for each tag of its repository what was acknowledged last, `past` has what was pushed lately, whether it
    is there or not, and `counts` how often what was done.
    """

    session: aiohttp.ClientSession
    repository: str
    others: list[str]
    pool: Pool
    random: random.Random
    lease_s: float
    tags: dict[str, Pushed] = field(default_factory=dict)
    past: deque[Pushed] = field(default_factory=lambda: deque(maxlen=20))
    counts: dict[str, int] = field(default_factory=dict)

    async def run(self, until: float) -> None:
        """Do one thing after the other until that time of the monotonic clock. Raises `LetDown`."""
        actions: list[tuple[Callable[[], Awaitable[None]], int]] = [
            (self.push_image, 6),
            (self.push_index, 2),
            (self.push_referrer, 1),
            (self.push_again, 3),
            (self.pull_one, 4),
            (self.delete_tag, 2),
            (self.delete_manifest, 2),
            (self.delete_blob, 2),
            (self.give_up_a_push, 1),
        ]
        doers, weights = zip(*actions, strict=True)
        while monotonic() < until:
            (do,) = self.random.choices(doers, weights)
            await do()
            self.counts[do.__name__] = self.counts.get(do.__name__, 0) + 1

    # What a client does ----------------------------------------------------------------------------------

    async def push_image(self) -> None:
        await self._push(self._image(), self._tag())

    async def push_index(self) -> None:
        """Push two images by their digests, and an index of them with a tag."""
        children = tuple(self._image() for _ in range(2))
        listed = [_descriptor(child.media_type, child.content) for child in children]
        document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": listed}
        index = Pushed(json.dumps(document).encode(), INDEX, children=children)
        await self._push(index, self._tag())

    async def push_referrer(self) -> None:
        """Push something that refers to what a tag points to, and tag that, too: it stays when its subject goes."""
        if self.tags:
            subject = self.random.choice(list(self.tags.values()))
            about = {"subject": _descriptor(subject.media_type, subject.content)}
            await self._push(self._image(**about), self._tag())

    async def push_again(self) -> None:
        """Push what is there, or was there a moment ago, perhaps with another tag."""
        if self.past:
            await self._push(self.random.choice(list(self.past)), self._tag())

    async def pull_one(self) -> None:
        if self.tags:
            await self.pull(self.random.choice(list(self.tags)))

    async def delete_tag(self) -> None:
        if self.tags:
            tag = self.random.choice(list(self.tags))
            await self._ask("DELETE", f"manifests/{tag}", 202)
            del self.tags[tag]

    async def delete_manifest(self) -> None:
        """Delete what a tag points to; an index may need it, and then it stays."""
        if self.tags:
            digest = self.random.choice(list(self.tags.values())).digest
            status, _ = await self._ask("DELETE", f"manifests/{digest}", 202, 405)
            if status == 202:
                self.tags = {tag: pushed for tag, pushed in self.tags.items() if pushed.digest != digest}

    async def delete_blob(self) -> None:
        await self._ask("DELETE", f"blobs/{digest_of(self._content())}", 202, 404, 405)

    async def give_up_a_push(self) -> None:
        """Push a blob that no manifest will ever need."""
        await self._bring(self._content())

    # How it does so --------------------------------------------------------------------------------------

    async def pull(self, tag: str) -> None:
        """Pull all that the tag leads to. Raises `LetDown` if it is not what was acknowledged."""
        await self._pull(tag, self.tags[tag])

    async def pull_all(self) -> None:
        """As `pull`, for all tags."""
        for tag in self.tags:
            await self.pull(tag)

    async def _pull(self, reference: str, pushed: Pushed) -> None:
        _, body = await self._ask("GET", f"manifests/{reference}", 200)
        self._expect(body == pushed.content, f"{reference} leads to something else")
        for content in pushed.blobs:
            _, body = await self._ask("GET", f"blobs/{digest_of(content)}", 200)
            self._expect(body == content, f"blob {digest_of(content)} has other bytes")
        for child in pushed.children:
            await self._pull(child.digest, child)

    async def _push(self, pushed: Pushed, tag: str) -> None:
        """Push a manifest with all it needs. What is slower than its leases may have to begin anew."""
        while not await self._try_to_push(pushed, tag):
            pass
        self.tags[tag] = pushed
        self.past.append(pushed)

    async def _try_to_push(self, pushed: Pushed, reference: str) -> bool:
        began = monotonic()
        for content in pushed.blobs:
            await self._bring(content)
        for child in pushed.children:
            while not await self._try_to_push(child, child.digest):
                pass
        answer, body = await self._put(pushed, reference)
        if answer == 201:
            return True
        slow = monotonic() - began > self.lease_s
        self._expect(slow, f"{reference} was refused though all it needs was there a moment ago: {body!r}")
        return False

    async def _put(self, pushed: Pushed, reference: str) -> tuple[int, bytes]:
        headers = {"Content-Type": pushed.media_type}
        return await self._ask("PUT", f"manifests/{reference}", 201, 404, body=pushed.content, headers=headers)

    async def _bring(self, content: bytes) -> None:
        """Make sure that the repository has a blob, as clients do: look, else mount, else upload."""
        digest = digest_of(content)
        status, _ = await self._ask("HEAD", f"blobs/{digest}", 200, 404)
        if status == 200:
            return
        if self.random.random() < 0.5:
            source = self.random.choice(self.others)
            status, _ = await self._ask("POST", f"blobs/uploads/?mount={digest}&from={source}", 201, 202)
            if status == 201:
                return
        await self._ask("POST", f"blobs/uploads/?digest={digest}", 201, body=content, headers={"Content-Type": OCTETS})

    async def _ask(
        self, method: str, path: str, *statuses: int, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        data = io.BytesIO(body) if body else None
        async with self.session.request(method, f"/v2/{self.repository}/{path}", data=data, headers=headers) as answer:
            content = await answer.read()
        self._expect(answer.status in statuses, f"{method} {path}: {answer.status} {content[:300]!r}")
        return answer.status, content

    def _expect(self, holds: bool, message: str) -> None:  # noqa: FBT001
        if not holds:
            raise LetDown(f"{self.repository}: {message}")

    def _image(self, **more: object) -> Pushed:
        config, *layers = (self._content() for _ in range(self.random.randint(2, 4)))
        document: Json = {
            "schemaVersion": 2,
            "mediaType": IMAGE,
            "config": _descriptor(CONFIG, config),
            "layers": [_descriptor(LAYER, layer) for layer in layers],
            **more,
        }
        return Pushed(json.dumps(document).encode(), IMAGE, (config, *layers))

    def _content(self) -> bytes:
        return self.random.choice(self.pool.contents)

    def _tag(self) -> str:
        return self.random.choice(TAGS)


async def churn(address: str, clients: int, seconds: float, lease_s: float, dice: random.Random) -> list[Churner]:
    """Let so many clients do what they do for so many seconds, and then pull all that their tags lead to.

    Raises `LetDown`, or what else went wrong, in a group.
    """
    pool = Pool.of(dice)
    names = [f"client/{number}" for number in range(clients)]
    async with aiohttp.ClientSession(f"http://{address}", timeout=aiohttp.ClientTimeout(60)) as session:
        churners = [Churner(session, name, names, pool, random.Random(dice.random()), lease_s) for name in names]
        until = monotonic() + seconds
        async with asyncio.TaskGroup() as group:
            for churner in churners:
                group.create_task(churner.run(until))
        async with asyncio.TaskGroup() as group:
            for churner in churners:
                group.create_task(churner.pull_all())
    return churners


def _descriptor(media_type: str, content: bytes) -> Json:
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}
