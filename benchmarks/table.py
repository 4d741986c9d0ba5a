"""What the suite found, in lines of text."""

from __future__ import annotations

from typing import Any


def shown(table: dict[str, Any]) -> str:
    """A contest's table: each contender's time, and how many times ours it is."""
    title = f"{table['workload']}, {table['case']}: {table['unit']}, {counted(table['threads'])}"
    lines = [f"{title} ({table['note']})" if table["note"] else title]
    wide = max(len(row["who"]) for row in table["rows"])
    lines.append(f"  {'':{wide}} {'median':>10}  {'lowest to highest':^21} {'of ours':>8}  (range)")
    for row in table["rows"]:
        times = f"{number(row['low'])} to {number(row['high'])}"
        ratios = f"({row['ratio_low']:.2f} to {row['ratio_high']:.2f})"
        lines.append(
            f"  {row['who']:{wide}} {number(row['median']):>10}  {times:^21} {row['ratio']:8.2f}  "
            + ratios
        )
    return "\n".join([*lines, *(f"  absent: {absent}" for absent in table["absent"])])


def gains(tables: list[dict[str, Any]]) -> str:
    """How many times faster ours is with more threads, where a case was run with one and more."""
    alone = {
        (one["workload"], one["case"]): one["rows"][0]["median"]
        for one in tables
        if one["threads"] == 1
    }
    lines = ["tinygrad_hw with more threads than one, times as fast"]
    for one in tables:
        before = alone.get((one["workload"], one["case"]))
        if before and one["threads"] > 1:
            gain = before / one["rows"][0]["median"]
            name = f"{one['workload']}, {one['case']}"
            lines.append(f"  {name:48} {counted(one['threads'])} {gain:6.2f}")
    return "\n".join(lines)


def grown(growth: dict[str, Any]) -> str:
    """A growth's measures, and its exponent beside the expected one."""
    verdict = "" if growth["within"] else "  WORSE than the mathematics"
    note = f" ({growth['note']})" if growth["note"] else ""
    return "\n".join([
        f"{growth['name']}, {growth['unit']} against {growth['of']}{note}",
        *(
            f"  {size:>12,} {number(value):>12}"
            for size, value in zip(growth["sizes"], growth["values"], strict=True)
        ),
        f"  exponent {growth['exponent']:.2f}, expected {growth['expected']:g}{verdict}",
    ])


def all_of(found: dict[str, Any]) -> str:
    """Everything that a run wrote to a file."""
    parts = [f"{found['date']}, {described(found['machine'])}"]
    parts += [shown(one) for one in found["tables"]] + [grown(one) for one in found["growth"]]
    parts.append(gains(found["tables"]))
    return "\n\n".join([*parts, *(f"FAILED: {why}" for why in found["failed"])])


def described(machine: dict[str, Any]) -> str:
    """The machine in two lines."""
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['os']}, {machine['python']}, "
        f"{machine['blas']}\n{versions}"
    )


def counted(threads: int) -> str:
    return f"{threads} thread{'s' * (threads > 1)}"


def number(value: float) -> str:
    """To four digits, without an exponent."""
    digits = 3 - len(f"{abs(value):.0f}") if abs(value) >= 1 else 3
    return f"{value:,.{max(0, digits + (abs(value) < 1000))}f}"
