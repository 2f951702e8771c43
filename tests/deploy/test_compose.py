"""deploy/compose: two daemons behind a proxy, as far as that can be seen without starting them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from registry.config.load import load
from tests import s3_store
from tests.clients.programs import require
from tests.deploy.files import COMPOSE, KUBERNETES, documents, most_memory, settings_in
from tests.deploy.page import ROOT, blocks, run

(FILE,) = documents(COMPOSE / "compose.yaml")
SERVICES: Mapping[str, Any] = FILE["services"]
DAEMONS = [SERVICES["berth-1"], SERVICES["berth-2"]]
UNITS = {"s": 1, "m": 60, "g": 1 << 30}


def given(service: Mapping[str, Any]) -> dict[str, str]:
    """The variables of a service, with something for what the user has to make up."""
    return {name: re.sub(r"\$\{.*\}", "http://made-up", value) for name, value in service["environment"].items()}


def test_settings(tmp_path: Path) -> None:
    """The daemons' settings exist, fit together, and leave room in memory for as many pushes as they allow."""
    config = settings_in((COMPOSE / "berth.toml").read_text(), tmp_path / "berth.toml")
    environment = {name: value for name, value in given(DAEMONS[0]).items() if name.startswith("BERTH_")}
    assert environment.pop("BERTH_CONFIG") == "/etc/berth/berth.toml"
    assert load(tmp_path / "berth.toml", environment, {}).server.public_url == "http://made-up"
    assert str(config.server.listen) == "0.0.0.0:5000"
    assert most_memory(config) < int(DAEMONS[0]["mem_limit"][:-1]) * UNITS[DAEMONS[0]["mem_limit"][-1]]
    assert (config.storage.database, config.s3.endpoint) == (
        "postgresql://berth@postgresql:5432/berth",
        "http://store:9000",
    )
    (network,) = FILE["networks"]["default"]["ipam"]["config"]
    assert [str(proxy) for proxy in config.server.trusted_proxies] == [network["subnet"]]
    grace = DAEMONS[0]["stop_grace_period"]
    assert int(grace[:-1]) * UNITS[grace[-1]] > config.server.drain_timeout + 5


def test_daemons_are_alike() -> None:
    """Both share the folder of signing keys and all settings; only their names differ."""
    assert DAEMONS[0] == DAEMONS[1]
    assert "data:/var/lib/berth" in DAEMONS[0]["volumes"]
    build = DAEMONS[0]["build"]
    assert (COMPOSE / build["context"] / build["dockerfile"]).is_file()


def test_every_secret_is_made_up(tmp_path: Path) -> None:
    """No password has a value or a default; the page makes up all that are asked for, each another one."""
    text = (COMPOSE / "compose.yaml").read_text()
    asked = set(re.findall(r"\$\{(\w+)", text))
    assert set(re.findall(r"\$\{(\w+):\?", text)) == asked
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            assert not re.search("PASSWORD|SECRET", name) or re.fullmatch(r"\$\{\w+:\?.+\}", value), name
    require("openssl")
    made_up = tmp_path / "deploy" / "compose" / ".env"
    made_up.parent.mkdir(parents=True)
    (script,) = blocks("Compose")
    run(f"cd {tmp_path}; {script}", os.environ)
    values = dict(line.split("=") for line in made_up.read_text().splitlines())
    assert set(values) == asked
    assert len({value for value in values.values() if len(value) == 48}) == len(asked) - 1
    assert made_up.stat().st_mode & 0o777 == 0o600


def test_images_are_pinned() -> None:
    """Every image has a tag that says which version it is, and no host."""
    for service in SERVICES.values():
        name, _, tag = service["image"].partition(":")
        assert re.search(r"\d", tag), service["image"]
        assert not re.search(r"[.:]", name.partition("/")[0] if "/" in name else ""), service["image"]


def test_what_depends_on_what_is_healthy() -> None:
    """Whoever waits for another service to be healthy, or to end, waits for one that says so."""
    for service in SERVICES.values():
        for name, wanted in service.get("depends_on", {}).items():
            if wanted["condition"] == "service_healthy":
                assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"
            else:
                assert SERVICES[name]["restart"] == "no"
    for daemon in DAEMONS:
        assert "http://127.0.0.1:5000/readyz" in daemon["healthcheck"]["test"][-1]


def test_proxy(tmp_path: Path) -> None:
    """The proxy's configuration is one, and leads to both daemons, at the port on which they listen."""
    require("nginx")
    text = (COMPOSE / "nginx.conf").read_text()
    assert set(re.findall(r"server (\S+) max_fails", text)) == {"berth-1:5000", "berth-2:5000"}
    (published,) = SERVICES["proxy"]["ports"]
    assert re.findall(r"listen (\d+)", text) == [published.rpartition(":")[2]]
    # The names of the daemons are known in their network alone.
    here = text.replace("/run/nginx", str(tmp_path)).replace("berth-1", "127.0.0.1").replace("berth-2", "127.0.0.1")
    (tmp_path / "nginx.conf").write_text(here)
    checked = subprocess.run(
        [shutil.which("nginx") or "nginx", "-t", "-c", tmp_path / "nginx.conf"],
        capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stderr


def scripts() -> dict[str, str]:
    """What makes the bucket, in each of the two ways to deploy."""
    (job,) = [item for item in documents(KUBERNETES / "store.yaml") if item["kind"] == "Job"]
    (script,) = job["spec"]["template"]["spec"]["containers"][0]["args"]
    return {"compose": SERVICES["bucket"]["command"][0], "kubernetes": script}


@pytest.mark.skipif(s3_store.is_real(), reason="makes a bucket of its own")
@pytest.mark.parametrize("way", ["compose", "kubernetes"])
def test_bucket_is_made(way: str, tmp_path: Path) -> None:
    """The bucket of the settings is there afterwards, also when it was before."""
    settings, bucket = tmp_path / "berth.toml", f"made-for-{way}"
    settings.write_text(f'[s3]\nbucket = "{bucket}"\nendpoint = "{s3_store.endpoint()}"\nregion = "us-east-1"\n')
    environment = {**os.environ, "BERTH_CONFIG": str(settings)}
    for _ in range(2):
        subprocess.run([sys.executable, "-c", scripts()[way]], cwd=ROOT, env=environment, timeout=60, check=True)
    store = s3_store.client(s3_store.endpoint())
    assert bucket in [item["Name"] for item in store.list_buckets()["Buckets"]]
