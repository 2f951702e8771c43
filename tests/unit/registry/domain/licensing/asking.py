"""Who asks and what for, in the tables about decisions."""

from dataclasses import replace

from registry.domain.licensing.bearers import (
    Anonymous,
    Bearer,
    Credential,
    EnvironmentBearer,
    License,
    LicenseBearer,
    ProductBearer,
    StaffBearer,
    UserBearer,
)
from registry.domain.licensing.decisions import Decision, Item, Outcome, decide
from registry.domain.licensing.environments import Scope
from registry.domain.licensing.expiry import DAY_MS
from registry.domain.licensing.words import (
    ArtifactStatus,
    AuthenticationStrategy,
    DistributionStrategy,
    ExpirationStrategy,
)

Known = LicenseBearer | UserBearer | ProductBearer | StaffBearer | EnvironmentBearer

LICENSED, OPEN, CLOSED = DistributionStrategy
NOW = 1_760_000_000_000
APP, OTHER = "app", "other"
HERE = Scope("acme")
OURS = Credential("acme")

LICENSE = License("Bob", APP)
ITEM = Item(APP, "2.1.0", created=NOW - 10 * DAY_MS, artifact_status=ArtifactStatus.UPLOADED)

ANONYMOUS = Anonymous()
STAFF = StaffBearer(OURS)
PRODUCT = ProductBearer(OURS, APP)
ENVIRONMENT = EnvironmentBearer(Credential("acme", "staging"))
STAGING = Scope("acme", "staging")


def by_key(one: License, authentication: AuthenticationStrategy = AuthenticationStrategy.LICENSE) -> LicenseBearer:
    """The license, presented by its key."""
    return LicenseBearer(OURS, one, by_key=True, authentication=authentication)


def by_token(one: License, authentication: AuthenticationStrategy = AuthenticationStrategy.TOKEN) -> LicenseBearer:
    """The license, presented by a token."""
    return LicenseBearer(OURS, one, by_key=False, authentication=authentication)


def user(*licenses: License) -> UserBearer:
    """A user with these licenses."""
    return UserBearer(OURS, licenses)


def ended(days_ago: float, expiration: ExpirationStrategy, **changes: object) -> License:
    """A license that ended so many days ago; it ends in the future if they are less than nothing."""
    found = replace(LICENSE, expiration=expiration, expiry=NOW - int(days_ago * DAY_MS))
    return replace(found, **changes)  # type: ignore[arg-type]


def made(days_ago: float, backdated_days_ago: float | None = None) -> Item:
    """An artifact that was made so many days ago, of a release that perhaps counts from another day on."""
    backdated = None if backdated_days_ago is None else NOW - int(backdated_days_ago * DAY_MS)
    return replace(ITEM, created=NOW - int(days_ago * DAY_MS), backdated=backdated)


def asked(bearer: Bearer, item: Item = ITEM, scope: Scope = HERE, now_ms: int = NOW) -> Decision:
    """What is decided."""
    return decide(bearer, item, scope, now_ms)


def answer(decision: Decision) -> str:
    """What a download of it is answered, with the code where one is told that is about the credentials."""
    if decision.outcome is Outcome.REFUSED:
        return f"403 {decision.reason}" if decision.of_credential else "403"
    return {Outcome.ALLOWED: "303", Outcome.SHOWN: "200", Outcome.HIDDEN: "404", Outcome.UNKNOWN: "401"}[
        decision.outcome
    ]
