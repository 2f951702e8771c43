"""How management commands come by all of a list."""

from registry.cli.opening import all_of
from registry.domain.pages import Page

NAMES = ["a", "b", "c", "d", "e"]


async def page(after: str, size: int) -> Page[str]:
    """Two names at a time, whatever was asked for."""
    rest = [name for name in NAMES if name > after]
    return Page(rest[:2], more=len(rest) > 2)


async def test_every_page_is_read() -> None:
    """A list is whole, however many pages it takes."""
    assert await all_of(page, str) == NAMES
