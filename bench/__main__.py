"""The command line of the benchmark."""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench import chart, machine, report
from bench.client import address
from bench.measurements import Row, Settings, run
from bench.plan import plan
from bench.servers import DOCKER_REGISTRY, OURS, Registry, StartFailed, berth, docker_registry, launch

RESULTS = Path(__file__).parent / "results"
SPACE = 12 << 30


def arguments(names: Sequence[str]) -> argparse.ArgumentParser:
    """The command line; `names` are those of the measurements."""
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measures Berth, docker-registry where installed, and any other registry side by side.",
        epilog=f"Measurements: {', '.join(names)}.",
    )
    default = Settings(Path())
    parser.add_argument(
        "--registry",
        action="append",
        default=[],
        metavar="NAME=URL",
        help="one more registry, open for pushes",
    )
    parser.add_argument("--without", default="", metavar="NAME,…", help="do not start berth or docker-registry")
    parser.add_argument("--only", default="", metavar="NAME,…", help="take only these measurements")
    parser.add_argument(
        "--quick", action="store_true", help="one round of 1 s, 5 000 tags: to try things, not to quote"
    )
    parser.add_argument("--rounds", type=positive, help=f"rounds, of which the median is shown ({default.rounds})")
    parser.add_argument("--seconds", type=positive, help=f"duration of each load ({default.seconds})")
    parser.add_argument("--tags", type=positive, help=f"size of the long tag list ({default.tags})")
    parser.add_argument(
        "--fill-seconds", type=positive, help=f"longest time to fill the tag list ({default.fill_seconds})"
    )
    parser.add_argument("--dir", type=Path, help="where data goes: a real disk with 10 GB free (the temp folder)")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where the results go (bench/results)")
    return parser


def settings_of(options: argparse.Namespace, folder: Path) -> Settings:
    """The defaults, or the quick ones, with what was given."""
    quick = {"rounds": 1, "seconds": 1, "tags": 5_000, "fill_seconds": 30} if options.quick else {}
    given = {name: getattr(options, name) for name in ("rounds", "seconds", "tags", "fill_seconds")}
    return Settings(folder, **quick | {name: value for name, value in given.items() if value is not None})


def positive(text: str) -> int:
    """A whole number over 0; ValueError for anything else."""
    if (value := int(text)) < 1:
        raise ValueError(text)
    return value


def others(pairs: Sequence[str], taken: set[str]) -> list[Registry]:
    """The registries given as NAME=URL, under names that are not taken; ValueError for anything else."""
    registries = []
    for pair in pairs:
        name, _, url = pair.partition("=")
        # The name becomes part of a file name.
        if name in taken or not re.fullmatch(r"[A-Za-z0-9._-]+", name):
            raise ValueError(f"{pair!r} needs a plain name that no other registry has")
        address(url)
        taken.add(name)
        registries.append(Registry(name, "unknown", url.rstrip("/")))
    return registries


@contextlib.contextmanager
def running(folder: Path, without: Sequence[str], given: Sequence[Registry]) -> Iterator[list[Registry]]:
    """Berth, docker-registry and the given registries; those that are started here are stopped at the end."""
    with contextlib.ExitStack() as stack:
        programs = [] if OURS in without else [berth()]
        if DOCKER_REGISTRY not in without and (peer := docker_registry()) is not None:
            programs.append(peer)
        registries = []
        for program in programs:
            registry = launch(program, folder / program.name)
            if registry.server is not None:
                stack.callback(registry.server.stop)
            registries.append(registry)
        yield [*registries, *given]


def measure(settings: Settings, only: Sequence[str], registries: Sequence[Registry]) -> list[Row]:
    """Takes the measurements and tells on standard error how it goes."""
    rows = []
    for measurement in plan(settings):
        if only and measurement.name not in only:
            continue
        progress(f"{measurement.title} …")
        row = run(measurement, registries, settings.rounds)
        for name, outcome in row.outcomes.items():
            figure = report.number(outcome.median) if outcome.samples else outcome.problem
            progress(f"    {name}: {figure} {measurement.unit if outcome.samples else ''}")
        rows.append(row)
    return rows


def progress(line: str) -> None:
    """One line on standard error, so that standard output is the table alone."""
    print(line, file=sys.stderr, flush=True)


def deliver(
    rows: Sequence[Row],
    registries: Sequence[Registry],
    facts: dict[str, object],
    settings: Settings,
    out: Path,
) -> None:
    """Prints the table and writes JSON, and a chart for every peer."""
    date = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    run_facts = {"date": date, "settings": settings.quoted()}
    summary = "; ".join(
        [
            ", ".join(f"{registry.name} {registry.version}" for registry in registries),
            f"{facts['filesystem']}, {facts['cores']} cores",
            f"other work took {facts['other_work_percent']} % of them",
            f"median of {settings.rounds}, loads of {settings.seconds} s",
            date[:10],
        ]
    )
    print(f"\n{summary}\n\n{report.table(rows, registries)}\n", flush=True)
    files = [report.write(out, "latest.json", report.as_json(rows, registries, facts, run_facts))]
    for index, peer in enumerate(report.peers(registries)):
        name = "latest.svg" if index == 0 else f"latest-{peer}.svg"
        files.append(report.write(out, name, chart.chart(rows, peer, summary)))
    progress("written: " + ", ".join(str(file) for file in files))


def main() -> int:
    """Measures and reports; 1 when something could not be measured because it failed, 2 for bad arguments."""
    names = [measurement.name for measurement in plan(Settings(Path()))]
    parser = arguments(names)
    options = parser.parse_args()
    only = [name for name in options.only.split(",") if name]
    if unknown := sorted(set(only) - set(names)):
        parser.error(f"no such measurement: {', '.join(unknown)}")
    without = options.without.split(",")
    try:
        given = others(options.registry, {OURS, DOCKER_REGISTRY}.difference(without))
    except ValueError as error:
        parser.error(str(error))
    if shutil.which("wrk") is None:
        progress("wrk is not installed")
        return 1
    # SystemExit lets every server be stopped and the folder be removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="berth-bench-", dir=options.dir) as name:
        settings = settings_of(options, Path(name).resolve())
        return bench(settings, only, without, given, options.out)


def bench(settings: Settings, only: Sequence[str], without: Sequence[str], given: Sequence[Registry], out: Path) -> int:
    """One whole run in the settings' folder; the exit status."""
    facts = machine.facts(settings.folder)
    if facts["filesystem"] == "tmpfs":
        progress("warning: the folder is in memory, where pushes are faster than on a disk: see --dir")
    if shutil.disk_usage(settings.folder).free < SPACE:
        progress(f"warning: less than {SPACE >> 30} GiB are free there, a whole run may need more: see --dir")
    try:
        with running(settings.folder, without, given) as registries:
            pids = [registry.server.process.pid for registry in registries if registry.server is not None]
            started, before = time.monotonic(), machine.foreign_seconds(pids)
            rows = measure(settings, only, registries)
            foreign = (machine.foreign_seconds(pids) - before) / (time.monotonic() - started)
            facts["other_work_percent"] = max(0, round(100 * foreign / machine.cores()))
            deliver(rows, registries, facts, settings, out)
    except StartFailed as error:
        progress(str(error))
        return 1
    return int(any(outcome.failed for row in rows for outcome in row.outcomes.values()))


if __name__ == "__main__":
    sys.exit(main())
