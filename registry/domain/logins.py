"""What the audit log hears of logins, refusals and pulls, which belong to no transaction."""

from __future__ import annotations

from auth.actor import Actor
from auth.policy import RegistryMap, Rights
from auth.principals import ANONYMOUS
from auth.secrets import looks_like_secret
from registry.domain.access import Identity, principal_of
from registry.domain.audit import Audit
from registry.domain.audit_batch import AuditBatch
from registry.domain.login import Origin

_NOTHING = RegistryMap(())


class LoginLog:
    def __init__(self, audit: Audit, batch: AuditBatch) -> None:
        self._audit, self._batch = audit, batch

    def succeeded(self, identity: Identity, origin: Origin) -> None:
        principal = principal_of(identity.principal)
        token = None if identity.token is None else identity.token.name
        actor = Actor(Rights(principal, _NOTHING), token, origin.address, origin.client)
        self._batch.add(self._audit.row(actor, "login", f"{principal.kind}:{principal.name}"))

    def failed(self, name: str, origin: Origin, reason: str) -> None:
        """A login was refused. Whoever tried is nobody, whatever name was sent: that is what was aimed at."""
        actor = Actor(Rights(ANONYMOUS, _NOTHING), None, origin.address, origin.client)
        # Some send their token where the name belongs.
        account = "(a secret)" if looks_like_secret(name) else name
        self._batch.add(self._audit.row(actor, "login", f"account:{account}", detail=reason, refused=True))

    def refused(self, actor: Actor, action: str, target: str, project: str | None, reason: str) -> None:
        """Somebody was not let do something."""
        self._batch.add(self._audit.row(actor, action, target, project=project, detail=reason, refused=True))

    def pulled(self, actor: Actor, target: str, project: str | None) -> None:
        """Somebody was sent a manifest."""
        self._batch.add(self._audit.row(actor, "manifest.pull", target, project=project))
