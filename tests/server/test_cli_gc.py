"""`berth gc` beside a daemon, and the daemon's own collections."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.daemon import Daemon
from tests.faults.client import Registry, digest_of, image

CONFIG, LAYER, LOOSE = b"{}", b"layer", b"nobody needs this"
# A grace that has ended when the next command begins.
SHORT = {"BERTH_COLLECTOR__GRACE": "1ms", "BERTH_COLLECTOR__EVERY": "0s"}


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon that collects nothing by itself, with an image and what somebody has pushed in vain."""
    daemon = Daemon(tmp_path_factory.mktemp("gc") / "data", "--workers", "1", environment=SHORT)
    with daemon:
        registry = Registry(daemon.address)
        for content in (CONFIG, LAYER):
            registry.push("app", content)
        registry.put_manifest("app", "v1", image(CONFIG, LAYER)).expect(201)
        yield daemon


def test_what_goes_and_what_stays(daemon: Daemon) -> None:
    """A dry run tells what a run removes then; the image that a tag holds pulls as before."""
    registry = Registry(daemon.address)
    registry.push("app", LOOSE)
    dry = json.loads(daemon.command("gc", "--dry-run", "--json"))
    assert (dry["dry_run"], dry["links"], dry["blobs"], dry["bytes"]) == (True, 1, 1, len(LOOSE))
    registry.blob("app", digest_of(LOOSE)).expect(200)
    shown = daemon.command("gc")
    assert re.search(r"^blobs freed +1$", shown, re.MULTILINE)
    assert re.search(r"^bytes freed +17 B$", shown, re.MULTILINE)
    registry.blob("app", digest_of(LOOSE)).expect(404)
    assert registry.pull("app", "v1") == image(CONFIG, LAYER)
    daemon.check()


def test_what_was_deleted_is_freed_when_asked_for(daemon: Daemon) -> None:
    """What could still be brought back takes space, unless it is given up by hand."""
    registry = Registry(daemon.address)
    registry.push("gone", b"layer of it")
    registry.push("gone", CONFIG)
    manifest = image(CONFIG, b"layer of it")
    registry.put_manifest("gone", "v1", manifest).expect(201)
    registry.request("DELETE", f"/v2/gone/manifests/{digest_of(manifest)}").expect(202)
    assert json.loads(daemon.command("gc", "--json"))["blobs"] == 0
    counts = json.loads(daemon.command("gc", "--forget-deleted", "--json"))
    assert (counts["forgotten"], counts["blobs"], counts["removed"]) == (1, 1, 1)
    daemon.check()


def test_explain(daemon: Daemon) -> None:
    """What keeps a digest is told, with the repository; what is not there is an error."""
    manifest = digest_of(image(CONFIG, LAYER))
    assert daemon.command("gc", "explain", manifest) == f"{manifest}: manifest in 1 repository\napp   the tag   v1\n"
    shown = daemon.command("gc", "explain", digest_of(LAYER))
    assert f"{digest_of(LAYER)}: blob of 5 B\napp   needed by   {manifest} (v1)\n" in shown
    found = json.loads(daemon.command("gc", "explain", digest_of(LAYER), "--json"))
    assert found["keepers"][0] == {
        "repository": "app",
        "kind": "manifest",
        "by": manifest,
        "tags": ["v1"],
        "until": None,
    }
    absent = digest_of(b"absent")
    assert daemon.command("gc", "explain", absent, code=1) == f"berth: {absent} is not stored here\n"
    assert "digest" in daemon.command("gc", "explain", "latest", code=1)


def test_without_data(tmp_path: Path) -> None:
    """Where there is nothing, nothing is made."""
    daemon = Daemon(tmp_path / "data")
    assert "there is no Berth data" in daemon.command("gc", code=1)
    assert not daemon.data.exists()


def test_the_daemon_collects_by_itself(tmp_path: Path) -> None:
    """With a schedule the daemon frees space without being asked, and counts it."""
    environment = {**SHORT, "BERTH_COLLECTOR__EVERY": "100ms"}
    with Daemon(tmp_path / "data", "--workers", "2", environment=environment) as daemon:
        registry = Registry(daemon.address)
        registry.push("app", LOOSE)
        deadline = time.monotonic() + 20
        while registry.blob("app", digest_of(LOOSE)).status == 200:
            assert time.monotonic() < deadline, "nothing was collected"
        while "berth_collected_blobs_total 1.0" not in registry.request("GET", "/metrics").body.decode():
            assert time.monotonic() < deadline, "nothing was counted"
        daemon.check()
