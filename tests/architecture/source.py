"""The project's own source, as a tree of syntax."""

import ast
import gc
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ["registry", "storage", "auth", "conformance"]

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One file: its path from the root, its text, and what it says."""

    path: str
    text: str
    tree: ast.Module

    @property
    def module(self) -> str:
        """The name under which it is imported."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    def functions(self) -> Iterator[Function]:
        """All functions and methods, nested ones too."""
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    def classes(self) -> Iterator[ast.ClassDef]:
        """All classes, nested ones too."""
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.ClassDef))


def sources(*folders: str) -> list[Source]:
    """The Python files below these folders."""
    # The collector would go through all trees again and again meanwhile.
    gc.disable()
    try:
        return [_source(path) for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    finally:
        gc.enable()


@cache
def _source(path: Path) -> Source:
    text = path.read_text(encoding="utf-8")
    return Source(str(path.relative_to(ROOT)), text, ast.parse(text))


def name_of(node: ast.AST) -> str:
    """The last part of a name: `X` for both `X` and `errors.X`; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""
