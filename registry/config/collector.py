"""The settings of what goes over the stored content by itself, a part of `settings`."""

from dataclasses import dataclass

from registry.config import kinds
from registry.config.kinds import setting


@dataclass(frozen=True, slots=True)
class CollectorConfig:
    """The collector: it removes what nothing needs any more. Registries can have other policies."""

    every: float = setting(
        "How often it runs beside the daemon. 0 is never: then run berth gc yourself.",
        kinds.duration(),
        default="6h",
    )
    grace: float = setting(
        "How long a blob stays that no manifest needs, from its push, its mount, or the last time somebody who may push"
        " asked whether it is there.",
        kinds.duration(0.001),
        default="24h",
    )
    untagged_after: float = setting(
        "A manifest that no tag, index or subject holds is deleted after this time. 0 is never: whoever pulls by digest"
        " still finds it.",
        kinds.duration(),
        default="0s",
    )
    orphaned_after: float = setting(
        "A referrer whose subject is gone, such as a signature, and a part of an index that was deleted, is deleted"
        " after this time. 0 is never.",
        kinds.duration(),
        default="7d",
    )
    keep_deleted: float = setting(
        "How long deleted manifests can be brought back (berth restore). What they need stays stored as long. 0 keeps"
        " nothing.",
        kinds.duration(),
        default="7d",
    )
    keep_history: float = setting(
        "How long it is known where tags pointed, and who moved them. Where each of them points now, or pointed last,"
        " is always known. 0 keeps all for ever.",
        kinds.duration(),
        default="365d",
    )


@dataclass(frozen=True, slots=True)
class ScrubConfig:
    """The scrub: it reads every stored blob again and again, and finds those that the disk has spoiled."""

    every: float = setting(
        "How long after one pass over all blobs began the next one may begin. 0 never reads them.",
        kinds.duration(),
        default="30d",
    )
    rate: int = setting(
        "Most bytes that are read in a second, by the whole installation.",
        kinds.size(1),
        default="8MiB",
    )
