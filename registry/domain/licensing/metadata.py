"""Metadata: what vendors keep with their resources. It comes back as it was sent, its keys to the letter."""

from __future__ import annotations

from typing import Any, cast

import orjson

from registry.errors import AttributeInvalid

Metadata = dict[str, Any]

DEPTH_MAX = 2
KEYS_MAX = 64
BYTES_MAX = 16_384


def read_metadata(value: object) -> Metadata:
    """The metadata that JSON had; nothing is empty metadata.

    Raises `ValueError` with what completes "metadata …" when it is no object, or too deep.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError("has to be an object")  # noqa: TRY004 - it is for the client to read
    if not _is_within(value, DEPTH_MAX):
        raise ValueError(f"exceeds the maximum depth of {DEPTH_MAX}")
    return cast("Metadata", value)


def expect_metadata(metadata: Metadata) -> None:
    """Raises `AttributeInvalid` when there is more of it than is kept. Its depth has to be bounded already."""
    if _count_keys(metadata) > KEYS_MAX:
        raise AttributeInvalid("metadata", f"may have at most {KEYS_MAX} keys", "TOO_LONG")
    if len(orjson.dumps(metadata)) > BYTES_MAX:
        raise AttributeInvalid("metadata", f"may have at most {BYTES_MAX} bytes as JSON", "TOO_LONG")


def _is_within(container: object, depth: int) -> bool:
    """Whether no more than `depth` levels of containers are in this one."""
    inner = [item for item in _items(container) if isinstance(item, dict | list)]
    if not inner:
        return True
    return depth > 0 and all(_is_within(item, depth - 1) for item in inner)


def _count_keys(container: object) -> int:
    own = len(container) if isinstance(container, dict) else 0
    return own + sum(map(_count_keys, _items(container)))


def _items(container: object) -> list[Any]:
    if isinstance(container, dict):
        return list(container.values())
    return container if isinstance(container, list) else []
