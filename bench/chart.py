"""The chart of a report, as SVG: for each workload its main figure, a bar for each entrant. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from bench.figures import UNITS, spread

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.results import Result

_WIDTH = 900
_LABELS = 230
_VALUES = 130
_BAR = 16
_STEP = 22
_HEAD = 40
_OURS, _PEERS = "#c2410c", "#94a3b8"


def draw(found: Sequence[Result]) -> str:
    """All workloads below each other; ours are coloured, and a thin line spans least to most."""
    parts: list[str] = []
    top = 10
    for result in found:
        parts += _panel(result, top)
        top += _HEAD + _STEP * len(result.entries)
    style = 'font-family="sans-serif" font-size="13"'
    size = f'width="{_WIDTH}" height="{top + 10}" viewBox="0 0 {_WIDTH} {top + 10}"'
    body = "\n".join(parts)
    background = '<rect width="100%" height="100%" fill="white"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>\n{background}\n{body}\n</svg>\n'


def _panel(result: Result, top: int) -> Iterator[str]:
    spreads = {name: spread(samples, result.figure) for name, samples in result.samples.items()}
    longest = max((found.most for found in spreads.values() if found), default=0) or 1
    scale = (_WIDTH - _LABELS - _VALUES) / longest
    title = f"{result.title} ({result.figure}, {UNITS[result.figure]})"
    yield f'<text x="10" y="{top + 18}" font-weight="bold">{escape(title)}</text>'
    for row, (name, found) in enumerate(spreads.items()):
        y = top + 28 + row * _STEP
        yield f'<text x="{_LABELS - 10}" y="{y + 13}" text-anchor="end">{escape(name)}</text>'
        if found is None:
            yield f'<text x="{_LABELS}" y="{y + 13}">no figure</text>'
            continue
        colour = _OURS if name.startswith("lite") else _PEERS
        middle = y + _BAR / 2
        yield f'<rect x="{_LABELS}" y="{y}" width="{found.median * scale:.1f}" height="{_BAR}" fill="{colour}"/>'
        ends = f'x1="{_LABELS + found.least * scale:.1f}" x2="{_LABELS + found.most * scale:.1f}"'
        yield f'<line {ends} y1="{middle}" y2="{middle}" stroke="black"/>'
        x = _LABELS + found.most * scale + 6
        yield f'<text x="{x:.1f}" y="{y + 13}">{found.median:,.{0 if found.median >= 100 else 1}f}</text>'
