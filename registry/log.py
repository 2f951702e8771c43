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
from typing import Any, Final, TextIO

import orjson

from registry.output import BufferedOutput, DirectOutput, Output

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


class RequestLog:
    """Writes the one line that each request gets, whatever `log.level` is.

    `style` is "text" or "json", `requests` the setting `log.requests`: all, changes, errors or none.
    """

    def __init__(self, style: str, requests: str, output: Output) -> None:
        self._output = output
        self._render = _json_request if style == "json" else _text_request
        self._requests = requests

    def write(  # noqa: PLR0913 - these are the columns
        self,
        *,
        request_id: str,
        method: str,
        path: str,
        status: int,
        seconds: float,
        received: int,
        sent: int,
        remote: str | None,
        user_agent: str | None,
        principal: str | None,
        route: str,
        error: str | None,
    ) -> None:
        """Log one answered request, unless `requests` leaves its kind out.

        Args:
            request_id: what the answer told the client.
            method: as the client sent it.
            path: as the client sent it; a query string is cut off.
            status: of the answer, 499 if the client did not wait for it.
            seconds: from the end of the request's header to the end of the answer.
            received: bytes of the request's body.
            sent: bytes of the answer's body.
            remote: the client's address.
            user_agent: as the client sent it.
            principal: who asked, None if anonymous.
            route: one of the fixed set of routes.
            error: the code or the reason of a failure.
        """
        wanted = self._requests
        if wanted != "all" and not _is_wanted(wanted, method, status):
            return
        fields: dict[str, Any] = {
            "ts": timestamp(time.time()),
            "level": "info" if status < 500 else "error",
            "logger": "request",
            "request_id": request_id,
            "method": method,
            "path": path.partition("?")[0][:LONGEST_PATH],
            "status": status,
            "seconds": round(seconds, 6),
            "received": received,
            "sent": sent,
            "remote": remote,
            "user_agent": user_agent[:LONGEST_AGENT] if user_agent else user_agent,
            "route": route,
        }
        if principal is not None:
            fields["principal"] = principal
        if error is not None:
            fields["error"] = error
        self._output.write(self._render(fields))


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


def _json_request(fields: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(fields, None, orjson.OPT_APPEND_NEWLINE)
    except TypeError:
        return _json_line(fields)


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


def _text_request(fields: dict[str, Any]) -> bytes:
    level = fields["level"].upper()
    agent = plain(fields["user_agent"] or "-").replace('"', '\\"')
    words = (
        fields["ts"],
        f"{level:<7}",
        plain(fields["method"]),
        plain(fields["path"]),
        str(fields["status"]),
        f"{fields['seconds'] * 1000:.1f}ms",
        f"in={fields['received']}",
        f"out={fields['sent']}",
        str(fields["remote"]),
        f'"{agent}"',
        f"id={fields['request_id']}",
        *(f"{name}={plain(fields[name])}" for name in ("principal", "error") if name in fields),
    )
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
