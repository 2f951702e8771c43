"""`make bench-gc`: the collector on a large store, what requests notice of it, and what pages of long lists cost."""

from __future__ import annotations

import argparse
import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import machine
from bench.collecting import pages
from bench.collecting.filling import REPOSITORIES, Filled, fill
from bench.collecting.foreground import Foreground, Latencies, percentile
from bench.servers import Program, Server, start

BERTH = Path(sys.executable).with_name("berth")
_LONGEST_S = 1800.0
_NEVER = {"collector.every": "0s", "scrub.every": "0s"}


@dataclass(frozen=True)
class Noticed:
    """What the clients waited in a phase, beside what it was."""

    title: str
    seconds: float
    latencies: Latencies


def tell(line: str) -> None:
    """One line on standard error, so that standard output is the result alone."""
    print(line, file=sys.stderr, flush=True)


def berth(data: Path, *words: str) -> str:
    """Run a command of Berth on a data folder, and return what it prints."""
    return subprocess.run(
        [BERTH, *words, "--data", data], check=True, capture_output=True, text=True, timeout=_LONGEST_S
    ).stdout


@contextmanager
def serving(data: Path, settings: dict[str, str]) -> Iterator[Server]:
    """A daemon on the folder, as it is by default but for these settings."""
    config = data.with_name("berth.toml")
    lines = [f'[{path.split(".")[0]}]\n{path.split(".")[1]} = "{value}"\n' for path, value in settings.items()]
    config.write_text("".join(lines))
    program = Program(
        "berth",
        "",
        lambda _, port: [
            *(str(BERTH), "serve", "--open", "--config", str(config)),
            *("--data", str(data), "--listen", f"127.0.0.1:{port}"),
        ],
    )
    server = start(program, data.parent)
    try:
        yield server
    finally:
        server.stop()


def last_run(data: Path) -> tuple[int | None, int | None, dict[str, Any]]:
    """Beginning, end and counts of the last collection."""
    with closing(sqlite3.connect(f"file:{data / 'metadata.db'}?mode=ro", uri=True)) as connection:
        row = connection.execute("SELECT started_at, ended_at, state FROM runs ORDER BY id DESC LIMIT 1").fetchone()
    return (None, None, {}) if row is None else (row[0], row[1], json.loads(row[2]))


def bench(folder: Path, blobs: int, seconds: float) -> None:
    """Measure with and without a collection, by the daemon itself and by the command beside it, and print it."""
    data, copy = folder / "data", folder / "copy"
    berth(data, "migrate")
    tell(f"filling a store with {blobs} blobs …")
    filled = fill(data, blobs)
    shutil.copytree(data, copy)
    begun = time.perf_counter()
    planned = json.loads(berth(data, "gc", "--dry-run", "--json"))
    plan_s = time.perf_counter() - begun
    tags = filled.manifests // REPOSITORIES

    with serving(data, _NEVER) as server:
        tell("requests without a collection …")
        foreground = Foreground(server.url, tags)
        foreground.run(3)
        quiet = Noticed("without", seconds, foreground.run(seconds))
        tell("requests beside `berth gc` …")
        command = subprocess.Popen([BERTH, "gc", "--json", "--data", data], stdout=subprocess.PIPE, text=True)
        begun = time.perf_counter()
        latencies = foreground.run(_LONGEST_S, until=lambda: command.poll() is not None)
        beside = Noticed("beside berth gc", time.perf_counter() - begun, latencies)
        swept = json.loads(command.communicate()[0])
        tell("requests after it …")
        after = Noticed("without, after it", seconds, foreground.run(seconds))

    with serving(copy, {**_NEVER, "collector.every": "1s"}) as server:
        tell("requests while the daemon collects …")
        foreground = Foreground(server.url, tags)
        foreground.run(1)
        latencies = foreground.run(_LONGEST_S, until=lambda: last_run(copy)[1] is not None)
        started, ended, counts = last_run(copy)
        within = Noticed("while the daemon collects", ((ended or 0) - (started or 0)) / 1000, latencies)

    _expect(planned, filled)
    _expect(swept, filled)
    _expect(counts, filled)
    print(f"{filled.blobs} blobs, {filled.garbage} of them garbage, {filled.manifests} manifests with their tags")
    print(f"plan (berth gc --dry-run)     {plan_s:8.1f} s")
    for noticed in (beside, within):
        print(f"{'sweep ' + noticed.title:<30}{noticed.seconds:8.1f} s")
    _print_latencies([quiet, after], [beside, within])


def _expect(counts: dict[str, Any], filled: Filled) -> None:
    if counts["blobs"] != filled.garbage or counts["failed"]:
        raise SystemExit(f"the collection is wrong: {counts}, but {filled.garbage} blobs are garbage")


def _print_latencies(without: Sequence[Noticed], collecting: Sequence[Noticed]) -> None:
    """One line each; the last column says how much longer than without a collection, when that was fastest."""
    reads = min(percentile(one.latencies.reads, 0.99) for one in without)
    pushes = min(percentile(one.latencies.pushes, 0.99) for one in without)
    print(f"\n{'p50 / p99, ms':<28}{'manifest GET':>18}{'push of an image':>20}{'p99 ×':>14}")
    for one in (*without, *collecting):
        found = one.latencies
        ratios = f"{percentile(found.reads, 0.99) / reads:.2f} {percentile(found.pushes, 0.99) / pushes:.2f}"
        print(f"{one.title:<28}{_both(found.reads):>18}{_both(found.pushes):>20}{ratios:>14}")


def _both(values: list[float]) -> str:
    return f"{percentile(values, 0.5):.1f} / {percentile(values, 0.99):.1f}"


def bench_pages(folder: Path) -> None:
    """Measure pages of lists of growing length, and print them."""
    print(f"\n{'a page from the middle, ms':<28}" + "".join(f"{size:>20}" for size in pages.SIZES))
    found = {}
    for size in pages.SIZES:
        tell(f"pages of lists of {size} …")
        data = folder / f"pages-{size}" / "data"
        data.parent.mkdir()
        berth(data, "migrate")
        pages.fill(data, size)
        with serving(data, _NEVER) as server:
            found[size] = pages.measure(server.url, size)
        shutil.rmtree(data.parent)
    for name in found[pages.SIZES[0]]:
        costs = [found[size][name] for size in pages.SIZES]
        print(f"{name:<28}" + "".join(f"{page.milliseconds:>9.2f} ({page.entries:>5}) " for page in costs))


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.collecting", description=__doc__)
    parser.add_argument("--blobs", type=int, default=1_000_000, help="rows of blobs (1000000)")
    parser.add_argument("--seconds", type=float, default=30, help="how long requests run without a collection (30)")
    parser.add_argument("--without-pages", action="store_true", help="leave out the pages of long lists")
    parser.add_argument("--dir", type=Path, help="where data goes: a real disk with 5 GB free (the temp folder)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="berth-bench-", dir=options.dir) as name:
        folder = Path(name).resolve()
        started, before = time.monotonic(), machine.foreign_seconds([])
        bench(folder, options.blobs, options.seconds)
        if not options.without_pages:
            bench_pages(folder)
        share = (machine.foreign_seconds([]) - before) / (time.monotonic() - started) / machine.cores()
        tell(f"{100 * share:.0f} % of {machine.cores()} cores were used, by this and by other work")
    return 0


if __name__ == "__main__":
    sys.exit(main())
