"""Where a registry of the tests keeps its rows and its bytes."""

import contextlib
from collections.abc import Iterator

import pytest

from tests import s3_store
from tests.databases import Databases


@contextlib.contextmanager
def kept_in(name: str, request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """The environment of a registry that keeps rows and bytes there: `sqlite-files`, `postgresql-s3` and so on."""
    rows, bytes_ = name.split("-")
    settings: dict[str, object] = s3_store.settings() if bytes_ == "s3" else {}
    with contextlib.ExitStack() as stack:
        if rows == "postgresql":
            databases: Databases = request.getfixturevalue("databases")
            lent = databases.lend()
            stack.callback(databases.take_back, lent)
            settings["storage.database"] = databases.url(lent)
        yield s3_store.environment(settings)
