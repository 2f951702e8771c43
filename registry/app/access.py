"""Who gets in, as configured: logins, tokens, keys and the gate."""

from __future__ import annotations

from dataclasses import dataclass

from auth.passwords import Passwords
from auth.tokens import Issuer, Verifier
from registry.api.gate import Doors, Gate
from registry.api.jwks import JwksKeys
from registry.api.refusals import AuditedRefusals
from registry.api.token.endpoint import TokenEndpoint
from registry.app.keys import key_folder
from registry.config.settings import AuthConfig, Config
from registry.domain.access import Accesses
from registry.domain.audit import Audit
from registry.domain.audit_batch import AuditBatch
from registry.domain.bearers import Bearers, ExternalBearers, OwnBearers
from registry.domain.keys import OwnKeys
from registry.domain.login import Login
from registry.domain.logins import LoginLog
from registry.domain.throttle import Throttle
from registry.domain.token_service import TokenService
from storage.clock import Clock
from storage.metadata.store import MetadataStore


@dataclass(frozen=True, slots=True)
class Access:
    """All that decides who gets in, in one process."""

    accesses: Accesses
    throttle: Throttle
    keys: OwnKeys
    batch: AuditBatch
    log: LoginLog
    gate: Gate
    endpoint: TokenEndpoint


def build_access(config: Config, store: MetadataStore, clock: Clock, passwords: Passwords) -> Access:
    auth = config.auth
    accesses, throttle = Accesses(store, clock), Throttle(store, clock)
    login = Login(store, clock, passwords, throttle)
    keys = OwnKeys(key_folder(config))
    audit, batch = Audit(clock), AuditBatch(store, clock)
    log = LoginLog(audit, batch)
    issuer = Issuer(auth.issuer, auth.service, int(auth.token_lifetime))
    doors = Doors(
        open_to_all=auth.mode == "open", external=auth.mode == "external", realm=auth.realm, service=auth.service
    )
    return Access(
        accesses=accesses,
        throttle=throttle,
        keys=keys,
        batch=batch,
        log=log,
        gate=Gate(doors, accesses, login, _bearers(auth, accesses, keys), AuditedRefusals(log)),
        endpoint=TokenEndpoint(login, TokenService(store, clock, accesses, keys, issuer), keys, log),
    )


def _bearers(auth: AuthConfig, accesses: Accesses, keys: OwnKeys) -> Bearers:
    if auth.mode == "external":
        return ExternalBearers(Verifier(auth.issuer, auth.service, external=True), JwksKeys(auth.jwks))
    return OwnBearers(Verifier(auth.issuer, auth.service, external=False), keys, accesses)
