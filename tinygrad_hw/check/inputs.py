"""What a derivation is checked on: inputs declared by letters for their dimensions, and their draw.

A dimension is a letter that several inputs share, or a whole number. Each kind of input knows how
Hypothesis draws it. What is drawn shrinks toward small distinct numbers, because zeros and equal
entries hide mistakes; a `generic` draw has no pattern at all, which is what a diagnosis needs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array: TypeAlias = NDArray[Any]
Dim: TypeAlias = str | int
Sizes: TypeAlias = dict[str, int]
Draw: TypeAlias = Callable[[Any], Any]

MODES = ["plain"] * 5 + ["equal", "large", "tiny"]  # the last two only where no bounds were given
FACTORS = {"large": 1e3, "tiny": 1e-6}
MANY = 100  # elements of an array that is drawn as a whole
VARIANTS = 12  # of the simplest values, the last of them zeros
ORDINARY = 30.0  # inputs up to this size are ordinary
GRID = 600  # ordinary numbers between the bounds


class Usual(float):
    """A bound that was not given: ordinary numbers keep to it, large magnitudes do not."""


FLOAT64 = np.dtype(np.float64)
LOW, HIGH = Usual(-3), Usual(3)


@dataclass
class Sample:
    """One point at which a derivation is checked: the size of each letter, and the inputs."""

    sizes: Sizes
    values: dict[str, Any]


def large(values: Mapping[str, Any]) -> list[str]:
    """The inputs that are of more than ordinary size."""
    return [
        name
        for name, x in values.items()
        if np.asarray(x).dtype.kind == "f" and np.max(abs(np.asarray(x)), initial=0) > ORDINARY
    ]


def strategies() -> ModuleType:
    """`hypothesis.strategies`, or an error that names the extra to install."""
    try:
        from hypothesis import strategies
    except ImportError as error:
        raise ImportError(
            "the derivation checker draws its examples with hypothesis: "
            "pip install 'tinygrad-hw[check]'"
        ) from error
    return strategies


@cache
def simple_numbers(low: float, high: float) -> tuple[float, ...]:
    """A dozen of the simplest numbers from `low` to `high` without 0: 1, 2, 3, -1, … 1/2, …

    >>> simple_numbers(-3.0, 3.0)[:8]
    (1.0, 2.0, 3.0, -1.0, -2.0, -3.0, 0.5, 1.5)
    >>> simple_numbers(0.0, 0.5)[:3]
    (0.5, 0.25, 0.125)
    """
    near = max(low, -3.0), min(high, 3.0)
    first, last = near if near[0] < near[1] else (low, high)
    found: list[float] = []
    for denominator in (2**k for k in range(30)):
        ups = range(max(1, math.ceil(first * denominator)), math.floor(last * denominator) + 1)
        downs = range(max(1, math.ceil(-last * denominator)), math.floor(-first * denominator) + 1)
        for sign, ks in ((1, ups), (-1, downs)):
            odd = (k for k in ks if denominator == 1 or k % 2)
            found += [sign * k / denominator for k in islice(odd, 8)]
        if len(found) >= 12:
            break
    return tuple(found) or (low, high)


class Input:
    """A declared input. `dims` are its dimensions; `shape` of sizes is its shape."""

    dims: tuple[Dim, ...]

    def shape(self, sizes: Sizes) -> tuple[int, ...]:
        return tuple(sizes[d] if isinstance(d, str) else d for d in self.dims)

    def letters(self) -> list[str]:
        return [d for d in self.dims if isinstance(d, str)]

    def known(self) -> bool:
        """Whether the simplest value can be told without drawing."""
        return True

    def simplest(self, sizes: Sizes, offset: int, variant: int = 0) -> Any:
        """Small distinct numbers; the `offset` keeps two inputs of one shape apart, and each
        `variant` begins with another number."""
        raise NotImplementedError

    def special(self, sizes: Sizes, offset: int) -> list[Any]:
        """Values that are visited on purpose: ties, zeros, bounds, large and tiny magnitudes."""
        raise NotImplementedError

    def draw(self, draw: Draw, sizes: Sizes, offset: int) -> Any:
        """Any admissible value, which shrinks toward the simplest."""
        raise NotImplementedError

    def generic(self, draw: Draw, sizes: Sizes, offset: int) -> Any:
        """An admissible value without ties, zeros or large magnitudes."""
        raise NotImplementedError


@dataclass(frozen=True)
class Numbers(Input):
    """An array of floats (of whole numbers, where the dtype says so), or one number."""

    dims: tuple[Dim, ...]
    low: float = LOW
    high: float = HIGH
    elements: Any = None
    dtype: np.dtype[Any] = FLOAT64

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low <= self.high):
            raise ValueError(f"low={self.low} and high={self.high} are no bounds of numbers")
        for d in self.dims:
            if isinstance(d, int) and d < 1:
                raise ValueError(f"a dimension of size {d}: dimensions start at 1")
            if not isinstance(d, (int, str)):
                raise TypeError(f"a dimension is a letter or a whole number, not {d!r}")

    def made(self, numbers: Any, sizes: Sizes) -> Any:
        """A fresh array of the input's shape and dtype; a scalar of NumPy where it has no axes."""
        whole = self.dtype.kind in "iu"
        array = np.round(numbers) if whole else np.asarray(numbers)
        array = np.array(array, self.dtype).reshape(self.shape(sizes))
        return array if self.dims else array[()]

    def numbers(self) -> tuple[float, ...]:
        if isinstance(self.elements, Sequence):
            return tuple(self.elements)
        return simple_numbers(float(self.low), float(self.high))

    def pattern(self, sizes: Sizes, offset: int) -> list[float]:
        simple = self.numbers()
        count = math.prod(self.shape(sizes))
        return [simple[(offset + i) % len(simple)] for i in range(count)]

    def known(self) -> bool:
        return self.elements is None or isinstance(self.elements, Sequence)

    def chosen(self, draw: Draw, sizes: Sizes) -> Any:
        """An array of the elements that the user names."""
        given = self.elements
        element = strategies().sampled_from(given) if isinstance(given, Sequence) else given
        return self.made([draw(element) for _ in range(math.prod(self.shape(sizes)))], sizes)

    def simplest(self, sizes: Sizes, offset: int, variant: int = 0) -> Any:
        pattern = self.pattern(sizes, offset + variant)
        if variant == VARIANTS - 1 and self.low <= 0 <= self.high and self.elements is None:
            pattern = [0.0 for _ in pattern]
        return self.made(pattern, sizes)

    def usual(self) -> bool:
        """Whether no bound was given."""
        return isinstance(self.low, Usual) and isinstance(self.high, Usual)

    def special(self, sizes: Sizes, offset: int) -> list[Any]:
        pattern = np.array(self.pattern(sizes, offset))
        found = [np.full_like(pattern, pattern[0])]
        if self.elements is None:
            ends = (self.low, self.high) if not self.usual() else ()
            found += [np.full_like(pattern, x) for x in (0.0, *ends) if self.low <= x <= self.high]
        if self.usual() and self.elements is None:
            found += [pattern * x for x in (1e3, -1e3, 1e-6) if x > 0 or self.low < 0]
        return [self.made(x, sizes) for x in found]

    def draw(self, draw: Draw, sizes: Sizes, offset: int) -> Any:
        st = strategies()
        pattern = self.pattern(sizes, offset)
        if self.elements is not None:
            return self.chosen(draw, sizes)
        mode = draw(st.sampled_from(MODES if self.usual() else MODES[:-2]))
        element = element_strategy(float(self.low), float(self.high))
        numbers: Any
        if mode == "equal":
            one = draw(element)
            numbers = [pattern[0] if one is None else one for _ in pattern]
        elif len(pattern) > MANY:  # more than Hypothesis can draw one by one
            seed = draw(st.integers(0, 2**32 - 1))
            rng = np.random.default_rng([seed, offset])
            numbers = rng.uniform(self.low, self.high, len(pattern)) if seed else pattern
        else:
            drawn = [draw(element) for _ in pattern]
            numbers = [p if x is None else x for p, x in zip(pattern, drawn, strict=True)]
        return self.made(np.multiply(numbers, FACTORS.get(mode, 1.0)), sizes)

    def generic(self, draw: Draw, sizes: Sizes, offset: int) -> Any:
        count = math.prod(self.shape(sizes))
        if self.elements is not None:
            return self.chosen(draw, sizes)
        seed = draw(strategies().integers(0, 2**32 - 1))
        numbers = np.random.default_rng([seed, offset]).uniform(self.low, self.high, count)
        return self.made(numbers, sizes)


@cache
def element_strategy(low: float, high: float) -> Any:
    """An element: None, for the pattern's; a simple number, 0, a bound; or an ordinary one."""
    st = strategies()
    simple = st.sampled_from(simple_numbers(low, high))
    ends = st.sampled_from([x for x in dict.fromkeys((0.0, high, low)) if low <= x <= high])
    grid = st.integers(0, GRID).map(lambda k: round(low + (high - low) * k / GRID, 12))
    return st.none() | simple | ends | grid


@dataclass(frozen=True)
class Labels(Input):
    """Whole numbers, one for each sample, below the number of classes."""

    dims: tuple[Dim, ...]
    classes: Dim

    def letters(self) -> list[str]:
        return [d for d in (*self.dims, self.classes) if isinstance(d, str)]

    def count(self, sizes: Sizes) -> int:
        return sizes[self.classes] if isinstance(self.classes, str) else self.classes

    def simplest(self, sizes: Sizes, offset: int, variant: int = 0) -> Any:
        labels = np.arange(math.prod(self.shape(sizes)))
        return (labels // (1 + variant) + variant // 2) % self.count(sizes)

    def special(self, sizes: Sizes, offset: int) -> list[Any]:
        n, classes = math.prod(self.shape(sizes)), self.count(sizes)
        return [np.zeros(n, int), np.full(n, classes - 1)]

    def draw(self, draw: Draw, sizes: Sizes, offset: int) -> Any:
        plain, classes = self.simplest(sizes, 0), self.count(sizes)
        if len(plain) > MANY:
            seed = draw(strategies().integers(0, 2**32 - 1))
            return np.random.default_rng(seed).integers(0, classes, len(plain))
        step = strategies().integers(0, classes - 1)
        return (plain + [draw(step) for _ in plain]) % classes

    def generic(self, draw: Draw, sizes: Sizes, offset: int) -> Any:
        return self.draw(draw, sizes, 0)


@dataclass(frozen=True)
class OneHot(Labels):
    """The same labels, each as a row of zeros with a single one."""

    def shape(self, sizes: Sizes) -> tuple[int, ...]:
        return (*super().shape(sizes), self.count(sizes))

    @property
    def labels(self) -> Labels:
        return Labels(self.dims, self.classes)

    def rows(self, labels: Array, sizes: Sizes) -> Array:
        return np.eye(self.count(sizes))[labels]

    def simplest(self, sizes: Sizes, offset: int, variant: int = 0) -> Any:
        return self.rows(self.labels.simplest(sizes, offset, variant), sizes)

    def special(self, sizes: Sizes, offset: int) -> list[Any]:
        return [self.rows(y, sizes) for y in self.labels.special(sizes, offset)]

    def draw(self, draw: Draw, sizes: Sizes, offset: int) -> Any:
        return self.rows(self.labels.draw(draw, sizes, offset), sizes)


# --------------------------------------------------------------------------- how users say it


def array(
    *dims: Dim,
    low: float = LOW,
    high: float = HIGH,
    positive: bool = False,
    elements: Any = None,
    dtype: DTypeLike = np.float64,
) -> Numbers:
    """Declare an input array by its dimensions, letters or whole numbers.

    Args:
        dims: letters that inputs share (`array("n", "d")`), or sizes. None at all make a 0-d array.
        low, high: where its numbers lie. Bounds that are given are never left; without them, the
            search also visits magnitudes around 1e3 and 1e-6.
        positive: only numbers above 0.
        elements: a hypothesis strategy for the numbers, or a list of them, in place of bounds.
        dtype: float64, float32 or whole numbers.

    Raises:
        ValueError: bounds that enclose nothing, a size below 1.

    >>> array("n", "d", positive=True).dims
    ('n', 'd')
    """
    if positive and low <= 0:
        low = Usual(1 / 16) if isinstance(low, Usual) else min(1 / 16, high / 16)
    return Numbers(dims, low, high, elements, np.dtype(dtype))


def scalar(
    low: float = LOW,
    high: float = HIGH,
    positive: bool = False,
    elements: Any = None,
    dtype: DTypeLike = np.float64,
) -> Numbers:
    """Declare one number: a 0-d tensor for the loss, a NumPy scalar for the claim."""
    return array(low=low, high=high, positive=positive, elements=elements, dtype=dtype)


def labels(dim: Dim, classes: Dim | None = None) -> Labels:
    """Declare int64 labels of shape (dim,), each at least 0 and below `classes` (default: dim)."""
    return Labels((dim,), dim if classes is None else classes)


def one_hot(n: Dim, c: Dim) -> OneHot:
    """Declare float64 rows (n, c), each of zeros and a single one."""
    return OneHot((n,), c)
