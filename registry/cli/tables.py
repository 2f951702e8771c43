"""What management commands print: aligned tables for people, JSON for programs, bare names for scripts."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from registry.domain.details import lasting

Value = None | bool | int | str | Sequence[str] | datetime | timedelta
Record = Mapping[str, Value]

NOTHING = "-"
_GAP = "   "
_WORDS = re.compile(r"[A-Z]?[a-z]+")


def add_formats(parser: argparse.ArgumentParser, *, quiet: str = "") -> None:
    """Add `--json`, and, where `quiet` says what it prints, `--quiet`."""
    formats = parser.add_mutually_exclusive_group()
    formats.add_argument("--json", action="store_true", help="print JSON")
    if quiet:
        formats.add_argument("-q", "--quiet", action="store_true", help=f"print {quiet} only")


def moment(milliseconds: int | None) -> datetime | None:
    """A time since the Unix epoch, as records hold it."""
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)


def length(milliseconds: int | None) -> timedelta | None:
    """A length of time, as records hold it: 0 is never."""
    return None if milliseconds is None else timedelta(milliseconds=milliseconds)


def print_list(
    arguments: argparse.Namespace,
    records: Sequence[Record],
    columns: Sequence[str],
    name: Callable[[Record], Value] | None = None,
) -> None:
    """Print all that the records hold as JSON, or these keys of them as a table, or their names alone.

    A record's name is the value of the first column, unless `name` says otherwise.
    """
    if arguments.json:
        _print_json(list(records))
    elif arguments.quiet:
        for record in records:
            print(cell(record[columns[0]] if name is None else name(record)))
    else:
        print(table([_title(key).upper() for key in columns], ([record[key] for key in columns] for record in records)))


def print_record(arguments: argparse.Namespace, record: Record) -> None:
    """Print one thing: as a JSON object, or one line for each key."""
    if arguments.json:
        _print_json(record)
    else:
        print(table([], ([f"{_title(key)}:", value] for key, value in record.items())))


def print_done(arguments: argparse.Namespace, sentence: str, record: Record) -> None:
    """Print the sentence, or the record as a JSON object."""
    if arguments.json:
        _print_json(record)
    else:
        print(cell(sentence))


def print_secret(arguments: argparse.Namespace, secret: str, key: str, sentence: str, record: Record) -> None:
    """Print a secret, alone on standard output, and the sentence beside it on standard error unless `--quiet` is given.

    With `--json` print the record instead, and in it the secret as `key`.
    """
    if arguments.json:
        _print_json({**record, key: secret})
        return
    print(secret, flush=True)
    if not arguments.quiet:
        print(cell(sentence), file=sys.stderr)


def json_line(record: Record) -> str:
    """The record as a JSON object in one line."""
    return _LINES.encode(record)


def amount(size: int) -> str:
    """A number of bytes, for people."""
    value, unit = float(size), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if value < 1024 or unit == "TiB":
            break
        value /= 1024
    return f"{size} B" if unit == "B" else f"{value:.1f} {unit}"


def table(titles: Sequence[str], rows: Iterable[Sequence[Value]]) -> str:
    """The rows, below the titles if there are any, with their columns aligned."""
    lines = [list(titles)] if titles else []
    lines += [[cell(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(_GAP.join(map(str.ljust, line, widths)).rstrip() for line in lines)


def cell(value: Value) -> str:
    """The value in one line, without anything that a terminal would obey."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(value, timedelta):
        return lasting(value // timedelta(milliseconds=1))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return cell(", ".join(value))
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in str(value))


def _print_json(value: Record | Sequence[Record]) -> None:
    # ASCII alone, whatever the terminal takes.
    print(json.dumps(value, default=_written, indent=2))


def _title(key: str) -> str:
    """The words of a key in lowerCamelCase: "lastUsedAt" is a "last used"."""
    return " ".join(_WORDS.findall(key.removesuffix("At"))).lower()


def _written(value: datetime | timedelta) -> str | int:
    if isinstance(value, timedelta):
        return value // timedelta(seconds=1)
    return f"{value.isoformat(timespec='milliseconds').removesuffix('+00:00')}Z"


_LINES = json.JSONEncoder(default=_written, separators=(",", ":"))
