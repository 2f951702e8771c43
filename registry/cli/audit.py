"""`berth audit`: who did what to which reference, from where, and whether it was allowed."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from auth.actor import OPERATING
from registry.cli import times
from registry.cli.limits import add_limit
from registry.cli.nouns import Noun
from registry.cli.tables import Record, json_line, moment, print_list
from registry.domain.audit_log import AuditEntry, AuditFilter

if TYPE_CHECKING:
    from registry.api.rest.services import Management

_COLUMNS = ("at", "principal", "action", "target", "outcome", "address", "client", "detail")


def register(noun: Noun) -> None:
    """Add the verbs."""
    listing = noun.verb(
        "list",
        _list,
        "list what was done lately, the newest first",
        "berth audit list",
        "berth audit list --outcome refused --since 24h",
        "berth audit list --target user:alice",
        "berth audit list --principal alice --action manifest.push --limit 10",
        quiet="the ids",
    )
    add_limit(listing, "entries", "; `berth audit export` has no limit")
    _add_filter(listing)
    export = noun.verb(
        "export",
        _export,
        "print all that was done, the oldest first, as JSON lines",
        "berth audit export > audit.jsonl",
        "berth audit export --since 2027-01-01 --until 2027-02-01 --project acme",
    )
    _add_filter(export)


def _add_filter(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--principal", metavar="NAME", help="done by this user or robot")
    parser.add_argument("--action", metavar="ACTION", help="such as manifest.push or user.create")
    parser.add_argument("-p", "--project", metavar="PROJECT", help="in this project")
    parser.add_argument("--target", metavar="TARGET", help="done to this, such as app:1 or user:alice")
    parser.add_argument("--outcome", choices=("allowed", "refused"))
    parser.add_argument("--since", metavar="WHEN", type=times.earlier, help=f"from then on: {times.FORMS}")
    parser.add_argument("--until", metavar="WHEN", type=times.earlier, help="before then")


async def _list(arguments: argparse.Namespace, management: Management) -> None:
    page = await management.audit_log.page(OPERATING, _filter(arguments), "", arguments.limit)
    print_list(arguments, [_record(entry) for entry in page.items], _COLUMNS, lambda record: record["id"])


async def _export(arguments: argparse.Namespace, management: Management) -> None:
    async for entry in management.audit_log.export(OPERATING, _filter(arguments)):
        print(json_line(_record(entry)))


def _filter(arguments: argparse.Namespace) -> AuditFilter:
    return AuditFilter(
        principal=arguments.principal,
        action=arguments.action,
        project=arguments.project,
        target=arguments.target,
        outcome=arguments.outcome,
        since_ms=arguments.since,
        until_ms=arguments.until,
    )


def _record(entry: AuditEntry) -> Record:
    return {
        "id": entry.id,
        "at": moment(entry.at),
        "kind": entry.principal_kind,
        "principal": entry.principal,
        "token": entry.token,
        "action": entry.action,
        "project": entry.project,
        "target": entry.target,
        "outcome": entry.outcome,
        "detail": entry.detail,
        "address": entry.address,
        "client": entry.client,
        "requestId": entry.request_id,
    }
