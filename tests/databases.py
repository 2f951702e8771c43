"""Databases of PostgreSQL that are lent to one test after another, since making one takes long."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from storage.metadata.postgresql import Database, PostgresStore
from tests.postgres import PostgresServer

# What a new database begins with is kept beside its tables.
_KEEP = """
    DO $$ DECLARE name text; BEGIN
        CREATE SCHEMA kept;
        FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
            EXECUTE format('CREATE TABLE kept.%I AS TABLE public.%I', name, name);
        END LOOP;
    END $$
"""
_RESTORE = """
    SET lock_timeout = '10s'; SET session_replication_role = replica;
    DO $$ DECLARE name text; counter text; BEGIN
        FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
            EXECUTE format('DELETE FROM public.%I', name);
            EXECUTE format('INSERT INTO public.%I SELECT * FROM kept.%I', name, name);
        END LOOP;
        FOR name, counter IN SELECT table_name, pg_get_serial_sequence(table_name, 'id') FROM information_schema.columns
            WHERE table_schema = 'public' AND is_identity = 'YES' LOOP
            EXECUTE format('SELECT setval(%L, (SELECT COALESCE(MAX(id), 0) + 1 FROM public.%I), false)', counter, name);
        END LOOP;
    END $$
"""


class Databases:
    """Databases with the newest schema, and nothing else in them."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._free: list[str] = []
        self._template = server.create_database()
        # Whoever asks for the first database may do so in a loop.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, PostgresStore.migrate(Database(server.url(self._template)))).result()
        server.execute(_KEEP, self._template)

    def lend(self) -> str:
        """The name of a database that nobody else has."""
        return self._free.pop() if self._free else self._server.create_database(self._template)

    def take_back(self, name: str) -> None:
        """Make the database as new, for the next who wants one."""
        self._server.execute(_RESTORE, name)
        self._free.append(name)

    def url(self, name: str) -> str:
        """The URL of a database that was lent."""
        return self._server.url(name)
