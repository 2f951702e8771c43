"""`S3Options`: which store, and how to speak to it."""

from __future__ import annotations

from dataclasses import dataclass, field

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class S3Options:
    """Sizes in bytes, times in seconds.

    `endpoint` is the URL of the store, "" for AWS itself. Without `access_key` credentials come from the usual places:
    environment, profile, web identity, container, instance. `path_style` puts the bucket into the path instead of the
    host name. Every key begins with `prefix`.

    `part_size` is that of the first parts; `parallel` parts of one upload, and `parallel_all` of all together, are on
    their way at a time. `checksum` is how the store makes sure that it got what was sent: md5 (Content-MD5, which all
    stores know), crc32 (x-amz-checksum-crc32), or signature (a hash of the body in the request's signature).
    `conditional` says that the store heeds If-Match and If-None-Match when it writes.

    A listing asks for `page` entries at a time.

    A request on which no byte moves for `timeout_s` has failed, and is tried `attempts` times in all.
    """

    bucket: str
    endpoint: str = ""
    public_endpoint: str = ""
    region: str = ""
    prefix: str = ""
    path_style: bool = False
    access_key: str = ""
    secret_key: str = field(default="", repr=False)
    part_size: int = 8 * MIB
    parallel: int = 4
    parallel_all: int = 16
    checksum: str = "md5"
    conditional: bool = True
    timeout_s: float = 30.0
    connect_timeout_s: float = 5.0
    attempts: int = 6
    backoff_s: float = 0.1
    lock_lifetime_s: float = 10.0
    page: int = 1000
