"""The settings of blobs in a bucket, a part of `settings`."""

from dataclasses import dataclass

from registry.config import kinds, texts
from registry.config.kinds import Network, setting


@dataclass(frozen=True, slots=True)
class S3Config:
    """A bucket of an S3-compatible store, where storage.blobs is s3."""

    bucket: str = setting(
        "Name of the bucket. It has to be there.",
        texts.bucket(),
        default="",
    )
    prefix: str = setting(
        "What the names of all objects begin with, such as berth/, where others use the bucket, too.",
        texts.prefix(),
        default="",
    )
    endpoint: str = setting(
        "URL of the store; empty is AWS.",
        kinds.url(),
        default="",
    )
    region: str = setting(
        "Region of the bucket; empty is what the environment says. Many stores take any word, such as us-east-1.",
        texts.word(),
        default="",
    )
    path_style: bool = setting(
        "Put the bucket into the path of URLs, not into the host name. Most stores other than AWS need it.",
        kinds.flag(),
        default=False,
    )
    access_key: str = setting(
        "Access key. Without one, credentials come from where they usually do: environment, profile, web identity,"
        " container, instance.",
        texts.word(),
        default="",
    )
    secret_key: str = setting(
        "Secret key of the access key.",
        texts.word(),
        default="",
        secret=True,
    )
    part_size: int = setting(
        "Blobs are sent in parts of this size, which doubles after each thousand parts. An upload takes about"
        " parallel_parts + 3 times as much memory.",
        kinds.size(5 << 20),
        default="8MiB",
    )
    parallel_parts: int = setting(
        "Parts of one upload that are sent at the same time. All uploads of a worker together send four times as many.",
        kinds.count(1, 64),
        default=4,
    )
    checksum: str = setting(
        "How the store makes sure that it got what was sent: md5 (Content-MD5), crc32 (x-amz-checksum-crc32), or"
        " signature (a hash in the signature of each request, for stores that know neither).",
        kinds.choice("md5", "crc32", "signature"),
        default="md5",
    )
    conditional_writes: bool = setting(
        "The store heeds If-Match and If-None-Match when it writes. Without that, all daemons have to be on one"
        " machine.",
        kinds.flag(),
        default=True,
    )
    timeout: float = setting(
        "A request on which no byte moves for this long has failed.",
        kinds.duration(0.1),
        default="30s",
    )
    attempts: int = setting(
        "How often a request is tried that failed, or that the store was too busy for.",
        kinds.count(1, 100),
        default=6,
    )
    redirect: str = setting(
        "Send clients to the store for blobs, with a signed URL: never, always, or large (from redirect_size on).",
        kinds.choice("never", "always", "large"),
        default="never",
    )
    redirect_size: int = setting(
        "Size of a blob from which it is large.",
        kinds.size(),
        default="1MiB",
    )
    redirect_networks: tuple[Network, ...] = setting(
        "Only clients of these networks are sent to the store; empty is all.",
        kinds.networks(),
        default=[],
    )
    redirect_lifetime: float = setting(
        "How long a signed URL is good for.",
        kinds.duration(1),
        default="10m",
    )
    public_endpoint: str = setting(
        "URL of the store for clients, where it is not the endpoint.",
        kinds.url(),
        default="",
    )
