"""Ops that move elements and change none: their transposes move them back."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_hw.op import Op, linear, variadic

reshape: Op = linear(
    lambda x, *, shape: np.reshape(x, shape),
    lambda g, _, x, shape: reshape(g, shape=x.shape),
    name="reshape",
)
view = linear(  # reshape that refuses to copy
    lambda x, *, shape: np.reshape(x, shape, copy=False),
    lambda g, _, x, shape: reshape(g, shape=x.shape),
    name="view",
)
permute: Op = linear(
    lambda x, *, dims: np.transpose(x, dims),
    lambda g, _, x, dims: permute(g, dims=inverse(dims, x.ndim)),
    name="permute",
)
expand = linear(  # the engine sums the copies
    lambda x, *, shape: np.broadcast_to(x, shape),
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
