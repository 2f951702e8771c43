"""Listing the tags of a repository that has very many."""

from __future__ import annotations

import json
import statistics
import time

from bench.client import Client, in_parallel
from bench.content import IMAGE_MANIFEST, Image, push_image, small_image
from bench.measurements import Invalid, Measurement, NotMeasured, Sample, Settings
from bench.servers import Registry

REPOSITORY = "bench/tags"
PAGE = 100
MOST_REQUESTS = 50


class TagRepository:
    """A repository filled with tags over HTTP, once for every registry, within a bounded time."""

    def __init__(self, count: int, seconds: int, clients: int = 16) -> None:
        self.count = count
        self.seconds = seconds
        self._clients = clients
        self._image: Image = small_image()
        self._filled: dict[str, list[str]] = {}

    def tags(self, registry: Registry) -> list[str]:
        """The tags of this registry's repository in order, put there by the first call.

        Fewer than `count` when the time was over; NotMeasured when there are not even enough for two pages.
        """
        if registry.name not in self._filled:
            self._filled[registry.name] = self._fill(registry)
        tags = self._filled[registry.name]
        if len(tags) < 2 * PAGE:
            raise NotMeasured(f"it took only {len(tags)} tags in {self.seconds} s")
        return tags

    def _fill(self, registry: Registry) -> list[str]:
        push_image(registry.url, REPOSITORY, "t000000", self._image)
        stored = ["t000000"]
        deadline = time.monotonic() + self.seconds

        def put(client: Client, number: int) -> None:
            tag = f"t{number:06d}"
            target = f"/v2/{REPOSITORY}/manifests/{tag}"
            while time.monotonic() < deadline:
                # A registry that fails on concurrent PUTs is asked again until the time is over.
                headers = {"Content-Type": IMAGE_MANIFEST}
                if client.request("PUT", target, self._image.manifest, headers).status == 201:
                    stored.append(tag)
                    return

        in_parallel(registry.url, self._clients, range(1, self.count), put)
        return sorted(stored)


class TagList(Measurement):
    """One page of the tag list, by one client."""

    unit = "ms"
    more_is_better = False

    def __init__(self, settings: Settings, repository: TagRepository, page: str) -> None:
        self.name = f"tags-{page}"
        count = f"{repository.count:,}".replace(",", " ")
        self.title = f"tags/list of {count} tags, {page} page of {PAGE}"
        self._settings = settings
        self._repository = repository
        self._page = page

    def prepare(self, registry: Registry) -> None:
        self._repository.tags(registry)

    def measure(self, registry: Registry) -> Sample:
        tags = self._repository.tags(registry)
        target = f"/v2/{REPOSITORY}/tags/list?n={PAGE}"
        wanted = tags[:PAGE]
        if self._page == "last":
            target += f"&last={tags[-PAGE - 1]}"
            wanted = tags[-PAGE:]
        times, listed = self._request(registry, target)
        return Sample(1e3 * statistics.median(times), note=self._judge(tags, listed, wanted))

    def _request(self, registry: Registry, target: str) -> tuple[list[float], list[str]]:
        times: list[float] = []
        body = b""
        with Client(registry.url) as client:
            ends = time.perf_counter() + self._settings.seconds
            while not times or (len(times) < MOST_REQUESTS and time.perf_counter() < ends):
                started = time.perf_counter()
                body = client.expect(200, "GET", target).body
                times.append(time.perf_counter() - started)
        return times, json.loads(body)["tags"]

    def _judge(self, tags: list[str], listed: list[str], wanted: list[str]) -> str:
        """What a reader must know about the answer; raises Invalid when it is not a list of these tags."""
        notes = []
        if len(tags) < self._repository.count:
            notes.append(f"has only {len(tags)} tags: {self._repository.seconds} s were over")
        if len(listed) > PAGE and set(listed) >= set(tags):
            notes.append(f"ignores n and last, answers with all {len(listed)} tags")
        # When the time was over, a tag may be stored whose answer came too late.
        elif listed != wanted and len(tags) == self._repository.count:
            raise Invalid(f"the page has {len(listed)} tags, and not the ones that belong there")
        return "; ".join(notes)
