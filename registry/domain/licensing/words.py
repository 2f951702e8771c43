"""The words of licensed distribution, as documents and rows have them."""

from __future__ import annotations

from enum import StrEnum


class DistributionStrategy(StrEnum):
    """To whom a product is given.

    LICENSED is for its licenses; OPEN also for everyone, where a release asks for no entitlements; CLOSED for nobody
    but its vendor.
    """

    LICENSED = "LICENSED"
    OPEN = "OPEN"
    CLOSED = "CLOSED"


class ReleaseStatus(StrEnum):
    """Only what is PUBLISHED is for customers."""

    DRAFT = "DRAFT"
    PUBLISHED = "PUBLISHED"
    YANKED = "YANKED"


class ArtifactStatus(StrEnum):
    """How far an artifact is. Only of what is UPLOADED there are bytes to be had."""

    WAITING = "WAITING"
    PROCESSING = "PROCESSING"
    UPLOADED = "UPLOADED"
    FAILED = "FAILED"
    YANKED = "YANKED"


class ExpirationStrategy(StrEnum):
    """What the end of a license takes away.

    RESTRICT_ACCESS and MAINTAIN_ACCESS: what is newer than the end. REVOKE_ACCESS: everything. ALLOW_ACCESS: nothing.
    """

    RESTRICT_ACCESS = "RESTRICT_ACCESS"
    REVOKE_ACCESS = "REVOKE_ACCESS"
    MAINTAIN_ACCESS = "MAINTAIN_ACCESS"
    ALLOW_ACCESS = "ALLOW_ACCESS"


class ExpirationBasis(StrEnum):
    """From when on the duration of a policy counts for a license."""

    FROM_CREATION = "FROM_CREATION"
    FROM_FIRST_VALIDATION = "FROM_FIRST_VALIDATION"
    FROM_FIRST_ACTIVATION = "FROM_FIRST_ACTIVATION"
    FROM_FIRST_USE = "FROM_FIRST_USE"
    FROM_FIRST_DOWNLOAD = "FROM_FIRST_DOWNLOAD"


class RenewalBasis(StrEnum):
    """From when on the duration of a policy counts when a license is renewed."""

    FROM_EXPIRY = "FROM_EXPIRY"
    FROM_NOW = "FROM_NOW"
    FROM_NOW_IF_EXPIRED = "FROM_NOW_IF_EXPIRED"


class TransferStrategy(StrEnum):
    """What becomes of a license's expiry when it is given another policy."""

    KEEP_EXPIRY = "KEEP_EXPIRY"
    RESET_EXPIRY = "RESET_EXPIRY"


class AuthenticationStrategy(StrEnum):
    """With what a license may present itself: a token made for it, its key, both, or neither."""

    TOKEN = "TOKEN"  # noqa: S105 - a word, not a token
    LICENSE = "LICENSE"
    MIXED = "MIXED"
    SESSION = "SESSION"
    NONE = "NONE"


class IsolationStrategy(StrEnum):
    """Whether those who are in an environment also see what belongs to none."""

    ISOLATED = "ISOLATED"
    SHARED = "SHARED"


class LicenseStatus(StrEnum):
    """The worst that can be said of a license, the worst of all first."""

    BANNED = "BANNED"
    SUSPENDED = "SUSPENDED"
    EXPIRED = "EXPIRED"
    EXPIRING = "EXPIRING"
    INACTIVE = "INACTIVE"
    ACTIVE = "ACTIVE"


class Channel(StrEnum):
    """How ripe a release is."""

    STABLE = "stable"
    RC = "rc"
    BETA = "beta"
    ALPHA = "alpha"
    DEV = "dev"
