"""Commands beside a running daemon: both work on the same data folder, and say the same about it."""

import base64
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.daemon import Daemon
from tests.server.commands import Commands

PASSWORD = "correct horse"


@pytest.fixture
def daemon(berth: Commands) -> Iterator[Daemon]:
    """A daemon that serves the data folder of the commands."""
    with Daemon(berth.data, "--workers", "1", auth="builtin") as daemon:
        yield daemon


def get(daemon: Daemon, path: str, name: str, secret: str) -> tuple[int, Any]:
    """Status and body of the answer to somebody with this name and password or token."""
    credentials = base64.b64encode(f"{name}:{secret}".encode()).decode()
    request = urllib.request.Request(daemon.url + path, headers={"Authorization": f"Basic {credentials}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_changes_take_effect_at_once(berth: Commands, daemon: Daemon) -> None:
    """Who is created with a command can log in, with a password or a token; who is disabled or revoked cannot."""

    def logs_in(name: str, secret: str) -> bool:
        status, _ = get(daemon, "/token?service=berth", name, secret)
        assert status in {200, 401}
        return status == 200

    berth("user", "create", "alice", "--password-stdin", stdin=PASSWORD.encode())
    assert logs_in("alice", PASSWORD)
    secret = berth("token", "create", "alice", "laptop").strip()
    assert logs_in("alice", secret)
    assert berth.json("token", "show", "alice", "laptop")["lastUsedFrom"] == "127.0.0.1"
    berth("user", "disable", "alice")
    assert not logs_in("alice", PASSWORD)
    assert not logs_in("alice", secret)
    berth("user", "enable", "alice")
    assert logs_in("alice", secret)
    berth("token", "revoke", "alice", "laptop")
    assert not logs_in("alice", secret)


def test_refusals_of_the_daemon_are_in_the_log(berth: Commands, daemon: Daemon) -> None:
    """`berth audit` shows what clients were refused, with the reason and the client."""
    assert get(daemon, "/token?service=berth", "admin", "wrong password")[0] == 401
    deadline = time.monotonic() + 10
    while not (found := berth.json("audit", "list", "--outcome", "refused")) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert found[0]["address"] == "127.0.0.1"
    assert found[0]["client"].startswith("Python-urllib")
    assert found[0]["detail"]


def test_commands_and_rest_use_the_same_words(berth: Commands, daemon: Daemon) -> None:
    """What --json prints are the attributes that REST has, with the same values."""
    berth("user", "create", "alice", "--password-stdin", "--role", "admin", stdin=PASSWORD.encode())
    berth("group", "create", "devs")
    berth("group", "add", "devs", "alice")
    berth("project", "create", "acme", "--description", "x")
    berth("robot", "create", "acme+ci", "--role", "developer")
    berth("token", "create", "acme+ci", "build", "--repositories", "acme/**", "--expires", "90d")
    berth("member", "add", "group:devs", "reader", "-p", "acme")
    berth("rule", "add", "acme/main", "acme/app", "--for", "everyone", "--actions", "pull")
    berth("immutable", "add", "acme/main", "v*")
    for words, path in (
        (["user", "list"], "users"),
        (["group", "list"], "groups"),
        (["group", "members", "devs"], "groups/devs/members"),
        (["project", "list"], "projects"),
        (["robot", "list", "-p", "acme"], "projects/acme/robots"),
        (["token", "list", "acme+ci"], "projects/acme/robots/ci/tokens"),
        (["member", "list", "-p", "acme"], "projects/acme/members"),
        (["registry", "list", "-p", "acme"], "projects/acme/registries"),
        (["rule", "list", "acme/main"], "projects/acme/registries/main/rules"),
        (["immutable", "list", "acme/main"], "projects/acme/registries/main/immutable-tags"),
        (["audit", "list", "--principal", "operator"], "audit?filter%5Bprincipal%5D=operator"),
    ):
        status, document = get(daemon, f"/v1/{path}", "alice", PASSWORD)
        assert status == 200
        resources = [resource["attributes"] for resource in document["data"]]
        records = berth.json(*words)
        assert len(records) == len(resources) > 0
        for record, attributes in zip(records, resources, strict=True):
            if path == "projects":
                # An asking user's own role means nothing where nobody in particular asks.
                del attributes["role"]
            assert {**record, **attributes} == record
            # In REST these are an id, or say where something belongs.
            assert record.keys() - attributes.keys() <= {"id", "owner", "project", "registry"}


def test_data_folder_is_whole_afterwards(berth: Commands, daemon: Daemon, tmp_path: Path) -> None:
    """Many changes from both sides leave nothing that `berth check` finds."""
    for number in range(5):
        berth("project", "create", f"p{number}")
        assert get(daemon, f"/v1/projects/p{number}", "admin", "the first password")[0] == 200
    assert berth("check").startswith("nothing is wrong")
