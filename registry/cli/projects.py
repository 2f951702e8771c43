"""How commands name things that belong to a project: `--project`, or PROJECT and NAME in one."""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator
from functools import partial
from typing import TYPE_CHECKING

from auth.actor import OPERATING
from registry.cli.nouns import Noun, Run, UsageError
from registry.cli.opening import all_of

if TYPE_CHECKING:
    from registry.api.rest.services import Management

_DEFAULT = "default"

# What the help of a command says that takes a registry.
REGISTRY = "REGISTRY is a name in the project, or PROJECT/NAME.\n"


def add_project(parser: argparse.ArgumentParser, *, or_all: bool = False) -> None:
    """Add `--project`, and, for lists that can be about all of them, `--all-projects`."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument("-p", "--project", metavar="PROJECT", help=f"in which project (default: {_DEFAULT})")
    if or_all:
        group.add_argument("-A", "--all-projects", action="store_true", help="those of every project")


def chosen(arguments: argparse.Namespace) -> str:
    """The project that a command is about."""
    project: str = arguments.project or _DEFAULT
    return project


def named(arguments: argparse.Namespace, name: str, separator: str) -> tuple[str, str]:
    """The project and the name that are meant; `name` may hold both, with the separator between them.

    Raises `UsageError` when `--project` says another project than the name.
    """
    project, found, rest = name.partition(separator)
    if not found:
        return chosen(arguments), name
    if arguments.project not in {None, project}:
        raise UsageError(f"{name} is in project {project}, and --project says {arguments.project}")
    return project, rest


def named_registry(arguments: argparse.Namespace) -> tuple[str, str]:
    """The project and the registry that the argument `registry` means."""
    return named(arguments, arguments.registry, "/")


def add_named_verb(
    noun: Noun, name: str, run: Run, summary: str, example: str, *, details: str
) -> argparse.ArgumentParser:
    """Add a verb that takes the name of something that belongs to a project."""
    parser = noun.verb(name, run, summary, example, takes=["name"], details=details)
    add_project(parser)
    return parser


async def wanted(arguments: argparse.Namespace, management: Management) -> AsyncIterator[str]:
    """The names of the projects that a list is about."""
    if not arguments.all_projects:
        yield chosen(arguments)
        return
    for project in await all_of(partial(management.projects.page, OPERATING), lambda project: project.name):
        yield project.name
