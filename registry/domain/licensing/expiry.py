"""When licenses end, and how they stand. Times are in milliseconds since the Unix epoch, lengths in milliseconds."""

from __future__ import annotations

from dataclasses import dataclass

from registry.domain.licensing.words import ExpirationBasis, LicenseStatus, RenewalBasis, TransferStrategy
from registry.errors import AttributeInvalid

DAY_MS = 86_400_000
# From how long before its end a license is about to end.
ENDING_MS = 3 * DAY_MS
# After how long without any use a license counts as inactive.
INACTIVE_MS = 90 * DAY_MS

# The end of the year 9999: what calendars can still write.
_TIME_MAX_MS = 253_402_300_799_999
_DURATION_MAX_MS = 1000 * 366 * DAY_MS


def expect_duration(duration_ms: int | None) -> None:
    """Raises `AttributeInvalid` unless the licenses of a policy can last as long; None is for ever."""
    if duration_ms is not None and not DAY_MS <= duration_ms <= _DURATION_MAX_MS:
        raise AttributeInvalid(
            "duration", f"has to be from {DAY_MS // 1000} seconds, a day, to {_DURATION_MAX_MS // 1000}"
        )


@dataclass(frozen=True, slots=True)
class Term:
    """What a policy says about the expiry of its licenses. `duration_ms` is None where they never end."""

    duration_ms: int | None = None
    basis: ExpirationBasis = ExpirationBasis.FROM_CREATION
    renewal: RenewalBasis = RenewalBasis.FROM_EXPIRY
    transfer: TransferStrategy = TransferStrategy.KEEP_EXPIRY

    def at_creation(self, now_ms: int) -> int | None:
        """The expiry of a license that is made now."""
        return self._from(now_ms) if self.basis is ExpirationBasis.FROM_CREATION else None

    def at_event(self, event: ExpirationBasis, expiry: int | None, now_ms: int) -> int | None:
        """The expiry once this has happened to a license of which it was `expiry`; the first time decides.

        `event` is FROM_FIRST_DOWNLOAD for a download, and so on; each of them is a use.
        """
        counts = self.basis is event or self.basis is ExpirationBasis.FROM_FIRST_USE
        if expiry is not None or not counts or event is ExpirationBasis.FROM_CREATION:
            return expiry
        return self._from(now_ms)

    def at_renewal(self, expiry: int | None, now_ms: int) -> int | None:
        """The expiry after a renewal; what never ends, or cannot be prolonged, stays as it is."""
        if expiry is None or self.duration_ms is None:
            return expiry
        from_now = self.renewal is RenewalBasis.FROM_NOW or (
            self.renewal is RenewalBasis.FROM_NOW_IF_EXPIRED and expiry < now_ms
        )
        return self._from(now_ms if from_now else expiry)

    def at_transfer(self, expiry: int | None, now_ms: int) -> int | None:
        """The expiry of a license that comes under this policy."""
        return expiry if self.transfer is TransferStrategy.KEEP_EXPIRY else self._from(now_ms)

    def _from(self, start_ms: int) -> int | None:
        return None if self.duration_ms is None else min(start_ms + self.duration_ms, _TIME_MAX_MS)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a license's status follows from. `active_at` is when it was used last, or made."""

    expiry: int | None
    active_at: int
    suspended: bool = False
    owner_banned: bool = False

    def status(self, now_ms: int) -> LicenseStatus:
        """The worst that can be said of it."""
        left_ms = None if self.expiry is None else self.expiry - now_ms
        worst_first = {
            LicenseStatus.BANNED: self.owner_banned,
            LicenseStatus.SUSPENDED: self.suspended,
            LicenseStatus.EXPIRED: left_ms is not None and left_ms < 0,
            LicenseStatus.EXPIRING: left_ms is not None and left_ms < ENDING_MS,
            LicenseStatus.INACTIVE: now_ms - self.active_at >= INACTIVE_MS,
        }
        return next((status for status, holds in worst_first.items() if holds), LicenseStatus.ACTIVE)
