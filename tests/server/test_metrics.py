"""Metrics: counted in each worker, shown as the sum of all."""

import os
import re
import signal
import urllib.request
from pathlib import Path

from registry.metrics import BOUNDS, Metrics
from tests.server.program import Program, wait_until


def samples(text: str) -> dict[str, float]:
    """Prometheus' text format as values by name and labels."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def shown(metrics: Metrics) -> dict[str, float]:
    """What one process shows of itself."""
    return samples(metrics.render().decode())


def scraped(program: Program) -> dict[str, float]:
    """What one of the workers, whichever it is, shows of all."""
    with urllib.request.urlopen(f"{program.url}/metrics", timeout=5) as answer:
        return samples(answer.read().decode())


def test_requests_are_counted_with_their_bytes_and_times() -> None:
    """Every observation is in the counter, the histogram and the totals of bytes."""
    metrics = Metrics()
    metrics.observe_request("manifest", "GET", 200, 0.004, 0, 100)
    metrics.observe_request("manifest", "GET", 200, 0.004, 0, 100)
    metrics.observe_request("manifest", "GET", 404, 0.1, 0, 10)
    metrics.observe_request("upload", "PATCH", 202, 1000.0, 5000, 0)
    found = shown(metrics)
    assert found['berth_requests_total{method="GET",route="manifest",status="200"}'] == 2
    assert found['berth_requests_total{method="GET",route="manifest",status="404"}'] == 1
    assert found['berth_request_seconds_count{method="GET",route="manifest"}'] == 3
    assert found['berth_request_seconds_bucket{le="0.0025",method="GET",route="manifest"}'] == 0
    assert found['berth_request_seconds_bucket{le="0.005",method="GET",route="manifest"}'] == 2
    assert found['berth_request_seconds_bucket{le="0.1",method="GET",route="manifest"}'] == 3
    assert found['berth_request_seconds_bucket{le="300.0",method="PATCH",route="upload"}'] == 0
    assert found['berth_request_seconds_bucket{le="+Inf",method="PATCH",route="upload"}'] == 1
    assert found['berth_request_seconds_sum{method="PATCH",route="upload"}'] == 1000.0
    assert found["berth_received_bytes_total"] == 5000
    assert found["berth_sent_bytes_total"] == 210


def test_counts_add_up_over_flushes() -> None:
    """What was flushed before is neither lost nor counted again."""
    metrics = Metrics()
    for _ in range(3):
        metrics.observe_request("blob", "GET", 200, BOUNDS[0], 1, 1)
        metrics.flush()
        metrics.flush()
    assert shown(metrics)['berth_requests_total{method="GET",route="blob",status="200"}'] == 3


def test_made_up_methods_make_no_time_series() -> None:
    """Whatever methods clients invent, they are counted as one."""
    metrics = Metrics()
    for number in range(50):
        metrics.observe_request("none", f"X{number}", 405, 0.001, 0, 0)
    found = shown(metrics)
    assert found['berth_requests_total{method="OTHER",route="none",status="405"}'] == 50
    assert not [name for name in found if "X1" in name]


def test_gauges_show_what_was_set() -> None:
    """Storage, connections and uploads are shown as they are now, not as sums over time."""
    metrics = Metrics()
    metrics.connections, metrics.uploads_in_flight = 5, 2
    metrics.set_storage(10, 2**40, 3)
    metrics.render()
    metrics.connections = 4
    metrics.set_storage(11, 2**41, 3)
    found = shown(metrics)
    assert found["berth_connections"] == 4
    assert found["berth_uploads_in_flight"] == 2
    assert found["berth_storage_blobs"] == 11
    assert found["berth_storage_bytes"] == 2**41
    assert found["berth_repositories"] == 3
    assert [name for name in found if re.fullmatch(r'berth_build_info\{version="\d+\.\d+\.\d+"\}', name)]


def test_failed_tasks_are_counted() -> None:
    """Each failure of a background task counts under its name."""
    metrics = Metrics()
    metrics.task_failed("reaper")
    metrics.task_failed("reaper")
    assert shown(metrics)['berth_task_failures_total{task="reaper"}'] == 2


def test_worker_that_has_just_started_does_no_harm(tmp_path: Path) -> None:
    """A file that another process has made, but not filled yet, does not keep the metrics from being shown."""
    (tmp_path / "counter_1.db").touch()
    assert Metrics(tmp_path).render() == b""


def test_metrics_are_of_all_workers_and_outlive_them() -> None:
    """Any worker shows the requests of all, a crash takes nothing away, and no file is left at the end."""
    name = 'berth_requests_total{method="GET",route="pid",status="200"}'
    with Program() as program:
        answers = set()
        for _ in range(40):
            with urllib.request.urlopen(f"{program.url}/pid", timeout=5) as answer:
                answers.add(int(answer.read()))
        workers = program.workers()
        assert answers == set(workers)
        wait_until(lambda: scraped(program).get(name) == 40, 5)
        assert scraped(program)["berth_workers"] == 2
        (folder,) = program.temporary.iterdir()
        files = len(list(folder.iterdir()))

        for pid in workers:
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: len(set(program.workers()) - set(workers)) > workers.index(pid))  # noqa: B023
        wait_until(lambda: scraped(program)["berth_workers"] == 2, 5)
        assert scraped(program)[name] == 40
        assert len(list(folder.iterdir())) == files

        program.send(signal.SIGTERM)
        assert program.wait() == 0
        assert list(program.temporary.iterdir()) == []
