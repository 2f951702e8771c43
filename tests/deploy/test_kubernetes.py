"""deploy/kubernetes: what the manifests say, beside what Berth serves and what its settings are."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from auth.keyfiles import KeyFolder
from registry.api.ops import Operations
from registry.log import RequestLog
from registry.metrics import Metrics
from registry.state import WorkerState
from storage.metadata.sqlite import MemoryStore
from tests.api.server import RequestLines
from tests.clients.programs import require
from tests.deploy.files import KUBERNETES, connections, documents, most_memory, settings_in
from tests.deploy.page import blocks, run

Json = Mapping[str, Any]

(KUSTOMIZATION,) = documents(KUBERNETES / "kustomization.yaml")
RESOURCES: list[Json] = [item for name in KUSTOMIZATION["resources"] for item in documents(KUBERNETES / name)]
SECRETS: list[Json] = documents(KUBERNETES / "secrets.example.yaml")
UNITS = {"Mi": 1 << 20, "Gi": 1 << 30}

# What Kubernetes knows of what is used here. It refuses other words, or worse, ignores them.
VERSIONS = {
    "Namespace": "v1",
    "ConfigMap": "v1",
    "Secret": "v1",
    "Service": "v1",
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "Job": "batch/v1",
    "PodDisruptionBudget": "policy/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
}
POD = {
    *("automountServiceAccountToken", "enableServiceLinks", "terminationGracePeriodSeconds", "restartPolicy"),
    *("securityContext", "topologySpreadConstraints", "containers", "volumes"),
}
CONTAINER = {
    *("name", "image", "command", "args", "ports", "env", "startupProbe", "livenessProbe", "readinessProbe"),
    *("lifecycle", "resources", "securityContext", "volumeMounts"),
}
PROBE = {"httpGet", "exec", "periodSeconds", "timeoutSeconds", "failureThreshold"}


def one(kind: str, name: str) -> Json:
    """The only resource of this kind and name."""
    (found,) = [item for item in RESOURCES if (item["kind"], item["metadata"]["name"]) == (kind, name)]
    return found


def pods() -> Iterator[tuple[str, Json]]:
    """The templates of all pods, each with the name of what makes them."""
    for item in RESOURCES:
        if item["kind"] in {"Deployment", "StatefulSet", "Job"}:
            yield item["metadata"]["name"], item["spec"]["template"]


DEPLOYMENT = one("Deployment", "berth")
DAEMON: Json = DEPLOYMENT["spec"]["template"]["spec"]["containers"][0]
SETTINGS: str = one("ConfigMap", "berth")["data"]["berth.toml"]


def size(text: str) -> int:
    return int(text[:-2]) * UNITS[text[-2:]]


def test_every_file_is_used() -> None:
    """All manifests are applied, but for the secrets, which everybody makes up."""
    names = {path.name for path in KUBERNETES.iterdir()}
    assert names - set(KUSTOMIZATION["resources"]) == {"kustomization.yaml", "secrets.example.yaml"}


def test_words_are_known() -> None:
    """Kinds have their versions, and pods, containers and probes consist of what Kubernetes knows."""
    for item in [*RESOURCES, *SECRETS]:
        assert item["apiVersion"] == VERSIONS[item["kind"]]
        assert set(item) <= {"apiVersion", "kind", "metadata", "spec", "data", "stringData"}
    for _, template in pods():
        assert set(template["spec"]) <= POD
        for container in template["spec"]["containers"]:
            assert set(container) <= CONTAINER
            for name in set(container) & {"startupProbe", "livenessProbe", "readinessProbe"}:
                assert set(container[name]) <= PROBE


def test_settings(tmp_path: Path) -> None:
    """The daemons' settings exist and fit together; every variable is one that Berth or a library reads."""
    config = settings_in(SETTINGS, tmp_path / "berth.toml")
    assert str(config.server.listen) == "0.0.0.0:5000"
    assert {item["name"] for item in DAEMON["env"]} == {
        "BERTH_CONFIG", "BERTH_ADMIN_PASSWORD", "PGPASSWORD", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"
    }  # fmt: skip
    mounts = {mount["mountPath"] for mount in DAEMON["volumeMounts"]}
    assert {str(config.auth.keys), str(config.storage.data), "/tmp", "/etc/berth"} == mounts
    # Nobody can write a new key into a secret.
    assert config.auth.key_lifetime == 0


def test_daemon_fits_into_its_pod(tmp_path: Path) -> None:
    """As many pushes as are allowed fit into the memory, and all pods' connections into the database."""
    config = settings_in(SETTINGS, tmp_path / "berth.toml")
    assert most_memory(config) < size(DAEMON["resources"]["limits"]["memory"])
    pods_at_most = DEPLOYMENT["spec"]["replicas"] + DEPLOYMENT["spec"]["strategy"]["rollingUpdate"]["maxSurge"]
    (database,) = one("StatefulSet", "postgresql")["spec"]["template"]["spec"]["containers"]
    (most,) = re.findall(r"max_connections=(\d+)", " ".join(database["args"]))
    assert pods_at_most * connections(config) < int(most)


def test_pod_has_time_to_end(tmp_path: Path) -> None:
    """The pause before the stop, and the drain, are over before the pod is killed."""
    config = settings_in(SETTINGS, tmp_path / "berth.toml")
    _, pause = DAEMON["lifecycle"]["preStop"]["exec"]["command"]
    grace = DEPLOYMENT["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert grace >= int(pause) + config.server.drain_timeout + 10


def test_probes_ask_what_berth_answers(tmp_path: Path) -> None:
    """Probes ask for paths that are served, at the port that is listened on, and wait long enough for the answer."""
    config = settings_in(SETTINGS, tmp_path / "berth.toml")
    state = WorkerState(RequestLog("json", "none", RequestLines()))
    served = {route.template for route in Operations(state, Metrics(), MemoryStore(), {}).routes()}
    assert DAEMON["ports"] == [{"name": "http", "containerPort": config.server.listen.port}]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert DAEMON[probe]["httpGet"]["path"] in served
        assert DAEMON[probe]["httpGet"]["port"] == "http"
    assert DAEMON["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert DAEMON["livenessProbe"]["httpGet"]["path"] == DAEMON["startupProbe"]["httpGet"]["path"] == "/healthz"
    assert DAEMON["readinessProbe"]["timeoutSeconds"] > config.storage.connect_timeout


def test_selectors_find_their_pods() -> None:
    """What selects pods selects those of one template: workloads, services, budgets and network policies."""
    labels = {name: template["metadata"]["labels"] for name, template in pods()}
    for item in RESOURCES:
        selector = item.get("spec", {}).get("selector") or item.get("spec", {}).get("podSelector")
        if selector is not None:
            wanted = selector.get("matchLabels", selector)
            found = [name for name, has in labels.items() if wanted.items() <= has.items()]
            assert found == [item["metadata"]["name"]], item
    assert one("PodDisruptionBudget", "berth")["spec"]["maxUnavailable"] < DEPLOYMENT["spec"]["replicas"]


@pytest.mark.parametrize(("name", "port"), [("postgresql", 5432), ("store", 9000)])
def test_daemons_reach_database_and_store(name: str, port: int, tmp_path: Path) -> None:
    """The settings name services that are there, and both ends' policies let the daemons through."""
    config = settings_in(SETTINGS, tmp_path / "berth.toml")
    assert f"{name}:{port}" in f"{config.storage.database} {config.s3.endpoint}"
    assert one("Service", name)["spec"]["ports"][0]["port"] == port
    out = one("NetworkPolicy", "berth")["spec"]["egress"]
    into = one("NetworkPolicy", name)["spec"]["ingress"]
    far = {"podSelector": {"matchLabels": {"app.kubernetes.io/name": name}}}
    near = {"podSelector": {"matchLabels": {"app.kubernetes.io/name": "berth"}}}
    assert [rule["ports"] for rule in out if far in rule.get("to", [])] == [[{"port": port}]]
    assert [rule["ports"] for rule in into if near in rule["from"]] == [[{"port": port}]]


def test_pods_are_restricted() -> None:
    """Every pod keeps to the restricted profile that the namespace enforces, and writes to volumes alone."""
    enforced = one("Namespace", KUSTOMIZATION["namespace"])["metadata"]["labels"]
    assert enforced["pod-security.kubernetes.io/enforce"] == "restricted"
    for name, template in pods():
        context = template["spec"]["securityContext"]
        assert context["runAsNonRoot"], name
        assert context["runAsUser"] > 0
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert template["spec"]["automountServiceAccountToken"] is False
        volumes = {volume["name"] for volume in template["spec"]["volumes"]}
        for container in template["spec"]["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert {"cpu", "memory"} == set(container["resources"]["requests"])
            assert "memory" in container["resources"]["limits"]
            mounted = {mount["name"] for mount in container["volumeMounts"]}
            assert mounted - {"rows", "bytes"} == volumes


def test_images_are_pinned() -> None:
    """Every image has a tag that says which version it is; that of Berth comes from the kustomization."""
    tags = {image["name"]: str(image["newTag"]) for image in KUSTOMIZATION["images"]}
    for _, template in pods():
        for container in template["spec"]["containers"]:
            name, _, tag = container["image"].partition(":")
            assert re.search(r"\d", tag or tags[name]), container["image"]


def test_every_secret_is_named_and_has_no_value() -> None:
    """The secrets' template has the keys that pods ask for, and nothing in them; the page makes all of them up."""
    template = {item["metadata"]["name"]: item["stringData"] for item in SECRETS}
    containers = [container for _, template in pods() for container in template["spec"]["containers"]]
    variables = [variable for container in containers for variable in container["env"]]
    references = [variable["valueFrom"]["secretKeyRef"] for variable in variables if "valueFrom" in variable]
    assert {reference["name"] for reference in references} == {"berth"}
    asked = {reference["key"] for reference in references}
    assert template == {"berth": dict.fromkeys(asked, ""), "berth-keys": {}}
    commands = "".join(blocks("Kubernetes", ""))
    assert set(re.findall(r"--from-literal=([\w-]+)=", commands)) == asked
    assert {"name": "keys", "secret": {"secretName": "berth-keys", "defaultMode": 0o440}} in (
        DEPLOYMENT["spec"]["template"]["spec"]["volumes"]
    )
    assert "create secret generic berth-keys --from-file=keys" in commands


def test_signing_key_of_the_page(tmp_path: Path) -> None:
    """The key that the page makes up is one that Berth signs with."""
    require("openssl")
    (script,) = blocks("Kubernetes")
    run(f"cd {tmp_path}; {script}", os.environ)
    assert len(KeyFolder(tmp_path / "keys").names()) == 1
