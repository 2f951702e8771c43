"""The keys that sign tokens, while a daemon of several workers runs."""

import json
import time
from pathlib import Path

import jwt
import pytest

from auth.keyfiles import KeyFolder
from tests.daemon import Daemon
from tests.server.commands import Commands
from tests.server.site import DIGEST, PASSWORD, Site
from tests.server.workers import Worker, Workers, basic

PUSH = "repository:acme/app:pull,push"
BLOB = f"/v2/acme/app/blobs/{DIGEST}"
KEYS = "/.well-known/jwks.json"
# How soon workers take up a key that another process made.
SECONDS = 10.0


def kid(token: str) -> str:
    """The key that signed a token."""
    name: str = jwt.get_unverified_header(token.removeprefix("Bearer "))["kid"]
    return name


def published(worker: Worker) -> list[str]:
    """The keys that a worker publishes, the one that signs first."""
    return [key["kid"] for key in worker.ask("GET", KEYS).json()["keys"]]


def test_rotation(site: Site, workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new key is taken up without a restart, and at no moment is a token refused that any worker made."""
    monkeypatch.setenv("BERTH_STORAGE__DATA", str(site.daemon.data))
    login = basic("admin", site.access_token("admin"))
    in_flight = [worker.token(login, PUSH) for worker in workers]
    old = kid(in_flight[0])
    Commands(site.daemon.data)("key", "rotate")
    deadline, signing = time.monotonic() + SECONDS, {old}
    while old in signing:
        assert time.monotonic() < deadline, "the new key is not taken up"
        tokens = [worker.token(login, PUSH) for worker in workers]
        signing = {kid(token) for token in tokens}
        for token in [*tokens, *in_flight]:
            assert workers.statuses("GET", BLOB, token) == {200}
    (new,) = signing
    for worker in workers:
        assert published(worker) == [new, old]


def test_damaged_key(site: Site, workers: Workers) -> None:
    """A file in which there is no key takes none of the others away."""
    folder = site.daemon.data / "keys"
    before = {path: path.read_bytes() for path in folder.iterdir()}
    damaged = folder / f"{time.time_ns() // 1_000_000:013d}-damaged.pem"
    damaged.write_bytes(b"-----BEGIN PRIVATE KEY-----\n")
    try:
        # Every unknown key makes a worker look at the files.
        header = json.dumps({"alg": "ES256", "kid": "unknown"}).encode()
        unknown = f"Bearer {jwt.utils.base64url_encode(header).decode()}.e30.AA"
        assert workers.statuses("GET", "/v2/", unknown) == {401}
        for worker in workers:
            assert workers.statuses("GET", "/v2/", worker.token(basic("admin", site.access_token("admin")))) == {200}
        assert {path: path.read_bytes() for path in folder.iterdir() if path != damaged} == before
    finally:
        damaged.unlink()


def test_registry_of_another_issuer(tmp_path: Path) -> None:
    """A registry takes the tokens of an issuer whose keys it reads, those of older keys too, also while it is down."""
    names = {"AUTH__SERVICE": "registry.example", "AUTH__ISSUER": "auth.example"}
    issuer = Site(tmp_path, SERVER__ROLE="tokens", **names)
    external = {**names, "AUTH__REALM": f"{issuer.daemon.url}/token", "AUTH__JWKS": f"{issuer.daemon.url}{KEYS}"}
    settings = {f"BERTH_{name}": value for name, value in external.items()}
    settings["BERTH_ADMIN_PASSWORD"] = PASSWORD
    registry = Daemon(tmp_path / "registry", "--workers", "2", auth="external", environment=settings)
    with issuer.daemon, Workers(issuer.daemon) as desks:
        old = next(iter(desks)).token(basic("admin", PASSWORD), PUSH)
    KeyFolder(issuer.daemon.data / "keys").rotate(time.time_ns() // 1_000_000)
    with registry, Workers(registry) as workers:
        with issuer.daemon, Workers(issuer.daemon) as desks:
            new, late = [next(iter(desks)).token(basic("admin", PASSWORD), PUSH) for _ in range(2)]
            assert kid(new) != kid(old)
            for token in [old, new]:
                assert workers.statuses("POST", "/v2/acme/app/blobs/uploads/", token) == {202}
            challenge = next(iter(workers)).ask("GET", "/v2/").headers["WWW-Authenticate"]
            assert challenge == f'Bearer realm="{issuer.daemon.url}/token",service="registry.example"'
            assert workers.statuses("GET", "/token") == workers.statuses("GET", KEYS) == {404}
            assert desks.statuses("GET", "/v2/") == {404}
        assert workers.statuses("POST", "/v2/acme/app/blobs/uploads/", late) == {202}
