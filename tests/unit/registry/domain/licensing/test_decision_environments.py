"""Environments: what is there for a request that names one, or none."""

from dataclasses import replace

import pytest

from registry.domain.licensing.bearers import Credential
from registry.domain.licensing.environments import Scope, scope_in
from registry.domain.licensing.words import DistributionStrategy, IsolationStrategy
from tests.unit.registry.domain.licensing.asking import (
    ANONYMOUS,
    ENVIRONMENT,
    HERE,
    ITEM,
    LICENSE,
    PRODUCT,
    STAFF,
    Known,
    answer,
    asked,
    by_key,
    by_token,
    user,
)

ISOLATED = scope_in("acme", "staging", IsolationStrategy.ISOLATED)
SHARED = scope_in("acme", "staging", IsolationStrategy.SHARED)

# What is there: what belongs to no environment, to the one that the request names, and to another one.
SEEN: list[tuple[str, Scope, str, str, str]] = [
    # request                       global    its own   another's
    ("in no environment", HERE, "global", "", ""),
    ("in an isolated one", ISOLATED, "", "own", ""),
    ("in a shared one", SHARED, "global", "own", ""),
]


@pytest.mark.parametrize(("scope", "globally", "own", "other"), [row[1:] for row in SEEN], ids=[row[0] for row in SEEN])
def test_records(scope: Scope, globally: str, own: str, other: str) -> None:
    """What cannot be seen from where the request is is hidden from everyone, free for all or not."""
    staff = replace(STAFF, credential=Credential("acme", scope.environment))
    for environment, there in [(None, globally), ("staging", own), ("beta", other)]:
        item = replace(ITEM, environment=environment)
        assert answer(asked(staff, item, scope)) == ("303" if there else "404")
        free = replace(item, distribution=DistributionStrategy.OPEN)
        assert answer(asked(ANONYMOUS, free, scope)) == ("303" if there else "404")


@pytest.mark.parametrize(("scope", "globally", "own", "other"), [row[1:] for row in SEEN], ids=[row[0] for row in SEEN])
@pytest.mark.parametrize(
    "bearer",
    [by_key(LICENSE), by_token(LICENSE), user(LICENSE), PRODUCT, STAFF, ENVIRONMENT],
    ids=["key", "token", "user", "product", "staff", "environment"],
)
def test_credentials(bearer: Known, scope: Scope, globally: str, own: str, other: str) -> None:
    """Credentials are known where they can be seen, and nowhere else."""
    for environment, there in [(None, globally), ("staging", own), ("beta", other)]:
        moved = replace(bearer, credential=Credential("acme", environment))
        item = replace(ITEM, environment=scope.environment)
        assert (answer(asked(moved, item, scope)) != "401") == bool(there)


def test_environment_without_its_name() -> None:
    """An environment's token is known only to requests that name the environment."""
    assert answer(asked(ENVIRONMENT, ITEM, HERE)) == "401"
    assert answer(asked(ENVIRONMENT, replace(ITEM, environment="staging"), ISOLATED)) == "303"
    assert answer(asked(ENVIRONMENT, ITEM, ISOLATED)) == "404"
    assert answer(asked(ENVIRONMENT, ITEM, SHARED)) == "303"


def test_licenses_of_users() -> None:
    """A user's license counts where it can be seen."""
    one = user(replace(LICENSE, environment="staging"))
    assert answer(asked(one, ITEM, HERE)) == "404"
    assert answer(asked(one, ITEM, SHARED)) == "303"


@pytest.mark.parametrize("scope", [HERE, ISOLATED, SHARED])
def test_writing(scope: Scope) -> None:
    """A request changes what belongs to its own environment, or to none where it is in none."""
    writable = [environment for environment in (None, "staging", "beta") if scope.writes(environment)]
    assert writable == [scope.environment]
