"""A network that loses what is sent, without a word, for servers, daemons and clients that are started in it."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from tests.postgres import missing

T = TypeVar("T")

_CLONE_NEWNET = 0x40000000
_ESTABLISHED = "01"


class Network:
    """A network with nothing in it but a loopback. A thread is in it, and so is what that starts."""

    def __init__(self, thread: ThreadPoolExecutor) -> None:
        self._thread = thread

    def run(self, function: Callable[[], T]) -> T:
        """Call `function` in the network."""
        return self._thread.submit(function).result()


@contextmanager
def own_network() -> Iterator[Network]:
    """A network for as long as the context is open; the test is skipped, or fails in CI, where that is not allowed."""
    if os.geteuid() != 0 or not all(map(shutil.which, ("ip", "iptables"))):
        missing("a network of its own needs root, ip and iptables")
    with ThreadPoolExecutor(1) as thread:
        # It belongs to the one thread that asks for it.
        if thread.submit(ctypes.CDLL(None).unshare, _CLONE_NEWNET).result():
            missing("this machine gives nobody a network of its own")
        network = Network(thread)
        network.run(lambda: _call("ip", "link", "set", "lo", "up"))
        yield network


@contextmanager
def silence(*ports: int) -> Iterator[None]:
    """Lose all that is sent to the ports and from them; for use in a `Network`."""
    sides = [(side, str(port)) for side in ("--dport", "--sport") for port in ports]
    rules = [("INPUT", "-p", "tcp", *side, "-j", "DROP") for side in sides]
    for rule in rules:
        _call("iptables", "-I", *rule)
    try:
        yield
    finally:
        for rule in rules:
            _call("iptables", "-D", *rule)


def clients_of(port: int) -> list[int]:
    """The ports of those who are connected to the port; for use in a `Network`."""
    lines = Path("/proc/thread-self/net/tcp").read_text().splitlines()[1:]
    ends = [line.split()[1:4] for line in lines]
    return [int(ours[-4:], 16) for ours, theirs, state in ends if (int(theirs[-4:], 16), state) == (port, _ESTABLISHED)]


def _call(*command: str) -> None:
    subprocess.run(command, check=True, timeout=10)
