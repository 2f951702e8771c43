"""`berth restore`: bring back tags and manifests that were deleted."""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING

from registry.cli.arguments import Commands, add_command, add_settings
from registry.cli.nouns import UsageError, in_store
from registry.cli.references import Reference, reference, tag
from registry.cli.tables import Record, add_formats, moment, print_done, print_list

if TYPE_CHECKING:
    from registry.api.rest.services import Management
    from registry.domain.restoring import DeletedManifest, DeletedTag, Restored
    from storage.names import RepositoryName

_COLUMNS = ("reference", "deletedAt", "principal", "restorableUntil")

_DETAILS = """\
With a repository alone, lists what can be brought back. A tag comes back to where it pointed last; a manifest comes
back as it was, with all that it needs. Deleted manifests are kept for collector.keep_deleted. To point a tag that is
there to another digest, give both.

Works on the data folder itself, also while a daemon serves it.
"""
_EXAMPLES = """\
examples:
  berth restore app                            list what can be brought back
  berth restore app:1                          bring back a tag, and what it pointed to
  berth restore app@sha256:4bd2f1c3…           bring back a manifest
  berth restore app@sha256:4bd2f1c3… --tag 1 --tag latest
  berth restore app:latest@sha256:4bd2f1c3…    the same with one tag
"""


def register(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands,
        "restore",
        in_store(_restore),
        summary="bring back tags and manifests that were deleted",
        details=_DETAILS,
        examples=_EXAMPLES,
    )
    parser.add_argument("reference", metavar="REPOSITORY[:TAG][@DIGEST]", type=reference)
    parser.add_argument(
        "--tag",
        metavar="TAG",
        dest="tags",
        action="append",
        type=tag,
        default=[],
        help="point this tag to the manifest",
    )
    add_formats(parser, quiet="the references of what can be brought back")
    add_settings(parser)


async def _restore(arguments: argparse.Namespace, management: Management) -> None:
    # Not at the top: no other command needs it.
    from auth.actor import OPERATING  # noqa: PLC0415

    wanted: Reference = arguments.reference
    if arguments.tags and wanted.digest is None:
        raise UsageError("--tag needs a digest: REPOSITORY@DIGEST")
    if wanted.digest is not None:
        tags = [*([wanted.tag] if wanted.tag else []), *arguments.tags]
        restored = await management.restoring.restore_manifest(OPERATING, wanted.repository, wanted.digest, tags)
    elif wanted.tag is not None:
        restored = await management.restoring.restore_tag(OPERATING, wanted.repository, wanted.tag)
    else:
        print_list(arguments, await _restorable(management, wanted.repository), _COLUMNS)
        return
    print_done(arguments, _sentence(wanted.repository, restored), _done(wanted.repository, restored))


async def _restorable(management: Management, repository: RepositoryName) -> list[Record]:
    from auth.actor import OPERATING  # noqa: PLC0415
    from registry.cli.opening import all_of  # noqa: PLC0415

    restoring = management.restoring
    tags = await all_of(partial(restoring.tags, OPERATING, repository), lambda found: found.tag)
    manifests = await all_of(partial(restoring.manifests, OPERATING, repository), lambda found: str(found.id))
    return [*(_tag(repository, found) for found in tags), *(_manifest(repository, found) for found in manifests)]


def _tag(repository: RepositoryName, found: DeletedTag) -> Record:
    return {
        "reference": f"{repository}:{found.tag}",
        "digest": found.digest,
        "mediaType": None,
        "size": None,
        "deletedAt": moment(found.deleted_at),
        "restorableUntil": moment(found.until_ms),
        "kind": found.kind,
        "principal": found.principal,
    }


def _manifest(repository: RepositoryName, found: DeletedManifest) -> Record:
    return {
        "reference": f"{repository}@{found.digest}",
        "digest": found.digest,
        "mediaType": found.media_type,
        "size": found.size,
        "deletedAt": moment(found.deleted_at),
        "restorableUntil": moment(found.until_ms),
        "kind": found.kind,
        "principal": found.principal,
    }


def _sentence(repository: RepositoryName, restored: Restored) -> str:
    done = f"{repository}@{restored.digest} is " + ("back" if restored.manifests else "there")
    if len(restored.manifests) > 1:
        done += f", with {len(restored.manifests) - 1} more that it needs"
    return f"{done}, tagged {', '.join(restored.tags)}" if restored.tags else done


def _done(repository: RepositoryName, restored: Restored) -> Record:
    return {
        "repository": repository,
        "digest": str(restored.digest),
        "tags": restored.tags,
        "manifests": [str(digest) for digest in restored.manifests],
    }
