"""The one place that decides whether somebody may have a version, whichever way it is asked for.

What rows say comes in as plain values: nothing is read here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from registry.domain.licensing.bearers import (
    Anonymous,
    Bearer,
    EnvironmentBearer,
    License,
    LicenseBearer,
    ProductBearer,
    StaffBearer,
    UserBearer,
)
from registry.domain.licensing.environments import Scope
from registry.domain.licensing.words import ArtifactStatus, DistributionStrategy, ExpirationStrategy, ReleaseStatus

_ENDLESS = float("inf")


@dataclass(frozen=True, slots=True)
class Item:
    """What is asked for: an artifact, or, without `artifact_status`, its release.

    `product` is an id, `required` are the codes of the entitlements that the release asks for. `created` is when the
    artifact, or the release, was made, and `backdated` from when the release counts, where that was said: in
    milliseconds since the Unix epoch.
    """

    product: str
    version: str
    created: int
    backdated: int | None = None
    distribution: DistributionStrategy = DistributionStrategy.LICENSED
    release_status: ReleaseStatus = ReleaseStatus.PUBLISHED
    artifact_status: ArtifactStatus | None = None
    required: frozenset[str] = frozenset()
    environment: str | None = None

    @property
    def dated(self) -> int:
        """What is compared with the expiry of licenses."""
        return self.created if self.backdated is None else self.backdated

    @property
    def is_uploaded(self) -> bool:
        return self.artifact_status in {None, ArtifactStatus.UPLOADED}

    @property
    def is_offered(self) -> bool:
        """Whether customers can have it at all."""
        return self.release_status is ReleaseStatus.PUBLISHED and self.is_uploaded

    @property
    def is_free(self) -> bool:
        """Whether nobody needs a license for it."""
        return self.distribution is DistributionStrategy.OPEN and not self.required


class Outcome(StrEnum):
    """What becomes of a request.

    SHOWN is seen, but has no bytes to be had. HIDDEN looks like what is not there. UNKNOWN is who asks, not what for.
    """

    ALLOWED = "allowed"
    SHOWN = "shown"
    REFUSED = "refused"
    HIDDEN = "hidden"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """Why it is not allowed; the first ones are also codes on the wire."""

    USER_BANNED = "USER_BANNED"
    LICENSE_BANNED = "LICENSE_BANNED"
    LICENSE_SUSPENDED = "LICENSE_SUSPENDED"
    LICENSE_EXPIRED = "LICENSE_EXPIRED"
    LICENSE_NOT_ALLOWED = "LICENSE_NOT_ALLOWED"
    TOKEN_NOT_ALLOWED = "TOKEN_NOT_ALLOWED"  # noqa: S105 - a word, not a token
    # Of another project, or of an environment that the request is not in.
    CREDENTIAL_ELSEWHERE = "CREDENTIAL_ELSEWHERE"
    READING_NOT_PERMITTED = "READING_NOT_PERMITTED"
    ENTITLEMENTS_MISSING = "ENTITLEMENTS_MISSING"
    # The license ended before the version came.
    ENDED_BEFORE = "ENDED_BEFORE"
    NOT_LICENSED = "NOT_LICENSED"
    CLOSED = "CLOSED"
    NOT_OFFERED = "NOT_OFFERED"
    ELSEWHERE = "ELSEWHERE"
    YANKED = "YANKED"
    NOT_UPLOADED = "NOT_UPLOADED"


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a request, and why.

    `license` is the one that allows it, or, of a product that the bearer has a license of, the one that comes nearest.
    `of_credential` says that nothing at all can be had with these credentials.
    """

    outcome: Outcome
    reason: Reason | None = None
    license: License | None = None
    of_credential: bool = False

    @property
    def shows(self) -> bool:
        """Whether it is in lists, and can be looked at."""
        return self.outcome in {Outcome.ALLOWED, Outcome.SHOWN}

    @property
    def downloads(self) -> bool:
        """Whether its bytes can be had."""
        return self.outcome is Outcome.ALLOWED

    @property
    def can_be_told(self) -> bool:
        """Whether the bearer may know why: it is refused, or hidden by a license for this very product."""
        return self.outcome is not Outcome.HIDDEN or self.license is not None


def decide(bearer: Bearer, item: Item, scope: Scope, now_ms: int) -> Decision:
    """Whether the bearer may have the item, in a request of that scope, at that time.

    First it is decided whether the bearer sees it, then whether it may be read.
    """
    turned_away = turn_away(bearer, scope, now_ms)
    if turned_away is not None:
        return turned_away
    if not scope.sees(item.environment):
        return _hidden(Reason.ELSEWHERE)
    decision = _decide(bearer, item, scope, now_ms)
    if decision.outcome is Outcome.HIDDEN or isinstance(bearer, Anonymous) or bearer.credential.reads:
        return decision
    return _refused(Reason.READING_NOT_PERMITTED)


def turn_away(bearer: Bearer, scope: Scope, now_ms: int) -> Decision | None:
    """Why the bearer's credentials are good for nothing at all; None when they are good."""
    if isinstance(bearer, Anonymous):
        return None
    if bearer.credential.project != scope.project or not scope.sees(bearer.credential.environment):
        return Decision(Outcome.UNKNOWN, Reason.CREDENTIAL_ELSEWHERE, of_credential=True)
    if isinstance(bearer, UserBearer) and bearer.banned:
        return Decision(Outcome.REFUSED, Reason.USER_BANNED, of_credential=True)
    if not isinstance(bearer, LicenseBearer):
        return None
    reason = _reason_of_key(bearer, now_ms) if bearer.by_key else _reason_of_token(bearer)
    return None if reason is None else Decision(Outcome.REFUSED, reason, bearer.license, of_credential=True)


def _reason_of_key(bearer: LicenseBearer, now_ms: int) -> Reason | None:
    if bearer.license.owner_banned:
        return Reason.LICENSE_BANNED
    if bearer.license.suspended:
        return Reason.LICENSE_SUSPENDED
    if bearer.license.is_revoked(now_ms):
        return Reason.LICENSE_EXPIRED
    return None if bearer.may_come_so else Reason.LICENSE_NOT_ALLOWED


def _reason_of_token(bearer: LicenseBearer) -> Reason | None:
    # Whether it is suspended or has ended is asked with the item: what is free for all stays so.
    if bearer.license.owner_banned:
        return Reason.USER_BANNED
    return None if bearer.may_come_so else Reason.TOKEN_NOT_ALLOWED


def _decide(bearer: Bearer, item: Item, scope: Scope, now_ms: int) -> Decision:
    match bearer:
        case Anonymous():
            return _for_customer((), item, now_ms)
        case LicenseBearer():
            return _for_customer((bearer.license,), item, now_ms)
        case UserBearer():
            present = [one for one in bearer.licenses if scope.sees(one.environment)]
            return _for_customer(present, item, now_ms)
        case ProductBearer():
            return _for_vendor(item) if bearer.product == item.product else _hidden(Reason.ELSEWHERE)
        case StaffBearer() | EnvironmentBearer():
            return _for_vendor(item)
        case _:
            assert_never(bearer)


def _for_vendor(item: Item) -> Decision:
    if item.release_status is ReleaseStatus.YANKED:
        return Decision(Outcome.SHOWN, Reason.YANKED)
    if not item.is_uploaded:
        return Decision(Outcome.SHOWN, Reason.NOT_UPLOADED)
    return Decision(Outcome.ALLOWED)


def _for_customer(licenses: Sequence[License], item: Item, now_ms: int) -> Decision:
    """One license has to do everything: what several have is never added up."""
    if not item.is_offered:
        return _hidden(Reason.NOT_OFFERED)
    if item.is_free:
        return Decision(Outcome.ALLOWED)
    if item.distribution is DistributionStrategy.CLOSED:
        return _hidden(Reason.CLOSED)
    judged = [_by_license(one, item, now_ms) for one in licenses if one.product == item.product]
    return max(judged, key=_nearness, default=_hidden(Reason.NOT_LICENSED))


def _by_license(one: License, item: Item, now_ms: int) -> Decision:
    """What a license for the product does with an item that is offered to licenses."""
    hidden_for = _hides(one, item, now_ms)
    if hidden_for is not None:
        return _hidden(hidden_for, one)
    refused_for = _refuses(one, item)
    if refused_for is not None:
        return _refused(refused_for, one)
    return Decision(Outcome.ALLOWED, license=one)


def _hides(one: License, item: Item, now_ms: int) -> Reason | None:
    if not item.required <= one.entitlements:
        return Reason.ENTITLEMENTS_MISSING
    if one.is_revoked(now_ms):
        return Reason.LICENSE_EXPIRED
    return None if _covers(one, item.created) or _covers(one, item.dated) else Reason.ENDED_BEFORE


def _refuses(one: License, item: Item) -> Reason | None:
    if one.suspended:
        return Reason.LICENSE_SUSPENDED
    if one.owner_banned:
        return Reason.LICENSE_BANNED
    return None if _covers(one, item.dated) else Reason.ENDED_BEFORE


def _covers(one: License, date_ms: int) -> bool:
    """Whether the license, if it is not revoked, is for what is of that date."""
    by_date = one.expiration in {ExpirationStrategy.RESTRICT_ACCESS, ExpirationStrategy.MAINTAIN_ACCESS}
    return one.expiry is None or not by_date or date_ms <= one.expiry


_NEAR_REASONS = (Reason.ENTITLEMENTS_MISSING, Reason.LICENSE_EXPIRED, Reason.ENDED_BEFORE)


def _nearness(decision: Decision) -> tuple[int, int, float]:
    """How near a license's decision is to what its holder wants; of equal ones the license that lasts longest."""
    outcomes = (Outcome.HIDDEN, Outcome.REFUSED, Outcome.ALLOWED)
    reason = _NEAR_REASONS.index(decision.reason) if decision.reason in _NEAR_REASONS else -1
    expiry = None if decision.license is None else decision.license.expiry
    return outcomes.index(decision.outcome), reason, _ENDLESS if expiry is None else expiry


def _hidden(reason: Reason, one: License | None = None) -> Decision:
    return Decision(Outcome.HIDDEN, reason, one)


def _refused(reason: Reason, one: License | None = None) -> Decision:
    return Decision(Outcome.REFUSED, reason, one)
