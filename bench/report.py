"""The results as a Markdown table that reads well in a terminal, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from bench.measurements import Outcome, Row
from bench.servers import OURS, Registry

NARROW_SPACE = "\N{NARROW NO-BREAK SPACE}"


def number(value: float) -> str:
    """Three significant digits at least, thousands set apart: 0.123, 4.56, 78.9, 12 345."""
    if value >= 100:
        return f"{value:,.0f}".replace(",", NARROW_SPACE)
    if value >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if value >= 1 else f"{value:.3f}"


def ratio_text(ratio: float | None) -> str:
    """How many times better, such as 7.6×, or a dash."""
    return "–" if ratio is None else f"{ratio:.1f}×" if ratio >= 10 else f"{ratio:.2f}×"


def peers(registries: Sequence[Registry]) -> list[str]:
    """The names of all registries but Berth; empty when Berth was not measured."""
    names = [registry.name for registry in registries]
    return [name for name in names if name != OURS] if OURS in names else []


def table(rows: Sequence[Row], registries: Sequence[Registry]) -> str:
    """One line per measurement and one for its latencies, then the notes."""
    names = [registry.name for registry in registries]
    others = peers(registries)
    lines = [["measurement", "unit", *names, *(f"{OURS} / {name}" for name in others)]]
    for row in rows:
        cells = [_cell(row.outcomes[name]) for name in names]
        ratios = [ratio_text(row.ratio(OURS, name)) for name in others]
        lines.append([row.measurement.title, row.measurement.unit, *cells, *ratios])
        if any(outcome.detail("p99_ms") is not None for outcome in row.outcomes.values()):
            latencies = [_latency(row.outcomes[name]) for name in names]
            lines.append(["· latency, p50 / p99", "ms", *latencies, *("" for _ in others)])
    return "\n".join([_aligned(lines), *_notes(rows)])


def as_json(
    rows: Sequence[Row],
    registries: Sequence[Registry],
    machine: Mapping[str, object],
    run: Mapping[str, object],
) -> str:
    """Everything that was measured, with every sample, as JSON text."""
    document = {
        **run,
        "machine": machine,
        "registries": [{"name": registry.name, "version": registry.version} for registry in registries],
        "measurements": [_row_json(row, peers(registries)) for row in rows],
    }
    return json.dumps(document, indent=2, default=str) + "\n"


def write(folder: Path, name: str, text: str) -> Path:
    """Writes `text` into `folder`, which is made when it is not there, and returns the file."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def _cell(outcome: Outcome) -> str:
    if not outcome.samples:
        # The table needs one line; the whole text is in the JSON.
        return " ".join(outcome.problem.split())[:80]
    if len(outcome.values) == 1:
        return number(outcome.median)
    return f"{number(outcome.median)} ({number(min(outcome.values))}–{number(max(outcome.values))})"


def _latency(outcome: Outcome) -> str:
    p50, p99 = outcome.detail("p50_ms"), outcome.detail("p99_ms")
    return "" if p50 is None or p99 is None else f"{number(p50)} / {number(p99)}"


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    text = ["| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in lines]
    # The first two columns are words, the others figures.
    rule = ["-" * width if index < 2 else "-" * (width - 1) + ":" for index, width in enumerate(widths)]
    return "\n".join([text[0], "| " + " | ".join(rule) + " |", *text[1:]])


def _notes(rows: Sequence[Row]) -> list[str]:
    notes = [
        f"- {row.measurement.title}: {name}: {note}"
        for row in rows
        for name, outcome in row.outcomes.items()
        for note in outcome.notes
    ]
    return ["", "Notes:", "", *notes] if notes else []


def _row_json(row: Row, others: Sequence[str]) -> dict[str, object]:
    measurement = row.measurement
    return {
        "name": measurement.name,
        "title": measurement.title,
        "unit": measurement.unit,
        "better": "more" if measurement.more_is_better else "less",
        "results": {name: _outcome_json(outcome) for name, outcome in row.outcomes.items()},
        "ratios": {name: row.ratio(OURS, name) for name in others},
    }


def _outcome_json(outcome: Outcome) -> dict[str, object]:
    if not outcome.samples:
        return {"problem": outcome.problem}
    return {
        "median": outcome.median,
        "min": min(outcome.values),
        "max": max(outcome.values),
        "samples": [asdict(sample) for sample in outcome.samples],
    }
