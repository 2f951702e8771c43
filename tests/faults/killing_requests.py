"""Requests to an object store that kill their own process, as `kill -9` would, when it comes to an armed step."""

import os
from dataclasses import replace
from typing import Any

from registry.app.bucket import bucket_options
from registry.config import Config
from storage.blobs.s3.client import Answer, Client
from storage.blobs.s3.driver import S3Driver
from storage.blobs.s3.locks import FileLocks
from storage.blobs.s3.options import S3Options
from tests import s3_store
from tests.faults.killing import Step, Trap

# The environment variable that says who keeps the locks of uploads: the machine, or the store.
LOCKS = "LOCKS"
MACHINE, STORE = "machine", "store"
# Small, so that there are many without much data.
PART = s3_store.REAL_PART if s3_store.is_real() else 64 * 1024
LOCK_S = 1.0

_READS = ("get_", "head_", "list_")


class KillingClient(Client):
    """Real requests. Those that change something are steps; that a lock is renewed is none: it happens at any time."""

    def __init__(self, options: S3Options, trap: Trap) -> None:
        super().__init__(options)
        self._trap = trap

    async def call(self, operation: str, **parameters: Any) -> Answer:
        answer = await super().call(operation, **parameters)
        renewed = "/locks/" in parameters.get("Key", "") and "IfMatch" in parameters
        if not operation.startswith(_READS) and not renewed:
            self._trap.reached(Step.ASKED)
        return answer


def small_options(config: Config, lock_s: float = LOCK_S) -> S3Options:
    """As configured, with small parts, and locks of the store that last for so many seconds."""
    return replace(bucket_options(config), part_size=PART, lock_lifetime_s=lock_s)


def killing_driver(config: Config, trap: Trap) -> S3Driver:
    """A driver with steps."""
    options = small_options(config)
    locks = FileLocks(config.storage.data / "upload-locks") if os.environ[LOCKS] == MACHINE else None
    return S3Driver(options, locks, KillingClient(options, trap))
