"""Databases of PostgreSQL that are lent to one test after another, since making one takes long."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from string import Template

import asyncpg

from storage.metadata.postgresql import Database, PostgresStore
from tests.postgres import PostgresServer

NEW = "kept_new"
"""What a new database begins with."""

# The statements are written once, so that a connection that restores often has plans for them.
_KEEP = Template("""
    DO $$$$ DECLARE name text; counter text; filled boolean; steps text := ''; BEGIN
        CREATE SCHEMA $place;
        FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
            EXECUTE format('CREATE TABLE $place.%I AS TABLE public.%I', name, name);
            steps := steps || format('DELETE FROM public.%I;', name);
            EXECUTE format('SELECT EXISTS (SELECT FROM $place.%I)', name) INTO filled;
            IF filled THEN
                steps := steps || format('INSERT INTO public.%I SELECT * FROM $place.%I;', name, name);
            END IF;
        END LOOP;
        FOR name, counter IN SELECT table_name, pg_get_serial_sequence(table_name, 'id') FROM information_schema.columns
            WHERE table_schema = 'public' AND is_identity = 'YES' LOOP
            steps := steps || format('PERFORM setval(%L, (SELECT COALESCE(MAX(id), 0) + 1 FROM $place.%I), false);',
                counter, name);
        END LOOP;
        EXECUTE format('CREATE FUNCTION $place.restore() RETURNS void LANGUAGE plpgsql'
            ' SET session_replication_role = replica SET lock_timeout = %L AS %L', '10s',
            'DECLARE name text; BEGIN'
            ' FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = ''public'''
            '     AND to_regclass(format(''$place.%I'', tablename)) IS NULL LOOP'
            '     EXECUTE format(''DROP TABLE public.%I'', name); END LOOP; ' || steps || ' END');
    END $$$$
""")


def keeping(place: str) -> str:
    """A statement that keeps what is in the tables now, under a name that it does not have yet."""
    return _KEEP.substitute(place=place)


def restoring(place: str) -> str:
    """A statement that brings back what was kept under this name."""
    return f"SELECT {place}.restore()"


class Databases:
    """Databases with the newest schema, and nothing else in them."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._free: list[str] = []
        self._template = server.create_database()
        _finish(PostgresStore.migrate(Database(self.url(self._template))))
        _finish(_execute(self.url(self._template), keeping(NEW)))

    def lend(self) -> str:
        """The name of a database that nobody else has."""
        return self._free.pop() if self._free else self._server.create_database(self._template)

    def take_back(self, name: str) -> None:
        """Make the database as new, for the next who wants one."""
        _finish(_execute(self.url(name), restoring(NEW)))
        self._free.append(name)

    def url(self, name: str) -> str:
        """The URL of a database that was lent."""
        return self._server.url(name)


async def _execute(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


def _finish(work: Coroutine[object, object, object]) -> None:
    """Do the work at once: whoever asks for a database may do so in a loop, which goes on afterwards."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()
