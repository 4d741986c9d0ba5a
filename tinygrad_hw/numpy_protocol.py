"""NumPy's functions on tensors: what the table covers is recorded, anything else is refused.

`np.exp(t)` and `array * t` arrive as ufuncs and find their op by themselves, because an op is its
NumPy function. `np.sum(t, axis=0)` and the like find the method of the same meaning.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_hw.functions import arithmetic, ordering, products, reductions, shapes
from tinygrad_hw.functions.einsum import einsum
from tinygrad_hw.functions.selection import take_along_dim, where
from tinygrad_hw.op import by_ufunc
from tinygrad_hw.rules import elementwise, linalg

by_ufunc[np.power] = elementwise.pow
by_ufunc[np.matmul] = linalg.matmul
by_ufunc[np.square] = arithmetic.square
by_ufunc[np.reciprocal] = arithmetic.reciprocal


def array_ufunc(ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """NumPy's `__array_ufunc__` protocol (NEP 13)."""
    if method == "__call__" and not kwargs and ufunc in by_ufunc:
        return by_ufunc[ufunc](*inputs)
    if method == "reduce" and ufunc is np.add:
        return reduced(reductions.sum)(*inputs, **kwargs)
    how = f"numpy.{ufunc.__name__}" + ("" if method == "__call__" else f".{method}")
    options = f" with {', '.join(kwargs)}" if kwargs else ""
    raise TypeError(
        f"{how}{options} of a tensor is not covered. Use the tensor's own methods, or "
        "x.detach().numpy() where no gradient is wanted."
    )


def array_function(function: Any, args: Any, kwargs: Any) -> Any:
    """NumPy's `__array_function__` protocol (NEP 18)."""
    ours = FUNCTIONS.get(function)
    if ours is not None and takes(ours, args, kwargs):
        return ours(*args, **kwargs)
    options = f" with {', '.join(kwargs)}" if kwargs else ""
    raise TypeError(
        f"numpy.{function.__name__}{options} of a tensor is not covered. Use the tensor's own "
        "methods, or x.detach().numpy() where no gradient is wanted."
    )


def takes(function: Callable[..., Any], args: Any, kwargs: Any) -> bool:
    try:
        inspect.signature(function).bind(*args, **kwargs)
    except TypeError:
        return False
    return True


def reduced(method: Callable[..., Any]) -> Callable[..., Any]:
    """A reduction under NumPy's names for its arguments."""

    def call(x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
        return method(x, axis, keepdims)

    return call


FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.sum: reduced(reductions.sum),
    np.mean: reduced(reductions.mean),
    np.prod: reduced(reductions.prod),
    np.max: reduced(reductions.amax),
    np.amax: reduced(reductions.amax),
    np.min: reduced(reductions.amin),
    np.amin: reduced(reductions.amin),
    np.argmax: reduced(reductions.argmax),
    np.argmin: reduced(reductions.argmin),
    np.any: reduced(reductions.any),
    np.all: reduced(reductions.all),
    np.var: lambda x, axis=None, *, ddof=0, keepdims=False: reductions.var(
        x, axis, keepdim=keepdims, correction=ddof
    ),
    np.std: lambda x, axis=None, *, ddof=0, keepdims=False: reductions.std(
        x, axis, keepdim=keepdims, correction=ddof
    ),
    np.cumsum: lambda x, axis=None: (
        ordering.cumsum(x.reshape(-1), 0) if axis is None else ordering.cumsum(x, axis)
    ),
    np.sort: lambda x, axis=-1: ordering.sort(x, axis).values,
    np.argsort: lambda x, axis=-1: ordering.argsort(x, axis),
    np.concatenate: lambda arrays, axis=0: shapes.cat(arrays, axis),
    np.stack: lambda arrays, axis=0: shapes.stack(arrays, axis),
    np.where: where,
    np.take_along_axis: lambda x, indices, axis: take_along_dim(x, indices, axis),
    np.clip: lambda x, a_min=None, a_max=None: arithmetic.clamp(x, a_min, a_max),
    np.round: lambda x, decimals=0: arithmetic.round(x, decimals=decimals),
    np.dot: lambda a, b: products.matmul(a, b) if min(a.ndim, b.ndim) else a * b,
    np.outer: lambda a, b: products.outer(a.reshape(-1), b.reshape(-1)),
    np.einsum: einsum,
    np.trace: products.trace,
    np.tril: lambda x, k=0: shapes.tril(x, k),
    np.triu: lambda x, k=0: shapes.triu(x, k),
    np.flip: lambda m, axis=None: shapes.flip(m, range(m.ndim) if axis is None else axis),
    np.roll: lambda a, shift, axis=None: shapes.roll(a, shift, axis),
    np.reshape: lambda x, shape: shapes.reshape(x, shape),
    np.ravel: shapes.ravel,
    np.transpose: lambda x, axes=None: x.T if axes is None else shapes.permute(x, axes),
    np.swapaxes: shapes.transpose,
    np.moveaxis: shapes.movedim,
    np.expand_dims: shapes.unsqueeze,
    np.squeeze: shapes.squeeze,
    np.broadcast_to: lambda x, shape: shapes.expand(x, shape),
    np.copy: lambda x: x.clone(),
    np.shape: lambda x: x.shape,
    np.ndim: lambda x: x.ndim,
    np.size: lambda x: x.numel(),
}
