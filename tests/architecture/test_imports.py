"""Which module may import which, and that each can be imported on its own."""

import ast
import json
import os
import subprocess
import sys
from collections import defaultdict
from functools import cache
from pathlib import Path

from tests.architecture.source import PACKAGES, ROOT, sources

# Loads what others made once, and then each of our modules in a process of its own. That begins with the modules which
# it has from the one before it in the tree: all of them are ones that it imports itself.
IMPORT_EACH_ALONE = """
import importlib, json, os, sys, traceback
import aiohttp.web, prometheus_client, orjson
next_of = json.load(sys.stdin)

def go_on_from(done):
    failed = False
    for name in next_of.get(done, []):
        if name in sys.modules and name.startswith(f"{done}."):
            continue  # It came with its package, which is always imported before it.
        child = os.fork()
        if child == 0:
            try:
                assert name not in sys.modules, f"{done} imports {name}: they are no tree"
                importlib.import_module(name)
                os._exit(go_on_from(name))
            except BaseException:
                traceback.print_exc()
                os._exit(1)
        failed |= os.waitpid(child, 0)[1] != 0
    return failed

sys.exit(go_on_from(""))
"""

TREES = {source.module: source.tree for source in sources(*PACKAGES)}


@cache
def imported_by(module: str) -> frozenset[str]:
    """Those of our modules that it imports as soon as it is imported itself, with the packages that they are in."""
    names = set()
    for node in TREES[module].body:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    parts = [name.split(".") for name in (*names, module)]
    packages = {".".join(part[:length]) for part in parts for length in range(1, len(part) + 1)}
    return frozenset(packages & TREES.keys() - {module})


@cache
def loaded_with(module: str) -> frozenset[str]:
    """Those of our modules that are loaded once it is imported."""
    found, left = set[str](), [module]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += imported_by(name)
    return frozenset(found)


def before(module: str) -> str:
    """The module in the tree before this one: of those that it needs anyway, the one that needs most itself."""
    names = sorted(imported_by(module))
    packages = [name for name in names if module.startswith(f"{name}.") and module in loaded_with(name)]
    others = [name for name in names if module not in loaded_with(name)]
    return max(packages or others, key=lambda name: len(loaded_with(name)), default="")


def test_every_module_can_be_imported_alone() -> None:
    """No module needs another one to have been imported before it, nor warns when it is imported."""
    # A program runs when it is imported.
    modules = [module for module in TREES if not module.endswith("__main__")]
    assert len(modules) > 50
    next_of = defaultdict(list)
    for module in modules:
        next_of[before(module)].append(module)
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", IMPORT_EACH_ALONE],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        input=json.dumps(next_of),
        capture_output=True,
        text=True,
        timeout=60,
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
