"""What the suite measures: a contest, where several libraries do the same work, and a growth.

Contenders take turns, A B C A B C ..., so that a machine that slows down for a while slows all of
them, and what counts is the median, over the rounds, of a time over ours in the same round. Nobody
is timed who does not come to our result.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter, sleep
from typing import Any

import numpy as np

from benchmarks.peers import Absent

# Seconds that the timed part took, and what came of it: numbers and arrays, nested in tuples and
# dicts as one likes, or None where there is nothing to compare.
Outcome = tuple[float, Any]
Contender = Callable[[], Outcome]


class Disagreement(Exception):
    """A contender came to another result than ours; the message names it and both results."""


@dataclass(frozen=True)
class Contest:
    """One case of a workload: work that several libraries do alike."""

    workload: str  # "softmax epoch"
    case: str  # "batch 64"
    unit: str  # "us a step"
    scale: float  # a run's seconds times this are in that unit
    contenders: Mapping[str, Contender]  # the first is ours
    rtol: float = 1e-4  # how closely the results must agree with ours
    atol: float = 1e-5
    rounds: int = 9
    note: str = ""


def held(contest: Contest, pause: float = 0.0) -> dict[str, Any]:
    """The contest's table. Raises `Disagreement` where a result is not ours.

    The first round compiles and fills caches, and does not count. A contender that raises `Absent`
    is left out from then on, and the table says why. What was made until then is hidden from the
    garbage collector: else whoever happens to set it off would pay for the objects of all. A pause,
    in seconds, lets the threads fall asleep that a library leaves spinning when its turn is over.
    """
    ours = next(iter(contest.contenders))
    running = dict(contest.contenders)
    times: dict[str, list[float]] = {who: [] for who in running}
    absent: list[str] = []
    for counted in range(contest.rounds + 1):
        if counted == 1:
            gc.unfreeze()
            gc.collect()
            gc.freeze()
        expected = None
        for who, run in list(running.items()):
            sleep(pause)
            try:
                seconds, result = run()
            except Absent as reason:
                if who == ours:
                    raise
                absent.append(f"{who}: {reason}")
                del running[who]
                continue
            if who == ours:
                expected = result
            compare(contest, who, result, expected)
            times[who].append(seconds * contest.scale)
    rows = []
    for who in running:
        values = times[who][1:]
        ratios = [value / own for value, own in zip(values, times[ours][1:], strict=True)]
        rows.append({"who": who} | spread(values) | spread(ratios, "ratio", "ratio_"))
    return {
        "workload": contest.workload,
        "case": contest.case,
        "unit": contest.unit,
        "rows": rows,
        "absent": absent,
        "note": contest.note,
    }


def spread(values: Sequence[float], middle: str = "median", prefix: str = "") -> dict[str, float]:
    """Median, lowest and highest, to four digits."""
    found = {middle: median(values), f"{prefix}low": min(values), f"{prefix}high": max(values)}
    return {name: float(f"{value:.4g}") for name, value in found.items()}


def compare(contest: Contest, who: str, result: Any, ours: Any) -> None:
    """Raise `Disagreement` unless each array in `result` is close to its like in `ours`."""
    found, expected = dict(leaves(result)), dict(leaves(ours))
    try:
        if found.keys() != expected.keys():
            raise AssertionError(f"results {sorted(found)} where ours are {sorted(expected)}")
        for path, array in found.items():
            np.testing.assert_allclose(
                array, expected[path], contest.rtol, contest.atol, equal_nan=False, verbose=False,
                err_msg=f"(in result {path})" if path else "",
            )
    except AssertionError as error:
        raise Disagreement(
            f"{contest.workload}, {contest.case}: {who} does not agree with ours, so that no time "
            f"is shown: {error}"
        ) from None


def leaves(result: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The arrays in a nested result, each with where it was."""
    if isinstance(result, Mapping):
        parts: Any = result.items()
    elif isinstance(result, tuple | list):
        parts = enumerate(result)
    else:
        if result is not None:
            yield path, np.asarray(result)
        return
    for key, part in parts:
        yield from leaves(part, f"{path}[{key!r}]")


def repeated(work: Callable[[], Any], seconds: float = 0.02) -> Contender:
    """A contender that repeats short work for about so many seconds; its time is of one call."""
    calls = 0

    def run() -> Outcome:
        nonlocal calls
        if not calls:
            work()  # compiles
            start = perf_counter()
            tries = 0
            while perf_counter() - start < seconds / 4:
                work()
                tries += 1
            calls = max(1, round(tries * seconds / (perf_counter() - start)))
        start = perf_counter()
        for _ in range(calls):
            result = work()
        return (perf_counter() - start) / calls, result

    return run


SLACK = 0.15  # by which a measured exponent may pass the expected: caches, and the clock's noise


@dataclass(frozen=True)
class Growth:
    """How a cost grows with a size: on a log-log plot, a line whose slope is the exponent."""

    name: str  # "softmax step"
    of: str  # what grows: "batch"
    unit: str  # of the values: "us"
    sizes: Sequence[float]  # rising
    values: Sequence[float]
    expected: float  # the mathematics' exponent
    note: str = ""


def exponent(growth: Growth) -> float:
    """The slope of log(value) against log(size) over the larger half of the sizes, at least three.

    A cost that is the same at every size flattens the small ones and would hide what comes after.
    """
    count = max(3, (len(growth.sizes) + 1) // 2)
    sizes, values = np.log(growth.sizes[-count:]), np.log(growth.values[-count:])
    return float(np.polyfit(sizes, values, 1)[0])


def fitted(growth: Growth) -> dict[str, Any]:
    """The growth as the suite keeps it: what was measured, its exponent, and if that is right."""
    slope = exponent(growth)
    return {
        "name": growth.name,
        "of": growth.of,
        "unit": growth.unit,
        "sizes": list(growth.sizes),
        "values": [float(f"{value:.4g}") for value in growth.values],
        "exponent": round(slope, 3),
        "expected": growth.expected,
        "within": slope <= growth.expected + SLACK,
        "note": growth.note,
    }
