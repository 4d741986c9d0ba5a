"""Boxes and arrows as an SVG picture, in rows: each box below what it depends on."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

LETTER, LINE, MARGIN, GAP = 6.6, 15.0, 10.0, 34.0  # sizes in pixels, of a 11 pixel font
FILL = {"op": "#eef3fb", "leaf": "#e9f6ea", "constant": "#f3f3f3"}


def rows_of(n: int, arrows: Sequence[tuple[int, int]]) -> list[list[int]]:
    """The boxes in rows, so that arrows lead downward; a source stands just above its first use."""
    row = [0] * n
    uses: list[list[int]] = [[] for _ in range(n)]
    for a, b in sorted(arrows, key=lambda arrow: arrow[1]):  # boxes come in topological order
        row[b] = max(row[b], row[a] + 1)
        uses[a].append(b)
    has_source = {b for _, b in arrows}
    for i in range(n):
        if i not in has_source and uses[i]:
            row[i] = min(row[b] for b in uses[i]) - 1
    rows: list[list[int]] = [[] for _ in range(max(row, default=0) + 1)]
    for i in range(n):
        rows[row[i]].append(i)
    return rows


def places_of(
    boxes: Sequence[Any], arrows: Sequence[tuple[int, int]]
) -> tuple[list[tuple[float, float, float, float]], float, float]:
    """(x, y, width, height) of each box, and the picture's width and height."""
    rows = rows_of(len(boxes), arrows)
    neighbours: list[list[int]] = [[] for _ in boxes]
    for a, b in arrows:
        neighbours[a].append(b)
        neighbours[b].append(a)
    widths = [max(map(len, box.lines)) * LETTER + 2 * MARGIN for box in boxes]
    heights = [len(box.lines) * LINE + MARGIN for box in boxes]
    centre = [0.0] * len(boxes)

    def spread(row: list[int], middle: float) -> None:
        x = middle - (sum(widths[i] for i in row) + MARGIN * 2 * (len(row) - 1)) / 2
        for i in row:
            centre[i] = x + widths[i] / 2
            x += widths[i] + MARGIN * 2

    for row in rows:
        spread(row, 0)
    for sweep in range(6):  # each row in the order of what its boxes are connected to
        for row in rows if sweep % 2 == 0 else reversed(rows):
            wish = {
                i: sum(centre[k] for k in neighbours[i]) / len(neighbours[i])
                if neighbours[i]
                else centre[i]
                for i in row
            }
            row.sort(key=wish.__getitem__)
            spread(row, sum(wish.values()) / len(row))
    left = min((centre[i] - widths[i] / 2 for i in range(len(boxes))), default=0.0) - MARGIN
    right = max((centre[i] + widths[i] / 2 for i in range(len(boxes))), default=0.0) + MARGIN
    found: dict[int, tuple[float, float, float, float]] = {}
    y = MARGIN
    for row in rows:
        tall = max((heights[i] for i in row), default=0.0)
        for i in row:
            top = y + (tall - heights[i]) / 2
            found[i] = (centre[i] - widths[i] / 2 - left, top, widths[i], heights[i])
        y += tall + GAP
    return [found[i] for i in range(len(boxes))], right - left, y - GAP + MARGIN


def svg(boxes: Sequence[Any], arrows: Sequence[tuple[int, int]]) -> str:
    """The picture, which needs nothing but what shows SVG."""
    places, width, height = places_of(boxes, arrows)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="monospace" font-size="11">',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#777"/></marker></defs>',
    ]
    for a, b in arrows:
        (x, y, w, h), (u, v, s, _) = places[a], places[b]
        x, y, u = x + w / 2, y + h, u + s / 2
        bend = (v - y) / 2
        parts.append(
            f'<path d="M{x:.1f} {y:.1f}C{x:.1f} {y + bend:.1f} {u:.1f} {v - bend:.1f} {u:.1f} '
            f'{v:.1f}" fill="none" stroke="#777" marker-end="url(#tip)"/>'
        )
    for box, (x, y, w, h) in zip(boxes, places, strict=True):
        corner = h / 2 if box.sort == "leaf" else 3
        parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" rx="{corner:.1f}" '
            f'fill="{FILL[box.sort]}" stroke="#777"/>'
        )
        for k, text in enumerate(box.lines):
            weight = ' font-weight="bold"' if k == 0 else ""
            parts.append(
                f'<text x="{x + w / 2:.1f}" y="{y + MARGIN / 2 + LINE * k + 11:.1f}" '
                f'text-anchor="middle" fill="#111"{weight}>{escape(text)}</text>'
            )
    return "\n".join([*parts, "</svg>"])
