"""The ratios as a bar chart in SVG: to the right of the line Berth is better, to the left the peer is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from bench.measurements import Row
from bench.report import NARROW_SPACE, number, ratio_text
from bench.servers import OURS

WIDTH = 920
LABELS = 330
RIGHT = 150
TOP = 84
LINE = 34
FONTS = "system-ui, 'Segoe UI', Helvetica, Arial, sans-serif"
INK, SOFT, GRID = "#1f2933", "#616e7c", "#e4e7eb"
BETTER, WORSE = "#2b7bb9", "#c8553d"
TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


def chart(rows: Sequence[Row], peer: str, subtitle: str) -> str:
    """An SVG document that compares Berth with `peer`, one bar per row, on a logarithmic scale."""
    ratios = [row.ratio(OURS, peer) for row in rows]
    scale = _Scale([ratio for ratio in ratios if ratio is not None])
    bottom = TOP + LINE * len(rows)
    parts = [
        _text(24, 34, f"Berth compared with {peer}", size=19, weight=600),
        _text(24, 56, subtitle, fill=SOFT, size=12),
        *(_tick(scale, tick, bottom) for tick in scale.ticks),
    ]
    for index, (row, ratio) in enumerate(zip(rows, ratios, strict=True)):
        parts += _bar(row, peer, ratio, scale, TOP + LINE * index)
    parts.append(
        _text(
            scale.x(1),
            bottom + 36,
            "times better, logarithmic; bars to the left: the peer is better",
            SOFT,
            11,
        )
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{bottom + 52}" '
        f'viewBox="0 0 {WIDTH} {bottom + 52}" font-family="{FONTS}">\n'
        f'<rect width="100%" height="100%" fill="#ffffff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


class _Scale:
    """Where a ratio lies on the horizontal axis, which shows the ticks around all of `ratios` and 1."""

    def __init__(self, ratios: Sequence[float]) -> None:
        low, high = min([1.0, *ratios]), max([2.0, *ratios])
        self.low = max((tick for tick in TICKS if tick <= low), default=TICKS[0])
        self.high = min((tick for tick in TICKS if tick >= high), default=TICKS[-1])
        self.ticks = [tick for tick in TICKS if self.low <= tick <= self.high]

    def x(self, ratio: float) -> float:
        share = math.log(min(max(ratio, self.low), self.high) / self.low) / math.log(self.high / self.low)
        return LABELS + share * (WIDTH - LABELS - RIGHT)


def _bar(row: Row, peer: str, ratio: float | None, scale: _Scale, y: int) -> list[str]:
    parts = [_text(LABELS - 12, y + 14, row.measurement.title, INK, 12, "end")]
    parts.append(_text(LABELS - 12, y + 27, _figures(row, peer), SOFT, 10, "end"))
    if ratio is None:
        return [*parts, _text(scale.x(1) + 8, y + 20, "not compared", SOFT, 12)]
    start, end = sorted((scale.x(1), scale.x(ratio)))
    parts.append(
        f'<rect x="{start:.1f}" y="{y + 6}" width="{max(end - start, 1):.1f}" height="20" rx="2" '
        f'fill="{BETTER if ratio >= 1 else WORSE}"/>'
    )
    return [*parts, _text(max(end, scale.x(1)) + 8, y + 21, ratio_text(ratio), INK, 13, weight=600)]


def _figures(row: Row, peer: str) -> str:
    def figure(name: str) -> str:
        outcome = row.outcomes[name]
        return number(outcome.median) if outcome.samples else outcome.problem.split(":")[0].split(" (")[0]

    return f"{figure(OURS)} against {figure(peer)} {row.measurement.unit}"


def _tick(scale: _Scale, tick: float, bottom: int) -> str:
    x = scale.x(tick)
    colour = SOFT if tick == 1 else GRID
    line = f'<line x1="{x:.1f}" y1="{TOP - 6}" x2="{x:.1f}" y2="{bottom + 4}" stroke="{colour}"/>'
    return line + _text(x, bottom + 18, f"{tick:g}×", SOFT, 11, "middle")


def _text(
    x: float, y: float, text: str, fill: str = INK, size: int = 12, anchor: str = "start", weight: int = 400
) -> str:
    # Not every viewer has the narrow space in its font.
    content = escape(text.replace(NARROW_SPACE, " "))
    return (
        f'<text x="{x:.1f}" y="{y}" font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" '
        f'fill="{fill}">{content}</text>'
    )
