"""Reductions: sums, means and extremes over all axes, or over `dim` (an int or a tuple)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_hw.op import Op, linear
from tinygrad_hw.rules.shapes import expand, reshape

HALF = np.dtype(np.float16)


def kept(g: Any, x: Any, dim: Any, keepdim: bool) -> Any:
    """Put the reduced axes back as axes of size 1, so that `g` broadcasts against `x` (where all
    were reduced it does so anyway)."""
    if keepdim or dim is None:
        return g
    reduced = {d % x.ndim for d in (dim if isinstance(dim, tuple) else (dim,))} if x.ndim else ()
    return reshape(g, shape=tuple(1 if i in reduced else n for i, n in enumerate(x.shape)))


def spread(g: Any, x: Any, dim: Any, keepdim: bool) -> Any:
    return expand(kept(g, x, dim, keepdim), shape=x.shape)


def count(x: Any, dim: Any) -> int:
    """How many elements each result is made of."""
    if dim is None:
        return math.prod(x.shape)
    dims = dim if isinstance(dim, tuple) else (dim,)
    return math.prod(x.shape[d] for d in dims) if x.ndim else 1


def sum_forward(x: Any, *, dim: Any = None, keepdim: Any = False) -> Any:
    if x.dtype.kind == "u":
        x = x.astype(np.int64)  # NumPy would sum to uint64
    if x.dtype is HALF:
        with np.errstate(over="ignore"):
            return wide_sum(x, dim, keepdim).astype(HALF)
    return np.add.reduce(x, axis=dim, keepdims=keepdim)


def wide_sum(x: Any, dim: Any, keepdim: bool) -> Any:
    """The sum of float16 in float32, as PyTorch gathers it: 4 096 ones make no 2 048."""
    return np.asarray(np.sum(x, axis=dim, keepdims=keepdim, dtype=np.float32))


def mean_forward(x: Any, *, dim: Any = None, keepdim: bool = False) -> Any:
    with np.errstate(invalid="ignore", divide="ignore"):  # the mean of nothing is nan
        if x.dtype is HALF:
            return (wide_sum(x, dim, keepdim) / np.float32(count(x, dim))).astype(HALF)
        return np.true_divide(sum_forward(x, dim=dim, keepdim=keepdim), count(x, dim))


def share_ties(g: Any, y: Any, x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Every element that attains the extreme gets an equal share; a nan is the extreme."""
    ties = (x == kept(y, x, dim, keepdim)) | (x != x)
    shares = np.add.reduce(ties, axis=dim, keepdims=True)
    return kept(g, x, dim, keepdim) * ties / shares


def cumsum_forward(x: Any, *, dim: int) -> Any:
    if x.dtype is HALF:
        return np.cumsum(x, axis=dim, dtype=np.float32).astype(HALF)
    return np.cumsum(x, axis=dim, dtype=x.dtype)


def reverse(x: Any, dim: int) -> Any:
    """`x` back to front along one axis."""
    return x[(slice(None),) * dim + (slice(None, None, -1),)]


def nonempty(reduce: Callable[..., Any], *rules: Any, name: str) -> Op:
    """A reduction that has no value for no elements."""

    def forward(x: Any, *, dim: Any = None, keepdim: bool = False) -> Any:
        if not x.size and (dim is None or not count(x, dim)):
            kind = ValueError if dim is None else IndexError
            raise kind(f"{name} of no elements has no value, given shape {x.shape}")
        return reduce(x, axis=dim, keepdims=keepdim)

    return Op(forward, *rules, name=name)


sum = linear(
    sum_forward,
    lambda g, _, x, dim=None, keepdim=False: spread(g, x, dim, keepdim),
    name="sum",
)
mean = linear(
    mean_forward,
    lambda g, _, x, dim=None, keepdim=False: spread(g / count(x, dim), x, dim, keepdim),
    name="mean",
)
cumsum: Op = linear(  # each element is in every sum from its own on
    cumsum_forward,
    lambda g, _, x, dim: reverse(cumsum(reverse(g, dim), dim=dim), dim),
    name="cumsum",
)
amax = nonempty(np.maximum.reduce, share_ties, name="amax")
amin = nonempty(np.minimum.reduce, share_ties, name="amin")
argmax, argmin = nonempty(np.argmax, name="argmax"), nonempty(np.argmin, name="argmin")
any = Op(lambda x, *, dim=None, keepdim=False: np.any(x, dim, keepdims=keepdim), name="any")
all = Op(lambda x, *, dim=None, keepdim=False: np.all(x, dim, keepdims=keepdim), name="all")
