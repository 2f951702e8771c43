"""The suite sees faults: a good registry with one thing broken is told so, and told what."""

import pytest

from conformance import checks
from conformance.requirement import Checklist, Level, Requirement
from conformance.runner import Outcome
from tests.conformance.judging import NOT_PASSED, chosen, judge
from tests.conformance.mutants.breakable import Breakable
from tests.conformance.mutants.everything import MUTANTS

NAMED = {Level.MUST: Outcome.FAILED, Level.SHOULD: Outcome.WARNED}

# All of them take a minute: usually it is every fourth.
SAMPLED = [
    pytest.param(name, marks=[] if number % 4 == 0 else [pytest.mark.thorough]) for number, name in enumerate(MUTANTS)
]


@pytest.fixture(scope="module")
def requirements(breakable: Breakable) -> dict[str, Requirement]:
    """All checks of the newest version."""
    return {item.id: item for item in chosen(breakable.where)}


@pytest.mark.timeout(240)
def test_proxy_breaks_nothing(breakable: Breakable, requirements: dict[str, Requirement]) -> None:
    """Without a mutant everything passes, so that what a mutant is told is its own fault."""
    breakable.become(None)
    judged = judge(breakable.proxy.url, breakable.new_scope(), list(requirements.values()))
    assert judged.said(*NOT_PASSED) == []


@pytest.mark.parametrize("name", SAMPLED)
def test_mutant_is_named(breakable: Breakable, requirements: dict[str, Requirement], name: str) -> None:
    """The requirements that a mutant breaks fail and say why, and those beside them hold."""
    mutant = MUTANTS[name]
    breakable.become(mutant)
    asked = [requirements[identifier] for identifier in (*mutant.named, *mutant.spared)]
    found = {one.requirement.id: one for one in breakable.judge(asked, mutant.timeout_s)}
    for identifier, said in mutant.named.items():
        assert found[identifier].outcome is NAMED[found[identifier].requirement.level], found[identifier].message
        assert said in found[identifier].message
    assert [(one, found[one].message) for one in mutant.spared if found[one].outcome is not Outcome.PASSED] == []


def test_every_module_of_checks_has_a_mutant() -> None:
    """No module of checks is there that no mutant needs."""
    named = {identifier for mutant in MUTANTS.values() for identifier in mutant.named}
    for module in checks.MODULES:
        lists = [value for value in vars(module).values() if isinstance(value, Checklist)]
        assert named & {item.id for one in lists for item in one.requirements}, module.__name__
