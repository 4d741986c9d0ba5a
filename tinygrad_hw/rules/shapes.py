"""Ops that move elements and change none: their transposes move them back."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_hw.op import Op, linear, variadic


def broadcast(x: Any, *, shape: tuple[int, ...]) -> Any:
    """np.broadcast_to(x, shape); of one number, at a tenth of its cost."""
    if x.size != 1 or len(shape) < x.ndim:
        return np.broadcast_to(x, shape)
    view = np.ndarray(shape, x.dtype, x, 0, (0,) * len(shape))
    view.setflags(write=False)
    return view


reshape: Op = linear(
    lambda x, *, shape: x.reshape(shape),
    lambda g, _, x, shape: reshape(g, shape=x.shape),
    name="reshape",
)
view = linear(  # reshape that refuses to copy
    lambda x, *, shape: x.reshape(shape, copy=False),
    lambda g, _, x, shape: reshape(g, shape=x.shape),
    name="view",
)
permute: Op = linear(
    lambda x, *, dims: x.transpose(dims),
    lambda g, _, x, dims: permute(g, dims=inverse(dims, x.ndim)),
    name="permute",
)
expand = linear(  # the engine sums the copies
    broadcast,
    lambda g, _, x, shape: g,
    name="expand",
)


def inverse(dims: Any, ndim: int) -> tuple[int, ...]:
    """The permutation that undoes `dims`."""
    order = [0] * ndim
    for i, d in enumerate(dims):
        order[d] = i
    return tuple(order)


def part(i: int, g: Any, _: Any, *xs: Any, dim: int) -> Any:
    """The stretch of g along `dim` that came from input i."""
    start = sum(x.shape[dim] for x in xs[:i])
    index = [slice(None)] * g.ndim
    index[dim] = slice(start, start + xs[i].shape[dim])
    return g[tuple(index)]


cat = variadic(lambda *xs, dim: np.concatenate(xs, axis=dim), part, name="cat")
