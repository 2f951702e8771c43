"""Which module may import which, and that each can be imported on its own."""

import os
import subprocess
import sys
from pathlib import Path

from tests.architecture.source import PACKAGES, ROOT, sources

# Loads what others made once, and then each of our modules in a process of its own.
IMPORT_EACH_ALONE = """
import importlib, os, sys, traceback
import aiohttp.web, prometheus_client, orjson
names, packages = sys.argv[2:], sys.argv[1].split(",")
failed = 0
for name in names:
    assert not any(module.partition(".")[0] in packages for module in sys.modules), "not alone"
    child = os.fork()
    if child == 0:
        try:
            importlib.import_module(name)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    failed += os.waitpid(child, 0)[1] != 0
sys.exit(failed > 0)
"""


def test_every_module_can_be_imported_alone() -> None:
    """No module needs another one to have been imported before it, nor warns when it is imported."""
    modules = [source.module for source in sources(*PACKAGES)]
    # A program runs when it is imported.
    modules = [module for module in modules if not module.endswith("__main__")]
    assert len(modules) > 50
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", IMPORT_EACH_ALONE, ",".join(PACKAGES), *modules],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert result.returncode == 0, result.stderr


def test_contracts_of_imports() -> None:
    """The arrows between the layers point down only, as pyproject.toml has it."""
    result = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert " 0 broken" in result.stdout


def test_all_code_is_under_the_contracts() -> None:
    """Every package that is shipped is one that the contracts speak of."""
    shipped = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"bench", "tests"}
    assert shipped == set(PACKAGES)
