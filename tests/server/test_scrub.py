"""The scrub of a real daemon, and `berth scrub` beside it."""

import json
import os
import sqlite3
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.daemon import Daemon
from tests.faults.client import Registry, digest_of, image
from tests.server.commands import Commands
from tests.server.program import wait_until

CONFIG = b"{}"
LAYER = os.urandom(300_000)


@pytest.fixture(params=["100ms"])
def daemon(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Daemon]:
    """A daemon that scrubs that often, and has an image; in the end nothing is wrong with what it has."""
    environment = {"BERTH_SCRUB__EVERY": request.param, "BERTH_LOG__FORMAT": "json"}
    with Daemon(tmp_path / "data", "--workers", "2", environment=environment) as daemon:
        push(daemon)
        yield daemon
        daemon.check()


def push(daemon: Daemon) -> None:
    """Push the image, as a client does: what the registry says that it has is not sent."""
    registry = Registry(daemon.address)
    for content in (CONFIG, LAYER):
        digest = digest_of(content)
        if registry.request("HEAD", f"/v2/app/blobs/{digest}").expect(200, 404).status == 404:
            registry.push("app", content)
    registry.put_manifest("app", "v1", image(CONFIG, LAYER)).expect(201)


def flip(daemon: Daemon) -> None:
    """Change one bit of the layer on the disk."""
    with closing(sqlite3.connect(daemon.data / "metadata.db")) as database:
        query = "SELECT storage_key FROM blobs WHERE digest = ?"
        (key,) = database.execute(query, (digest_of(LAYER),)).fetchone()
    path = daemon.data / "blobs" / key
    path.chmod(0o600)
    with path.open("r+b") as file:
        file.seek(1000)
        file.write(bytes([LAYER[1000] ^ 1]))


def metric(daemon: Daemon, name: str) -> float:
    """What the daemon shows of a metric."""
    with urllib.request.urlopen(f"{daemon.url}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))


def test_daemon_finds_damage_and_is_mended(daemon: Daemon) -> None:
    """A bit that flips on the disk is found by itself, never sent from then on, and repaired by pushing again."""
    registry, path = Registry(daemon.address), f"/v2/app/blobs/{digest_of(LAYER)}"
    wait_until(lambda: metric(daemon, "berth_scrub_bytes_total") >= len(LAYER))
    assert metric(daemon, "berth_scrub_blobs_total") >= 2
    assert metric(daemon, "berth_blobs_damaged") == 0
    flip(daemon)
    wait_until(lambda: metric(daemon, "berth_blobs_damaged") == 1)
    # Often enough to ask both workers.
    for _ in range(4):
        assert b"damaged" in registry.request("GET", path).expect(500).body
    lines = [json.loads(line) for line in daemon.log.read_text().splitlines()]
    (line,) = [line for line in lines if f"blob {digest_of(LAYER)} is damaged" in line.get("message", "")]
    assert (line["level"], line["digest"], line["repositories"]) == ("error", digest_of(LAYER), ["app"])
    assert digest_of(LAYER) in daemon.command("check", code=1)
    push(daemon)
    for _ in range(4):
        assert registry.request("GET", path).expect(200).body == LAYER
    assert metric(daemon, "berth_blobs_damaged") == 0


@pytest.mark.parametrize("daemon", ["1h"], indirect=True)
def test_command_beside_the_daemon(daemon: Daemon) -> None:
    """The command makes a pass of its own, names what is damaged and whom it hits, and ends with 1 while it is so."""
    assert daemon.command("scrub").startswith("nothing is damaged: 2 blobs and 1 manifests looked at")
    flip(daemon)
    told = daemon.command("scrub", "--all", "--rate", "0", code=1)
    (row,) = [line.split() for line in told.splitlines() if line.startswith("sha256:")]
    assert (row[0], row[2:]) == (digest_of(LAYER), ["app", "app:v1"])
    assert "1 damaged: 2 blobs" in told
    report = json.loads(daemon.command("scrub", "--all", "--json", code=1))
    (damaged,) = report["damaged"]
    assert (damaged["digest"], damaged["size"], damaged["tags"]) == (digest_of(LAYER), len(LAYER), ["app:v1"])
    assert report["finished"]
    push(daemon)
    assert json.loads(daemon.command("scrub", "--json"))["damaged"] == []


@pytest.mark.parametrize("rate", ["fast", "-1", ""])
def test_rate_that_makes_no_sense(berth: Commands, rate: str) -> None:
    """A rate is a size."""
    assert "expected a size" in berth.refused("scrub", f"--rate={rate}", code=2)
