"""`Call`: one request after routing, with everything that a handler needs to answer it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from auth.actor import Actor
from auth.policy import RegistryMap, Rights
from auth.principals import ANONYMOUS
from auth.roles import Action
from registry.api.answer import Answer
from registry.api.errors import BodyBroken, BodyStalled
from registry.api.forwarded import Origins
from registry.api.redirects import Redirects
from registry.api.rest.services import Management
from registry.api.session import Session
from registry.api.wire import parse_namespace, warning_headers
from registry.domain.blobs import Blobs
from registry.domain.catalog import Catalog
from registry.domain.manifests import Manifests
from registry.domain.referrers import Referrers
from registry.domain.tags import Tags
from registry.domain.uploads import Uploads
from storage.names import RepositoryName

# What requests that are not about a repository have in its place.
NO_REPOSITORY = RepositoryName("")
# Whoever was not asked who they are may do nothing that needs to be asked.
_NOBODY = Session(Rights(ANONYMOUS, RegistryMap(())))


@dataclass(frozen=True, slots=True)
class Settings:
    """What the HTTP layer has to know of the configuration. Sizes in bytes, times in seconds."""

    manifest_size: int
    blob_size: int
    page_size: int
    max_page_size: int
    ranges: int
    tags_per_push: int
    stall_timeout: float
    delete_manifests: bool
    delete_blobs: bool
    redirects: Redirects | None = None


@dataclass(frozen=True, slots=True)
class Services:
    """The use cases, made once per worker."""

    blobs: Blobs
    uploads: Uploads
    manifests: Manifests
    tags: Tags
    referrers: Referrers
    catalog: Catalog
    management: Management


@dataclass(slots=True)
class Call:
    """One request. The pipeline fills in what routing and the gate found; handlers read it and add `warnings`.

    `arguments` are the decoded parts of the path; `session` is what the caller may do.
    `received` and `sent` count bytes of bodies. `started` says that the answer's header is on its way, so that
    nothing about it can be changed any more.
    """

    request: web.BaseRequest
    services: Services
    settings: Settings
    origins: Origins
    request_id: str
    repository: RepositoryName = NO_REPOSITORY
    arguments: dict[str, str] = field(default_factory=dict)
    session: Session = _NOBODY
    warnings: list[str] = field(default_factory=list)
    received: int = 0
    sent: int = 0
    started: bool = False
    body_taken: bool = False

    @property
    def actor(self) -> Actor:
        """Who makes this request, for what it changes and for the audit log."""
        session = self.session
        return Actor(session.access, session.token, self.client, self.agent, self.request_id)

    @property
    def agent(self) -> str | None:
        """The client program, as it calls itself."""
        agent = self.request.headers.get("User-Agent")
        # What is not UTF-8 arrives as surrogates, which no database takes.
        return None if agent is None else agent.encode(errors="replace").decode()

    @property
    def client(self) -> str | None:
        """The client's address."""
        return self.origins.client(self.request)

    @property
    def origin(self) -> str:
        """Scheme and host that the client used."""
        return self.origins.origin(self.request)

    def may(self, action: Action, repository: RepositoryName) -> bool:
        """Whether the caller may do that now, and the token that came along is for it."""
        return self.session.may(action, repository)

    def url(self, path: str) -> str:
        """What goes into a `Location` header for a path of this registry."""
        return self.origins.base_url(self.request) + path

    def query(self, name: str) -> str | None:
        """A parameter of the query, decoded; None if it was not sent."""
        request = self.request
        return request.query.get(name) if request.rel_url.raw_query_string else None

    async def content(self) -> AsyncIterator[bytes]:
        """The request's body as it arrives. Raises `BodyBroken` and `BodyStalled`; there is no limit on the whole."""
        await self._invite_body()
        stream = self.request.content
        while not stream.at_eof():
            try:
                async with asyncio.timeout(self.settings.stall_timeout):
                    data = await stream.readany()
            except TimeoutError as error:
                raise BodyStalled("no byte of the body arrived for too long") from error
            except (ConnectionError, aiohttp.ClientError, HttpProcessingError) as error:
                raise BodyBroken("the body ended before it was whole") from error
            if data:
                self.received += len(data)
                yield data

    def dress(self, response: web.StreamResponse) -> None:
        """Add the headers that every answer has. To be called once, before the answer starts."""
        add = response.add if isinstance(response, Answer) else response.headers.add
        add("Docker-Distribution-Api-Version", "registry/2.0")
        # What people push is no page of ours: browsers do not look for markup in it.
        add("X-Content-Type-Options", "nosniff")
        add("X-Request-Id", self.request_id)
        add("Server", "berth")
        for value in warning_headers(self.warnings) if self.warnings else ():
            add("Warning", value)
        namespace = parse_namespace(self.query("ns"))
        if namespace is not None:
            add("OCI-Namespace", namespace)
        if not self.body_taken and "Expect" in self.request.headers:
            # The client may or may not send the body that nobody asked for: this connection ends here.
            response.force_close()

    async def start(self, response: web.StreamResponse) -> None:
        """Send the header of an answer whose body the handler sends itself."""
        self.dress(response)
        await response.prepare(self.request)
        self.started = True

    async def _invite_body(self) -> None:
        """Answer `Expect: 100-continue`, now that the request has been found worth its body."""
        self.body_taken = True
        if self.request.headers.get("Expect", "").lower() == "100-continue":
            writer = self.request.writer
            await writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            # What was written so far is not a part of the answer.
            writer.output_size = 0
