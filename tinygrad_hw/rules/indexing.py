"""Reading and writing parts of an array: each pair of ops is the other's transpose."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_hw.op import Op, linear


def repeats(index: Any) -> bool:
    """Whether an index may name an element twice: only integer arrays and lists can."""
    parts = index if isinstance(index, tuple) else (index,)
    return any(isinstance(p, (list, np.ndarray)) and np.asarray(p).dtype != bool for p in parts)


def put_forward(g: Any, *, index: Any, shape: tuple[int, ...]) -> Any:
    out = np.zeros(shape, g.dtype)
    if repeats(index):
        np.add.at(out, index, g)
    else:
        out[index] = g
    return out


def taken(x: Any, *, index: Any) -> Any:
    """The elements at an index: a view, or where index arrays choose them a copy, rows first."""
    y = x[index]
    return y if y.flags.c_contiguous else rows_first(y, index)


def rows_first(y: Any, index: Any) -> Any:
    parts = index if isinstance(index, tuple) else (index,)
    fancy = any(isinstance(p, (list, np.ndarray)) for p in parts)
    return np.ascontiguousarray(y) if fancy else y


def diagonal_forward(x: Any, *, offset: int) -> Any:
    y = np.diagonal(x, offset, -2, -1)
    y.flags.writeable = x.flags.writeable
    return y


def on_diagonal(x: Any, offset: int) -> tuple[Any, ...]:
    """The index of the diagonal of the last two axes."""
    below, right = max(-offset, 0), max(offset, 0)
    i = np.arange(max(0, min(x.shape[-2] - below, x.shape[-1] - right)))
    return (..., i + below, i + right)


def along(index: Any, dim: int) -> tuple[Any, ...]:
    """The index of whole elements that `index` names along one axis, its own place on the rest."""
    grid: list[Any] = list(np.ogrid[tuple(slice(n) for n in index.shape)])
    grid[dim] = index
    return tuple(grid)


def put_along_forward(g: Any, *, index: Any, dim: int, shape: tuple[int, ...]) -> Any:
    out = np.zeros(shape, g.dtype)
    np.add.at(out, along(index, dim), g)
    return out


def replaced(x: Any, v: Any, *, index: Any) -> Any:
    out = x.copy()
    out[index] = v
    return out


getitem: Op = linear(
    taken,
    lambda g, _, x, index: put(g, index=index, shape=x.shape),
    name="getitem",
)
put: Op = linear(  # zeros, with g added at the index as often as it is named
    put_forward,
    lambda g, _, x, index, shape: getitem(g, index=index),
    name="put",
)
diagonal = linear(
    diagonal_forward,
    lambda g, _, x, offset: put(g, index=on_diagonal(x, offset), shape=x.shape),
    name="diagonal",
)
gather: Op = linear(
    lambda x, *, index, dim: np.ascontiguousarray(x[along(index, dim)]),
    lambda g, _, x, index, dim: put_along(g, index=index, dim=dim, shape=x.shape),
    name="gather",
)
put_along: Op = linear(
    put_along_forward,
    lambda g, _, x, index, dim, shape: gather(g, index=index, dim=dim),
    name="put_along",
)
setitem: Op = Op(  # x with the elements at the index replaced by v
    replaced,
    lambda g, _, x, v, index: setitem(g, 0, index=index),
    lambda g, _, x, v, index: getitem(g, index=index),
    name="setitem",
)
