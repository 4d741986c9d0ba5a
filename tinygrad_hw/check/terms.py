"""The letters of every axis, and the terms that a derivative may have too many or too few.

A term is anything of the derivative's shape that can be written down from the inputs in one short
line: a constant, an input, its sign or square, a product of two inputs, a mean over a letter.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tinygrad_hw.check.inputs import Array, Input, Labels, OneHot, Sample, Sizes


class Layout:
    """Which letter each axis of each array bears.

    Declared inputs say so themselves. For other arrays it is read off many samples: an axis whose
    size goes with a letter's in all of them bears that letter, and others are named "X.shape[0]".
    """

    def __init__(self, inputs: Mapping[str, Any], samples: Sequence[Sample]) -> None:
        self.letters: dict[tuple[int, ...], str] = {}  # sizes over the samples -> letter
        for letter in samples[0].sizes:
            self.letters.setdefault(tuple(s.sizes[letter] for s in samples), letter)
        self.names = {
            name: self.of_input(name, x, samples) for name, x in inputs.items()
        }
        labels = {name: x for name, x in inputs.items() if isinstance(x, Labels)}
        self.classes = {f"one_hot({name})": str(x.classes) for name, x in labels.items()}
        if "g" in samples[0].values and "g" not in inputs:
            self.names["g"] = self.of_shapes("g", [s.values["g"].shape for s in samples])

    def of_input(self, name: str, x: Any, samples: Sequence[Sample]) -> tuple[str, ...]:
        shapes = [np.shape(s.values[name]) for s in samples]
        if isinstance(x, Input):
            declared = [*x.dims, x.classes] if isinstance(x, OneHot) else list(x.dims)
            found = self.of_shapes(name, shapes)
            return tuple(
                d if isinstance(d, str) else f for d, f in zip(declared, found, strict=True)
            )
        return self.of_shapes(name, shapes)

    def of_shapes(self, name: str, shapes: Sequence[tuple[int, ...]]) -> tuple[str, ...]:
        """The letters of an array that had these shapes; none where it changed its number."""
        if len({len(shape) for shape in shapes}) != 1:
            return ()
        axes = zip(*shapes, strict=True) if shapes[0] else ()
        return tuple(
            self.letters.setdefault(tuple(sizes), f"{name}.shape[{axis}]")
            for axis, sizes in enumerate(axes)
        )

    def beside(self, name: str, x: Array, letters: Sequence[str]) -> Array | None:
        """An array as it stands beside one of these letters: with axes of size 1 where it lacks
        one; None where it has another, or its own in another order."""
        own = self.names.get(name.removeprefix("one_hot(").rstrip(")"), ())
        if name.startswith("one_hot("):
            own = (*own, self.classes[name])
        if own == tuple(letters):
            return x
        places = [letters.index(k) for k in own if k in letters]
        if len(own) != x.ndim or len(places) != x.ndim or sorted(set(places)) != places:
            return None
        shape = [1] * len(letters)
        for place, size in zip(places, x.shape, strict=True):
            shape[place] = size
        return x.reshape(shape)

    def sizes(self, samples: Sequence[Sample]) -> dict[str, Array]:
        """Each letter's size in every sample."""
        return {letter: np.array(sizes, float) for sizes, letter in self.letters.items()}


def arrays_of(inputs: Mapping[str, Any], sample: Sample) -> dict[str, Array]:
    """The arrays of floats at a sample, labels as the matrix of their ones."""
    found = {}
    for name, x in sample.values.items():
        declared = inputs.get(name)
        if isinstance(declared, Labels) and not isinstance(declared, OneHot):
            found[f"one_hot({name})"] = np.eye(declared.count(sample.sizes))[x]
        elif np.ndim(x) and np.asarray(x).dtype.kind == "f":
            found[name] = np.asarray(x)
    return found


def labels_of(inputs: Mapping[str, Any], sample: Sample) -> dict[str, Array]:
    """The labels as the numbers that they are."""
    return {
        name: np.asarray(sample.values[name], float)
        for name, x in inputs.items()
        if isinstance(x, Labels) and not isinstance(x, OneHot)
    }


def scalars_of(sample: Sample) -> dict[str, float]:
    """The numbers among the inputs: hyperparameters."""
    return {
        name: float(x)
        for name, x in sample.values.items()
        if np.ndim(x) == 0 and isinstance(x, (int, float, np.number, np.ndarray))
    }


def terms(
    inputs: Mapping[str, Any],
    layout: Layout,
    letters: Sequence[str],
    sample: Sample,
    name: str,
    shape: tuple[int, ...],
) -> Iterator[tuple[str, Array]]:
    """Each term's text and its value at a sample, for a derivative of this shape and letters; the
    simplest first."""
    arrays = arrays_of(inputs, sample) | labels_of(inputs, sample)
    own = np.asarray(sample.values[name])
    if own.shape == shape:
        yield name, own
        yield f"sign({name})", np.sign(own)
    if len(shape) >= 2 and shape[: len(shape) // 2] == shape[len(shape) // 2 :]:
        half = shape[: len(shape) // 2]
        yield "I", np.eye(int(np.prod(half))).reshape(shape)
    for other, x in arrays.items():
        placed = layout.beside(other, x, letters)
        if other != name and placed is not None:
            yield other, np.broadcast_to(placed, shape)
        if x.ndim == 2 and x.T.shape == shape and (other == name or x.shape != shape):
            yield f"{other}.T", x.T
    if own.shape == shape:
        yield f"{name}**2", own**2
    yield from products(arrays, name, own, shape)
    for other, x in arrays.items():
        for axis in range(x.ndim):
            if x.ndim > 1 and x.sum(axis).shape == shape:
                yield f"{other}.sum({axis})", x.sum(axis)


def products(
    arrays: Mapping[str, Array], name: str, own: Array, shape: tuple[int, ...]
) -> Iterator[tuple[str, Array]]:
    """Products of two arrays, and of one, its transpose and the parameter."""
    every = {**arrays, name: own} if own.ndim else dict(arrays)
    matrices = {k: x for k, x in every.items() if x.ndim == 2}
    sided = {**every, **{f"{k}.T": x.T for k, x in matrices.items()}}
    pairs = sorted(itertools.product(sided.items(), repeat=2), key=lambda p: p[0][1].ndim == 1)
    for (a, x), (b, y) in pairs:
        if x.ndim <= 2 and y.ndim <= 2 and x.shape[-1] == y.shape[0]:
            product = x @ y
            if product.shape == shape:
                yield f"{a} @ {b}", product
    for (a, x), (b, y) in itertools.combinations_with_replacement(every.items(), 2):
        try:
            product = x * y
        except ValueError:
            continue
        if product.shape == shape:
            yield (f"{a}*{b}" if a != b else f"{a}**2"), product
        for axis in range(product.ndim):
            if product.sum(axis).shape == shape:
                yield f"({a}*{b}).sum({axis})", product.sum(axis)
    for a, x in matrices.items():
        for left, right, text in ((x.T, x, f"{a}.T @ {a}"), (x, x.T, f"{a} @ {a}.T")):
            if own.ndim and right.shape[-1] == own.shape[0] and own.ndim <= 2 and a != name:
                product = left @ (right @ own)
                if product.shape == shape:
                    yield f"{text} @ {name}", product


def means(array: Array, letters: Sequence[str]) -> Iterator[tuple[str, Array]]:
    """The mean of a derivative over each of its letters, as wide as the derivative."""
    for axis, letter in enumerate(letters):
        mean = array.mean(axis=axis, keepdims=True)
        yield f"mean over {letter}", np.broadcast_to(mean, array.shape)
    if array.ndim > 1:
        yield "mean over all", np.broadcast_to(array.mean(), array.shape)


def isolated(wrt: Sequence[str], sample: Sample, keep: Iterable[str]) -> Sample:
    """The sample with every array of floats, and every differentiated number, that a term does not
    name set to zero."""
    kept = set(keep)
    values = {
        name: np.zeros_like(x)
        if np.asarray(x).dtype.kind == "f" and name not in kept and (np.ndim(x) or name in wrt)
        else x
        for name, x in sample.values.items()
    }
    return Sample(dict(sample.sizes), values)


def changed(sample: Sample, name: str) -> Sample:
    """The sample with other values for one input, in the same range."""
    x = np.asarray(sample.values[name])
    other = x * 0.75 if x.dtype.kind == "f" else np.where(x == x.max(initial=0), 0, x + 1)
    return Sample(dict(sample.sizes), {**sample.values, name: other.astype(x.dtype)[()]})


__all__ = ["Layout", "Sizes", "arrays_of", "isolated", "means", "scalars_of", "terms"]
