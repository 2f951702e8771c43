"""What the whole of a group says of each mutant: nothing breaks, nothing hangs, and every report can be written."""

import sys

import pytest

from conformance.reports.files import as_json, as_junit
from conformance.reports.page import as_page
from conformance.reports.summary import Run
from conformance.runner import Outcome
from tests.conformance.judging import chosen, judge
from tests.conformance.mutants.allowed import ALLOWED, Allowed
from tests.conformance.mutants.breakable import Breakable
from tests.conformance.mutants.everything import MUTANTS
from tests.conformance.mutants.rules import Mutant

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]


@pytest.mark.parametrize("name", MUTANTS)
def test_whole_group_survives(breakable: Breakable, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every check of the groups in which a mutant has to be named comes to an end, and those named fail."""
    mutant, where = MUTANTS[name], breakable.new_scope()
    breakable.become(mutant)
    every = {item.id: item for item in chosen(where)}
    asked = chosen(where, {every[identifier].group for identifier in mutant.named})
    judged = judge(breakable.proxy.url, where, asked, timeout=mutant.timeout_s)
    with capsys.disabled():
        lines = [line[:200] for line in judged.said(Outcome.FAILED, Outcome.WARNED)]
        sys.stdout.write("\n  ".join([f"\n{name}: {len(judged.results)} checks", *lines, ""]))
    assert len(judged.results) == len(asked)
    assert set(mutant.named) <= judged.ids(Outcome.FAILED) | judged.ids(Outcome.WARNED)
    run = Run(breakable.proxy.url, where, "2026-01-01", 1.0, judged.results)
    for text in (as_json(run), as_junit(run), as_page(run)):
        assert text.encode()


@pytest.mark.parametrize("allowed", ALLOWED, ids=lambda allowed: allowed.name)
def test_nobody_is_accused_of_what_is_allowed(breakable: Breakable, allowed: Allowed) -> None:
    """A registry that does something in another way that the specification allows fails no requirement."""
    where = breakable.new_scope()
    breakable.become(Mutant(allowed.name, {}, allowed.fault))
    asked = [item for item in chosen(where) if item.id.startswith(tuple(allowed.asked))]
    assert judge(breakable.proxy.url, where, asked).said(Outcome.FAILED) == []
