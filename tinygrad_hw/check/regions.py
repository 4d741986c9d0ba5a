"""Where a claim is wrong that is right elsewhere: the simplest description that separates the two.

A description is a mask over the entries of the derivative, for every trial: true of each wrong
entry, false of each right one outside. `d = 1`, `x < -0.99`, `y repeated`, `off the diagonal`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tinygrad_hw.check.inputs import Array, Labels, Sample, large
from tinygrad_hw.check.terms import Layout, arrays_of, labels_of, scalars_of

Experiment = Callable[[Sample], Array | None]  # which entries are wrong at a sample


@dataclass
class Seen:
    """One trial: where it was wrong, and where an error could have been seen."""

    sample: Sample
    wrong: Array
    telling: Array
    generic: bool

    @cached_property
    def ordinary(self) -> bool:
        """Whether its inputs are of ordinary size."""
        return not large(self.sample.values)


@dataclass
class Search:
    """All trials of one name, and the means to tell where the wrong ones are."""

    inputs: Mapping[str, Any]
    layout: Layout
    letters: tuple[str, ...]  # of the derivative's axes
    seen: Sequence[Seen]
    experiment: Experiment

    def describe(self) -> str | None:
        """The simplest region that holds all that is wrong and nearly nothing that is right."""
        best: tuple[str, float] | None = None
        for text, masks in (*descriptions(self), *thresholds(self)):
            share = covered(self.seen, masks)
            if share is not None and share >= 0.75 and (best is None or share > best[1] + 0.05):
                best = text, share
        return None if best is None else best[0]


def describe(
    inputs: Mapping[str, Any],
    layout: Layout,
    letters: tuple[str, ...],
    seen: Sequence[Seen],
    experiment: Experiment,
) -> str | None:
    """Where the wrong entries are, or None where no simple description holds."""
    return Search(inputs, layout, letters, seen, experiment).describe()


def covered(seen: Sequence[Seen], masks: Sequence[Any]) -> float | None:
    """The share of what the region covers that is wrong, among inputs of ordinary size if any of
    those is wrong. None if something outside is wrong, or if there is next to nothing right
    outside: a mistake that only size 1 hides is in no region."""
    inside = wrong_inside = outside = 0
    generic = any(t.generic and t.wrong.any() for t in seen)
    calm = any(t.wrong.any() for t in seen if t.ordinary)
    for trial, mask in zip(seen, masks, strict=True):
        if (trial.wrong & ~np.asarray(mask)).any():
            return None
        if calm and not trial.ordinary:
            continue
        if trial.generic or not generic:
            outside += bool((~np.asarray(mask) & trial.telling).any())
        covering, wrong = mask & (trial.wrong | trial.telling), mask & trial.wrong
        if np.ndim(mask):  # entries are told apart
            inside, wrong_inside = inside + covering.sum(), wrong_inside + wrong.sum()
        else:
            inside, wrong_inside = inside + covering.any(), wrong_inside + wrong.any()
    return wrong_inside / inside if inside and outside >= 3 else None


def descriptions(search: Search) -> Iterator[tuple[str, list[Any]]]:
    """Every description that needs no threshold, the simplest first."""
    samples = [t.sample for t in search.seen]
    letters = list(samples[0].sizes)
    for letter in letters:
        sizes = [s.sizes[letter] for s in samples]
        for size in sorted(set(sizes)):
            yield f"{letter} = {size}", [n == size for n in sizes]
            yield f"{letter} > {size}", [n > size for n in sizes]
            yield f"{letter} < {size}", [n < size for n in sizes]
    for a, b in itertools.combinations(letters, 2):
        pairs = [(s.sizes[a], s.sizes[b]) for s in samples]
        yield f"{a} = {b}", [x == y for x, y in pairs]
        yield f"{a} != {b}", [x != y for x, y in pairs]
        yield f"{a} > {b}", [x > y for x, y in pairs]
        yield f"{a} < {b}", [x < y for x, y in pairs]
    yield from of_labels(search)
    yield from of_values(search)
    yield from of_positions(search.seen)


def of_labels(search: Search) -> Iterator[tuple[str, list[Any]]]:
    """Labels that are repeated, classes that have none."""
    samples = [t.sample for t in search.seen]
    for key, declared in search.inputs.items():
        if isinstance(declared, Labels):
            labels = [np.asarray(s.values[key]) for s in samples]
            labels = [y if y.ndim == 1 else y.argmax(1) for y in labels]
            classes = [declared.count(s.sizes) for s in samples]
            distinct = [len(set(y.tolist())) for y in labels]
            repeated = [n < len(y) for n, y in zip(distinct, labels, strict=True)]
            yield f"{key} repeated", repeated
            absent = [n < c for n, c in zip(distinct, classes, strict=True)]
            yield f"a class absent from {key}", absent


def of_values(search: Search) -> Iterator[tuple[str, list[Any]]]:
    """Zeros, signs and ties: of the entry that stands beside the derivative's, or of any."""
    for key, columns in entries(search).items():
        if key.startswith("one_hot"):
            yield "at the label", [x == 1 for x in columns]
            yield "off the label", [x == 0 for x in columns]
            continue
        yield f"{key} = 0", [x == 0 for x in columns]
        yield f"{key} < 0", [x < 0 for x in columns]
        yield f"{key} > 0", [x > 0 for x in columns]
        yield f"{key} <= 0", [x <= 0 for x in columns]
        yield f"{key} >= 0", [x >= 0 for x in columns]
        if np.asarray(search.seen[0].sample.values[key]).dtype.kind in "iu":
            for label in range(1, 5):
                yield f"{key} = {label}", [x == label for x in columns]
    for key in search.inputs:
        arrays = [np.asarray(t.sample.values[key]) for t in search.seen]
        if arrays[0].ndim and arrays[0].dtype.kind == "f":
            yield f"ties in {key}", [len(np.unique(x)) < x.size for x in arrays]
            yield f"{key} all equal", [len(np.unique(x)) == 1 for x in arrays]
            yield f"{key} = 0 somewhere", [bool((x == 0).any()) for x in arrays]
            yield f"{key} = 0 everywhere", [not x.any() for x in arrays]
            yield f"{key} < 0 somewhere", [bool((x < 0).any()) for x in arrays]
            yield f"{key} > 0 somewhere", [bool((x > 0).any()) for x in arrays]


def of_positions(seen: Sequence[Seen]) -> Iterator[tuple[str, list[Any]]]:
    """Where in the derivative: on or off its diagonal, its first or last rows."""
    ndim = seen[0].wrong.ndim
    shapes = [t.wrong.shape for t in seen]
    half = ndim // 2
    if ndim and ndim % 2 == 0 and all(s[:half] == s[half:] for s in shapes):
        diagonals = [
            np.eye(int(np.prod(s[:half])), dtype=bool).reshape(s) for s in shapes
        ]
        yield "off the diagonal", [~d for d in diagonals]
        yield "on the diagonal", diagonals
    for a, b in itertools.combinations(range(ndim), 2):
        if all(s[a] == s[b] for s in shapes) and ndim > 2:
            grids = [np.indices(s) for s in shapes]
            yield f"axis {a} = axis {b}", [g[a] == g[b] for g in grids]
            yield f"axis {a} != axis {b}", [g[a] != g[b] for g in grids]
    if ndim > 1:
        corners = [np.indices(s).sum(0) for s in shapes]
        yield "the very first entry", [c == 0 for c in corners]
        yield "the very last entry", [c == c.max(initial=0) for c in corners]
    for axis in range(ndim):
        grids = [np.indices(s)[axis] for s in shapes]
        where = "" if ndim == 1 else f" of axis {axis}"
        yield f"the first entry{where}", [g == 0 for g in grids]
        lasts = [g == s[axis] - 1 for g, s in zip(grids, shapes, strict=True)]
        yield f"the last entry{where}", lasts


def entries(search: Search) -> dict[str, list[Array]]:
    """Every array and number that stands beside the derivative's entries in all trials."""
    found: dict[str, list[Array]] = {}
    here = [
        arrays_of(search.inputs, t.sample) | labels_of(search.inputs, t.sample)
        | {k: np.asarray(x) for k, x in scalars_of(t.sample).items()}
        for t in search.seen
    ]
    for key in here[0]:
        columns = []
        for trial, arrays in zip(search.seen, here, strict=True):
            x = search.layout.beside(key, arrays[key], search.letters)
            if x is None or trial.wrong.ndim != len(search.letters):
                break
            columns.append(np.broadcast_to(x, trial.wrong.shape))
        else:
            found[key] = columns
    return found


# ------------------------------------------------------------------------------ thresholds


def thresholds(search: Search) -> Iterator[tuple[str, list[Any]]]:
    """x < t, x > t, s < x < t, and the same of |x|, the bounds found by experiment."""
    seen = search.seen
    for key, columns in entries(search).items():
        if np.asarray(seen[0].sample.values.get(key, "")).dtype.kind != "f":
            continue  # labels, or the ones that stand for them
        for absolute in (False, True):
            measured = [abs(x) if absolute else x for x in columns]
            wrong = np.concatenate([x[t.wrong] for x, t in zip(measured, seen, strict=True)])
            right = np.concatenate(
                [x[~t.wrong & t.telling] for x, t in zip(measured, seen, strict=True)]
            )
            if not wrong.size or right.size < 5:
                continue
            low, high = wrong.min(), wrong.max()
            if ((right >= low) & (right <= high)).sum() > 0.1 * wrong.size:
                continue
            below, above = right[right < low], right[right > high]
            said = f"|{key}|" if absolute else key
            masks = [np.ones(x.shape, bool) for x in measured]
            if above.size:
                end = bisected(search, key, high, above.min(), absolute)
                said, masks = f"{said} < {end}", [x < float(end) for x in measured]
            if below.size:
                start = bisected(search, key, low, below.max(), absolute)
                masks = [m & (x > float(start)) for m, x in zip(masks, measured, strict=True)]
                said = f"{start} < {said}" if above.size else f"{said} > {start}"
            if above.size or below.size:
                masks = [m | t.wrong for m, t in zip(masks, seen, strict=True)]  # on the bound
                yield said, masks


def bisected(search: Search, key: str, bad: float, good: float, absolute: bool) -> str:
    """Move one wrong entry toward the right values, and halve the gap in which it turns right."""
    for trial in search.seen:
        x = np.asarray(trial.sample.values[key])
        measured = abs(x) if absolute else x
        if x.shape != trial.wrong.shape or not (trial.wrong & (measured == bad)).any():
            continue
        at = tuple(np.argwhere(trial.wrong & (measured == bad))[0])

        def wrong_with(value: float, x: Array = x, at: Any = at, t: Seen = trial) -> bool:
            moved = np.array(x)
            moved[at] = value if not absolute or x[at] > 0 else -value
            sample = Sample(t.sample.sizes, {**t.sample.values, key: moved[()]})
            wrong = search.experiment(sample)
            return wrong is not None and wrong.shape == x.shape and bool(wrong[at])

        if wrong_with(bad) and not wrong_with(good):
            for _ in range(40):
                middle = (bad + good) / 2
                bad, good = (middle, good) if wrong_with(middle) else (bad, middle)
            break
    return simplest_between(bad, good)


def simplest_between(a: float, b: float) -> str:
    """The number of fewest digits from a to b, which differ."""
    low, high = min(a, b), max(a, b)
    if low <= 0 <= high:
        return "0"
    slack = 1e-9 * max(abs(low), abs(high))
    for digits in range(-6, 15):
        step = 10.0**-digits
        k = np.ceil((low - slack) / step)
        if k * step <= high + slack:
            return f"{round(k * step, max(digits, 0)):g}"
    return f"{(low + high) / 2:.6g}"
