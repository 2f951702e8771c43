"""What docs/operations.md says to run."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "operations.md"
SECONDS = 60.0


def section(title: str) -> str:
    """What is below the heading, up to the next one."""
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#+ )", PAGE.read_text() + "# ", re.MULTILINE | re.DOTALL)
    assert found, f"there is no section {title!r}"
    return found[1]


def blocks(title: str, language: str = "sh") -> list[str]:
    """The code blocks of a section in this language, or in none, in their order."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", section(title), re.MULTILINE | re.DOTALL)
    return [code for name, code in found if name == language]


def run(script: str, environment: Mapping[str, str]) -> str:
    """Run commands as they stand there, and return what they print; AssertionError if one of them fails."""
    result = subprocess.run(
        ["bash", "-xeuo", "pipefail", "-c", script],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-4000:]
    return result.stdout


def missing(*programs: str) -> list[str]:
    """Those of the programs that are not installed."""
    return [program for program in programs if shutil.which(program) is None]
