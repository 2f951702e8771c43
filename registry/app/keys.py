"""Signing keys, where the configuration says that they are."""

from __future__ import annotations

import time
from pathlib import Path

from auth.keyfiles import KeyFolder
from registry.config.settings import Config
from registry.errors import StartError

_NAME = "keys"


def key_folder(config: Config) -> KeyFolder | None:
    """Where signing keys are kept; None if they are gone with the process."""
    if config.storage.ephemeral and config.auth.keys is None:
        return None
    return KeyFolder(config.auth.keys or Path(config.storage.data) / _NAME)


def prepare_keys(config: Config) -> None:
    """Make the folder of signing keys, and the first of them. Blocks. Raises `StartError`."""
    folder = key_folder(config)
    if folder is None:
        return
    try:
        folder.ensure(_now_ms())
    except OSError as error:
        raise StartError(f"the folder of signing keys cannot be used: {error}") from error


def list_keys(config: Config) -> list[tuple[int, str]]:
    """(time in milliseconds, id) of each key, the one that signs first. Blocks. Raises `StartError`."""
    return list(reversed(_expect_folder(config).names()))


def rotate_key(config: Config) -> None:
    """Make a key that signs from now on. Blocks. Raises `StartError`."""
    try:
        _expect_folder(config).rotate(_now_ms())
    except OSError as error:
        raise StartError(f"the folder of signing keys cannot be used: {error}") from error


def _expect_folder(config: Config) -> KeyFolder:
    folder = key_folder(config)
    if folder is None or not folder.names():
        raise StartError("there are no signing keys here: see --data, storage.data and auth.keys")
    return folder


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
