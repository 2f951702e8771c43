"""Log lines: one for each event and one for each request, as JSON or as text.

Secrets have no place in them: no query string, no Authorization header.
Whatever a client sent is escaped, so it can neither forge a line nor reach the reader's terminal.
"""

import logging
import os
import time
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, NamedTuple, TextIO

import orjson

from registry.output import BufferedOutput, DirectOutput, Output

# Lines of requests that are collected before they are written, and for how long.
COLLECTED_MOST = 128
COLLECT_SECONDS = 0.1
LONGEST_PATH = 1024
LONGEST_AGENT = 256
READING = frozenset({"GET", "HEAD", "OPTIONS"})

_ErrorInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]

_OWN_FIELDS: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
_COLOURS: Final = {"DEBUG": 2, "INFO": 32, "WARNING": 33, "ERROR": 31, "CRITICAL": 31}


def setup(style: str, level: str, stream: TextIO, *, buffered: bool = False) -> Output:
    """Send all that is logged in this process to `stream` from now on, and return where it goes.

    Args:
        style: "text" or "json", as `style_for` returned it. Text has colours on a terminal.
        level: the least level to log: "debug", "info", "warning" or "error".
        stream: must have a file descriptor.
        buffered: never let a slow reader block this process. Starts a thread, so not before a fork.
    """
    stream.flush()
    output: Output = (BufferedOutput if buffered else DirectOutput)(stream.fileno())
    render = _json_record if style == "json" else _text_record(colours=has_colours(stream))
    root = logging.getLogger()
    root.handlers[:] = [_Handler(render, output)]
    root.setLevel(level.upper())
    logging.captureWarnings(capture=True)
    # Every selector it makes, at debug level: of no use to anybody.
    logging.getLogger("asyncio").setLevel(logging.INFO)
    return output


def style_for(format_: str, stream: TextIO) -> str:
    """What the setting `log.format` means for `stream`: "auto" is text on a terminal, else JSON."""
    if format_ == "auto":
        return "text" if stream.isatty() else "json"
    return format_


def has_colours(stream: TextIO) -> bool:
    """True if `stream` is a terminal whose owner did not ask for plain text."""
    return stream.isatty() and "NO_COLOR" not in os.environ


class Entry(NamedTuple):
    """What is logged of one request.

    `at` is a Unix time; `path` as the client sent it (its query string is not logged); `status` 499 if the client did
    not wait for the answer; `seconds` from the end of the request's header to the end of the answer; `received` and
    `sent` bytes of the bodies; `principal` None if anonymous; `route` one of a fixed set; `error` why it failed.
    """

    at: float
    request_id: str
    method: str
    path: str
    status: int
    seconds: float
    received: int
    sent: int
    remote: str | None
    user_agent: str | None
    principal: str | None
    route: str
    error: str | None


class RequestLog:
    """Writes the one line that each request gets, whatever `log.level` is.

    `style` is "text" or "json", `requests` the setting `log.requests`: all, changes, errors or none.
    Lines are written at once until `collect` is called.
    """

    def __init__(self, style: str, requests: str, output: Output) -> None:
        self._output = output
        self._render = _json_request if style == "json" else _text_request
        self._requests = requests
        self._entries: list[Entry] = []
        self._later: Callable[[float, Callable[[], None]], object] | None = None

    def collect(self, later: Callable[[float, Callable[[], None]], object]) -> None:
        """Write many lines in one go from now on; `later` is a loop's `call_later`.

        Formatting one line in the middle of a request costs several times what it costs among its like.
        """
        self._later = later

    def write(self, entry: Entry) -> None:
        """Log one answered request, unless `requests` leaves its kind out."""
        wanted = self._requests
        if wanted != "all" and not _is_wanted(wanted, entry.method, entry.status):
            return
        entries = self._entries
        entries.append(entry)
        if self._later is None or len(entries) >= COLLECTED_MOST:
            self.flush()
        elif len(entries) == 1:
            self._later(COLLECT_SECONDS, self.flush)

    def flush(self) -> None:
        """Write what was collected."""
        entries, self._entries = self._entries, []
        for entry in entries:
            self._output.write(self._render(entry))


def _is_wanted(requests: str, method: str, status: int) -> bool:
    return requests != "none" and (status >= 400 or (requests == "changes" and method not in READING))


class _Clock:
    """Remembers the text of the last millisecond, which a busy worker's lines share."""

    milliseconds = 0
    text = ""


def timestamp(seconds: float) -> str:
    """A Unix time as RFC 3339 in UTC, to the millisecond."""
    milliseconds = int(seconds * 1000)
    if milliseconds != _Clock.milliseconds:
        whole, rest = divmod(milliseconds, 1000)
        _Clock.text = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{rest:03d}Z"
        _Clock.milliseconds = milliseconds
    return _Clock.text


class _Handler(logging.Handler):
    def __init__(self, render: Callable[[logging.LogRecord], bytes], output: Output) -> None:
        super().__init__()
        self._render = render
        self._output = output

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._output.write(self._render(record), hurry=record.levelno >= logging.ERROR)
        except Exception:  # noqa: BLE001 - a record that cannot be shown must not end a request
            self.handleError(record)


def _json_record(record: logging.LogRecord) -> bytes:
    fields: dict[str, Any] = {
        "ts": timestamp(record.created),
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": record.getMessage(),
        **_extra(record),
    }
    if record.exc_info:
        fields["traceback"] = _trace(record.exc_info)
    return _json_line(fields)


def _json_request(entry: Entry) -> bytes:
    fields: dict[str, Any] = {
        "ts": timestamp(entry.at),
        "level": _level(entry),
        "logger": "request",
        "request_id": entry.request_id,
        "method": entry.method,
        "path": _path(entry),
        "status": entry.status,
        "seconds": round(entry.seconds, 6),
        "received": entry.received,
        "sent": entry.sent,
        "remote": entry.remote,
        "user_agent": _agent(entry),
        "route": entry.route,
    }
    if entry.principal is not None:
        fields["principal"] = entry.principal
    if entry.error is not None:
        fields["error"] = entry.error
    try:
        return orjson.dumps(fields, None, orjson.OPT_APPEND_NEWLINE)
    except TypeError:
        return _json_line(fields)


def _level(entry: Entry) -> str:
    return "info" if entry.status < 500 else "error"


def _path(entry: Entry) -> str:
    return entry.path.partition("?")[0][:LONGEST_PATH]


def _agent(entry: Entry) -> str | None:
    return entry.user_agent[:LONGEST_AGENT] if entry.user_agent else entry.user_agent


def _json_line(fields: dict[str, Any]) -> bytes:
    # A header that is not UTF-8 arrives as surrogates, which JSON cannot hold.
    clean = {name: _encodable(value) if isinstance(value, str) else value for name, value in fields.items()}
    return orjson.dumps(clean, default=str, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS)


def _text_record(*, colours: bool) -> Callable[[logging.LogRecord], bytes]:
    def render(record: logging.LogRecord) -> bytes:
        level = f"{record.levelname:<7}"
        if colours:
            level = f"\x1b[{_COLOURS.get(record.levelname, 0)}m{level}\x1b[0m"
        words = [timestamp(record.created), level, plain(record.getMessage())]
        words += [f"{name}={plain(str(value))}" for name, value in _extra(record).items()]
        lines = [" ".join(words)]
        if record.exc_info:
            lines += [f"    {plain(line)}" for line in _trace(record.exc_info).splitlines()]
        return ("\n".join(lines) + "\n").encode(errors="replace")

    return render


def _text_request(entry: Entry) -> bytes:
    agent = plain(_agent(entry) or "-").replace('"', '\\"')
    words = [
        timestamp(entry.at),
        f"{_level(entry).upper():<7}",
        plain(entry.method),
        plain(_path(entry)),
        str(entry.status),
        f"{entry.seconds * 1000:.1f}ms",
        f"in={entry.received}",
        f"out={entry.sent}",
        str(entry.remote),
        f'"{agent}"',
        f"id={entry.request_id}",
    ]
    if entry.principal is not None:
        words.append(f"principal={plain(entry.principal)}")
    if entry.error is not None:
        words.append(f"error={plain(entry.error)}")
    return (" ".join(words) + "\n").encode(errors="replace")


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _OWN_FIELDS}


def _trace(error: _ErrorInfo) -> str:
    return "".join(traceback.format_exception(*error)).rstrip()


def plain(text: str) -> str:
    """`text` with control characters, and whatever else a terminal might obey, written as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _encodable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return plain(text)
    return text
