"""How commands name what is in a repository: REPOSITORY, REPOSITORY:TAG, REPOSITORY@DIGEST, REPOSITORY:TAG@DIGEST."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storage.digest import Digest
    from storage.names import RepositoryName, Tag


@dataclass(frozen=True, slots=True)
class Reference:
    """A repository, and what in it is meant."""

    repository: RepositoryName
    tag: Tag | None = None
    digest: Digest | None = None


def reference(text: str) -> Reference:
    """What the text names. For argparse."""
    # Not at the top: no help needs them.
    from storage.digest import parse_digest  # noqa: PLC0415
    from storage.errors import RegistryError  # noqa: PLC0415
    from storage.names import parse_repository_name, parse_tag  # noqa: PLC0415

    named, at, digest = text.partition("@")
    name, colon, tag = named.partition(":")
    try:
        return Reference(
            parse_repository_name(name),
            parse_tag(tag) if colon else None,
            parse_digest(digest) if at else None,
        )
    except RegistryError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def tag(text: str) -> Tag:
    """A tag. For argparse."""
    from storage.errors import TagInvalid  # noqa: PLC0415
    from storage.names import parse_tag  # noqa: PLC0415

    try:
        return parse_tag(text)
    except TagInvalid as error:
        raise argparse.ArgumentTypeError(str(error)) from None
