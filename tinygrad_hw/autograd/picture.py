"""Boxes and arrows as an SVG picture, in rows: each box below what it depends on.

The usual steps of a layered drawing (Sugiyama, Tagawa and Toda 1981): rows by the longest path, a
joint in every row that an arrow passes, rows sorted by where their neighbours are.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import pairwise
from typing import Any, NamedTuple

LETTER, LINE, MARGIN, GAP = 6.6, 15.0, 10.0, 30.0  # sizes in pixels, of an 11 pixel font
FILL = {"op": "#eef3fb", "leaf": "#e9f6ea", "constant": "#f3f3f3"}
Point = tuple[float, float]


class Layout(NamedTuple):
    """Where everything is: (x, y, width, height) of each box, the points of each arrow."""

    boxes: list[tuple[float, float, float, float]]
    arrows: list[list[Point]]
    width: float
    height: float


def rows_of(n: int, arrows: Sequence[tuple[int, int]]) -> list[int]:
    """The row of each box, so that arrows lead downward; a source is just above its first use."""
    row = [0] * n
    uses: list[list[int]] = [[] for _ in range(n)]
    for a, b in sorted(arrows, key=lambda arrow: arrow[1]):  # boxes come in topological order
        row[b] = max(row[b], row[a] + 1)
        uses[a].append(b)
    targets = {b for _, b in arrows}
    for i in range(n):
        if i not in targets and uses[i]:
            row[i] = min(row[b] for b in uses[i]) - 1
    return row


def layout(boxes: Sequence[Any], arrows: Sequence[tuple[int, int]]) -> Layout:
    row = rows_of(len(boxes), arrows)
    widths = [max(map(len, box.lines)) * LETTER + 2 * MARGIN for box in boxes]
    heights = [len(box.lines) * LINE + MARGIN for box in boxes]
    chains = []
    for a, b in arrows:  # a joint in each row between the two ends
        joints = list(range(len(row), len(row) + row[b] - row[a] - 1))
        row += range(row[a] + 1, row[b])
        chains.append([a, *joints, b])
    widths += [0.0] * (len(row) - len(boxes))
    heights += [0.0] * (len(row) - len(boxes))
    rows: list[list[int]] = [[] for _ in range(max(row, default=0) + 1)]
    for i, r in enumerate(row):
        rows[r].append(i)
    x = across(rows, chains, widths)
    left = min((x[i] - widths[i] / 2 for i in range(len(row))), default=0.0) - MARGIN
    right = max((x[i] + widths[i] / 2 for i in range(len(row))), default=0.0) + MARGIN
    y, top = [0.0] * len(row), MARGIN
    for members in rows:
        tall = max((heights[i] for i in members), default=0.0)
        for i in members:
            y[i] = top + tall / 2
        top += tall + GAP
    return Layout(
        [
            (x[i] - left - widths[i] / 2, y[i] - heights[i] / 2, widths[i], heights[i])
            for i in range(len(boxes))
        ],
        [
            [
                (x[a] - left, y[a] + heights[a] / 2),
                *((x[i] - left, y[i]) for i in joints),
                (x[b] - left, y[b] - heights[b] / 2),
            ]
            for a, *joints, b in chains
        ],
        right - left,
        top - GAP + MARGIN,
    )


def across(
    rows: list[list[int]], chains: Sequence[Sequence[int]], widths: Sequence[float]
) -> list[float]:
    """How far to the right the middle of each box and joint is."""
    neighbours: list[list[int]] = [[] for _ in widths]
    for chain in chains:
        for a, b in pairwise(chain):
            neighbours[a].append(b)
            neighbours[b].append(a)
    x = [0.0] * len(widths)

    def spread(members: list[int], middle: float) -> None:
        at = middle - (sum(widths[i] for i in members) + 2 * MARGIN * (len(members) - 1)) / 2
        for i in members:
            x[i] = at + widths[i] / 2
            at += widths[i] + 2 * MARGIN

    for members in rows:
        spread(members, 0)
    for sweep in range(8):
        for members in rows if sweep % 2 == 0 else rows[::-1]:
            wish = {
                i: sum(x[k] for k in near) / len(near) if (near := neighbours[i]) else x[i]
                for i in members
            }
            members.sort(key=wish.__getitem__)
            spread(members, sum(wish.values()) / len(members))
    return x


def path(points: Sequence[Point]) -> str:
    """A curve through points from top to bottom, upright in each."""
    parts = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for (x, y), (u, v) in pairwise(points):
        middle = (y + v) / 2
        parts.append(f"C{x:.1f} {middle:.1f} {u:.1f} {middle:.1f} {u:.1f} {v:.1f}")
    return "".join(parts)


def svg(boxes: Sequence[Any], arrows: Sequence[tuple[int, int]]) -> str:
    """The picture, which needs nothing but what shows SVG."""
    at = layout(boxes, arrows)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{at.width:.0f}" height="{at.height:.0f}" '
        f'viewBox="0 0 {at.width:.0f} {at.height:.0f}" font-family="monospace" font-size="11">',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#777"/></marker></defs>',
    ]
    parts += [
        f'<path d="{path(points)}" fill="none" stroke="#777" marker-end="url(#tip)"/>'
        for points in at.arrows
    ]
    for box, (x, y, w, h) in zip(boxes, at.boxes, strict=True):
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
