"""A line search for the strong Wolfe conditions, with cubic interpolation.

Nocedal and Wright, "Numerical optimization", 2nd edition, algorithms 3.5 and 3.6: lengthen a step
until a bracket holds points that satisfy both conditions, then narrow it. The safeguards, and so
the points that are tried, are those of PyTorch, which has them from Mark Schmidt's minFunc.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tinygrad_hw.tape import Array

C1, C2 = 1e-4, 0.9


class Point(NamedTuple):
    """A length, and what is known there: the loss, its gradient, and its slope along the line, a
    NumPy number of the parameters' precision."""

    t: Any
    f: float
    g: Array
    slope: Any


Measure = Callable[[Any], Point]


def strong_wolfe(
    measure: Measure, start: Point, t: Any, largest: Any, tolerance: float, most: int
) -> tuple[Point, int]:
    """The point that was found, and how many were measured.

    Args:
        measure: what is known at a length.
        start: the point at length 0, from which the loss falls.
        t: the first length to try.
        largest: the largest absolute element of the direction.
        tolerance: a bracket within which no parameter moves by more is not narrowed.
        most: how many lengths may be tried after the first.
    """
    before, here = start, measure(t)
    for tried in range(most + 1):
        if tried == most:
            bracket = [start, here]
            break
        if too_high(here, start) or (tried > 1 and here.f >= before.f):
            bracket = [before, here]
            break
        if flat_enough(here, start):
            return here, tried + 1
        if here.slope >= 0:
            bracket = [before, here]
            break
        least, longest = here.t + 0.01 * (here.t - before.t), here.t * 10
        t = cubic_minimum(before, here, least, longest)
        before, here = here, measure(t)
    low, high = (0, 1) if bracket[0].f <= bracket[1].f else (1, 0)
    stuck = False
    while tried < most:
        left, right = sorted(point.t for point in bracket)
        if (right - left) * largest < tolerance:
            break
        t = cubic_minimum(bracket[0], bracket[1], left, right)
        margin = 0.1 * (right - left)
        if min(right - t, t - left) < margin:  # too near an end to narrow much: not twice
            if stuck or t >= right or t <= left:
                t = right - margin if abs(t - right) < abs(t - left) else left + margin
                stuck = False
            else:
                stuck = True
        else:
            stuck = False
        here = measure(t)
        tried += 1
        if too_high(here, start) or here.f >= bracket[low].f:
            bracket[high] = here
            low, high = (0, 1) if bracket[0].f <= bracket[1].f else (1, 0)
            continue
        done = flat_enough(here, start)
        if not done and here.slope * (bracket[high].t - bracket[low].t) >= 0:
            bracket[high] = bracket[low]
        bracket[low] = here
        if done:
            break
    return bracket[low], tried + 1


def too_high(here: Point, start: Point) -> bool:
    """Whether the first condition fails: the loss has not fallen enough for the length."""
    return bool(here.f > start.f + C1 * here.t * start.slope)


def flat_enough(here: Point, start: Point) -> bool:
    """Whether the second condition holds: the loss falls or rises less steeply than at first."""
    return bool(abs(here.slope) <= -C2 * start.slope)


def cubic_minimum(a: Point, b: Point, low: Any, high: Any) -> Any:
    """Where the cubic through two points' losses and slopes is least (equation 3.59), at least
    `low` and at most `high`; halfway where it has no minimum."""
    with np.errstate(all="ignore"):  # what is not finite is cut to the interval, or halves it
        d1 = a.slope + b.slope - 3 * (a.f - b.f) / (a.t - b.t)
        square = d1**2 - a.slope * b.slope
        if not square >= 0:
            return (low + high) / 2
        d2 = square**0.5
        if a.t <= b.t:
            t = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
        else:
            t = a.t - (a.t - b.t) * ((a.slope + d2 - d1) / (a.slope - b.slope + 2 * d2))
    return min(max(t, low), high)
