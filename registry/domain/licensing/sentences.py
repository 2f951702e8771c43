"""What customers are told: why they cannot have a version, and what they should know."""

from __future__ import annotations

from datetime import UTC, datetime

from registry.domain.licensing.bearers import License
from registry.domain.licensing.decisions import Decision, Item, Reason
from registry.domain.licensing.expiry import ENDING_MS
from registry.domain.licensing.words import ExpirationStrategy

_WAYS = {Reason.LICENSE_NOT_ALLOWED: "its key", Reason.TOKEN_NOT_ALLOWED: "a token"}


def explain(decision: Decision, item: Item) -> str:
    """Why the item cannot be had, as far as the bearer may know; empty where it can."""
    if decision.downloads:
        return ""
    if not decision.can_be_told:
        return f"version {item.version} is not known"
    if decision.reason is Reason.YANKED:
        return yanked(item.version)
    if decision.reason is Reason.NOT_UPLOADED:
        return f"the file of version {item.version} has not been uploaded"
    return _about_bearer(decision) if decision.license is None else _about_license(decision, decision.license, item)


def ending(one: License, now_ms: int) -> str | None:
    """A warning that the license is about to end, if that takes anything away; None otherwise."""
    if one.expiry is None or one.expiration is ExpirationStrategy.ALLOW_ACCESS:
        return None
    if not 0 <= one.expiry - now_ms < ENDING_MS:
        return None
    lost = "nothing" if one.expiration is ExpirationStrategy.REVOKE_ACCESS else "no later version"
    return f"license {one.name!r} ends on {_day(one.expiry)}: {lost} can be downloaded with it after that"


def yanked(version: str) -> str:
    """A warning about a version that was taken back."""
    return f"version {version} was yanked by its vendor"


def superseded(version: str, newer: str) -> str:
    """A warning about a version to which there is a newer one."""
    return f"version {version} is superseded by {newer}"


def _about_bearer(decision: Decision) -> str:
    if decision.reason is Reason.USER_BANNED:
        return "the user is banned"
    if decision.reason is Reason.READING_NOT_PERMITTED:
        return "these credentials are not for reading releases"
    return "these credentials are not known"


def _about_license(decision: Decision, one: License, item: Item) -> str:
    name = f"license {one.name!r}"
    if decision.reason is Reason.ENDED_BEFORE:
        ended, dated = _two_days(one.expiry or 0, item.dated)
        return f"{name} ended on {ended}; version {item.version} is from {dated}"
    if decision.reason is Reason.LICENSE_EXPIRED:
        return f"{name} ended on {_day(one.expiry or 0)}, and nothing can be downloaded with it any more"
    if decision.reason is Reason.ENTITLEMENTS_MISSING:
        missing = ", ".join(sorted(item.required - one.entitlements))
        return f"{name} lacks {missing}, which version {item.version} requires"
    if decision.reason in _WAYS:
        return f"{name} cannot be presented by {_WAYS[decision.reason]}: its policy does not allow it"
    return f"{name} is suspended" if decision.reason is Reason.LICENSE_SUSPENDED else f"the owner of {name} is banned"


def _two_days(first_ms: int, second_ms: int) -> tuple[str, str]:
    """Both as days, and as times where they are of the same day."""
    if _day(first_ms) != _day(second_ms):
        return _day(first_ms), _day(second_ms)
    return _moment(first_ms).isoformat() + "Z", _moment(second_ms).isoformat() + "Z"


def _day(at_ms: int) -> str:
    return _moment(at_ms).date().isoformat()


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms // 1000, UTC).replace(tzinfo=None)
