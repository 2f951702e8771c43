"""deploy/prometheus: alerts."""

import re
from typing import Any

from registry.metrics import Metrics
from tests.deploy.files import DEPLOY, documents
from tests.deploy.page import PAGE, blocks, section

(FILE,) = documents(DEPLOY / "prometheus" / "berth.rules.yaml")
RULES: list[dict[str, Any]] = FILE["groups"][0]["rules"]


def names() -> set[str]:
    """The names of all metrics, as Prometheus has them."""
    metrics = Metrics()
    metrics.task_failed("some")
    metrics.observe_request("some", "GET", 200, 0.1, 0, 0)
    return set(re.findall(r"^(\w+)", metrics.render().decode(), re.MULTILINE))


def test_alerts_look_at_metrics_that_exist() -> None:
    """Every metric in an expression is one of Berth's, or `up`, which Prometheus itself has."""
    for rule in RULES:
        used = set(re.findall(r"berth_\w+", rule["expr"])) - {"berth"}
        assert used <= names(), rule["alert"]
        assert used or "up{" in rule["expr"]


def test_alerts_are_explained() -> None:
    """The page has a row for each alert, in the same order, and each alert says in words what is wrong."""
    assert re.findall(r"^\| (Berth\w+) \|", section("Monitoring"), re.MULTILINE) == [rule["alert"] for rule in RULES]
    for rule in RULES:
        assert rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in {"critical", "warning"}


def test_page_scrapes_the_job() -> None:
    """The job that the page lets Prometheus ask is the one that the alerts are about."""
    (text,) = blocks("Monitoring", "yaml")
    assert "job_name: berth\n" in text
    assert 'job="berth"' in RULES[0]["expr"]
    assert "deploy/prometheus/berth.rules.yaml" in PAGE.read_text()
