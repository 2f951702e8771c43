"""What customers are told."""

from dataclasses import replace

import pytest

from registry.domain.licensing.bearers import Bearer, Credential
from registry.domain.licensing.decisions import Item
from registry.domain.licensing.expiry import DAY_MS, ENDING_MS
from registry.domain.licensing.sentences import ending, explain, superseded, yanked
from registry.domain.licensing.words import (
    ArtifactStatus,
    AuthenticationStrategy,
    DistributionStrategy,
    ExpirationStrategy,
    ReleaseStatus,
)
from tests.unit.registry.domain.licensing.asking import (
    ANONYMOUS,
    ITEM,
    LICENSE,
    NOW,
    OTHER,
    OURS,
    PRODUCT,
    STAFF,
    asked,
    by_key,
    by_token,
    ended,
    made,
    user,
)

RESTRICT, REVOKE, MAINTAIN, ALLOW = ExpirationStrategy
NEITHER = AuthenticationStrategy.NONE
SUSPENDED, BANNED = replace(LICENSE, suspended=True), replace(LICENSE, owner_banned=True)
AB = frozenset({"B", "A"})

TOLD: list[tuple[Bearer, Item, str]] = [
    (by_key(LICENSE), ITEM, ""),
    (by_key(ended(60, RESTRICT)), made(10), "license 'Bob' ended on 2025-08-10; version 2.1.0 is from 2025-09-29"),
    (user(ended(60, MAINTAIN)), made(10, 9), "license 'Bob' ended on 2025-08-10; version 2.1.0 is from 2025-09-30"),
    (
        by_key(ended(10.2, RESTRICT)),
        made(10.1),
        "license 'Bob' ended on 2025-09-29T04:05:20Z; version 2.1.0 is from 2025-09-29T06:29:20Z",
    ),
    (
        by_key(ended(60, RESTRICT)),
        made(90, 30),
        "license 'Bob' ended on 2025-08-10; version 2.1.0 is from 2025-09-09",
    ),
    (
        by_key(ended(60, REVOKE)),
        ITEM,
        "license 'Bob' ended on 2025-08-10, and nothing can be downloaded with it any more",
    ),
    (
        by_token(ended(60, REVOKE)),
        ITEM,
        "license 'Bob' ended on 2025-08-10, and nothing can be downloaded with it any more",
    ),
    (by_key(LICENSE), replace(ITEM, required=AB), "license 'Bob' lacks A, B, which version 2.1.0 requires"),
    (by_key(SUSPENDED), ITEM, "license 'Bob' is suspended"),
    (by_token(SUSPENDED), ITEM, "license 'Bob' is suspended"),
    (by_key(BANNED), ITEM, "the owner of license 'Bob' is banned"),
    (by_token(BANNED), ITEM, "the owner of license 'Bob' is banned"),
    (user(BANNED), ITEM, "the owner of license 'Bob' is banned"),
    (replace(user(LICENSE), banned=True), ITEM, "the user is banned"),
    (by_key(LICENSE, NEITHER), ITEM, "license 'Bob' cannot be presented by its key: its policy does not allow it"),
    (by_token(LICENSE, NEITHER), ITEM, "license 'Bob' cannot be presented by a token: its policy does not allow it"),
    (replace(STAFF, credential=replace(OURS, reads=False)), ITEM, "these credentials are not for reading releases"),
    (replace(STAFF, credential=Credential("x")), ITEM, "these credentials are not known"),
    (STAFF, replace(ITEM, release_status=ReleaseStatus.YANKED), "version 2.1.0 was yanked by its vendor"),
    (
        PRODUCT,
        replace(ITEM, artifact_status=ArtifactStatus.WAITING),
        "the file of version 2.1.0 has not been uploaded",
    ),
]


@pytest.mark.parametrize(("bearer", "item", "sentence"), TOLD)
def test_told(bearer: Bearer, item: Item, sentence: str) -> None:
    """Who may know is told what stands in the way, with the dates and names that matter."""
    assert explain(asked(bearer, item), item) == sentence


@pytest.mark.parametrize(
    ("bearer", "item"),
    [
        (ANONYMOUS, ITEM),
        (user(), ITEM),
        (by_key(replace(LICENSE, product=OTHER)), ITEM),
        (by_key(LICENSE), replace(ITEM, release_status=ReleaseStatus.DRAFT)),
        (by_key(LICENSE), replace(ITEM, release_status=ReleaseStatus.YANKED)),
        (by_key(LICENSE), replace(ITEM, artifact_status=ArtifactStatus.FAILED)),
        (by_key(LICENSE), replace(ITEM, distribution=DistributionStrategy.CLOSED)),
        (by_key(LICENSE), replace(ITEM, environment="staging")),
        (replace(PRODUCT, product=OTHER), ITEM),
    ],
)
def test_not_told(bearer: Bearer, item: Item) -> None:
    """Who may not know that there is something is told the same whatever it is."""
    assert explain(asked(bearer, item), item) == "version 2.1.0 is not known"


def test_nearest_license() -> None:
    """Of several licenses the one is spoken of that comes nearest: that lasted longest, or lacks nothing else."""
    entitled = ended(60, RESTRICT, name="entitled", entitlements=AB)
    later = replace(entitled, name="later", expiry=NOW - 40 * DAY_MS)
    item = replace(ITEM, required=AB)
    for several in [(LICENSE, entitled, later), (later, entitled, LICENSE)]:
        assert explain(asked(user(*several), item), item).startswith("license 'later' ended on")
    suspended = replace(SUSPENDED, name="suspended", entitlements=AB)
    assert explain(asked(user(later, suspended), item), item) == "license 'suspended' is suspended"


@pytest.mark.parametrize(
    ("days_left", "strategy", "warning"),
    [
        (2, RESTRICT, "license 'Bob' ends on 2025-10-11: no later version can be downloaded with it after that"),
        (2, MAINTAIN, "license 'Bob' ends on 2025-10-11: no later version can be downloaded with it after that"),
        (2, REVOKE, "license 'Bob' ends on 2025-10-11: nothing can be downloaded with it after that"),
        (0, REVOKE, "license 'Bob' ends on 2025-10-09: nothing can be downloaded with it after that"),
        (2, ALLOW, None),
        (3, RESTRICT, None),
        (-1, RESTRICT, None),
    ],
)
def test_ending(days_left: int, strategy: ExpirationStrategy, warning: str | None) -> None:
    """In the last three days of a license its holder is warned, if its end takes anything away."""
    assert ending(ended(-days_left, strategy), NOW) == warning


def test_ending_at_the_edges() -> None:
    """The warning begins when less than three days are left, and a license that never ends has none."""
    assert ending(replace(LICENSE, expiry=NOW + ENDING_MS - 1), NOW) is not None
    assert ending(replace(LICENSE, expiry=NOW - 1), NOW) is None
    assert ending(LICENSE, NOW) is None


def test_other_warnings() -> None:
    """What was taken back, or has a successor, is said of the version."""
    assert yanked("1.0.0") == "version 1.0.0 was yanked by its vendor"
    assert superseded("1.0.0", "1.0.1") == "version 1.0.0 is superseded by 1.0.1"
