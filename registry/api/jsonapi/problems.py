"""What can be wrong with a request before any use case is asked."""

from __future__ import annotations

from dataclasses import dataclass

from registry.errors import RequestInvalid
from storage.errors import RegistryError

DOCUMENT_BYTES_MAX = 64 * 1024
# A client that got everything wrong is told a part of it.
_TOLD_MAX = 20


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: `detail` is a sentence, `code` a word for programs.

    `pointer` is a JSON pointer (RFC 6901) into the document that was sent, `parameter` the name of a query parameter.
    """

    code: str
    detail: str
    pointer: str | None = None
    parameter: str | None = None


class MalformedRequest(RequestInvalid):
    """All that is wrong with the form of a request, told at once."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems[:_TOLD_MAX]
        super().__init__("; ".join(problem.detail for problem in self.problems))


class DocumentTooLarge(RegistryError):
    def __init__(self) -> None:
        super().__init__(f"the document is larger than the {DOCUMENT_BYTES_MAX} bytes that are accepted")


class MediaTypeUnsupported(RegistryError):
    def __init__(self, media_type: str) -> None:
        sent = f"not {media_type[:100]!r}" if media_type else "and say so in Content-Type"
        super().__init__(f"send application/vnd.api+json or application/json, {sent}")


def parameter_invalid(name: str, reason: str) -> MalformedRequest:
    """The error for a query parameter; `reason` completes the sentence "<name> …"."""
    return MalformedRequest([Problem("PARAMETER_INVALID", f"{name} {reason}", parameter=name)])
