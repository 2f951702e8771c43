"""What a collection found and did."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(slots=True)
class Collected:
    """Counts up while the collector is at work; of a dry run, what would have gone.

    `manifests` and `tags` went by the policies of their registries, `history` counts changes of tags that are not
    remembered any more, `forgotten` deleted manifests that cannot be brought back any more, `links` say that a
    repository has a blob, `blobs` with their `bytes` are content that no repository had any more. `stray` are bytes
    without a row that were found, to be removed later if they stay so, `removed` those that were removed from the
    store, and `failed` those that the store did not remove now.
    """

    phase: str = ""
    examined: int = 0
    manifests: int = 0
    tags: int = 0
    history: int = 0
    forgotten: int = 0
    links: int = 0
    blobs: int = 0
    bytes: int = 0
    stray: int = 0
    stray_bytes: int = 0
    removed: int = 0
    failed: int = 0

    def as_dict(self) -> dict[str, object]:
        return asdict(self)
