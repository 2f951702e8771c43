"""Small files and short functions: what does not fit into a head is not checked by one."""

import statistics

from tests.architecture.source import PACKAGES, sources

LINES_OF_A_FILE = 300
LINES_OF_A_FUNCTION = 50


def test_files() -> None:
    """No file has more than 300 lines."""
    lengths = {source.path: len(source.text.splitlines()) for source in sources(*PACKAGES, "bench")}
    assert {path: length for path, length in lengths.items() if length > LINES_OF_A_FILE} == {}


def test_functions() -> None:
    """No function has more than 50 lines, decorators and docstring included, and half of them have at most ten."""
    lengths = {
        f"{source.path}:{node.lineno} {node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for source in sources(*PACKAGES, "bench")
        for node in source.functions()
    }
    assert {name: length for name, length in lengths.items() if length > LINES_OF_A_FUNCTION} == {}
    assert statistics.median(lengths.values()) <= 10
