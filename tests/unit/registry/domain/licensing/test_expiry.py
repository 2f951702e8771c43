"""When licenses end, and how they stand."""

from dataclasses import replace

import pytest

from registry.domain.licensing.expiry import DAY_MS, ENDING_MS, INACTIVE_MS, Standing, Term, expect_duration
from registry.domain.licensing.words import ExpirationBasis, RenewalBasis, TransferStrategy
from registry.errors import AttributeInvalid

NOW = 1_760_000_000_000
YEAR = 365 * DAY_MS
CREATION, VALIDATION, ACTIVATION, USE, DOWNLOAD = ExpirationBasis


@pytest.mark.parametrize("duration", [None, DAY_MS, YEAR, 100 * YEAR])
def test_durations(duration: int | None) -> None:
    """Licenses last a day at least, or for ever."""
    expect_duration(duration)


@pytest.mark.parametrize("duration", [DAY_MS - 1, 0, -DAY_MS, 10_000 * YEAR])
def test_bad_durations(duration: int) -> None:
    """Nothing lasts less than a day, or longer than calendars reach."""
    with pytest.raises(AttributeInvalid, match=r"^duration has to be from 86400 seconds"):
        expect_duration(duration)


def test_creation() -> None:
    """A license ends after the duration of its policy, counted from its creation if that is the basis."""
    assert Term(YEAR).at_creation(NOW) == NOW + YEAR
    assert Term(None).at_creation(NOW) is None
    assert [Term(YEAR, basis).at_creation(NOW) for basis in (VALIDATION, ACTIVATION, USE, DOWNLOAD)] == [None] * 4


@pytest.mark.parametrize(
    ("basis", "events"),
    [
        (CREATION, set()),
        (VALIDATION, {VALIDATION}),
        (ACTIVATION, {ACTIVATION}),
        (DOWNLOAD, {DOWNLOAD}),
        (USE, {VALIDATION, ACTIVATION, DOWNLOAD, USE}),
    ],
)
def test_first_time(basis: ExpirationBasis, events: set[ExpirationBasis]) -> None:
    """Where the basis is the first time of something, its first time alone decides."""
    for event in (VALIDATION, ACTIVATION, DOWNLOAD, USE):
        expiry = Term(YEAR, basis).at_event(event, None, NOW)
        assert expiry == (NOW + YEAR if event in events else None)
        assert Term(YEAR, basis).at_event(event, NOW + 5, NOW) == NOW + 5
        assert Term(None, basis).at_event(event, None, NOW) is None


def test_creation_is_no_event() -> None:
    """A license that was made without an end is not given one by anything that happens to it."""
    assert Term(YEAR, CREATION).at_event(CREATION, None, NOW) is None


@pytest.mark.parametrize(
    ("basis", "days_left", "from_days"),
    [
        ("FROM_EXPIRY", 5, 5),
        ("FROM_EXPIRY", -5, -5),
        ("FROM_NOW", 5, 0),
        ("FROM_NOW", -5, 0),
        ("FROM_NOW_IF_EXPIRED", 5, 5),
        ("FROM_NOW_IF_EXPIRED", 0, 0),
        ("FROM_NOW_IF_EXPIRED", -5, 0),
    ],
)
def test_renewal(basis: str, days_left: int, from_days: int) -> None:
    """A renewal adds the duration to the end, or to now, as the policy has it."""
    term = Term(YEAR, renewal=RenewalBasis(basis))
    assert term.at_renewal(NOW + days_left * DAY_MS, NOW) == NOW + from_days * DAY_MS + YEAR
    assert term.at_renewal(None, NOW) is None
    assert replace(term, duration_ms=None).at_renewal(NOW + 5, NOW) == NOW + 5


def test_transfer() -> None:
    """Under another policy a license keeps its end, or is given one as if it were made now."""
    assert Term(YEAR).at_transfer(NOW + 5, NOW) == NOW + 5
    assert Term(YEAR).at_transfer(None, NOW) is None
    reset = Term(YEAR, transfer=TransferStrategy.RESET_EXPIRY)
    assert reset.at_transfer(NOW + 5, NOW) == NOW + YEAR
    assert replace(reset, duration_ms=None).at_transfer(NOW + 5, NOW) is None


def test_end_of_calendars() -> None:
    """However often a license is renewed, its end can be written."""
    last = 253_402_300_799_999
    assert Term(YEAR).at_renewal(last - 5, NOW) == last


@pytest.mark.parametrize(
    ("standing", "status"),
    [
        (Standing(None, NOW), "ACTIVE"),
        (Standing(NOW + YEAR, NOW), "ACTIVE"),
        (Standing(NOW + ENDING_MS, NOW), "ACTIVE"),
        (Standing(None, NOW - INACTIVE_MS + 1), "ACTIVE"),
        (Standing(None, NOW - INACTIVE_MS), "INACTIVE"),
        (Standing(NOW + ENDING_MS - 1, NOW), "EXPIRING"),
        (Standing(NOW, NOW), "EXPIRING"),
        (Standing(NOW - 1, NOW), "EXPIRED"),
        (Standing(NOW + 1, NOW - INACTIVE_MS), "EXPIRING"),
        (Standing(NOW - 1, NOW, suspended=True), "SUSPENDED"),
        (Standing(None, NOW - INACTIVE_MS, suspended=True), "SUSPENDED"),
        (Standing(NOW - 1, NOW, suspended=True, owner_banned=True), "BANNED"),
        (Standing(None, NOW, owner_banned=True), "BANNED"),
    ],
)
def test_status(standing: Standing, status: str) -> None:
    """Of a license the worst is said: banned, suspended, expired, about to, unused for long, or none of these."""
    assert standing.status(NOW) == status
