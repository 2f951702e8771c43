"""The registry's branch of the error tree (its root is in `storage.errors`).

RegistryError
├── RequestInvalid, ChunkInvalid, TooManyTags        the request itself makes no sense
│   └── ParameterInvalid
├── RangeInvalid, OffsetMismatch, LengthMismatch     positions that do not fit
├── ManifestInvalid, ManifestTooLarge, ManifestTypeUnsupported
├── ManifestUnknown, NameUnknown                     what the caller named is not there
├── ReferencesUnknown                                a manifest needs what its repository lacks
├── StillReferenced                                  something else needs what was to be deleted
├── PreconditionFailed                               the tag is not what the caller believes
├── TooManyRequests, OperationDisabled
├── Unauthorized                                     nobody knows who asks, or the credentials are wrong
├── Denied, TagImmutable                             it is known who asks, and that may not be done
├── NotFound, Conflict                               in what is managed: projects, users, tokens …
├── AttributeInvalid, AttributeTaken                 what was sent for an attribute cannot be
├── StartError                                       the daemon cannot start as it is set up
└── BackupFailed                                     a copy of the data could not be made
"""

from __future__ import annotations

from storage.digest import Digest
from storage.errors import RegistryError


class RequestInvalid(RegistryError):
    """`message` says which parameter or header is wrong and what would be right."""


class ParameterInvalid(RequestInvalid):
    """`parameter` is the name in the query that was sent, `reason` completes the sentence "<parameter> …"."""

    def __init__(self, parameter: str, reason: str) -> None:
        super().__init__(f"{parameter} {reason}")
        self.parameter, self.reason = parameter, reason


class TooManyTags(RegistryError):
    def __init__(self, sent: int, limit: int) -> None:
        super().__init__(f"{sent} tag parameters were sent, {limit} are accepted")


class ChunkInvalid(RegistryError):
    """`message` says what is wrong with the headers of a chunk."""


class RangeInvalid(RegistryError):
    def __init__(self, size: int) -> None:
        super().__init__(f"no part of the range lies within the {size} bytes of the content")
        self.size = size


class OffsetMismatch(RegistryError):
    """A chunk does not begin where the upload's bytes end."""

    def __init__(self, upload_id: str, offset: int, start: int) -> None:
        super().__init__(f"the chunk begins at byte {start}, but the next byte of the upload is {offset}")
        self.upload_id, self.offset = upload_id, offset


class LengthMismatch(RegistryError):
    """Content is longer or shorter than a header said."""


class ManifestInvalid(RegistryError):
    """`message` says what is wrong with the manifest, and where in it."""


class ManifestTooLarge(RegistryError):
    def __init__(self, limit: int) -> None:
        super().__init__(f"the manifest is larger than the {limit} bytes that this registry accepts")


class ManifestTypeUnsupported(RegistryError):
    def __init__(self, media_type: str) -> None:
        super().__init__(
            f"{media_type[:200]!r} is not a manifest type: OCI image manifests and indexes, "
            "Docker schema 2 manifests and lists are accepted"
        )


class ManifestUnknown(RegistryError):
    def __init__(self, reference: object, reason: str | None = None) -> None:
        super().__init__(reason or f"manifest {reference} is not in this repository")
        self.reference = reference


class NameUnknown(RegistryError):
    def __init__(self, name: str) -> None:
        super().__init__(f"repository {name} is not known")
        self.name = name


class ReferencesUnknown(RegistryError):
    """One wire error is sent for each digest."""

    def __init__(self, digests: list[Digest]) -> None:
        super().__init__(f"the manifest needs content that is not in this repository: {', '.join(map(str, digests))}")
        self.digests = digests


class StillReferenced(RegistryError):
    def __init__(self, digest: Digest, by: Digest) -> None:
        super().__init__(f"{digest} is needed by manifest {by}: delete that one first")
        self.digest, self.by = digest, by


class PreconditionFailed(RegistryError):
    def __init__(self, reference: str, current: Digest | None) -> None:
        now = "does not exist" if current is None else f"is {current}"
        super().__init__(f"the condition does not hold: {reference} {now}")
        self.current = current


class TooManyRequests(RegistryError):
    def __init__(self, reason: str, retry_after_s: int = 1) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class OperationDisabled(RegistryError):
    def __init__(self, operation: str) -> None:
        super().__init__(f"{operation} is switched off on this registry")


class Unauthorized(RegistryError):
    """`error` is a code of RFC 6750 where a token was sent that does not do: invalid_token, insufficient_scope."""

    def __init__(self, reason: str, error: str | None = None) -> None:
        super().__init__(reason)
        self.error = error


class Denied(RegistryError):
    """The message is the policy's reason."""


class TagImmutable(RegistryError):
    def __init__(self, tag: str, change: str) -> None:
        super().__init__(f"tag {tag} is immutable here: it cannot be {change}")
        self.tag = tag


class NotFound(RegistryError):
    """There is nothing of this kind and name, or it is not for the caller to know."""

    def __init__(self, kind: str, name: object) -> None:
        super().__init__(f"{kind} {str(name)[:300]!r} is not known")
        self.kind, self.name = kind, str(name)[:300]


class Conflict(RegistryError):
    """What is there stands in the way; the message says what."""


class AttributeInvalid(RegistryError):
    """`attribute` is the name in the document that was sent, `reason` completes the sentence "<attribute> …".

    `problem` is the same in a word for programs: INVALID, TOO_LONG, CHANNEL_INVALID.
    """

    def __init__(self, attribute: str, reason: str, problem: str = "INVALID") -> None:
        super().__init__(f"{attribute} {reason}")
        self.attribute, self.reason, self.problem = attribute, reason, problem


class AttributeTaken(RegistryError):
    """Something else has this value already, and only one can have it."""

    def __init__(self, attribute: str, value: str) -> None:
        super().__init__(f"{attribute} {value!r} is already taken")
        self.attribute, self.value = attribute, value


class StartError(RegistryError):
    """The message says what to change."""


class BackupFailed(RegistryError):
    """The message says why; what was in the backup before still is."""
