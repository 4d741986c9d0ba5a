"""Sums over the wrong letter: what else the claim could have summed, averaged or swapped."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_hw.check.inputs import Array, Sample
from tinygrad_hw.check.oracles import EXPECTED, Oracle
from tinygrad_hw.check.verdict import Trial

if TYPE_CHECKING:
    from tinygrad_hw.check.evidence import Evidence


MANY = 2000  # entries of a derivative


def alternatives(e: Evidence) -> Iterator[tuple[str, list[Array]]]:
    """Each other way to sum, and what the derivative would be in every generic trial."""
    if any(e.true(t).size > MANY for t in e.paired):
        return  # copies of these would fill the memory
    yield from over_another(e)
    yield from swapped(e)
    if e.oracle.of not in ("gradient", "vjp"):
        return  # the rows of a diagonal matrix sum to its diagonal, which says nothing
    for axis, letter in enumerate(e.letters):
        totals = [e.true(t).sum(axis) for t in e.paired]
        yield f"sum over {letter}", totals
        kept = [
            np.broadcast_to(e.true(t).sum(axis, keepdims=True), e.true(t).shape) for t in e.paired
        ]
        yield f"sum over {letter}", kept


def over_another(e: Evidence) -> Iterator[tuple[str, list[Array]]]:
    """The terms behind a sum over one letter, summed over another (or not at all).

    They are found by giving every sample its own copy of the input: if the loss broadcasts it, the
    derivative for the copies is what was summed.
    """
    if e.oracle.of not in ("gradient", "vjp") or not e.paired:
        return
    own = e.letters
    for letter in e.paired[0].sample.sizes:
        copies = [unsummed(e, t, letter) for t in e.paired]
        if any(c is None for c in copies):
            continue
        found: list[Array] = [c for c in copies if c is not None]
        yield f"no sum over {letter}", found
        for axis, other in enumerate(own, start=1):
            text = f"sum over {other} instead of {letter}"
            if other == letter:
                text = f"sum over axis {axis} instead of axis 0"
            yield text, [c.sum(axis) for c in found]


def unsummed(e: Evidence, trial: Trial, letter: str) -> Array | None:
    """The derivative for copies of the input along a new first axis, if they sum to the truth."""
    x = np.asarray(trial.sample.values[e.name])
    copies = np.broadcast_to(x, (trial.sample.sizes[letter], *x.shape))
    values = {**trial.sample.values, e.name: copies}
    try:
        found = e.oracle.derivative(values)[0][e.name]
        value, due = (e.oracle.value(v) for v in (values, trial.sample.values))
    except EXPECTED:
        return None
    true = e.true(trial)
    same = value.shape == due.shape and np.allclose(value, due, rtol=1e-12)
    return found if same and np.allclose(found.sum(0), true, rtol=1e-9, atol=1e-12) else None


def swapped(e: Evidence) -> Iterator[tuple[str, list[Array]]]:
    """The derivative of the problem with two letters swapped: a mean over rows that should have
    been over columns, a softmax along the other axis."""
    if not e.paired:
        return
    for a, b in itertools.combinations(sorted(set(e.letters)), 2):
        found = []
        for t in e.paired:
            mirrored = mirror(e, t.sample, a, b)
            if mirrored is None:
                break
            try:
                slope = e.oracle.derivative(mirrored.values)[0][e.name]
            except EXPECTED:
                break
            found.append(slope.transpose(order(e.letters, a, b)))
        else:
            yield f"{a} and {b} swapped", found


def mirror(e: Evidence, sample: Sample, a: str, b: str) -> Sample | None:
    """The sample with the axes of two letters swapped in every input that has them."""
    values: dict[str, Any] = dict(sample.values)
    for name, letters in e.layout.names.items():
        here = {a, b} & set(letters)
        if not here:
            continue
        if len(here) == 1 or len(set(letters)) != len(letters):
            return None
        values[name] = np.asarray(values[name]).transpose(order(letters, a, b))
    sizes = {**sample.sizes}
    sizes[a], sizes[b] = sizes.get(b, 0), sizes.get(a, 0)
    return Sample(sizes, values)


def order(letters: tuple[str, ...], a: str, b: str) -> list[int]:
    """The axes, those of two letters swapped."""
    axes = list(range(len(letters)))
    i, j = letters.index(a), letters.index(b)
    axes[i], axes[j] = axes[j], axes[i]
    return axes


def jacobian(e: Evidence, trial: Trial) -> Array | None:
    """The whole Jacobian behind a pullback."""
    oracle = Oracle(e.oracle.loss, e.oracle.names, e.oracle.wrt, "jacobian")
    oracle.recorded, oracle.analytic = e.oracle.recorded, e.oracle.analytic
    try:
        return oracle.derivative(trial.sample.values)[0][e.name]
    except EXPECTED:
        return None
