"""Which measurements there are, in the order in which they are taken."""

from __future__ import annotations

from bench.content import BigFile
from bench.lifecycle import Memory, StartUp
from bench.login import ManifestWithLogin
from bench.measurements import Measurement, Settings
from bench.reads import BlobGet, BlobStream, ImagePull, ManifestGet, ManifestHead
from bench.tags import TagList, TagRepository
from bench.writes import BlobPush, ImagePush, TagPut

SMALL, LARGE = 1 << 10, 8 << 20


def plan(settings: Settings) -> list[Measurement]:
    """All measurements in their order: memory first and last, filling 100 000 tags near the end."""
    big = BigFile(settings.folder / "big", settings.big)
    many = TagRepository(settings.tags, settings.fill_seconds)
    return [
        Memory("memory-idle", "memory, idle after start-up"),
        StartUp(settings),
        ManifestGet(settings, "tag"),
        ManifestGet(settings, "digest"),
        ManifestWithLogin(settings),
        ManifestHead(settings),
        BlobGet(settings, "blob-small", SMALL, "1 KiB", 32),
        BlobGet(settings, "blob-large", LARGE, "8 MiB", 8),
        BlobStream(settings, big),
        ImagePull(),
        TagPut(settings),
        BlobPush(big, "push-big", "one PUT (containerd)", big.put),
        BlobPush(big, "push-big-chunked", "chunked PATCH (docker)", big.patch),
        ImagePush(),
        TagList(settings, many, "first"),
        TagList(settings, many, "last"),
        Memory("memory-loaded", "memory, after all this load"),
    ]
