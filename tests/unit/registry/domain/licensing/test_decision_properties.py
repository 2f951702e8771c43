"""What holds for every decision, whoever asks for whatever."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from registry.domain.licensing.bearers import Bearer, License, LicenseBearer, UserBearer
from registry.domain.licensing.decisions import Item, Outcome
from registry.domain.licensing.words import (
    ArtifactStatus,
    AuthenticationStrategy,
    DistributionStrategy,
    ExpirationStrategy,
    ReleaseStatus,
)
from tests.unit.registry.domain.licensing.asking import ANONYMOUS, APP, NOW, OTHER, PRODUCT, STAFF, asked, user
from tests.unit.registry.domain.licensing.asking import by_key as key_of
from tests.unit.registry.domain.licensing.asking import by_token as token_of

# Few values, so that they often meet: dates just before, at and after one another. Of all that they make one is drawn.
DATES, EXPIRIES = (NOW - 3, NOW - 2, NOW - 1), (None, NOW - 3, NOW - 2, NOW - 1, NOW, NOW + 1)
CODES = (frozenset[str](), frozenset({"A"}), frozenset({"B"}), frozenset({"A", "B"}))
YES_OR_NO = (False, True)
LICENSES = st.sampled_from(
    [
        License("Bob", *values)
        for values in product((APP, OTHER), ExpirationStrategy, EXPIRIES, YES_OR_NO, YES_OR_NO, CODES)
    ]
)


def items(releases: Iterable[ReleaseStatus], artifacts: Iterable[ArtifactStatus | None]) -> list[Item]:
    """All items that there can be of releases and artifacts in these states."""
    dates = product(DATES, (None, *DATES))
    return [
        Item(APP, "1.0.0", created, backdated, strategy, release, artifact, required)
        for (created, backdated), strategy, release, artifact, required in product(
            dates, DistributionStrategy, releases, artifacts, CODES
        )
    ]


OFFERED = items([ReleaseStatus.PUBLISHED], [None, ArtifactStatus.UPLOADED])
ITEMS = st.sampled_from(OFFERED) | st.sampled_from(OFFERED) | st.sampled_from(items(ReleaseStatus, ArtifactStatus))
GIVEN_TO_SOME = st.sampled_from([item for item in OFFERED if item.distribution is not DistributionStrategy.OPEN])
Present = Callable[[License], Bearer]


def by_key(one: License) -> LicenseBearer:
    """The license by its key, where it may present itself in any way."""
    return key_of(one, AuthenticationStrategy.MIXED)


def by_token(one: License) -> LicenseBearer:
    """The license by a token, where it may present itself in any way."""
    return token_of(one, AuthenticationStrategy.MIXED)


WAYS = st.sampled_from([by_key, by_token, user])
BEARERS = st.one_of(
    st.sampled_from([ANONYMOUS, STAFF, PRODUCT, replace(PRODUCT, product=OTHER)]),
    LICENSES.map(by_key),
    LICENSES.map(by_token),
    st.lists(LICENSES, max_size=3).map(lambda licenses: user(*licenses)),
)


def may(one: License, item: Item) -> bool:
    """What the contract says of one license, in the plainest way."""
    dated = item.created if item.backdated is None else item.backdated
    ended = one.expiry is not None and one.expiry < NOW
    by_date = one.expiration in {ExpirationStrategy.RESTRICT_ACCESS, ExpirationStrategy.MAINTAIN_ACCESS}
    return (
        item.release_status is ReleaseStatus.PUBLISHED
        and item.artifact_status in {None, ArtifactStatus.UPLOADED}
        and item.distribution is not DistributionStrategy.CLOSED
        and one.product == item.product
        and item.required <= one.entitlements
        and not one.suspended
        and not one.owner_banned
        and not (one.expiration is ExpirationStrategy.REVOKE_ACCESS and ended)
        and (one.expiry is None or not by_date or dated <= one.expiry)
    )


def free(item: Item) -> bool:
    """Whether everyone may have the item."""
    return asked(ANONYMOUS, item).downloads


@given(present=WAYS, one=LICENSES, item=GIVEN_TO_SOME)
def test_contract(present: Present, one: License, item: Item) -> None:
    """A license downloads exactly what the contract says, however it is presented."""
    assert asked(present(one), item).downloads == may(one, item)


@given(st.lists(LICENSES, max_size=4), ITEMS)
def test_nothing_is_pooled(licenses: list[License], item: Item) -> None:
    """A user may have what is free for all, and what one of the licenses gives alone, and nothing else."""
    wanted = free(item) or any(may(one, item) for one in licenses)
    assert asked(user(*licenses), item).downloads == wanted
    alone = [asked(user(one), item) for one in licenses]
    seen = free(item) or any(decision.outcome is not Outcome.HIDDEN for decision in alone)
    assert (asked(user(*licenses), item).outcome is not Outcome.HIDDEN) == seen


@given(present=WAYS, one=LICENSES, item=ITEMS, later=st.sampled_from(EXPIRIES))
def test_renewing_takes_nothing_away(present: Present, one: License, item: Item, later: int | None) -> None:
    """What a license gives it also gives when it ends later, or never."""
    if one.expiry is None or (later is not None and later < one.expiry):
        return
    if asked(present(one), item).downloads:
        assert asked(present(replace(one, expiry=later)), item).downloads


@given(present=WAYS, one=LICENSES, item=ITEMS, more=st.sampled_from(CODES))
def test_entitlements_take_nothing_away(present: Present, one: License, item: Item, more: frozenset[str]) -> None:
    """What a license gives it also gives with more entitlements."""
    if asked(present(one), item).downloads:
        assert asked(present(replace(one, entitlements=one.entitlements | more)), item).downloads


@given(st.lists(LICENSES, max_size=3), LICENSES, ITEMS)
def test_licenses_take_nothing_away(licenses: list[License], another: License, item: Item) -> None:
    """What a user may have stays so with one more license."""
    if asked(user(*licenses), item).downloads:
        assert asked(user(*licenses, another), item).downloads


@given(BEARERS, st.lists(ITEMS, max_size=4))
def test_lists(bearer: Bearer, several: list[Item]) -> None:
    """What can be downloaded is listed, what is listed is not hidden, and everything else says why."""
    for item in several:
        decision = asked(bearer, item)
        assert decision.shows or not decision.downloads
        assert decision.shows == (decision.outcome in {Outcome.ALLOWED, Outcome.SHOWN})
        assert decision.downloads == (decision.reason is None)


@given(BEARERS, ITEMS)
def test_customers_have_what_is_offered(bearer: Bearer, item: Item) -> None:
    """Nobody but the vendor has, or sees, what is not published, not uploaded, or closed."""
    decision = asked(bearer, item)
    if not item.is_offered or item.distribution is DistributionStrategy.CLOSED:
        assert not decision.shows or bearer in (STAFF, PRODUCT)


@given(BEARERS, ITEMS)
def test_what_is_told(bearer: Bearer, item: Item) -> None:
    """Why something is hidden is told only to who has a license for the product, about what licenses may have."""
    decision = asked(bearer, item)
    if decision.outcome is not Outcome.HIDDEN or not decision.can_be_told:
        return
    assert item.is_offered
    assert item.distribution is not DistributionStrategy.CLOSED
    assert isinstance(bearer, LicenseBearer | UserBearer)
    licenses = (bearer.license,) if isinstance(bearer, LicenseBearer) else bearer.licenses
    assert decision.license in licenses
    assert decision.license is not None
    assert decision.license.product == item.product
