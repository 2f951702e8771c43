"""Who may have what: the contract's tables, row by row. 303 is a download, 200 is shown without one, 404 is hidden."""

from dataclasses import replace

import pytest

from registry.domain.licensing.bearers import Bearer, Credential, License, UserBearer
from registry.domain.licensing.decisions import Item
from registry.domain.licensing.words import (
    ArtifactStatus,
    AuthenticationStrategy,
    DistributionStrategy,
    ExpirationStrategy,
    ReleaseStatus,
)
from tests.unit.registry.domain.licensing.asking import (
    ANONYMOUS,
    CLOSED,
    ENVIRONMENT,
    HERE,
    ITEM,
    LICENSE,
    LICENSED,
    OPEN,
    OTHER,
    OURS,
    PRODUCT,
    STAFF,
    STAGING,
    Known,
    answer,
    asked,
    by_key,
    by_token,
    ended,
    made,
    user,
)

RESTRICT, REVOKE, MAINTAIN, ALLOW = ExpirationStrategy
A, B, AB = frozenset({"A"}), frozenset({"B"}), frozenset({"A", "B"})
ENTITLED = replace(LICENSE, entitlements=AB)
FOREIGN = replace(ENTITLED, product=OTHER)
OF_OTHER = replace(PRODUCT, product=OTHER)

# To whom products are given. Releases are published and artifacts uploaded; the constraint is entitlement A.
DISTRIBUTION: list[tuple[str, Bearer, str, str, str, str]] = [
    # who                                                 LICENSED  OPEN   OPEN, A  CLOSED
    ("nobody in particular", ANONYMOUS, "404", "303", "404", "404"),
    ("license of the product, key", by_key(ENTITLED), "303", "303", "303", "404"),
    ("license of the product, token", by_token(ENTITLED), "303", "303", "303", "404"),
    ("license of another, key", by_key(FOREIGN), "404", "303", "404", "404"),
    ("license of another, token", by_token(FOREIGN), "404", "303", "404", "404"),
    ("user with a passing license", user(ENTITLED), "303", "303", "303", "404"),
    ("user with one of another", user(FOREIGN), "404", "303", "404", "404"),
    ("user without", user(), "404", "303", "404", "404"),
    ("the product", PRODUCT, "303", "303", "303", "303"),
    ("another product", OF_OTHER, "404", "404", "404", "404"),
    ("administrators and all who sell", STAFF, "303", "303", "303", "303"),
    ("the environment", ENVIRONMENT, "303", "303", "303", "303"),
    ("license of another account", replace(by_key(ENTITLED), credential=Credential("x")), "401", "401", "401", "401"),
    ("user of another account", replace(user(ENTITLED), credential=Credential("x")), "401", "401", "401", "401"),
    ("product of another account", replace(PRODUCT, credential=Credential("x")), "401", "401", "401", "401"),
    ("staff of another account", replace(STAFF, credential=Credential("x")), "401", "401", "401", "401"),
]


@pytest.mark.parametrize(
    ("bearer", "licensed", "opened", "constrained", "closed"),
    [row[1:] for row in DISTRIBUTION],
    ids=[row[0] for row in DISTRIBUTION],
)
def test_distribution(bearer: Bearer, licensed: str, opened: str, constrained: str, closed: str) -> None:
    """A product's distribution strategy says who can have its artifacts."""
    scope = STAGING if bearer is ENVIRONMENT else HERE
    item = replace(ITEM, environment=scope.environment)
    found = [
        answer(asked(bearer, replace(item, distribution=strategy, required=required), scope))
        for strategy, required in [(LICENSED, frozenset()), (OPEN, frozenset()), (OPEN, A), (CLOSED, frozenset())]
    ]
    assert found == [licensed, opened, constrained, closed]


# What is not ready, or not offered any more: to customers, and to those who sell it.
STATES: list[tuple[ReleaseStatus, ArtifactStatus | None, str, str]] = [
    # release, artifact                                       customers  vendors
    (ReleaseStatus.PUBLISHED, ArtifactStatus.UPLOADED, "303", "303"),
    (ReleaseStatus.DRAFT, ArtifactStatus.UPLOADED, "404", "303"),
    (ReleaseStatus.YANKED, ArtifactStatus.UPLOADED, "404", "200"),
    (ReleaseStatus.PUBLISHED, ArtifactStatus.WAITING, "404", "200"),
    (ReleaseStatus.PUBLISHED, ArtifactStatus.PROCESSING, "404", "200"),
    (ReleaseStatus.PUBLISHED, ArtifactStatus.FAILED, "404", "200"),
    (ReleaseStatus.PUBLISHED, ArtifactStatus.YANKED, "404", "200"),
    (ReleaseStatus.DRAFT, ArtifactStatus.WAITING, "404", "200"),
    (ReleaseStatus.YANKED, ArtifactStatus.FAILED, "404", "200"),
    # the release itself
    (ReleaseStatus.PUBLISHED, None, "303", "303"),
    (ReleaseStatus.DRAFT, None, "404", "303"),
    (ReleaseStatus.YANKED, None, "404", "200"),
]


@pytest.mark.parametrize(("release", "artifact", "customers", "vendors"), STATES)
@pytest.mark.parametrize("strategy", [LICENSED, OPEN])
def test_states(
    strategy: DistributionStrategy,
    release: ReleaseStatus,
    artifact: ArtifactStatus | None,
    customers: str,
    vendors: str,
) -> None:
    """Customers have what is published and uploaded; vendors see the rest too."""
    item = replace(ITEM, distribution=strategy, release_status=release, artifact_status=artifact)
    for bearer in (by_key(LICENSE), by_token(LICENSE), user(LICENSE)):
        assert answer(asked(bearer, item)) == customers
    assert answer(asked(ANONYMOUS, item)) == (customers if strategy is OPEN else "404")
    assert answer(asked(PRODUCT, item)) == answer(asked(STAFF, item)) == vendors
    assert answer(asked(ENVIRONMENT, replace(item, environment="staging"), STAGING)) == vendors


# What the conditions of a license for a LICENSED product do: by its key, by a token of it, by a user who has only it.
CONDITIONS: list[tuple[str, License, Item, str, str, str]] = [
    ("never ends", LICENSE, made(0), "303", "303", "303"),
    ("never ends, revoke", replace(LICENSE, expiration=REVOKE), made(0), "303", "303", "303"),
    ("allow, ended", ended(60, ALLOW), made(0), "303", "303", "303"),
    ("allow, ended, older", ended(60, ALLOW), made(90), "303", "303", "303"),
    ("restrict, not ended", ended(-60, RESTRICT), made(10), "303", "303", "303"),
    ("restrict, ended, older", ended(60, RESTRICT), made(90), "303", "303", "303"),
    ("restrict, ended, of that very moment", ended(60, RESTRICT), made(60), "303", "303", "303"),
    ("maintain, not ended", ended(-60, MAINTAIN), made(10), "303", "303", "303"),
    ("maintain, ended, older", ended(60, MAINTAIN), made(90), "303", "303", "303"),
    ("restrict, ended, newer", ended(60, RESTRICT), made(0), "404", "404", "404"),
    ("maintain, ended, newer", ended(60, MAINTAIN), made(0), "404", "404", "404"),
    ("restrict, ended, newer, backdated before", ended(60, RESTRICT), made(0, 90), "303", "303", "303"),
    ("maintain, ended, newer, backdated before", ended(60, MAINTAIN), made(0, 90), "303", "303", "303"),
    ("restrict, ended, newer, backdated after", ended(60, RESTRICT), made(0, 30), "404", "404", "404"),
    ("restrict, ended, older, backdated after", ended(60, RESTRICT), made(90, 30), "403", "403", "403"),
    ("maintain, ended, older, backdated after", ended(60, MAINTAIN), made(90, 30), "403", "403", "403"),
    ("revoke, not ended", ended(-60, REVOKE), made(10), "303", "303", "303"),
    ("revoke, at its very end", ended(0, REVOKE), made(10), "303", "303", "303"),
    ("revoke, ended, newer", ended(60, REVOKE), made(0), "403 LICENSE_EXPIRED", "404", "404"),
    ("revoke, ended, older", ended(60, REVOKE), made(90), "403 LICENSE_EXPIRED", "404", "404"),
    ("revoke, ended, backdated before", ended(60, REVOKE), made(0, 90), "403 LICENSE_EXPIRED", "404", "404"),
    ("suspended", replace(LICENSE, suspended=True), ITEM, "403 LICENSE_SUSPENDED", "403", "403"),
    ("suspended, allow, ended", ended(60, ALLOW, suspended=True), ITEM, "403 LICENSE_SUSPENDED", "403", "403"),
    ("owner banned", replace(LICENSE, owner_banned=True), ITEM, "403 LICENSE_BANNED", "403 USER_BANNED", "403"),
    ("no entitlement of one", LICENSE, replace(ITEM, required=A), "404", "404", "404"),
    ("one entitlement of two", replace(LICENSE, entitlements=A), replace(ITEM, required=AB), "404", "404", "404"),
    ("another entitlement", replace(LICENSE, entitlements=B), replace(ITEM, required=A), "404", "404", "404"),
    ("both entitlements", ENTITLED, replace(ITEM, required=AB), "303", "303", "303"),
    ("more entitlements", ENTITLED, replace(ITEM, required=A), "303", "303", "303"),
    (
        "suspended, banned",
        replace(LICENSE, suspended=True, owner_banned=True),
        ITEM,
        "403 LICENSE_BANNED",
        "403 USER_BANNED",
        "403",
    ),
    ("suspended, revoked", ended(60, REVOKE, suspended=True), ITEM, "403 LICENSE_SUSPENDED", "404", "404"),
]


@pytest.mark.parametrize(
    ("one", "item", "key", "token", "only_license"),
    [row[1:] for row in CONDITIONS],
    ids=[row[0] for row in CONDITIONS],
)
def test_conditions(one: License, item: Item, key: str, token: str, only_license: str) -> None:
    """A license has to meet all conditions; which answer is given depends on how it is presented."""
    assert answer(asked(by_key(one), item)) == key
    assert answer(asked(by_token(one), item)) == token
    assert answer(asked(user(one), item)) == only_license


@pytest.mark.parametrize(
    ("strategy", "key", "token"),
    [
        ("TOKEN", "403 LICENSE_NOT_ALLOWED", "303"),
        ("LICENSE", "303", "403 TOKEN_NOT_ALLOWED"),
        ("MIXED", "303", "303"),
        ("SESSION", "403 LICENSE_NOT_ALLOWED", "403 TOKEN_NOT_ALLOWED"),
        ("NONE", "403 LICENSE_NOT_ALLOWED", "403 TOKEN_NOT_ALLOWED"),
    ],
)
def test_authentication(strategy: str, key: str, token: str) -> None:
    """The policy says how its licenses may present themselves; users with such a license are not concerned."""
    chosen = AuthenticationStrategy(strategy)
    assert answer(asked(by_key(LICENSE, chosen))) == key
    assert answer(asked(by_token(LICENSE, chosen))) == token
    assert answer(asked(user(LICENSE))) == "303"


def test_order_of_refusals() -> None:
    """A key is told of its owner first, then that it is suspended, has ended, and cannot be used so."""
    bad = ended(60, REVOKE, suspended=True, owner_banned=True)
    token_only = AuthenticationStrategy.TOKEN
    assert answer(asked(by_key(bad, token_only))) == "403 LICENSE_BANNED"
    assert answer(asked(by_key(replace(bad, owner_banned=False), token_only))) == "403 LICENSE_SUSPENDED"
    bad = replace(bad, owner_banned=False, suspended=False)
    assert answer(asked(by_key(bad, token_only))) == "403 LICENSE_EXPIRED"
    assert answer(asked(by_key(LICENSE, token_only))) == "403 LICENSE_NOT_ALLOWED"


@pytest.mark.parametrize(
    ("one", "by_its_key"),
    [
        (replace(LICENSE, suspended=True), "403 LICENSE_SUSPENDED"),
        (ended(60, REVOKE), "403 LICENSE_EXPIRED"),
        (ended(60, RESTRICT), "303"),
        (FOREIGN, "303"),
    ],
)
def test_free_for_all(one: License, by_its_key: str) -> None:
    """A license that is good for nothing takes nothing from its holder that everyone has, unless its key is shown."""
    free = replace(ITEM, distribution=OPEN)
    assert answer(asked(by_token(one), free)) == answer(asked(user(one), free)) == "303"
    assert answer(asked(by_key(one), free)) == by_its_key


@pytest.mark.parametrize(
    ("bearer", "draft"),
    [(by_key(LICENSE), "404"), (by_token(LICENSE), "404"), (user(LICENSE), "404"), (PRODUCT, "403"), (STAFF, "403")],
    ids=["key", "token", "user", "product", "staff"],
)
def test_reading(bearer: Known, draft: str) -> None:
    """Who may not read at all is refused what is seen, and what is hidden stays so."""
    unable = replace(bearer, credential=replace(OURS, reads=False))
    assert answer(asked(unable)) == "403"
    assert answer(asked(unable, replace(ITEM, environment="staging"))) == "404"
    assert answer(asked(unable, replace(ITEM, release_status=ReleaseStatus.DRAFT))) == draft
    assert answer(asked(unable, replace(ITEM, distribution=OPEN))) == "403"


def test_banned_user() -> None:
    """A user who is banned has nothing, not even what is free for all."""
    banned = replace(user(LICENSE), banned=True)
    assert answer(asked(banned)) == answer(asked(banned, replace(ITEM, distribution=OPEN))) == "403 USER_BANNED"


SUSPENDED = replace(LICENSE, suspended=True)
# Users with several licenses.
SEVERAL: list[tuple[str, UserBearer, Item, str]] = [
    ("ended, suspended, good", user(ended(60, RESTRICT), SUSPENDED, LICENSE), ITEM, "303"),
    ("ended, ended, suspended", user(ended(60, RESTRICT), ended(60, REVOKE), SUSPENDED), ITEM, "403"),
    ("ended, of another", user(ended(60, RESTRICT), FOREIGN), ITEM, "404"),
    (
        "one entitlement each",
        user(replace(LICENSE, entitlements=A), replace(LICENSE, entitlements=B)),
        replace(ITEM, required=AB),
        "404",
    ),
    (
        "entitled but ended, lasting but not entitled",
        user(ended(60, RESTRICT, entitlements=AB), LICENSE),
        replace(ITEM, required=A),
        "404",
    ),
    ("entitled by another product", user(FOREIGN, LICENSE), replace(ITEM, required=A), "404"),
    (
        "entitled but suspended, lasting but not entitled",
        user(replace(ENTITLED, suspended=True), LICENSE),
        replace(ITEM, required=A),
        "403",
    ),
    ("in another environment", user(replace(LICENSE, environment="staging")), ITEM, "404"),
]


@pytest.mark.parametrize(("bearer", "item", "wanted"), [row[1:] for row in SEVERAL], ids=[row[0] for row in SEVERAL])
def test_several_licenses(bearer: UserBearer, item: Item, wanted: str) -> None:
    """One license of a user has to meet all conditions: those of several are never added up."""
    assert answer(asked(bearer, item)) == wanted
    assert answer(asked(replace(bearer, licenses=bearer.licenses[::-1]), item)) == wanted


def test_longest_license() -> None:
    """Of several licenses that allow it the one that lasts longest is named, so that nobody is warned of the others."""
    soon, late = ended(-1, RESTRICT, name="soon"), ended(-60, RESTRICT, name="late")
    for several in [(soon, late), (late, soon)]:
        assert asked(user(*several)).license == late
        assert asked(user(*several, LICENSE)).license == LICENSE
    assert asked(user(LICENSE), replace(ITEM, distribution=OPEN)).license is None


def test_window() -> None:
    """Of artifacts of three days, and a fourth that counts from the first, those to the license's end are listed."""
    one = ended(2, RESTRICT)
    items = [made(3), made(2), made(1), made(1, 3)]
    assert [asked(by_token(one), item).shows for item in items] == [True, True, False, True]


def test_date_of_the_artifact() -> None:
    """What counts is when the artifact was made, also in a release that is older, unless the release was backdated."""
    one = ended(60, RESTRICT)
    release = replace(made(90), artifact_status=None)
    assert asked(by_token(one), release).shows
    assert not asked(by_token(one), made(0)).shows
    assert asked(by_token(one), made(0, 60)).downloads
