"""Logging in as clients do: Basic, or Bearer with a token from where the challenge says."""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from conformance.requirement import Failed
from conformance.wire import Answer, Body, Wire

_UPLOADING = {"PATCH", "PUT"}
# Names may have parts that look like those of routes: the last one is the route.
_NAME = re.compile(r"(.+)/(?:blobs|manifests|tags|referrers)/")
_PARAMETER = re.compile(r'([A-Za-z_-]+)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user name and a password; nobody in particular without a name."""

    user: str = ""
    password: str = ""

    def basic(self) -> str:
        """The value of an `Authorization` header."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


@dataclass(frozen=True, slots=True)
class Challenge:
    """A `WWW-Authenticate` header: its scheme in lower case, and its parameters."""

    scheme: str
    parameters: Mapping[str, str]


def challenge_of(answer: Answer) -> Challenge:
    """What a 401 asks for. Raises `Failed` if that cannot be understood."""
    text = answer.expect_header("WWW-Authenticate")
    scheme, _, rest = text.partition(" ")
    return Challenge(scheme.lower(), dict(_PARAMETER.findall(rest)))


class Login:
    """Sends requests, and answers challenges with the credentials. Tokens are remembered by what they are for."""

    def __init__(self, wire: Wire, credentials: Credentials) -> None:
        self.wire, self.credentials = wire, credentials
        self._tokens: dict[tuple[str, str, str], str] = {}
        self._known: dict[tuple[str, str], str] = {}
        self._lock = threading.Lock()

    def send(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: Body = None,
        *,
        redirects: bool = True,
    ) -> list[Answer]:
        """Send a request, and again with what a challenge asks for. All answers, the last one last."""
        given = dict(headers or {})
        key = (method, _resource(self.wire.url(path)))
        known = self._known_for(key)
        answer = self._with(known, method, path, given, body, redirects=redirects)
        if answer.status != 401 or "Authorization" in given or _is_used_up(body):
            return [answer]
        value = self._answered(challenge_of(answer))
        if value is None or value == known:
            return [answer]
        with self._lock:
            self._known[key] = value
        return [answer, self._with(value, method, path, given, body, redirects=redirects)]

    def _known_for(self, key: tuple[str, str]) -> str | None:
        """What has been used for this before; what a push began with is good for the rest of it."""
        method, resource = key
        keys = [key, ("POST", resource), ("POST", f"{resource}?mount")] if method in _UPLOADING else [key]
        return next((self._known[one] for one in keys if one in self._known), None)

    def _with(
        self, value: str | None, method: str, path: str, headers: dict[str, str], body: Body, *, redirects: bool
    ) -> Answer:
        if value is not None:
            headers = {"Authorization": value, **headers}
        return self.wire.send(method, path, headers, body, redirects=redirects)

    def _answered(self, challenge: Challenge) -> str | None:
        if challenge.scheme == "basic":
            return self.credentials.basic() if self.credentials.user else None
        if challenge.scheme != "bearer":
            raise Failed(f"the challenge has the unknown scheme {challenge.scheme!r}")
        realm = challenge.parameters.get("realm")
        if not realm:
            raise Failed("the Bearer challenge names no realm")
        return f"Bearer {self.token(realm, challenge.parameters)}"

    def token(self, realm: str, parameters: Mapping[str, str]) -> str:
        """A token for the service and the scope of these parameters. Raises `Failed`."""
        service, scope = parameters.get("service", ""), parameters.get("scope", "")
        with self._lock:
            found = self._tokens.get((realm, service, scope))
        if found is not None:
            return found
        query = [("service", service)] if service else []
        query += [("scope", one) for one in scope.split(" ") if one]
        headers = {"Authorization": self.credentials.basic()} if self.credentials.user else {}
        separator = "&" if "?" in realm else "?"
        answer = self.wire.send("GET", f"{realm}{separator}{urlencode(query)}", headers).expect(200)
        document = answer.json()
        token = document.get("token") or document.get("access_token") if isinstance(document, dict) else None
        if not isinstance(token, str):
            raise Failed("the token service's answer has neither token nor access_token")
        with self._lock:
            self._tokens[realm, service, scope] = token
        return token


def _resource(path: str) -> str:
    """What a token is for: a repository, mostly, and of mounts also where from."""
    name, _, query = path.partition("?")
    if found := _NAME.match(name):
        name = found[1]
    return name + (f"?{query}" if "mount=" in query else "")


def _is_used_up(body: Body) -> bool:
    return isinstance(body, Iterator)
