"""Facts of the machine that a reader needs to judge the figures; nothing that names it."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path


def facts(folder: Path) -> dict[str, object]:
    """Cores, memory, kernel, versions, the load before the run, and what kind of disk `folder` is on."""
    return {
        "cpu": _cpu_model(),
        "cores": cores(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "wrk": _wrk_version(),
        "filesystem": filesystem(folder),
        "load_before": round(os.getloadavg()[0], 2),
    }


def cores() -> int:
    """How many processor cores this process may use."""
    return len(os.sched_getaffinity(0))


def filesystem(folder: Path) -> str:
    """The type of the filesystem that holds `folder`, such as ext4 or tmpfs."""
    best, kind = "", "unknown"
    path = str(folder.resolve())
    for line in Path("/proc/mounts").read_text().splitlines():
        _, point, fstype, *_ = line.split()
        inside = path == point or path.startswith(point.rstrip("/") + "/")
        # Of two mounts on one point the later one is seen.
        if inside and len(point) >= len(best):
            best, kind = point, fstype
    return kind


def process_tree(pid: int) -> list[int]:
    """`pid` and all its descendants that exist now."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (parent := _parent(entry)) is not None:
            children.setdefault(parent, []).append(int(entry.name))
    tree = [pid]
    for each in tree:
        tree.extend(children.get(each, []))
    return tree


def memory(pids: list[int]) -> int:
    """The sum of the proportional set sizes of `pids` in bytes: pages that they share count once."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
    return total


def foreign_seconds(pids: list[int]) -> float:
    """CPU time since boot that was not spent by this process, its ended children or the trees of `pids`.

    Only differences mean something. Interrupts count for nobody: on loopback they are the benchmark's own.
    """
    user, nice, system, _idle, _iowait, _irq, _softirq, steal, *_ = (
        int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    )
    ticks = user + nice + system + steal
    for pid in {member for root in pids for member in process_tree(root)}:
        # utime, stime, and the same of children that ended: fields 14 to 17 of the line.
        ticks -= sum(int(field) for field in _status(Path(f"/proc/{pid}"))[11:15])
    return ticks / os.sysconf("SC_CLK_TCK") - sum(os.times()[:4])


def _parent(entry: Path) -> int | None:
    try:
        return int(_status(entry)[1])
    except OSError:
        return None


def _status(entry: Path) -> list[str]:
    # The command name is in brackets and may hold anything; the fields after it are plain.
    return (entry / "stat").read_text().rpartition(")")[2].split()


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _wrk_version() -> str:
    run = subprocess.run(["wrk", "--version"], capture_output=True, text=True, timeout=10, check=False)
    words = run.stdout.split()
    return words[1] if len(words) > 1 else "unknown"
