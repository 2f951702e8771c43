"""The engine on PostgreSQL: any number of daemons, on any number of machines, share one database."""

from storage.metadata.postgresql.connections import Database
from storage.metadata.postgresql.lease import DatabaseLease
from storage.metadata.postgresql.store import PostgresStore

__all__ = ["Database", "DatabaseLease", "PostgresStore"]
