"""The table at the end of a run, and when a run fails for it."""

import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_TESTS = """
import pytest
from tests.faults import tally

def test_that_passes():
    tally.injected("kill -9", 3)

def test_that_looks_at_each():
    tally.injected("outage", 2)
    tally.survived("outage", 2)

def test_of_a_fixture(broken_in_the_end):
    tally.injected("hang-up")

def test_that_fails():
    tally.injected("kill -9")
    assert OUTCOME

def test_that_finds_a_loss():
    tally.injected("outage", 2)
    if not OUTCOME:
        tally.lost("outage", "tag v1")

@pytest.fixture
def broken_in_the_end():
    yield
    assert OUTCOME
"""


def run(place: Path, *flags: str, outcome: bool, select: str = "test") -> tuple[int, list[str]]:
    """The exit code of a run of the tests above, and what it prints below "faults", without spaces that align."""
    (place / "pytest.ini").write_text("[pytest]\n")
    (place / "test_it.py").write_text(f"OUTCOME = {outcome}\n{_TESTS}")
    words = ["-c", str(place / "pytest.ini"), "-p", "tests.faults.reporting", "-p", "no:cacheprovider", "-k", select]
    command = [sys.executable, "-m", "pytest", *words, *flags, str(place)]
    result = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=60, check=False)
    _, _, table = result.stdout.partition(" faults ")
    return result.returncode, [" ".join(line.split()) for line in table.splitlines()[1:]]


def test_nothing_is_lost(tmp_path: Path) -> None:
    """What passing tests injected is survived, in however many processes they run."""
    code, table = run(tmp_path, "-n", "2", outcome=True)
    assert code == 0
    assert table[:5] == [
        "kind injected survived lost",
        "hang-up 1 1 0",
        "kill -9 4 4 0",
        "outage 4 4 0",
        "all 9 9 0",
    ]


def test_what_is_lost_is_named(tmp_path: Path) -> None:
    """Tests that fail, also in their fixtures, have lost something, and the table says which and what."""
    code, table = run(tmp_path, outcome=False)
    assert code == 1
    assert table[1:8] == [
        "hang-up 1 0 1",
        "kill -9 4 3 1",
        "outage 4 3 1",
        "all 9 6 3",
        "lost by hang-up: test_it.py::test_of_a_fixture",
        "lost by kill -9: test_it.py::test_that_fails",
        "lost by outage: tag v1",
    ]


def test_a_loss_fails_the_run(tmp_path: Path) -> None:
    """A run in which something was lost fails, though all its tests have passed."""
    code, table = run(tmp_path, outcome=False, select="finds_a_loss")
    assert code == 1
    assert table[1] == "outage 2 1 1"
