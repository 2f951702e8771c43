"""What it costs to ask who somebody is: the same request without login, and with a token."""

from __future__ import annotations

import base64
import itertools
import json
import subprocess
from pathlib import Path

from bench.client import Client
from bench.content import ACCEPT, push_image, small_image
from bench.load import Load, get_load
from bench.measurements import Measurement, NotMeasured, Sample, Settings
from bench.reads import REPOSITORY, TAG, checked
from bench.servers import OURS, Program, Registry, berth, start

_USER = "admin"


class ManifestWithLogin(Measurement):
    """Requests for one small manifest by tag, with a token that is good for it."""

    name = "manifest-login"
    unit = "requests/s"

    def __init__(self, settings: Settings, connections: int = 32) -> None:
        self.title = f"manifest GET by tag with login, {connections} connections"
        self._settings = settings
        self._connections = connections
        self._image = small_image()
        self._numbers = itertools.count(1)

    def measure(self, registry: Registry) -> Sample:
        if registry.program is None or registry.name != OURS:
            raise NotMeasured("only of Berth itself")
        folder = self._settings.folder / f"login-{next(self._numbers)}"
        folder.mkdir()
        without = self._measure(berth(), folder, token="")
        token = _access_token(folder)
        with_login = self._measure(berth(login=True), folder, token)
        rate, reference = with_login.requests / with_login.seconds, without.requests / without.seconds
        note = f"{100 * (1 - rate / reference):.0f} % less than the {reference:,.0f} without login"
        return Sample(rate, {**checked(with_login, len(self._image.manifest)), "without_login": reference}, note)

    def _measure(self, program: Program, folder: Path, token: str) -> Load:
        server = start(program, folder)
        try:
            headers = {"Accept": ACCEPT}
            if token:
                headers["Authorization"] = f"Bearer {_bearer(server.url, token)}"
            else:
                push_image(server.url, REPOSITORY, TAG, self._image)
            target = f"{server.url}/v2/{REPOSITORY}/manifests/{TAG}"
            # What is remembered of a token is worked out at its first use.
            get_load(target, folder, self._connections, 1, headers)
            load = get_load(target, folder, self._connections, self._settings.seconds, headers)
            checked(load, len(self._image.manifest))
            return load
        finally:
            server.stop()


def _access_token(folder: Path) -> str:
    """A secret for the token service, made beside the data; there is no user before the first start with login."""
    server = start(berth(login=True), folder)
    server.stop()
    command = [*berth().command(folder, 0)[:1], "token", "create", _USER, folder.name, "--actions", "pull", "--quiet"]
    run = subprocess.run(
        [*command, "--data", str(folder / "data")], capture_output=True, text=True, timeout=30, check=True
    )
    return run.stdout.strip()


def _bearer(url: str, secret: str) -> str:
    basic = base64.b64encode(f"{_USER}:{secret}".encode()).decode()
    with Client(url) as client:
        query = f"/token?service=berth&scope=repository:{REPOSITORY}:pull"
        answer = client.expect(200, "GET", query, headers={"Authorization": f"Basic {basic}"})
    token: str = json.loads(answer.body)["token"]
    return token
