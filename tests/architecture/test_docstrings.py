"""Where the project wants words: for every module, every test, and every promise between the layers."""

import ast

import pytest

from tests.architecture.source import PACKAGES, Function, name_of, sources

# Modules whose classes are promises that other layers rely on.
PROMISES = ["storage/blobs/driver.py", "storage/metadata/store.py", "auth/policy.py", "storage/clock.py"]
# What their names and types say already.
OBVIOUS = {"close", "schema_version", "fetch_one"}


def test_modules() -> None:
    """Every module says what it is for."""
    silent = [source.path for source in sources(*PACKAGES, "bench", "tests") if not ast.get_docstring(source.tree)]
    assert silent == []


def test_tests() -> None:
    """Every test states the behaviour that it expects, in a sentence."""
    silent = [
        f"{source.path}:{node.lineno} {node.name}"
        for source in sources("tests")
        for node in source.functions()
        if node.name.startswith("test_") and not (ast.get_docstring(node) or "").endswith((".", "?"))
    ]
    assert silent == []


@pytest.mark.parametrize("path", PROMISES)
def test_promises(path: str) -> None:
    """Every method of a protocol says what is promised."""
    (source,) = [source for source in sources("storage", "auth") if source.path == path]
    protocols = [node for node in source.classes() if "Protocol" in map(name_of, node.bases)]
    methods = [node for protocol in protocols for node in protocol.body if isinstance(node, Function)]
    assert methods
    assert [node.name for node in methods if not ast.get_docstring(node) and node.name not in OBVIOUS] == []


def test_use_cases() -> None:
    """Every public method of a use case says what it does and what can go wrong."""
    silent = [
        f"{source.path}:{node.lineno} {node.name}"
        for source in sources("registry/domain")
        for kind in source.classes()
        for node in kind.body
        if isinstance(node, ast.AsyncFunctionDef) and not node.name.startswith("_") and not ast.get_docstring(node)
    ]
    assert silent == []


def test_handlers() -> None:
    """Every handler of the distribution API says what it answers, and which endpoint it is."""
    silent = [
        f"{source.path}:{node.lineno} {node.name}"
        for source in sources("registry/api/v2")
        for node in source.tree.body
        if isinstance(node, ast.AsyncFunctionDef) and not node.name.startswith("_") and not ast.get_docstring(node)
    ]
    assert silent == []
