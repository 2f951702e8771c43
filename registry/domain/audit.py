"""The audit log: who did what to which reference, from where, with which client, and whether it was allowed."""

from __future__ import annotations

from auth.actor import Actor
from auth.policy import prefixes_of
from storage.clock import Clock
from storage.metadata import access, audit
from storage.metadata.audit import AuditRow
from storage.metadata.store import Transaction
from storage.names import RepositoryName

# What clients send is kept up to here.
LENGTH_MAX = 512


class Audit:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def allowed(
        self,
        tx: Transaction,
        actor: Actor,
        action: str,
        target: str,
        *,
        project: str | None = None,
        detail: str | None = None,
    ) -> None:
        """Record a change as a part of its own transaction: neither is there without the other.

        `target` is a name alone, such as `user:alice`, by which people look for all that was done to it. `detail` says
        what was changed (see `registry.domain.details`), and is no place for a secret.
        """
        await audit.append(tx, self.row(actor, action, target, project=project, detail=detail))

    async def content(
        self,
        tx: Transaction,
        actor: Actor,
        action: str,
        repository: RepositoryName,
        reference: str,
        *,
        detail: str | None = None,
    ) -> None:
        """As `allowed`, for a change in a repository: `reference` is `:tag` or `@digest`."""
        project = await access.project_of(tx, prefixes_of(repository))
        await self.allowed(tx, actor, action, repository + reference, project=project, detail=detail)

    def row(
        self,
        actor: Actor,
        action: str,
        target: str,
        *,
        project: str | None = None,
        detail: str | None = None,
        refused: bool = False,
    ) -> AuditRow:
        """What happened now, or, if it was refused, what did not happen; then `detail` says why."""
        return AuditRow(
            at=self._clock.now_ms(),
            principal_kind=actor.principal.kind,
            principal=actor.principal.name[:LENGTH_MAX],
            token=actor.token,
            action=action,
            project=project,
            target=target[:LENGTH_MAX],
            outcome="refused" if refused else "allowed",
            detail=None if detail is None else _shown(detail),
            address=actor.address,
            client=None if actor.client is None else actor.client[:LENGTH_MAX],
            request_id=actor.request_id,
        )


def _shown(detail: str) -> str:
    """What is cut has to look so: the end of a list of patterns may be what matters."""
    return detail if len(detail) <= LENGTH_MAX else f"{detail[: LENGTH_MAX - 1]}…"
