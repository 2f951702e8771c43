"""Who asks for a version: licenses, their users, and those who sell them."""

from __future__ import annotations

from dataclasses import dataclass

from registry.domain.licensing.words import AuthenticationStrategy, ExpirationStrategy


@dataclass(frozen=True, slots=True)
class License:
    """What decides about a license. `name` is what its holder is told that it is called; `product` is an id.

    `expiry` is in milliseconds since the Unix epoch, None where it never ends. `entitlements` are codes: its own and
    those of its policy. `owner_banned` says that it belongs to a user who is banned.
    """

    name: str
    product: str
    expiration: ExpirationStrategy = ExpirationStrategy.RESTRICT_ACCESS
    expiry: int | None = None
    suspended: bool = False
    owner_banned: bool = False
    entitlements: frozenset[str] = frozenset()
    environment: str | None = None

    def has_ended(self, now_ms: int) -> bool:
        """Whether the expiry is past; at that very moment it is not."""
        return self.expiry is not None and now_ms > self.expiry

    def is_revoked(self, now_ms: int) -> bool:
        """Whether it has ended, and took everything with it."""
        return self.expiration is ExpirationStrategy.REVOKE_ACCESS and self.has_ended(now_ms)


@dataclass(frozen=True, slots=True)
class Credential:
    """What a bearer came with: of which project and environment it is, and whether it may read releases at all."""

    project: str
    environment: str | None = None
    reads: bool = True


@dataclass(frozen=True, slots=True)
class Anonymous:
    """Somebody without credentials."""


@dataclass(frozen=True, slots=True)
class LicenseBearer:
    """A license, presented by its key, or by a token that was made for it."""

    credential: Credential
    license: License
    by_key: bool
    authentication: AuthenticationStrategy = AuthenticationStrategy.TOKEN

    @property
    def may_come_so(self) -> bool:
        """Whether the policy lets the license present itself in this way."""
        way = AuthenticationStrategy.LICENSE if self.by_key else AuthenticationStrategy.TOKEN
        return self.authentication in {way, AuthenticationStrategy.MIXED}


@dataclass(frozen=True, slots=True)
class UserBearer:
    """A user, with all licenses that the user owns or is attached to."""

    credential: Credential
    licenses: tuple[License, ...] = ()
    banned: bool = False


@dataclass(frozen=True, slots=True)
class ProductBearer:
    """A product, which publishes its own releases."""

    credential: Credential
    product: str


@dataclass(frozen=True, slots=True)
class StaffBearer:
    """An administrator, developer, sales agent or support agent of the project, or somebody who may read it all."""

    credential: Credential


@dataclass(frozen=True, slots=True)
class EnvironmentBearer:
    """An environment, which manages what is in it."""

    credential: Credential


Bearer = Anonymous | LicenseBearer | UserBearer | ProductBearer | StaffBearer | EnvironmentBearer
