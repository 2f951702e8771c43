"""Ids of resources: random UUIDs, which tell nothing, and which nothing else may look like."""

from __future__ import annotations

import re
import uuid

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


def new_id() -> str:
    return str(uuid.uuid4())


def is_id(text: str) -> bool:
    """Whether the text has the form of an id, in either case: only then is anything looked up by its id."""
    return _ID.fullmatch(text) is not None
