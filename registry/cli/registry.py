"""`berth registry`: collections of repositories, each with a prefix of its own."""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING

from auth.actor import OPERATING
from registry.cli import times
from registry.cli.nouns import Noun, Run, UsageError
from registry.cli.opening import all_of
from registry.cli.projects import add_named_verb, add_project, named, wanted
from registry.cli.tables import Record, length, moment, print_done, print_list, print_record
from registry.domain.registries import PRIVATE, PUBLIC, REDIRECTS, Registry, Settings

if TYPE_CHECKING:
    from registry.api.rest.services import Management

_COLUMNS = ("name", "project", "prefix", "visibility", "createdAt", "description")
_VISIBILITIES = (PUBLIC, PRIVATE)
_DEFAULT = "default"
_CHANGED = "--visibility, --description, --untagged-after, --orphaned-after or --redirect"

_DETAILS = """\
A repository belongs to the registry with the longest prefix of its name. What lies in a public registry can be
pulled by everyone, without login.
"""
_SETTINGS = """\
What is not set for a registry, or set to default, is as configured for all of them ([collector] and [s3]).
"""
_NAME = "NAME may also be PROJECT/NAME.\n"


def register(noun: Noun) -> None:
    """Add the verbs."""
    listing = noun.verb(
        "list",
        _list,
        "list registries",
        "berth registry list",
        "berth registry list --all-projects",
        quiet="PROJECT/NAME",
    )
    add_project(listing, or_all=True)
    _verb(noun, "show", _show, "show one registry", "berth registry show acme/main --json")
    creating = "berth registry create tools -p acme --visibility public"
    create = _verb(noun, "create", _create, "add a registry", creating, _DETAILS)
    create.add_argument("--prefix", metavar="PATH", help="what names of its repositories begin with (<project>/<name>)")
    create.add_argument("--visibility", choices=_VISIBILITIES, default=PRIVATE, help=f"default: {PRIVATE}")
    create.add_argument("--description", default="", metavar="TEXT")
    _register_update(noun)
    deleting = "Refused while a repository of it holds anything. What was deleted from it cannot be restored then.\n"
    _verb(noun, "delete", _delete, "delete a registry and its rules", "berth registry delete acme/tools", deleting)


def _register_update(noun: Noun) -> None:
    example = "berth registry update root --untagged-after 30d"
    update = _verb(noun, "update", _update, "change a registry, or how long it keeps what", example, _SETTINGS)
    # Only what is given is there: none of these has a value that stands for nothing.
    add = partial(update.add_argument, default=argparse.SUPPRESS)
    add("--visibility", choices=_VISIBILITIES)
    add("--description", metavar="TEXT")
    after = "after this time: 30d, 12h, never or default"
    add("--untagged-after", type=times.length, metavar="TIME", help=f"delete manifests that nothing holds {after}")
    add("--orphaned-after", type=times.length, metavar="TIME", help=f"delete referrers of what is gone {after}")
    add("--redirect", choices=(*REDIRECTS, _DEFAULT), help="for which blobs clients are sent to the store")


def _verb(noun: Noun, name: str, run: Run, summary: str, example: str, details: str = "") -> argparse.ArgumentParser:
    return add_named_verb(noun, name, run, summary, example, details=f"{details}{_NAME}")


async def _list(arguments: argparse.Namespace, management: Management) -> None:
    records: list[Record] = []
    async for project in wanted(arguments, management):
        page = partial(management.registries.page, OPERATING, project)
        records += [_record(registry) for registry in await all_of(page, lambda registry: registry.name)]
    print_list(arguments, records, _COLUMNS, lambda record: f"{record['project']}/{record['name']}")


async def _show(arguments: argparse.Namespace, management: Management) -> None:
    print_record(arguments, _record(await management.registries.get(OPERATING, *_named(arguments))))


async def _create(arguments: argparse.Namespace, management: Management) -> None:
    registry = await management.registries.create(
        OPERATING,
        *_named(arguments),
        prefix=arguments.prefix,
        visibility=arguments.visibility,
        description=arguments.description,
    )
    print_done(arguments, f"created registry {_full_name(registry)}", _record(registry))


async def _update(arguments: argparse.Namespace, management: Management) -> None:
    given = vars(arguments)
    settings = Settings()
    if "untagged_after" in given:
        settings["untagged_after"] = given["untagged_after"]
    if "orphaned_after" in given:
        settings["orphaned_after"] = given["orphaned_after"]
    if "redirect" in given:
        settings["redirect"] = None if given["redirect"] == _DEFAULT else given["redirect"]
    visibility, description = given.get("visibility"), given.get("description")
    if visibility is None and description is None and not settings:
        raise UsageError(f"nothing is to be changed: give {_CHANGED}")
    registry = await management.registries.update(OPERATING, *_named(arguments), visibility, description, settings)
    print_done(arguments, f"changed registry {_full_name(registry)}", _record(registry))


async def _delete(arguments: argparse.Namespace, management: Management) -> None:
    project, name = _named(arguments)
    await management.registries.delete(OPERATING, project, name)
    print_done(arguments, f"deleted registry {project}/{name}", {"deleted": f"{project}/{name}"})


def _named(arguments: argparse.Namespace) -> tuple[str, str]:
    return named(arguments, arguments.name, "/")


def _full_name(registry: Registry) -> str:
    return f"{registry.project}/{registry.name}"


def _record(registry: Registry) -> Record:
    return {
        "name": registry.name,
        "project": registry.project,
        "prefix": registry.prefix,
        "kind": registry.kind,
        "visibility": registry.visibility,
        "description": registry.description,
        "untaggedAfter": length(registry.untagged_after),
        "orphanedAfter": length(registry.orphaned_after),
        "redirect": registry.redirect,
        "createdAt": moment(registry.created_at),
    }
