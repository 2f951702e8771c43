"""What an examination has in its hands: the deployment, as one client after the other sees it."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from conformance.content import Blob, Manifest, new_blob, new_config, new_image
from conformance.doctor.finding import Finding, Level
from conformance.doctor.talk import Talk
from conformance.login import Credentials, Login
from conformance.requirement import Failed, NotApplicable
from conformance.session import Litter, Scope, Session, blob_path, manifest_path
from conformance.shown import redacted
from conformance.wire import Answer, Body, Target, Wire

AGENT = "conformance-doctor"
# Small enough for every proxy's limit of bodies, large enough that compressing it seems worthwhile.
_LAYER_BYTES = 256 << 10
_NOTE_BYTES = 4 << 10
_PATIENCE_S = 0.2


@dataclass(frozen=True, slots=True)
class Orders:
    """What the user wants: where to work, as whom, how large a body to send, and how long to be slow."""

    repository: str
    credentials: Credentials = field(default_factory=Credentials)
    tag: str | None = None
    read_only: bool = False
    largest: int = 64 << 20
    wait_s: float = 65.0


@dataclass(frozen=True, slots=True)
class Sample:
    """An image that is there: the path of its manifest, and that of one of its blobs.

    `content` is the blob, where it was pushed.
    """

    reference: str
    digest: str
    media_type: str
    blob: str
    size: int
    content: bytes | None = None


class Line(Wire):
    """Connections that find the registry also where its answers lead astray: `detours` say what is where instead.

    A path is below the URL of the registry, also where that has a path itself.
    """

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.detours: dict[str, str] = {}

    @property
    def base(self) -> str:
        return self.target.url.rstrip("/")

    def url(self, path: str) -> str:
        if "://" not in path:
            return self.base + path
        if path.startswith(f"{self.base}/"):
            return path
        for wrong, right in self.detours.items():
            if path.startswith(wrong):
                return right + path.removeprefix(wrong)
        return path

    def send(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: Body = None,
        *,
        redirects: bool = True,
    ) -> Answer:
        return super().send(method, path, {"User-Agent": AGENT, **(headers or {})}, body, redirects=redirects)


class Ward:
    """What all examinations of a visit share."""

    def __init__(self, target: Target, orders: Orders) -> None:
        self.orders, self.line, self.litter = orders, Line(target), Litter()
        self.login = Login(self.line, orders.credentials)
        self.scope = Scope(
            orders.repository, f"{orders.repository}/other", orders.credentials, read_only=orders.read_only
        )
        self.is_registry = True
        self.no_login = "" if orders.credentials.user else "there are no credentials: --user"
        self.proxies: set[str] = set()
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.sample: Sample | NotApplicable | None = None

    def give_up_login(self, why: str) -> None:
        """Go on as nobody in particular."""
        self.no_login, self.login = why, Login(self.line, Credentials())


class Visit(Session):
    """One examination's view of the deployment."""

    def __init__(self, ward: Ward) -> None:
        super().__init__(ward.line, ward.scope, ward.login, ward.litter)
        self.ward, self.line, self.orders = ward, ward.line, ward.orders
        self.target = ward.line.target

    @property
    def last(self) -> Answer:
        """The exchange that was the last one."""
        return self.exchanges[-1]

    def found(self, identifier: str, level: Level, seen: str, answer: Answer | None = None) -> Finding:
        """A finding; it was seen in the last exchange, unless another one is given."""
        return Finding(identifier, level, redacted(seen), answer or (self.exchanges[-1] if self.exchanges else None))

    def talk(self, method: str, path: str, headers: Mapping[str, str] | None = None) -> Talk:
        """Begin to say a request, with the credentials of the one before."""
        value = next((value for name, value in self._sent() if name.lower() == "authorization"), None)
        mine = {} if value is None else {"Authorization": value}
        given = {"User-Agent": AGENT, "Accept": "*/*", **mine, **(headers or {})}
        return Talk(self.target, method, self.line.url(path), given)

    def listen(self, talk: Talk, seconds: float) -> bool:
        """Whether something comes in a talk within that time. Raises `NotApplicable` if the visit ends before."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if talk.hears(min(left, _PATIENCE_S)):
                return True
            if self.ward.over.is_set():
                raise NotApplicable("the visit was broken off")
        return False

    def noted_answer(self, answer: Answer) -> Answer:
        """The answer of a talk, kept with the other exchanges."""
        self.exchanges.append(answer)
        return answer

    def needs_pushing(self) -> None:
        """Raises `NotApplicable` where nothing may be pushed."""
        if self.orders.read_only:
            raise NotApplicable("this visit only reads: --read-only")

    def begin_upload(self, name: str | None = None, algorithm: str = "sha256") -> str:
        """Begin an upload, and return its location. Raises `NotApplicable` in words that help."""
        self.needs_pushing()
        try:
            return self.line.url(super().begin_upload(name, algorithm))
        except NotApplicable as error:
            raise NotApplicable(f"{error}{self.hint()}") from error

    def noted(self, answer: Answer, digest: str = "") -> Answer:
        """Remember what was pushed by its path below the registry's URL."""
        prefix = urlsplit(self.line.base).path
        below = replace(answer, url=answer.url.replace(f"{prefix}/v2/", "/v2/", 1)) if prefix else answer
        super().noted(below, digest)
        return answer

    def cancel(self, location: str) -> None:
        """End an upload of which no more is needed."""
        self.send("DELETE", location)

    def sample(self) -> Sample:
        """The image that the others look at: the one that was named, or one that is pushed. Raises `NotApplicable`."""
        with self.ward.lock:
            if self.ward.sample is None:
                try:
                    self.ward.sample = self._named() if self.orders.tag else self._pushed()
                except (Failed, NotApplicable) as error:
                    self.ward.sample = NotApplicable(str(error))
            if isinstance(self.ward.sample, NotApplicable):
                raise self.ward.sample
            return self.ward.sample

    def _pushed(self) -> Sample:
        self.needs_pushing()
        layer, tag = new_blob(_LAYER_BYTES), self.new_tag()
        image = image_of([layer], "x" * _NOTE_BYTES)
        self.manifest(image, tag)
        return Sample(
            reference=manifest_path(self.name, tag),
            digest=image.digest,
            media_type=image.media_type,
            blob=blob_path(self.name, layer.digest),
            size=_LAYER_BYTES,
            content=layer.content,
        )

    def _named(self) -> Sample:
        reference = self.orders.tag or ""
        answer = self.get_manifest(reference)
        children = answer.json().get("manifests") if answer.status == 200 else None
        if children:
            reference = children[0]["digest"]
            answer = self.get_manifest(reference)
        self._need(answer, 200, "the image cannot be pulled")
        document = answer.json()
        # The first one of these is the smallest.
        blobs = [one for one in (document.get("config"), *document.get("layers", ())) if one]
        if not blobs:
            raise NotApplicable("the image has no blobs")
        return Sample(
            reference=manifest_path(self.name, reference),
            digest=answer.header("Docker-Content-Digest") or "",
            media_type=str(document.get("mediaType", "")),
            blob=blob_path(self.name, blobs[0]["digest"]),
            size=int(blobs[0]["size"]),
        )

    def _sent(self) -> list[tuple[str, str]]:
        return self.exchanges[-1].sent if self.exchanges else []

    def hint(self) -> str:
        """What to do about a push that was not let in."""
        if not self.exchanges or self.last.status not in {401, 403}:
            return ""
        return f" ({self.ward.no_login or 'another --repository may be allowed'})"


def image_of(layers: Sequence[Blob], note: str) -> Manifest:
    """An image with a text in its manifest."""
    return new_image(layers=layers, config=new_config(), annotations={"note": note})


def is_of_registry(answer: Answer) -> bool:
    """Whether an error comes from a registry, and not from something before it."""
    if answer.method == "HEAD":
        return "html" not in (answer.header("Content-Type") or "")
    try:
        document = answer.json()
    except Failed:
        return False
    return isinstance(document, dict) and "errors" in document


def kind_of_body(answer: Answer) -> str:
    """What an answer has instead of a registry's error, in words."""
    kind = (answer.header("Content-Type") or "").partition(";")[0]
    return kind or ("a body of no type" if answer.body else "nothing")
