"""All rows of one database in another one, of the other engine: an installation moves, and nothing is pushed again.

A copy that was broken off goes on where it ended. Until it is whole and verified, no Berth starts on it.
"""

from storage.metadata.copying.copier import Copied, Copier, Destination, Source
from storage.metadata.copying.dialects import PostgresDialect, SqliteDialect
from storage.metadata.copying.errors import CopyDiffers, CopyRefused
from storage.metadata.copying.progress import Progress, Report

__all__ = [
    "Copied",
    "Copier",
    "CopyDiffers",
    "CopyRefused",
    "Destination",
    "PostgresDialect",
    "Progress",
    "Report",
    "Source",
    "SqliteDialect",
]
