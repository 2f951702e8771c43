"""PostgreSQL's errors in the words of the registry, and what is to be done about each."""

from __future__ import annotations

from collections.abc import Callable

import asyncpg

from storage.errors import StorageDamaged, StorageFull, StorageUnavailable

Kinds = tuple[type[BaseException], ...]

# Two transactions were in each other's way. A statement is outdated when the schema changed after it was prepared.
_CONFLICTS: Kinds = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.InvalidCachedStatementError,
    asyncpg.OutdatedSchemaCacheError,
)
# The server, or the connection to it, is gone, goes, or is not the one that can be written to. asyncpg's own errors
# come from connections whose server said something unasked, such as its farewell.
_LOST: Kinds = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.IdleSessionTimeoutError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.TooManyConnectionsError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InternalClientError,
)

# The first row that fits decides.
_WORDS: list[tuple[Kinds, Callable[[Exception], Exception]]] = [
    ((asyncpg.DiskFullError,), lambda _: StorageFull()),
    (
        (TimeoutError, asyncpg.QueryCanceledError, asyncpg.LockNotAvailableError),
        lambda _: StorageUnavailable("the metadata database did not answer in time"),
    ),
    (_CONFLICTS, lambda _: StorageUnavailable("the metadata database is busy", retry_after_s=1)),
    (
        (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError),
        lambda _: StorageUnavailable("the metadata database refuses the login"),
    ),
    (
        (asyncpg.DataCorruptedError, asyncpg.IndexCorruptedError),
        lambda error: StorageDamaged(f"the metadata database is damaged: {error}"),
    ),
    (
        (asyncpg.InsufficientResourcesError, asyncpg.PostgresSystemError),
        lambda _: StorageUnavailable("the metadata database cannot be read or written"),
    ),
]


def is_conflict(error: BaseException) -> bool:
    """Whether the transaction, which was rolled back, may well succeed if it is run again.

    A value that is taken can be that of a transaction that the failed one could not see: run again, it does.
    """
    return isinstance(error, (*_CONFLICTS, asyncpg.UniqueViolationError))


def is_lost(error: BaseException) -> bool:
    """Whether another connection, now or in a moment, may well do what this one did not."""
    if isinstance(error, TimeoutError):
        return False
    # So asyncpg says that a connection was closed before it was used.
    unusable = type(error) is asyncpg.InterfaceError and ("closed" in str(error) or "released" in str(error))
    return unusable or isinstance(error, _LOST)


def is_certain(error: BaseException) -> bool:
    """Whether the server itself said that it did not commit, and lives on."""
    said = getattr(error, "severity_en", None) if isinstance(error, asyncpg.PostgresError) else None
    return said == "ERROR" and not is_lost(error)


def translate(error: Exception) -> Exception:
    """The error in the words of `storage.errors`; programming errors stay what they are."""
    if is_lost(error):
        return StorageUnavailable("the metadata database cannot be reached")
    return next((word(error) for kinds, word in _WORDS if isinstance(error, kinds)), error)
