"""Where tags pointed, and who moved them."""

from __future__ import annotations

from dataclasses import dataclass

from auth.actor import Actor
from auth.roles import Action
from registry.domain.attributes import parse_after
from registry.domain.deciding import Past, expect_content, past_of
from registry.domain.pages import Page, page_of
from storage.metadata import tag_history
from storage.metadata.store import MetadataStore
from storage.names import RepositoryName, Tag

# No change has so high a number.
END = 2**63 - 1


@dataclass(frozen=True, slots=True)
class TagChange:
    """A tag was made, moved or taken away; then `old`, or `new`, is None. `at` is in milliseconds since the Unix epoch.

    Kind and name of who did it, and of the access token that was used, if one was, are None for those who may not know.
    """

    id: int
    tag: str
    at: int
    old: str | None
    new: str | None
    kind: str | None
    principal: str | None
    token: str | None


class TagHistory:
    def __init__(self, store: MetadataStore) -> None:
        self._store = store

    async def page(
        self, actor: Actor, repository: RepositoryName, tag: Tag | None, after: str, size: int
    ) -> Page[TagChange]:
        """At most `size` changes of the tag, or of all tags, the newest first, from after the one with the id `after`.

        For all who may pull. Raises `NotFound`, also where the actor may not pull, and `RequestInvalid` when `after` is
        no id.
        """
        before = parse_after(after) or END
        repository_id = await expect_content(self._store, actor, Action.PULL, repository)
        past = await past_of(self._store, actor, repository)
        rows = await tag_history.newest(self._store, repository_id, tag, before, size + 1)
        return page_of([_change(row, past) for row in rows if row.at >= past.since_ms], size)


def _change(row: tag_history.TagChange, past: Past) -> TagChange:
    who = (row.principal_kind, row.principal, row.token) if past.people else (None, None, None)
    return TagChange(row.id, row.tag, row.at, row.old_digest, row.new_digest, *who)
