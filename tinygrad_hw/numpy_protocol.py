"""NumPy's functions on tensors: what the table covers is recorded, anything else is refused.

`np.exp(t)` and `array * t` arrive as ufuncs and find their op by themselves, because an op is its
NumPy function. `np.sum(t, axis=0)` and the like find the method of the same meaning.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_hw import methods
from tinygrad_hw.methods import Methods
from tinygrad_hw.op import by_ufunc
from tinygrad_hw.rules import elementwise, linalg

by_ufunc[np.power] = elementwise.pow
by_ufunc[np.matmul] = linalg.matmul
by_ufunc[np.square] = Methods.square


def array_ufunc(ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """NumPy's `__array_ufunc__` protocol (NEP 13)."""
    if method == "__call__" and not kwargs and ufunc in by_ufunc:
        return by_ufunc[ufunc](*inputs)
    if method == "reduce" and ufunc is np.add:
        return reduced(Methods.sum)(*inputs, **kwargs)
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
    np.sum: reduced(Methods.sum),
    np.mean: reduced(Methods.mean),
    np.max: reduced(Methods.amax),
    np.amax: reduced(Methods.amax),
    np.min: reduced(Methods.amin),
    np.amin: reduced(Methods.amin),
    np.argmax: reduced(Methods.argmax),
    np.argmin: reduced(Methods.argmin),
    np.any: reduced(Methods.any),
    np.all: reduced(Methods.all),
    np.concatenate: lambda arrays, axis=0: methods.cat(arrays, axis),
    np.stack: lambda arrays, axis=0: methods.stack(arrays, axis),
    np.where: methods.where,
    np.clip: lambda x, a_min=None, a_max=None: Methods.clamp(x, a_min, a_max),
    np.reshape: lambda x, shape: Methods.reshape(x, shape),
    np.ravel: Methods.ravel,
    np.transpose: lambda x, axes=None: x.T if axes is None else Methods.permute(x, axes),
    np.swapaxes: Methods.transpose,
    np.expand_dims: Methods.unsqueeze,
    np.squeeze: Methods.squeeze,
    np.broadcast_to: lambda x, shape: Methods.expand(x, shape),
    np.copy: Methods.clone,
    np.shape: lambda x: x.shape,
    np.ndim: lambda x: x.ndim,
    np.size: lambda x: x.numel(),
}
