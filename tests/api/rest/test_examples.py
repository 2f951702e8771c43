"""The examples of docs/management.md, as somebody would run them."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.daemon import Daemon

PAGE = Path(__file__).parents[3] / "docs" / "management.md"
PASSWORD = "printed by the first start"

missing = [program for program in ("bash", "curl", "jq") if shutil.which(program) is None]


def commands() -> str:
    """All that the page says to run, in its order."""
    return "\n".join(re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL))


@pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")
def test_examples(tmp_path: Path) -> None:
    """Every command of the page does what it says, on a new registry, from top to bottom."""
    environment = {"BERTH_ADMIN_PASSWORD": PASSWORD}
    with Daemon(tmp_path / "data", environment=environment, auth="builtin") as daemon:
        script = commands().replace("http://localhost:5000", daemon.url)
        result = subprocess.run(
            ["bash", "-xeuo", "pipefail", "-c", script],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-4000:]
    assert '"code":"NAME_TAKEN"' in result.stdout
    lines = (tmp_path / "audit.jsonl").read_text().splitlines()
    assert '"action":"project.create"' in lines[0]
