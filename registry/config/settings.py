"""Every setting with its name, default and meaning; config.example.toml is made from this file."""

from dataclasses import dataclass
from pathlib import Path

from registry.config import kinds
from registry.config.collector import CollectorConfig, ScrubConfig
from registry.config.kinds import Address, Network, setting
from registry.config.s3 import S3Config
from registry.config.storage import StorageConfig


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """Where Berth listens, and how it runs."""

    listen: Address = setting(
        "Address and port to listen on: HOST:PORT, IPv6 as [::1]:5000. 0.0.0.0 is every IPv4 address of"
        " the machine, port 0 any free port.",
        kinds.address(),
        default="127.0.0.1:5000",
    )
    workers: int = setting(
        "Worker processes that share the port. 0 starts one per processor core.",
        kinds.count(0, 1024),
        default=0,
    )
    public_url: str = setting(
        "URL that clients use, as scheme://host[:port], where it is not the one they ask for by Host"
        " header. Absolute Location headers start with it.",
        kinds.origin(),
        default="",
    )
    locations: str = setting(
        "Kind of Location header: relative (a path: right behind every proxy) or absolute (a full URL,"
        " for clients that need one).",
        kinds.choice("relative", "absolute"),
        default="relative",
    )
    trusted_proxies: tuple[Network, ...] = setting(
        "Proxies in front, as addresses or networks in CIDR notation. Forwarded, X-Forwarded-Proto,"
        " X-Forwarded-Host and X-Forwarded-For are believed from these alone.",
        kinds.networks(),
        default=[],
    )
    tls_certificate: Path | None = setting(
        "PEM file with the certificate and its chain. With it Berth speaks HTTPS, without it HTTP.",
        kinds.optional_file(),
        default="",
    )
    tls_key: Path | None = setting(
        "PEM file with the private key of the certificate.",
        kinds.optional_file(),
        default="",
    )
    role: str = setting(
        "all, or tokens: only the token service and the management API, for registries elsewhere that trust its keys.",
        kinds.choice("all", "tokens"),
        default="all",
    )
    drain_timeout: float = setting(
        "How long a stop waits for requests in flight before it cuts them off.",
        kinds.duration(),
        default="30s",
    )
    keepalive_timeout: float = setting(
        "How long an idle connection is kept open for the next request.",
        kinds.duration(),
        default="75s",
    )


@dataclass(frozen=True, slots=True)
class AuthConfig:
    """Who may do what."""

    mode: str = setting(
        "builtin: Berth's own token service and accounts. external: tokens of another issuer, whose word on what they"
        " grant is final. open: nobody is asked, for trying things out on loopback (berth serve --open).",
        kinds.choice("builtin", "external", "open"),
        default="builtin",
    )
    service: str = setting("Name of this registry in tokens (aud).", kinds.name(), default="berth")
    issuer: str = setting("Name of whoever makes the tokens (iss).", kinds.name(), default="berth")
    token_lifetime: float = setting(
        "How long a token is good for. Clients get the next one by themselves.",
        kinds.duration(60),
        default="5m",
    )
    keys: Path | None = setting(
        "Folder of the private keys that sign tokens; empty is the folder keys beside the database. All daemons of an"
        " installation need the same.",
        kinds.optional_file(),
        default="",
    )
    key_lifetime: float = setting(
        "A key of this age is replaced by a new one. Tokens that it signed stay good. 0 never replaces one.",
        kinds.duration(),
        default="90d",
    )
    realm: str = setting(
        "External issuer: the URL of its token service, such as https://auth.example/token.",
        kinds.url(),
        default="",
    )
    jwks: str = setting(
        "External issuer: its public keys (JSON Web Key Set), as a URL or a file.",
        kinds.place(),
        default="",
    )


@dataclass(frozen=True, slots=True)
class AuditConfig:
    """What the audit log keeps. Every change, login and refusal is in it."""

    pulls: bool = setting(
        "Record pulls of manifests, too.",
        kinds.flag(),
        default=False,
    )
    keep: float = setting(
        "How long entries are kept. 0 keeps them for ever.",
        kinds.duration(),
        default="365d",
    )


@dataclass(frozen=True, slots=True)
class UploadsConfig:
    """Blob uploads in progress."""

    idle_timeout: float = setting(
        "An upload that nobody touches for this long is dropped.",
        kinds.duration(0.001),
        default="24h",
    )
    max_concurrent: int = setting(
        "Request bodies that a worker receives at the same time; one more is answered with 429.",
        kinds.count(1),
        default=256,
    )


@dataclass(frozen=True, slots=True)
class LimitsConfig:
    """How much one request, or one connection, may ask for."""

    manifest_size: int = setting(
        "Largest manifest that is accepted; a larger one is answered with 413.",
        kinds.size(1),
        default="4MiB",
    )
    blob_size: int = setting(
        "Largest blob that is accepted; a larger one is answered with 413. 0 is no limit.",
        kinds.size(),
        default=0,
    )
    stall_timeout: float = setting(
        "A connection on which no byte moves for this long in the middle of a request is closed. There"
        " is no limit on the whole of a transfer that keeps moving.",
        kinds.duration(0.001),
        default="60s",
    )
    page_size: int = setting(
        "Entries on a page of the tag list or the catalog, where the client does not say.",
        kinds.count(1),
        default=1000,
    )
    max_page_size: int = setting(
        "Most entries on a page; a client that asks for more gets this many.",
        kinds.count(1),
        default=10000,
    )
    ranges: int = setting(
        "Most ranges in one request for parts of a blob.",
        kinds.count(1),
        default=64,
    )
    tags_per_push: int = setting(
        "Most tag parameters on one push of a manifest by digest.",
        kinds.count(1),
        default=64,
    )
    connections: int = setting(
        "Most open connections per worker.",
        kinds.count(1),
        default=10000,
    )


@dataclass(frozen=True, slots=True)
class DeleteConfig:
    """What clients may delete; what is switched off is answered with 405."""

    tags: bool = setting(
        "Tags can be deleted.",
        kinds.flag(),
        default=True,
    )
    manifests: bool = setting(
        "Manifests can be deleted by digest.",
        kinds.flag(),
        default=True,
    )
    blobs: bool = setting(
        "Blobs can be deleted from a repository.",
        kinds.flag(),
        default=True,
    )


@dataclass(frozen=True, slots=True)
class ManifestsConfig:
    """What manifests are accepted."""

    sparse_indexes: bool = setting(
        "Accept an index of which some manifests are not in the repository, such as a mirror of a few platforms.",
        kinds.flag(),
        default=False,
    )


@dataclass(frozen=True, slots=True)
class LogConfig:
    """What is logged, and how."""

    format: str = setting(
        "json (an object per line), text (for people), or auto: text on a terminal, else json.",
        kinds.choice("auto", "json", "text"),
        default="auto",
    )
    level: str = setting(
        "Least important level that is logged.",
        kinds.choice("debug", "info", "warning", "error"),
        default="info",
    )
    requests: str = setting(
        "Requests that get a line: all, changes (whatever is not a GET or HEAD, and errors), errors"
        " (answered with 400 and above), or none.",
        kinds.choice("all", "changes", "errors", "none"),
        default="all",
    )


@dataclass(frozen=True, slots=True)
class MetricsConfig:
    """Measurements for Prometheus."""

    enabled: bool = setting(
        "Serve them at /metrics.",
        kinds.flag(),
        default=True,
    )
    public: bool = setting(
        "Serve them to everybody. Otherwise they need a login with the role admin or monitor.",
        kinds.flag(),
        default=False,
    )


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration, a section per field; `Config()` holds the defaults."""

    server: ServerConfig = ServerConfig()
    auth: AuthConfig = AuthConfig()
    audit: AuditConfig = AuditConfig()
    storage: StorageConfig = StorageConfig()
    s3: S3Config = S3Config()
    uploads: UploadsConfig = UploadsConfig()
    limits: LimitsConfig = LimitsConfig()
    delete: DeleteConfig = DeleteConfig()
    manifests: ManifestsConfig = ManifestsConfig()
    collector: CollectorConfig = CollectorConfig()
    scrub: ScrubConfig = ScrubConfig()
    log: LogConfig = LogConfig()
    metrics: MetricsConfig = MetricsConfig()
