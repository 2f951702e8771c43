"""Removing what a run has pushed, some things at the same time, and saying what could not be removed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from conformance.requirement import Failed
from conformance.session import Litter, Session, blob_path, manifest_path

# An upload that has ended answers 404 or 400.
_GONE = {200, 202, 204, 404}
_ENDED = _GONE | {400}
# Who has refused so many of a kind, and removed none, deletes nothing of this kind.
_ENOUGH = 20


def clean_up(new_session: Callable[[], Session], litter: Litter, jobs: int) -> str:
    """Remove what was pushed, at most `jobs` things at a time. Returns what is left, and why, or nothing."""
    cleaner = Cleaner(new_session, jobs)
    return cleaner.clean(
        {
            "uploads": list(dict.fromkeys(litter.uploads)),
            # What came last may need what came before it.
            "manifests": [manifest_path(*one) for one in dict.fromkeys(reversed(litter.manifests))],
            "blobs": [blob_path(*one) for one in dict.fromkeys(reversed(litter.blobs))],
        }
    )


class Cleaner:
    """Sends what deletes, and counts what is left."""

    def __init__(self, new_session: Callable[[], Session], jobs: int) -> None:
        self._new_session, self._jobs = new_session, jobs
        self._refusals: dict[str, Counter[str]] = {}
        self._removed: set[str] = set()

    def clean(self, paths: Mapping[str, Sequence[str]]) -> str:
        """Delete these paths, one kind after the other. Returns what is left, and why, or nothing."""
        left = {}
        with ThreadPoolExecutor(self._jobs) as threads:
            for kind, wanted in paths.items():
                rest, before = self._delete_all(threads, kind, wanted), len(wanted)
                # What others needed can go once they are gone.
                while 0 < len(rest) < before:
                    rest, before = self._delete_all(threads, kind, rest), len(rest)
                left[kind] = len(rest)
        return self._told({kind: count for kind, count in left.items() if count})

    def _delete_all(self, threads: ThreadPoolExecutor, kind: str, paths: Sequence[str]) -> list[str]:
        """Returns what of these could not be deleted."""
        self._refusals[kind] = Counter()
        gone = threads.map(lambda path: self._delete(kind, path), paths)
        return [path for path, is_gone in zip(paths, gone, strict=True) if not is_gone]

    def _delete(self, kind: str, path: str) -> bool:
        refusals = self._refusals[kind]
        if kind not in self._removed and refusals.total() >= _ENOUGH:
            return False
        try:
            status = self._new_session().send("DELETE", path).status
        except Failed as error:
            refusals[str(error)] += 1
            return False
        if status in (_ENDED if kind == "uploads" else _GONE):
            self._removed.add(kind)
            return True
        refusals[f"DELETE answered {status}"] += 1
        return False

    def _told(self, left: Mapping[str, int]) -> str:
        if not left:
            return ""
        counts = " and ".join(
            f"{count} {kind if count > 1 else kind.removesuffix('s')}" for kind, count in left.items()
        )
        reasons = Counter[str]()
        for kind in left:
            reasons += self._refusals[kind]
        return f"{counts} could not be removed: {reasons.most_common(1)[0][0]}"
