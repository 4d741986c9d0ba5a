"""Fitting what was claimed to what is true: one ratio a sample, then a formula for the ratios.

A formula is a constant times powers of the problem's own letters and scalars: `n`, `1/n`, `2/c`,
`sqrt(d)`, `(n-1)/n`, `lam`. It must hold in every sample, and the simplest that does is taken.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from tinygrad_hw.check.inputs import Array

EXACT = 1e-12  # a constant that rounding alone keeps from being simple
TIGHT = 1e-8  # generic numbers do not agree to eight digits by chance
LOOSE = 2e-5  # where a claim was computed in float32
POWERS = (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0)
MOST_FACTORS = 3


@dataclass(frozen=True)
class Formula:
    """constant · Π variable ** power."""

    constant: float
    powers: tuple[tuple[str, float], ...] = ()

    def cost(self) -> float:
        """How hard the formula is to believe."""
        letters = sum(
            (1 if abs(p) == 1 else 1.75) + 0.75 * (not name.isidentifier())
            for name, p in self.powers
        )
        return letters + constant_cost(self.constant)

    def text(self, decimal: bool = False) -> str:
        """As it is written: "n", "2/c", "1/(n*c)"; a decimal constant where it is a coefficient.

        >>> Formula(-0.5, (("n", 1.0), ("c", -2.0))).text()
        '-n/(2*c**2)'
        >>> Formula(0.1, (("n", -1.0),)).text(decimal=True)
        '0.1/n'
        """
        sign = "-" if self.constant < 0 else ""
        top, bottom = spelled(abs(self.constant), decimal)
        above = [top] * (top != "1") + [power(v, p) for v, p in self.powers if p > 0]
        below = [bottom] * (bottom != "1") + [power(v, -p) for v, p in self.powers if p < 0]
        numerator = "*".join(above) or "1"
        if not below:
            return sign + numerator
        joined = "*".join(below)
        return f"{sign}{numerator}/{f'({joined})' if len(below) > 1 else joined}"


def power(name: str, p: float) -> str:
    if p == 0.5:
        return f"sqrt({name})"
    base = f"({name})" if "-" in name else name
    return base if p == 1 else f"{base}**{p:g}"


def rational(x: float) -> Fraction | None:
    """The fraction of small numbers that x is, if it is one."""
    found = Fraction(x).limit_denominator(12)
    near = abs(float(found) - x) <= EXACT * abs(x)
    return found if near and abs(found.numerator) <= 144 else None


def constant_cost(x: float) -> float:
    x = abs(x)
    if x == 1:
        return 0.0
    found = rational(x)
    if found is not None:
        return 0.9 if max(found.numerator, found.denominator) <= 4 else 2.0
    return 2.5 if short_decimal(x) is not None else 3.5


def short_decimal(x: float) -> str | None:
    text = f"{x:.4g}"
    return text if abs(float(text) - x) <= EXACT * abs(x) else None


def spelled(x: float, decimal: bool) -> tuple[str, str]:
    """A positive constant as a numerator and a denominator."""
    found, text = rational(x), short_decimal(x)
    if decimal and text is not None:
        return text, "1"
    if found is not None and (found.denominator <= 9 or text is None):
        return str(found.numerator), str(found.denominator)
    return text if text is not None else f"{x:.10g}", "1"


def ratio(left: Array, right: Array, digits: float = TIGHT) -> float | None:
    """r where left = r · right, nan where both are nothing, None where there is no such number."""
    if left.shape != right.shape or not (np.isfinite(left).all() and np.isfinite(right).all()):
        return None
    big, size = np.max(abs(right), initial=0), np.max(abs(left), initial=0)
    if big <= 1e-12:
        return math.nan if size <= 1e-9 else None
    at = np.unravel_index(np.argmax(abs(right)), right.shape)
    r = float(left[at] / right[at])
    error, rounding = np.max(abs(left - r * right), initial=0), 1e-13 * max(1.0, big)
    if error > digits * max(size, big * abs(r)) + rounding:
        return None
    return r if rounding <= digits * big else math.nan  # what is all but nothing tells nothing


def ratios(lefts: Sequence[Array], rights: Sequence[Array], digits: float) -> Array | None:
    """The ratio of every sample (nan where it tells nothing), or None where one has none."""
    found = []
    for left, right in zip(lefts, rights, strict=True):
        r = ratio(left, right, digits)
        if r is None:
            return None
        found.append(r)
    values = np.array(found)
    return values if np.isfinite(values).sum() >= min(4, len(values)) else None


def formula(values: Array, variables: Mapping[str, Array], digits: float) -> Formula | None:
    """The simplest formula in the variables that gives every value, if there is one."""
    told = np.isfinite(values)
    y = values[told]
    if not y.size or not y.all():
        return None
    usable = {k: np.asarray(v, float)[told] for k, v in variables.items()}
    usable = {k: v for k, v in usable.items() if np.isfinite(v).all() and v.all()}
    best: Formula | None = None
    for count in range(MOST_FACTORS + 1):
        for names in itertools.combinations(usable, count):
            for powers in itertools.product(POWERS, repeat=count):
                found = constant_left(y, [usable[k] for k in names], powers, digits)
                if found is None:
                    continue
                candidate = Formula(found, tuple(zip(names, powers, strict=True)))
                if best is None or candidate.cost() < best.cost():
                    best = candidate
        if best is not None and best.cost() <= count + 1:  # more letters would cost more
            return best
    return best


def constant_left(
    y: Array, columns: Sequence[Array], powers: Sequence[float], digits: float
) -> float | None:
    """The constant that is left of y when these powers are divided out, if one is."""
    for x, p in zip(columns, powers, strict=True):
        if p % 1 and (x < 0).any():
            return None
        y = y * x**-p
    mean = float(y.mean())
    spread = float(np.max(abs(y - mean)))
    if not mean or spread > 10 * digits * abs(mean):
        return None
    return snapped(mean, max(10 * spread / abs(mean), EXACT))


def snapped(x: float, digits: float) -> float:
    """The simple number that x is but for rounding, if there is one."""
    for simple in (float(Fraction(x).limit_denominator(12)), float(f"{x:.4g}")):
        if abs(simple - x) <= digits * abs(x):
            return simple
    return x
