"""Routes: a table of rows, and how a path finds its row."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import unquote

from aiohttp import web

from auth.roles import Action
from registry.api.call import NO_REPOSITORY, Call
from registry.api.errors import MethodNotAllowed, RouteUnknown
from storage.errors import NameInvalid
from storage.names import RepositoryName, parse_repository_name

_REMEMBERED_MAX = 4096
_REMEMBERED_LENGTH = 512

Handler = Callable[[Call], Awaitable[web.StreamResponse]]


class Guard(StrEnum):
    """Who gets past: see `registry.api.gate`."""

    ANYONE = "anyone"
    REGISTRY = "registry"
    CATALOG = "catalog"
    MANAGEMENT = "management"
    METRICS = "metrics"


class Style(StrEnum):
    """In which form errors are told."""

    OCI = "oci"
    OAUTH = "oauth"
    JSON_API = "json-api"


@dataclass(frozen=True, slots=True)
class Route:
    """One row: `template` has `<name>` for a repository and `<other>` for any part without a slash.

    `actions` are what the principal has to be allowed to do to the repository; `asks` are what a token should be for
    where that is more. `name` labels metrics and log lines. `spec` is the endpoint's id in the specification. `act` is
    what the audit log calls it when it is refused.
    """

    method: str
    template: str
    handler: Handler
    name: str
    guard: Guard
    actions: tuple[Action, ...] = ()
    spec: str = ""
    act: str = ""
    style: Style = Style.OCI
    asks: tuple[Action, ...] = ()


@dataclass(slots=True)
class _Resource:
    pattern: re.Pattern[str]
    routes: dict[str, Route] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Match:
    route: Route
    repository: RepositoryName
    arguments: dict[str, str]


class Router:
    """Finds the row for a request. Templates are tried in the order in which the table first names them.

    A row for GET answers HEAD as well, unless HEAD has a row of its own.
    """

    def __init__(self, routes: list[Route]) -> None:
        resources: dict[str, _Resource] = {}
        for route in routes:
            resource = resources.setdefault(route.template, _Resource(_compile(route.template)))
            resource.routes[route.method] = route
        for resource in resources.values():
            if "GET" in resource.routes:
                resource.routes.setdefault("HEAD", resource.routes["GET"])
        self._resources = list(resources.values())
        self._found: dict[tuple[str, str], Match] = {}

    def find(self, method: str, raw_path: str) -> Match:
        """Raises `RouteUnknown`, `MethodNotAllowed` and `NameInvalid`."""
        # The same tags and blobs are asked for over and over.
        found = self._found.get((method, raw_path))
        if found is None:
            found = self._match(method, _decode(raw_path))
            if len(self._found) >= _REMEMBERED_MAX:
                self._found.clear()
            if len(raw_path) <= _REMEMBERED_LENGTH:
                self._found[method, raw_path] = found
        return found

    def _match(self, method: str, path: str) -> Match:
        for resource in self._resources:
            match = resource.pattern.fullmatch(path)
            if match is None:
                continue
            route = resource.routes.get(method)
            if route is None:
                raise MethodNotAllowed(method, sorted(resource.routes))
            arguments = match.groupdict()
            name = arguments.pop("name", None)
            return Match(route, NO_REPOSITORY if name is None else parse_repository_name(name), arguments)
        raise RouteUnknown


def _decode(raw_path: str) -> str:
    """The path without its query, decoded once. An encoded slash is refused: it would change what a name means."""
    path = raw_path.partition("?")[0]
    if "%" not in path:
        return path
    lowered = path.lower()
    if "%2f" in lowered or "%00" in lowered:
        raise NameInvalid(path, "'/' may not be encoded, and NUL may not appear at all")
    return unquote(path, errors="replace")


def _compile(template: str) -> re.Pattern[str]:
    parts = re.split(r"<(\w+)>", template)
    pattern = ""
    for index, part in enumerate(parts):
        if index % 2 == 0:
            pattern += re.escape(part)
        else:
            pattern += f"(?P<{part}>.+)" if part == "name" else f"(?P<{part}>[^/]+)"
    # `/v2` means `/v2/`, and proxies like to take the last slash of `/blobs/uploads/` away.
    return re.compile(pattern + "?" if template.endswith("/") and template != "/" else pattern, re.DOTALL)
