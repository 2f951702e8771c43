"""Errors: each has its row in the table of the wire, and is raised by somebody."""

import ast
import builtins
import importlib
import re

import pytest

from registry.api.errors import WIRE
from registry.errors import BackupFailed, StartError
from storage.errors import RegistryError
from storage.metadata.copying import CopyDiffers, CopyRefused
from storage.metadata.migrate import CopyUnfinished, SchemaTooNew
from tests.architecture.source import PACKAGES, name_of, sources

# What the specification lists under "Error Codes".
SPEC_CODES = {
    "BLOB_UNKNOWN",
    "BLOB_UPLOAD_INVALID",
    "BLOB_UPLOAD_UNKNOWN",
    "DIGEST_INVALID",
    "MANIFEST_BLOB_UNKNOWN",
    "MANIFEST_INVALID",
    "MANIFEST_UNKNOWN",
    "NAME_INVALID",
    "NAME_UNKNOWN",
    "SIZE_INVALID",
    "UNAUTHORIZED",
    "DENIED",
    "UNSUPPORTED",
    "TOOMANYREQUESTS",
}
# Only for what is no fault of the request: the specification has no word for it.
OWN_CODES = {"UNAVAILABLE", "UNKNOWN"}
# These end a program that has nobody to answer, or none yet.
NEVER_ON_THE_WIRE = (BackupFailed, CopyDiffers, CopyRefused, CopyUnfinished, StartError, SchemaTooNew)


def leaves(kind: type[RegistryError]) -> list[type[RegistryError]]:
    """The classes of the tree that have no subclasses."""
    below = kind.__subclasses__()
    return [leaf for child in below for leaf in leaves(child)] if below else [kind]


def ours() -> list[type[RegistryError]]:
    """The leaves of our own tree, whole, and without those that tests add."""
    for source in sources(*PACKAGES):
        if not source.module.endswith("__main__"):
            importlib.import_module(source.module)
    return [kind for kind in leaves(RegistryError) if kind.__module__.partition(".")[0] in PACKAGES]


def test_every_error_has_a_row() -> None:
    """An error class, or an ancestor below the root, is in the table; else its clients would be told of a fault."""
    missing = [kind.__name__ for kind in ours() if not set(kind.__mro__[:-1]) & (WIRE.keys() - {RegistryError})]
    assert sorted(missing) == sorted(kind.__name__ for kind in NEVER_ON_THE_WIRE)


def test_root_has_no_row() -> None:
    """A row for the root would hide every class that was forgotten."""
    assert RegistryError not in WIRE


def test_codes_of_the_specification() -> None:
    """Each of the specification's codes is used, and no other one in its place."""
    assert {row.code for row in WIRE.values()} == SPEC_CODES | OWN_CODES


@pytest.mark.parametrize("kind", WIRE, ids=lambda kind: kind.__name__)
def test_shape_of_rows(kind: type[RegistryError]) -> None:
    """A code is upper-case letters and underscores; a status is an error's; our own codes stand for our own faults."""
    row = WIRE[kind]
    assert re.fullmatch(r"[A-Z]+(_[A-Z]+)*", row.code)
    assert 400 <= row.status <= 599
    assert (row.code in OWN_CODES) == (row.status >= 500)


@pytest.mark.parametrize(
    ("code", "statuses"),
    [
        ("BLOB_UNKNOWN", {404}),
        ("BLOB_UPLOAD_UNKNOWN", {404}),
        ("BLOB_UPLOAD_INVALID", {400, 416}),
        ("DIGEST_INVALID", {400}),
        ("MANIFEST_BLOB_UNKNOWN", {404}),
        ("MANIFEST_UNKNOWN", {404}),
        ("NAME_INVALID", {400}),
        ("NAME_UNKNOWN", {404}),
        ("TOOMANYREQUESTS", {429}),
    ],
)
def test_statuses_of_codes(code: str, statuses: set[int]) -> None:
    """A code comes with the status that the specification gives it."""
    assert {row.status for row in WIRE.values() if row.code == code} <= statuses


def exception_classes() -> set[str]:
    """The names of our own error classes, and of Python's."""
    known = {name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, Exception)}
    classes = [node for source in sources(*PACKAGES) for node in source.classes()]
    # A class may stand before the one that it comes from.
    for _ in range(5):
        known |= {node.name for node in classes if any(name_of(base) in known for base in node.bases)}
    return known


def test_no_error_is_made_and_then_dropped() -> None:
    """An error that is made but neither raised nor kept was meant to be raised."""
    errors = exception_classes()
    dropped = [
        f"{source.path}:{node.lineno}"
        for source in sources(*PACKAGES, "bench", "tests")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and name_of(node.value.func) in errors
    ]
    assert dropped == []


def test_every_error_is_raised_somewhere() -> None:
    """A class that nobody raises, and nobody makes, is not needed."""
    trees = [source.tree for source in sources(*PACKAGES)]
    made = {name_of(node.func) for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)}
    raised = {
        name_of(node.exc) for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Raise) and node.exc
    }
    assert [kind.__name__ for kind in ours() if kind.__name__ not in made | raised] == []


def test_errors_are_sentences() -> None:
    """Every class is documented, or says itself, in its message, what happened."""
    silent = [kind.__name__ for kind in ours() if kind.__doc__ is None and "__init__" not in vars(kind)]
    assert silent == []
