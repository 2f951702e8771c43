"""An installation that moves from SQLite to PostgreSQL: clients notice nothing."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.api.content import CONFIG, CONFIG_TYPE, IMAGE, LAYER, LAYER_TYPE, digest_of
from tests.daemon import Daemon
from tests.postgres import PostgresServer
from tests.server.workers import Worker, Workers, basic

PASSWORD = "a password of nine words is long enough here"
ADMIN = basic("admin", PASSWORD)
DOCUMENT = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": IMAGE,
        "config": {"mediaType": CONFIG_TYPE, "digest": digest_of(CONFIG), "size": len(CONFIG)},
        "layers": [{"mediaType": LAYER_TYPE, "digest": digest_of(LAYER), "size": len(LAYER)}],
    }
).encode()
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def database(postgres: PostgresServer, empty_postgres_url: str) -> dict[str, str]:
    """The setting of a database without tables."""
    return {"BERTH_STORAGE__DATABASE": empty_postgres_url}


def push(worker: Worker) -> None:
    """Push an image as app:1."""
    for blob in (CONFIG, LAYER):
        path = f"/v2/app/blobs/uploads/?digest={digest_of(blob)}"
        assert worker.ask("POST", path, ADMIN, blob).status == 201
    assert worker.ask("PUT", "/v2/app/manifests/1", ADMIN, DOCUMENT, {"Content-Type": IMAGE}).status == 201


def log_in(worker: Worker) -> str:
    """A refresh token, as `docker login` keeps it."""
    query = urlencode({"account": "admin", "client_id": "docker", "offline_token": "true", "service": "berth"})
    return str(worker.ask("GET", f"/token?{query}", ADMIN).json()["refresh_token"])


def pull(worker: Worker, login: str) -> None:
    """Pull the image, by tag and by digest."""
    for reference in ("1", digest_of(DOCUMENT)):
        found = worker.ask("GET", f"/v2/app/manifests/{reference}", login, headers={"Accept": IMAGE})
        assert (found.status, found.body) == (200, DOCUMENT)
    assert worker.ask("GET", f"/v2/app/blobs/{digest_of(LAYER)}", login).body == LAYER


def test_move(tmp_path: Path, database: dict[str, str]) -> None:
    """What was pushed on one engine is pulled from the other, with the same password, access token and login.

    While half of it is copied, no daemon starts there.
    """
    data, (url,) = tmp_path / "data", database.values()
    with Daemon(data, "--workers", "1", auth="builtin", environment={"BERTH_ADMIN_PASSWORD": PASSWORD}) as before:
        with Workers(before) as (worker,):
            push(worker)
            refresh = log_in(worker)
        token = before.command("token", "create", "admin", "laptop", "--actions", "pull", "--quiet").strip()
    after = Daemon(data, "--workers", "1", auth="builtin", environment=database)
    after.command("migrate", "copy", f"sqlite:{data}", url)
    with after:
        with Workers(after) as (worker,):
            pull(worker, ADMIN)
            pull(worker, basic("admin", token))
            fields = {
                "grant_type": "refresh_token",
                "service": "berth",
                "refresh_token": refresh,
                "client_id": "docker",
            }
            form = urlencode({**fields, "scope": "repository:app:pull"}).encode()
            pull(worker, f"Bearer {worker.ask('POST', '/token', body=form, headers=FORM).json()['access_token']}")
            assert worker.ask("PUT", "/v2/app/manifests/2", ADMIN, DOCUMENT, {"Content-Type": IMAGE}).status == 201
        after.check()


def test_half_a_copy(tmp_path: Path, postgres: PostgresServer, database: dict[str, str]) -> None:
    """A daemon that is started on half a copy says so, and ends."""
    daemon = Daemon(tmp_path / "data", "--workers", "1", environment=database)
    daemon.command("migrate")
    name = database["BERTH_STORAGE__DATABASE"].partition("@/")[2].partition("?")[0]
    postgres.execute("UPDATE schema_version SET version = version + 1000000", name)
    with pytest.raises(AssertionError, match="a copy into this database was begun and is not finished"):
        daemon.start()
