"""The engine on PostgreSQL: any number of daemons, on any number of machines, share one database."""

from storage.metadata.postgresql.connecting import Database
from storage.metadata.postgresql.held import HeldDatabase
from storage.metadata.postgresql.lease import DatabaseLease
from storage.metadata.postgresql.store import PostgresStore

__all__ = ["Database", "DatabaseLease", "HeldDatabase", "PostgresStore"]
