"""Signing keys as files: one for each, readable by their owner alone, the newest last by name."""

from __future__ import annotations

import logging
import os
import re
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from auth.keys import KeyRing, SigningKey
from storage.blobs.files import Files

_SUFFIX = ".pem"
_UNFINISHED_S = 60.0
_NAME = re.compile(r"[0-9]{13}-.+\.pem")

_LOG = logging.getLogger(__name__)


class KeyFolder:
    """A folder of private keys. All methods block. Any number of processes may use it at the same time."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> KeyRing | None:
        """The keys that are there now; None if there are none. Files that hold no key of ours are logged, and left."""
        keys = [key for _, key in self._keys()]
        return KeyRing(keys) if keys else None

    def ensure(self, now_ms: int) -> None:
        """Make the folder and a first key, if there is none. Raises `OSError`."""
        self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._drop_unfinished()
        if self.load() is None:
            self.rotate(now_ms)

    def rotate(self, now_ms: int) -> SigningKey:
        """Make a key that signs from now on; on return it is durable. Tokens signed with older keys stay valid."""
        key = SigningKey.generate()
        _write(self._path / f"{now_ms:013d}-{key.kid}{_SUFFIX}", key)
        Files().sync_folder(self._path)
        return key

    def names(self) -> list[tuple[int, str]]:
        """(time in milliseconds, id) of each key, the oldest first."""
        return [(_made_ms(path), key.kid) for path, key in self._keys()]

    def newest_ms(self) -> int | None:
        """When the key that signs now was made, in milliseconds since the Unix epoch."""
        keys = self._keys()
        return _made_ms(keys[-1][0]) if keys else None

    def retire(self, before_ms: int) -> int:
        """Remove keys that another one replaced before that time, and return how many they were."""
        paths = [path for path, _ in self._keys()]
        replaced = [old for old, new in pairwise(paths) if _made_ms(new) < before_ms]
        for path in replaced:
            path.unlink(missing_ok=True)
        return len(replaced)

    def copy_to(self, target: Path) -> int:
        """Make the folder `target` have the same keys, and no others; return how many they are. Raises `OSError`."""
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        keys = {path.name: key for path, key in self._keys()}
        for name, key in keys.items():
            if not (target / name).exists():
                _temporary(target / name).unlink(missing_ok=True)
                _write(target / name, key)
        for path in target.glob(f"*{_SUFFIX}"):
            if path.name not in keys and _NAME.fullmatch(path.name):
                path.unlink()
        Files().sync_folder(target)
        return len(keys)

    def _drop_unfinished(self) -> None:
        """Remove what a process left that was killed while it made a key. Others may just be making theirs."""
        for unfinished in self._path.glob("*.new"):
            with suppress(FileNotFoundError):
                if time.time() - unfinished.stat().st_mtime > _UNFINISHED_S:
                    unfinished.unlink()

    def _keys(self) -> list[tuple[Path, SigningKey]]:
        """The files that hold keys of ours, the oldest first."""
        found = []
        for path in sorted(self._path.glob(f"*{_SUFFIX}")):
            if not _NAME.fullmatch(path.name):
                _LOG.error("%s is not named as the keys of Berth are: it signs nothing", path)
                continue
            try:
                found.append((path, SigningKey.from_pem(path.read_bytes())))
            except FileNotFoundError:
                continue  # retired meanwhile
            except (OSError, ValueError) as error:
                _LOG.error("the signing key %s cannot be used: %s", path, error)
        return found


def _made_ms(path: Path) -> int:
    return int(path.name.partition("-")[0])


def _temporary(path: Path) -> Path:
    return path.with_suffix(".new")


def _write(path: Path, key: SigningKey) -> None:
    temporary = _temporary(path)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.to_pem())
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
