"""The signals that the supervisor obeys, as numbers that can be read from a pipe."""

import os
import signal
from contextlib import ExitStack

SUPERVISED = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD})


def catch(stack: ExitStack) -> tuple[int, int]:
    """Let the signals write their numbers to a pipe until `stack` ends; return the pipe's two ends."""
    reader, writer = os.pipe()
    stack.callback(os.close, reader)
    stack.callback(os.close, writer)
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    stack.callback(signal.set_wakeup_fd, before)
    for number in SUPERVISED:
        # Python writes only the signals that it has a handler for.
        stack.callback(signal.signal, number, signal.signal(number, lambda *_: None))
    return reader, writer
