"""What surrounds the code: pins, make targets, lists of packages, and what no file may contain."""

import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
# Folders of the project that are not import packages, and what grows beside the sources.
NOT_PACKAGES = {"tests", "bench"}
GROWN = {".git", ".venv", ".hypothesis", "__pycache__", "berth-data", "build", "results"}

# Brackets in the patterns keep them from finding themselves.
PACKAGE_INDEX = re.compile(r"py[p]i\.org|python[h]osted|(?:index|extra-index)[-_]url|find[-_]links")
MACHINE_PATH = re.compile(r"(?<![\w.})>/-])/(?:work|tmp|root|home)/")
PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[0-9][A-Za-z0-9.]*)")


def text_files() -> Iterator[tuple[str, str]]:
    """Yield name and content of every text file of the project."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in GROWN and not name.endswith(("_cache", ".egg-info"))]
        for path in (Path(folder, name) for name in names):
            content = path.read_bytes()
            if b"\0" not in content:
                yield str(path.relative_to(ROOT)), content.decode("utf-8", "replace")


def lines_of(name: str) -> list[str]:
    """Return the lines of a requirements file that name a package."""
    lines = (ROOT / name).read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith(("#", "-r "))]


def pins(*names: str) -> dict[str, str]:
    """Return the pinned version of every package in these requirements files."""
    found = (PIN.fullmatch(line) for name in names for line in lines_of(name))
    return {canonicalize_name(match["name"]): match["version"] for match in found if match}


@pytest.mark.parametrize("pattern", [PACKAGE_INDEX, MACHINE_PATH], ids=["package index", "machine path"])
def test_no_file_names_a_package_index_or_a_path_of_one_machine(pattern: re.Pattern[str]) -> None:
    """No text file names where packages come from, nor an absolute path of somebody's machine."""
    found = [
        f"{name}:{number}: {line.strip()}"
        for name, content in text_files()
        for number, line in enumerate(content.splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == []


def test_scan_sees_the_project() -> None:
    """The scan above reads sources, documents and hidden files, so that its silence means something."""
    names = {name for name, _ in text_files()}
    assert {"pyproject.toml", ".ci/run", "registry/__init__.py", "docs/dependencies.md"} <= names


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_is_one_exact_version(name: str) -> None:
    """A requirements file holds exact versions alone: no ranges, hashes, addresses or options."""
    assert [line for line in lines_of(name) if not PIN.fullmatch(line)] == []
    assert len(pins(name)) == len(lines_of(name))


@pytest.mark.parametrize("names", [["requirements.txt"], ["requirements.txt", "requirements-dev.txt"]])
def test_pins_are_installed_and_complete(names: list[str]) -> None:
    """Every pin is the installed version, and whatever it requires is pinned too, at a version it accepts."""
    pinned = pins(*names)
    for name, version in pinned.items():
        assert metadata.version(name) == version, name
        for requirement in map(Requirement, metadata.requires(name) or []):
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)]), requirement


def test_declared_dependencies_are_pinned_within_their_range() -> None:
    """requirements.txt pins each dependency of the package at a version that the package accepts."""
    pinned = pins("requirements.txt")
    for requirement in map(Requirement, PROJECT["project"]["dependencies"]):
        assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)]), requirement


def test_every_direct_dependency_has_a_reason() -> None:
    """docs/dependencies.md has a row for each package that Berth or its tests import, and no other."""
    rows = re.findall(r"^\| ([\w, -]+) \| \S", (ROOT / "docs/dependencies.md").read_text("utf-8"), re.MULTILINE)
    reasoned = {name for row in rows for name in row.split(", ")} - {"package"}
    direct = set()
    for name in ("requirements.txt", "requirements-dev.txt"):
        first, _, _ = (ROOT / name).read_text("utf-8").partition("# Brought along")
        direct |= {canonicalize_name(match["name"]) for match in map(PIN.fullmatch, first.splitlines()) if match}
    assert reasoned == direct


def test_every_package_is_built_and_checked() -> None:
    """A top-level package is in the wheel, under the import contracts and under the type checker."""
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - NOT_PACKAGES
    tool = PROJECT["tool"]
    assert set(tool["hatch"]["build"]["targets"]["wheel"]["packages"]) == packages
    assert set(tool["importlinter"]["root_packages"]) == packages
    assert set(tool["mypy"]["files"]) == packages | NOT_PACKAGES


def test_help_lists_every_target() -> None:
    """`make` alone prints a line for every target a developer may call, and all of them are phony."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)
    printed = subprocess.run(["make", "-C", str(ROOT), "-s"], capture_output=True, text=True, check=True, timeout=10)
    assert [line.split()[1] for line in printed.stdout.splitlines() if line.startswith("  make ")] == targets
    assert all(len(line.split()) > 2 for line in printed.stdout.splitlines() if line.startswith("  make "))
    (phony,) = re.findall(r"^\.PHONY: (.+)", makefile, re.MULTILINE)
    assert sorted(phony.split()) == sorted(targets)


def test_ci_script_can_be_started() -> None:
    """.ci/run is executable, and a shell finds nothing wrong with its grammar."""
    script = ROOT / ".ci/run"
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", str(script)], check=True, timeout=10)
