"""How functions read their arguments: axes, sizes, devices, where to write."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from operator import index
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

import numpy as np

from tinygrad_hw.dtypes import can_cast
from tinygrad_hw.tape import Traced, grad_mode, note_write, wrap

if TYPE_CHECKING:
    from tinygrad_hw.tensor import Tensor

Operand: TypeAlias = Any  # a tensor, an array or a number
Dim: TypeAlias = int | Sequence[int] | None

F = TypeVar("F", bound=Callable[..., Any])


def numpy_names(function: F) -> F:
    """Take `axis` and `keepdims`, as NumPy calls them, for `dim` and `keepdim`."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if "axis" in kwargs:
            kwargs["dim"] = kwargs.pop("axis")
        if "keepdims" in kwargs:
            kwargs["keepdim"] = kwargs.pop("keepdims")
        return function(*args, **kwargs)

    return cast(F, call)


def as_traced(x: Operand) -> Tensor:
    """`x` as a tensor, on the memory of an array."""
    return x if isinstance(x, Traced) else wrap(np.asarray(x))  # type: ignore[return-value]


def checked(dim: Any, ndim: int) -> int:
    """`dim` counted from the front; a single number counts as one axis."""
    dim, ndim = index(dim), ndim or 1
    if not -ndim <= dim < ndim:
        raise IndexError(f"dim {dim} is out of range for {ndim} axes: from {-ndim} to {ndim - 1}")
    return int(dim % ndim)


def as_dim(x: Traced, dim: Any) -> Any:
    """`dim` as NumPy takes it; PyTorch's empty tuple means all axes."""
    if isinstance(dim, (list, tuple)):
        dim = tuple(dim) or None
    if dim is None or x.array.ndim:
        return dim
    for d in dim if isinstance(dim, tuple) else (dim,):
        checked(d, 0)
    return None


def all_dims(x: Traced, dim: Any) -> tuple[int, ...]:
    """The axes of `dim`, each counted from the front; all of them for None and ()."""
    if dim is None or (isinstance(dim, (list, tuple)) and not dim):
        return tuple(range(x.array.ndim))
    asked = dim if isinstance(dim, (list, tuple)) else (dim,)
    found = tuple(checked(d, x.array.ndim) for d in asked)
    if len(set(found)) < len(found):
        raise RuntimeError(f"dim {tuple(asked)} names an axis twice")
    return found if x.array.ndim else ()


def sizes(shape: tuple[Any, ...], least: float = 0) -> tuple[int, ...]:
    """A shape given as separate numbers or as one sequence, none of them below `least`."""
    if len(shape) == 1 and not hasattr(shape[0], "__index__"):
        shape = tuple(shape[0])
    wanted = tuple([index(n) for n in shape])
    if min(wanted, default=0) < least:  # NumPy would read any negative size as -1, the rest
        raise RuntimeError(f"the sizes {wanted} hold one below {least}")
    return wanted


def written(result: Tensor, out: Tensor | None) -> Tensor:
    """`result`, or `out` with its elements: resized to the result's shape, of its own dtype.

    Raises:
        RuntimeError: gradients are recorded here, which writing to `out` would lose; or `out` has
            a dtype of a lower kind.
    """
    if out is None:
        return result if isinstance(result, Traced) else as_traced(result)
    if grad_mode.enabled and (result.tracked or out.tracked):
        raise RuntimeError("out=... does not support automatic differentiation: leave it out")
    if not can_cast(result.array.dtype, out.array.dtype):
        raise RuntimeError(
            f"a result of {result.array.dtype} cannot be written to out, of {out.array.dtype}"
        )
    if out.array.shape == result.array.shape:
        out.array[...] = result.array
        note_write(out.array)
    else:
        out.array = result.array.astype(out.array.dtype)
    return out
