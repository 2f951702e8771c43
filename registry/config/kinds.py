"""The kinds of values that settings have: how each is read, checked and written as TOML.

Every value may be given as text too, as the environment has it, so all sources follow one rule.
"""

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Generic, NoReturn, TypeVar

T = TypeVar("T")
Network = IPv4Network | IPv6Network

_BINARY = {"TiB": 2**40, "GiB": 2**30, "MiB": 2**20, "KiB": 2**10}
_BYTES = {**_BINARY, "TB": 10**12, "GB": 10**9, "MB": 10**6, "kB": 10**3, "B": 1, "": 1}
_MILLISECONDS = {"h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_READ_MILLISECONDS = {"d": 86_400_000, "": 1000, **_MILLISECONDS}
_BOOLEANS = {"true": True, "yes": True, "on": True, "1": True}
_BOOLEANS |= {"false": False, "no": False, "off": False, "0": False}
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_QUANTITY = re.compile(r"([0-9]{1,15})(\.[0-9]{1,9})? ?([A-Za-z]*)")
_ORIGIN = re.compile(r"(https?://([^/?#@]+?)(?::[0-9]{1,5})?)/?")
_URL = re.compile(r"https?://[^\s\"'<>\\?#@]+")
_NAME = re.compile(r"[A-Za-z0-9._:/@-]{1,200}")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


class BadValue(ValueError):
    """A value does not fit its setting; `expected` says what would, and does not name the value."""

    def __init__(self, expected: str, value: object) -> None:
        super().__init__(f"expected {expected}, not {quote(value) if isinstance(value, str) else value}")
        self.expected = expected


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen: a name or an address (IPv6 without brackets), and a port (0: any free one)."""

    host: str
    port: int

    def __str__(self) -> str:
        """Return HOST:PORT, with brackets around an IPv6 address."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """What the values of a setting are outside and inside.

    `read` takes a TOML value, or text, and raises BadValue where it does not fit; `write` is its
    opposite and returns TOML.
    """

    read: Callable[[object], T]
    write: Callable[[T], str]


def setting(text: str, kind: Kind[T], *, default: object, secret: bool = False) -> T:
    """Return a dataclass field with its help text, kind, and default as a file would say it.

    The value of a secret is never printed.
    """
    return field(default=kind.read(default), repr=not secret, metadata={"help": text, "kind": kind, "secret": secret})


def quote(text: str) -> str:
    """Return text as a TOML string."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _refuse(expected: str, value: object) -> NoReturn:
    raise BadValue(expected, value)


def flag() -> Kind[bool]:
    """Return the kind of a setting that is on or off."""

    def read(value: object) -> bool:
        known = _BOOLEANS.get(str(value).lower())
        return _refuse("true or false", value) if known is None else known

    return Kind(read, lambda value: str(value).lower())


def choice(*words: str) -> Kind[str]:
    """Return the kind of a setting that is one of a few words."""

    def read(value: object) -> str:
        if isinstance(value, str) and value in words:
            return value
        return _refuse("one of " + ", ".join(words), value)

    return Kind(read, quote)


def count(low: int, high: int = 1_000_000_000) -> Kind[int]:
    """Return the kind of a whole number from low to high."""

    def read(value: object) -> int:
        if isinstance(value, bool) or not _INTEGER.fullmatch(str(value)) or not low <= int(str(value)) <= high:
            _refuse(f"a whole number from {low} to {high}", value)
        return int(str(value))

    return Kind(read, str)


def size(low: int = 0) -> Kind[int]:
    """Return the kind of a number of bytes, at least low, written as a number or like "4MiB"."""
    expected = 'a size such as 1048576, "500MB" or "4MiB"'

    def read(value: object) -> int:
        number = _read_size(value)
        if number is None:
            _refuse(expected, value)
        if number < low:
            _refuse(f"at least {_write_size(low)}", value)
        return number

    return Kind(read, _write_size)


def _read_size(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    match = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    if not match or match[2] or match[3] not in _BYTES:
        return None
    return int(match[1]) * _BYTES[match[3]]


def _write_size(number: int) -> str:
    for unit, factor in _BINARY.items():
        if number and number % factor == 0:
            return quote(f"{number // factor}{unit}")
    return str(number)


def duration(low: float = 0.0) -> Kind[float]:
    """Return the kind of a time in seconds, at least low, written as a number or like "90s"."""
    expected = 'a duration such as 90, "500ms", "90s", "15m" or "24h"'

    def read(value: object) -> float:
        seconds = _read_duration(value)
        if seconds is None:
            _refuse(expected, value)
        if seconds < low:
            _refuse(f"at least {_write_duration(low)}", value)
        return seconds

    return Kind(read, _write_duration)


def _read_duration(value: object) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if 0 <= value < math.inf else None
    match = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    if not match or match[3] not in _READ_MILLISECONDS:
        return None
    # Divided last: a thousandth cannot be written as a binary fraction, so multiplying by it would miss 1.9 s.
    return float(match[1] + (match[2] or "")) * _READ_MILLISECONDS[match[3]] / 1000


def _write_duration(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    if milliseconds / 1000 != seconds:
        return repr(seconds)
    for unit, factor in _MILLISECONDS.items():
        if milliseconds and milliseconds % factor == 0:
            return quote(f"{milliseconds // factor}{unit}")
    return quote("0s")


def folder() -> Kind[Path]:
    """Return the kind of a path that must be given."""

    def read(value: object) -> Path:
        return Path(value) if isinstance(value, str) and value else _refuse("a path", value)

    return Kind(read, lambda path: quote(str(path)))


def optional_file() -> Kind[Path | None]:
    """Return the kind of a path that may be left out, written as an empty string."""

    def read(value: object) -> Path | None:
        if not isinstance(value, str):
            _refuse("a path", value)
        return Path(value) if value else None

    return Kind(read, lambda path: quote(str(path or "")))


def address() -> Kind[Address]:
    """Return the kind of an address to listen on, written HOST:PORT."""

    def read(value: object) -> Address:
        host, colon, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
        bare = _bare_host(host)
        if not (colon and bare and _INTEGER.fullmatch(port) and 0 <= int(port) <= 65_535):
            _refuse("HOST:PORT, such as 127.0.0.1:5000, 0.0.0.0:5000 or [::1]:5000", value)
        return Address(bare, int(port))

    return Kind(read, lambda place: quote(str(place)))


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a listener on that host."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _bare_host(host: str) -> str:
    """Return the host without the brackets of an IPv6 address, or nothing if it is not a host."""
    if not host.startswith("["):
        return host if _HOST.fullmatch(host) else ""
    try:
        return str(IPv6Address(host[1:].removesuffix("]"))) if host.endswith("]") else ""
    except ValueError:
        return ""


def origin() -> Kind[str]:
    """Return the kind of a URL of scheme, host and port alone; empty when it is not set."""

    def read(value: object) -> str:
        if value == "":
            return ""
        match = _ORIGIN.fullmatch(value) if isinstance(value, str) else None
        if not match or not _bare_host(match[2]):
            _refuse("a URL such as https://registry.example or http://10.0.0.5:5000", value)
        return match[1]

    return Kind(read, quote)


def name() -> Kind[str]:
    """Return the kind of a name without spaces and quotes."""

    def read(value: object) -> str:
        if isinstance(value, str) and _NAME.fullmatch(value):
            return value
        _refuse("1 to 200 letters, digits and any of . _ : / @ -", value)

    return Kind(read, quote)


def url() -> Kind[str]:
    """Return the kind of a URL with or without a path; empty when it is not set."""

    def read(value: object) -> str:
        if isinstance(value, str) and (not value or _URL.fullmatch(value)):
            return value
        _refuse("a URL such as https://auth.example/token", value)

    return Kind(read, quote)


def place() -> Kind[str]:
    """Return the kind of a URL or a path; empty when it is not set."""

    def read(value: object) -> str:
        if isinstance(value, str) and ("://" not in value or _URL.fullmatch(value)):
            return value
        _refuse("a path, or a URL such as https://auth.example/jwks.json", value)

    return Kind(read, quote)


def networks() -> Kind[tuple[Network, ...]]:
    """Return the kind of a list of addresses and networks."""

    def read(value: object) -> tuple[Network, ...]:
        if isinstance(value, str):
            value = [part for item in value.split(",") if (part := item.strip())]
        if not isinstance(value, list):
            _refuse('a list of addresses and networks, such as ["10.0.0.0/8", "::1"]', value)
        return tuple(_read_network(item) for item in value)

    def write(items: tuple[Network, ...]) -> str:
        return "[" + ", ".join(quote(str(item)) for item in items) + "]"

    return Kind(read, write)


def _read_network(value: object) -> Network:
    try:
        if isinstance(value, str):
            return ip_network(value)
    except ValueError:
        pass
    return _refuse("an address, or a network without host bits such as 10.0.0.0/8", value)
