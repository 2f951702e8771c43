"""How management commands come by the use cases, and by all of a list."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from registry.errors import StartError

if TYPE_CHECKING:
    from registry.cli.nouns import Run
    from registry.config import Config
    from registry.domain.pages import Page

T = TypeVar("T")

_PAGE_SIZE = 500


def run_in_store(config: Config, arguments: argparse.Namespace, run: Run) -> None:
    """Run a command on the data folder of the configuration. Raises `RegistryError`."""
    # Not at the top: no help needs it, and it takes long.
    from registry.app.management import open_management  # noqa: PLC0415

    _expect_access(config.storage.data)

    async def work() -> None:
        async with open_management(config) as management:
            await run(arguments, management)

    asyncio.run(work())


def _expect_access(data: Path) -> None:
    """Raises `StartError` when the folder is there, and not for this user."""
    try:
        data.stat()
        allowed = os.access(data, os.R_OK | os.W_OK | os.X_OK)
    except PermissionError:
        allowed = False
    except OSError:
        return  # it is not there: whoever opens it tells
    if not allowed:
        raise StartError(
            f"the data folder {data} is not for this user: run the command as the one that `berth serve` runs as"
        )


async def all_of(page: Callable[[str, int], Awaitable[Page[T]]], key: Callable[[T], str]) -> list[T]:
    """Every item of a list that is read in pages; `key` is what a page begins after."""
    found: list[T] = []
    while True:
        part = await page(key(found[-1]) if found else "", _PAGE_SIZE)
        found += part.items
        if not part.more:
            return found
