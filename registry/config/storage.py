"""The settings of storage, a part of `settings`."""

from dataclasses import dataclass
from pathlib import Path

from registry.config import kinds
from registry.config.kinds import setting
from registry.config.urls import database


@dataclass(frozen=True, slots=True)
class StorageConfig:
    """Where data is kept."""

    data: Path = setting(
        "Folder for the database and the blobs; a relative path starts at the working directory.",
        kinds.folder(),
        default="berth-data",
    )
    blobs: str = setting(
        "Where blobs are: filesystem (in the data folder), or s3 (in a bucket, see [s3]).",
        kinds.choice("filesystem", "s3"),
        default="filesystem",
    )
    ephemeral: bool = setting(
        "Keep everything in memory, in one worker: nothing is written to disk, and all is gone at stop.",
        kinds.flag(),
        default=False,
    )
    database: str = setting(
        "PostgreSQL database for everything but the blobs, as postgresql://user:password@host:port/name; empty is"
        " SQLite in the data folder. Of several hosts with commas between them the one that takes writes is used. The"
        " password can also come from PGPASSWORD or ~/.pgpass.",
        database(),
        default="",
        secret=True,
    )
    pool_size: int = setting(
        "PostgreSQL: most connections per worker. One worker has one more, for background work.",
        kinds.count(1, 1000),
        default=10,
    )
    connect_timeout: float = setting(
        "PostgreSQL: how long a request waits for a connection, also while the server restarts, and for a sign of life"
        " of a server that vanished. Then it is answered with 503.",
        kinds.duration(0.1),
        default="10s",
    )
    statement_timeout: float = setting(
        "PostgreSQL: how long one statement may take. Then the request is answered with 503.",
        kinds.duration(0.1),
        default="30s",
    )
    prepared_statements: bool = setting(
        "PostgreSQL: keep statements prepared on their connections. Behind a pooler, which may give connections away"
        " after each transaction, this is off by itself, unless the pooler hides that it is one.",
        kinds.flag(),
        default=True,
    )
    memory_cache: int = setting(
        "Memory per worker for small blobs that are asked for often. 0 keeps none.",
        kinds.size(),
        default="16MiB",
    )
    manifest_cache: int = setting(
        "PostgreSQL: memory per worker for manifests that are asked for often, so that the database need not send them"
        " each time. 0 keeps none.",
        kinds.size(),
        default="32MiB",
    )
