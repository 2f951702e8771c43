"""`--limit`: how much of a long list is printed."""

from __future__ import annotations

import argparse
from collections.abc import Callable

_LIMIT = 50
_LIMIT_MAX = 10_000


def add_limit(parser: argparse.ArgumentParser, things: str, hint: str = "") -> None:
    """Add the flag, for a list of these things; `hint` is told to those who want more than there can be."""
    parser.add_argument(
        "--limit", metavar="N", type=_reader(hint), default=_LIMIT, help=f"at most so many {things} (default: {_LIMIT})"
    )


def _reader(hint: str) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal() or not 1 <= int(text) <= _LIMIT_MAX:
            raise argparse.ArgumentTypeError(f"expected a number from 1 to {_LIMIT_MAX}{hint}")
        return int(text)

    return read
