"""What registries do wrong when clients log in."""

from __future__ import annotations

import re
from typing import Any

from tests.conformance.mutants.rules import (
    Mutant,
    Then,
    answers,
    document,
    header,
    on,
    status,
    without,
)

_CHALLENGE = "WWW-Authenticate"
_EVERYWHERE = "base manifest blob uploads upload tags referrers"
_METHODS = "GET HEAD POST PUT PATCH DELETE"


def _challenge(change: Any) -> Then:
    """Change what the challenge says."""
    return header(_CHALLENGE, lambda _, reply: change(reply.header(_CHALLENGE) or ""))


def _parameter(name: str, value: str) -> Then:
    return _challenge(lambda text: re.sub(rf'{name}="[^"]*"', f'{name}="{value}"', text))


def _refused(routes: str = _EVERYWHERE, methods: str = _METHODS, *changes: Then) -> Any:
    return answers(on(routes, methods, 401), *changes)


LOGINS = (
    Mutant(
        "challenge-of-a-manifest-is-missing",
        {"auth.challenge.manifest": "without the header WWW-Authenticate"},
        _refused("manifest", "GET", without(_CHALLENGE)),
        spared=["auth.challenge.base"],
    ),
    Mutant(
        "challenge-of-head-is-missing",
        {
            "auth.challenge.head": "without the header WWW-Authenticate",
            "auth.challenge.blob-head": "without the header WWW-Authenticate",
        },
        _refused("manifest blob", "HEAD", without(_CHALLENGE)),
        spared=["auth.challenge.base"],
    ),
    Mutant(
        "head-is-sent-elsewhere",
        {"auth.challenge.head": "and that of HEAD"},
        _refused("manifest", "HEAD", _parameter("service", "other")),
    ),
    Mutant(
        "upload-is-forbidden-without-challenge",
        {"auth.challenge.upload": "answered 403, expected 401"},
        _refused("uploads", "POST", status(403)),
        spared=["auth.challenge.base"],
    ),
    Mutant(
        "challenge-is-of-its-own-scheme",
        {"auth.challenge.base": "has the scheme 'negotiate'"},
        _refused("base", "GET", _challenge(lambda text: text.replace("Bearer", "Negotiate"))),
    ),
    Mutant(
        "refusal-without-error",
        {"auth.challenge.error": "expected UNAUTHORIZED"},
        _refused("base", "GET", document(lambda found: found.update(errors=[]))),
        spared=["auth.challenge.base"],
    ),
    Mutant(
        "version-of-the-api-is-not-told",
        {"auth.challenge.api-version": "without the header", "clients.docker.manifest-command": "without the header"},
        answers(on("base"), without("Docker-Distribution-Api-Version")),
        spared=["base.supported"],
    ),
    Mutant(
        "challenge-is-not-quoted",
        {"auth.challenge.quoted": "are not quoted", "auth.challenge.realm": "the realm is"},
        _refused(_EVERYWHERE, _METHODS, _challenge(lambda text: text.replace('"', ""))),
    ),
    Mutant(
        "realm-has-no-host",
        {"auth.challenge.realm": "the realm is '/token'"},
        _refused("base", "GET", _parameter("realm", "/token")),
    ),
    Mutant(
        "realm-is-out-of-reach",
        {"auth.realm.reachable": "does not answer"},
        _refused("base", "GET", _parameter("realm", "http://127.0.0.1:1/token")),
        spared=["auth.challenge.realm"],
    ),
    Mutant(
        "challenge-has-no-scope",
        {
            "auth.challenge.scope": "the scope is ''",
            "auth.challenge.push-scope": "the scope is ''",
            "auth.challenge.delete-scope": "the scope is ''",
        },
        _refused("manifest blob uploads", _METHODS, _challenge(lambda text: re.sub(r',?scope="[^"]*"', "", text))),
        spared=["auth.challenge.realm"],
    ),
    Mutant(
        "scope-of-a-mount-lacks-its-source",
        {"auth.challenge.mount-scope": "expected pull on"},
        _refused("uploads", "POST", _challenge(lambda text: re.sub(r'scope="([^" ]*) [^"]*"', r'scope="\1"', text))),
        spared=["auth.challenge.push-scope"],
    ),
    Mutant(
        "scope-is-always-for-pulling",
        {"auth.challenge.push-scope": "expected push on", "auth.challenge.delete-scope": "expected one for delete"},
        _refused(
            "manifest uploads",
            "POST DELETE",
            _challenge(lambda text: re.sub(r":(pull,push|delete|push)", ":pull", text)),
        ),
        spared=["auth.challenge.scope"],
    ),
    Mutant(
        "insufficient-scope-is-not-told",
        {"auth.challenge.insufficient": 'lacks error="insufficient_scope"'},
        _refused("uploads", "POST", _challenge(lambda text: re.sub(r',?error="[^"]*"', "", text))),
    ),
)
