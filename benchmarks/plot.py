"""What the suite found, drawn: how many times our time each takes, and how costs grow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.table import counted

COLUMNS = 3


def draw(found: dict[str, Any], path: Path) -> None:
    """One picture: a panel for each workload's ratios, and one for each thing that grows."""
    from matplotlib.figure import Figure

    workloads = grouped(found["tables"], lambda t: f"{t['workload']}, {counted(t['threads'])}")
    growths = grouped(found["growth"], lambda g: f"{g['unit']} against {g['of']}")
    panels = [*((ratios, *item) for item in workloads.items()),
              *((curves, *item) for item in growths.items())]
    rows = max(1, -(-len(panels) // COLUMNS))
    figure = Figure(figsize=(7 * COLUMNS, 3.6 * rows), layout="constrained")
    machine = found["machine"]
    figure.suptitle(f"{machine['cpu']}, {machine['python']}, {found['date']}", fontsize=10)
    for i, (panel, title, items) in enumerate(panels, 1):
        axes = figure.add_subplot(rows, COLUMNS, i)
        axes.set_title(title, fontsize=10)
        panel(axes, items)
    figure.savefig(path, dpi=100)


def grouped(items: list[dict[str, Any]], key: Any) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def ratios(axes: Any, tables: list[dict[str, Any]]) -> None:
    """A dot for each contender's median ratio in each case, with its range; ours is the line."""
    cases = [table["case"] for table in tables]
    others = dict.fromkeys(row["who"] for table in tables for row in table["rows"][1:])
    for k, who in enumerate(others):
        rows = [
            (at, row)
            for at, table in enumerate(tables)
            for row in table["rows"]
            if row["who"] == who
        ]
        height = 0.6 * (k / max(1, len(others) - 1) - 0.5) if len(others) > 1 else 0
        middle = [row["ratio"] for _, row in rows]
        axes.errorbar(
            middle,
            [at + height for at, _ in rows],
            xerr=[
                [row["ratio"] - row["ratio_low"] for _, row in rows],
                [row["ratio_high"] - row["ratio"] for _, row in rows],
            ],
            fmt="o", markersize=4, linewidth=1, label=who,
        )
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.set_xlim(min(low, 0.5), max(high, 2))  # no ratio near 1 looks like much
    plainly(axes.xaxis)
    axes.set_yticks(range(len(cases)), cases, fontsize=8)
    axes.set_ylim(len(cases) - 0.5, -0.5)
    axes.set_xlabel("times ours: to the right is slower, or more", fontsize=8)
    axes.grid(axis="x", which="both", alpha=0.2)
    axes.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1, 1))


def curves(axes: Any, growths: list[dict[str, Any]]) -> None:
    """Each cost against the size, both in logarithms: the exponent is the slope."""
    for growth in growths:
        label = f"{growth['name']}: {growth['exponent']:.2f} (expected {growth['expected']:g})"
        axes.loglog(growth["sizes"], growth["values"], "o-", markersize=4, label=label)
    low, high = axes.get_ylim()
    if high < 10 * low:  # a cost that hardly grows does not look steep
        axes.set_ylim(low / 3, high * 3)
    plainly(axes.xaxis)
    plainly(axes.yaxis)
    axes.set_xlabel(growths[0]["of"], fontsize=8)
    axes.set_ylabel(growths[0]["unit"], fontsize=8)
    axes.grid(which="both", alpha=0.2)
    axes.legend(fontsize=7)


def plainly(axis: Any) -> None:
    """Marks at 1, 2, 5, 10 and so on, written as such."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=9))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.12g}"))
    axis.set_minor_formatter(NullFormatter())
    axis.set_tick_params(labelsize=8)
