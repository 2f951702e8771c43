"""Two servers of PostgreSQL of which one takes the place of the other."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from tests.daemon import free_port
from tests.postgres import PostgresServer, running_server


class Pair:
    """A primary, and a standby that has everything that was committed before anybody hears of it."""

    def __init__(self, primary: PostgresServer, standby: PostgresServer) -> None:
        self.primary, self.standby = primary, standby

    def url(self, database: str) -> str:
        """The URL of a database on whichever of both takes writes."""
        hosts = ",".join(f"127.0.0.1:{server.port}" for server in (self.primary, self.standby))
        return f"postgresql://postgres@{hosts}/{database}"

    def crash(self) -> None:
        """Let the primary end as if its machine had lost its power."""
        self.primary.stop(signal.SIGQUIT)

    def promote(self) -> None:
        """Let the standby be a primary."""
        assert self.standby.execute("SELECT pg_promote()") == "t"


@contextmanager
def replicated(*, durable: bool = False) -> Iterator[Pair]:
    """A pair of servers for as long as the context is open."""
    primaries = running_server(durable=durable, port=free_port())
    primary = next(primaries)
    try:
        standbys = running_server(durable=durable, port=free_port(), primary=primary)
        try:
            yield _in_step(Pair(primary, next(standbys)))
        finally:
            next(standbys, None)
    finally:
        next(primaries, None)


def _in_step(pair: Pair) -> Pair:
    # Said when the standby is there: it has no standby of its own to wait for.
    pair.primary.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
    pair.primary.execute("SELECT pg_reload_conf()")
    while pair.primary.execute("SELECT sync_state FROM pg_stat_replication") != "sync":
        pass
    return pair
