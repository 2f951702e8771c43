"""A plugin of pytest: what `tally` counted, as a table at the end of the run, which fails if anything was lost."""

from collections.abc import Generator
from dataclasses import asdict

import pytest

from tests.faults import tally
from tests.faults.tally import Count

_PROPERTY = "faults"
_FAILED = pytest.StashKey[bool]()
_totals: dict[str, Count] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Give what a test did to its last report, which comes to the process that prints the table."""
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
    if report.when == "teardown":
        counts = tally.settle(item.nodeid if item.stash.get(_FAILED, False) else None)
        report.user_properties += [(_PROPERTY, {kind: asdict(count) for kind, count in counts.items()})]
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Sum up."""
    for name, counts in report.user_properties:
        if name == _PROPERTY and isinstance(counts, dict):
            for kind, count in counts.items():
                _totals.setdefault(kind, Count()).add(Count(**count))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail when something was lost."""
    if any(count.lost for count in _totals.values()):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table."""
    if not _totals:
        return
    width = max(len(kind) for kind in _totals) + 2
    terminalreporter.section("faults")
    terminalreporter.line(f"{'kind':<{width}}{'injected':>10}{'survived':>10}{'lost':>6}")
    rows = [*sorted(_totals.items()), ("all", _sum(_totals))]
    for kind, count in rows:
        terminalreporter.line(f"{kind:<{width}}{count.injected:>10}{count.survived:>10}{len(count.lost):>6}")
    for kind, count in rows[:-1]:
        for what in count.lost:
            terminalreporter.line(f"lost by {kind}: {what}", red=True)


def _sum(counts: dict[str, Count]) -> Count:
    total = Count()
    for count in counts.values():
        total.add(count)
    return total
