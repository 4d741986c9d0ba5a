"""Reductions over all axes, or over those of `dim`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import numpy as np

from tinygrad_hw.dtypes import DType
from tinygrad_hw.functions.arguments import (
    Dim,
    Operand,
    all_dims,
    as_dim,
    as_traced,
    checked,
    numpy_names,
)
from tinygrad_hw.functions.shapes import cat
from tinygrad_hw.rules import elementwise as ew
from tinygrad_hw.rules import indexing, reductions
from tinygrad_hw.rules import softmax as sm

if TYPE_CHECKING:
    from tinygrad_hw.tensor import Tensor


class ValuesIndices(NamedTuple):
    """What `max(dim)`, `sort` and their like return: elements, and where along `dim` they stand."""

    values: Tensor
    indices: Tensor

    def __reduce__(self) -> Any:
        return restored, (type(self).__name__, *self)

    def __repr__(self) -> str:
        name = type(self).__name__
        return f"return_types.{name}(\nvalues={self.values!r},\nindices={self.indices!r})"


def return_type(name: str) -> type[ValuesIndices]:
    """The pair under the name of the function that returns it, as PyTorch prints it."""
    return type(name, (ValuesIndices,), {"__slots__": ()})


def restored(name: str, values: Tensor, indices: Tensor) -> ValuesIndices:
    """What a pickle of such a pair comes back as."""
    return return_type(name)(values, indices)


MAX, MIN = return_type("max"), return_type("min")


@numpy_names
def sum(input: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: DType = None) -> Tensor:
    """The sum over `dim` (all axes by default); integers and booleans sum to int64."""
    x = input if dtype is None else input.to(dtype)
    found = reductions.sum(x, dim=as_dim(input, dim), keepdim=keepdim)
    return found if dtype is None else found.to(dtype)  # NumPy widens short integers


def summable(x: Tensor, dtype: DType) -> Tensor:
    """`x` in the dtype asked for; integers and booleans, where none is, as int64."""
    if dtype is None:
        dtype = np.int64 if x.array.dtype.kind in "biu" else x.array.dtype
    return x.to(dtype)


@numpy_names
def nansum(input: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: DType = None) -> Tensor:
    """The sum of what is not nan."""
    return sum(ew.where(ew.isnan(input), 0, input), dim, keepdim, dtype=dtype)


@numpy_names
def mean(input: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: DType = None) -> Tensor:
    """The mean over `dim` (all axes by default)."""
    x = of_floats("mean", input if dtype is None else input.to(dtype))
    return reductions.mean(x, dim=as_dim(input, dim), keepdim=keepdim)


@numpy_names
def nanmean(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """The mean of what is not nan."""
    total: Tensor = nansum(input, dim, keepdim)
    return total / sum(ew.isnan(input) == 0, dim, keepdim)


@numpy_names
def prod(
    input: Tensor, dim: int | None = None, keepdim: bool = False, *, dtype: DType = None
) -> Tensor:
    """The product over `dim` (all axes by default); integers multiply to int64.

    It is a tree of products of halves, whose gradients are exact where elements are 0 too.
    """
    x = summable(input, dtype)
    if dim is None:
        return prod(x.reshape(-1), 0, dtype=dtype)
    dim = checked(dim, x.array.ndim)
    if not x.array.ndim:
        return x.clone()
    if x.array.shape[dim] < 2:  # the only factor, or none
        return ew.add(reductions.sum(x, dim=dim, keepdim=keepdim), int(not x.array.shape[dim]))
    while (n := x.array.shape[dim]) > 1:
        half = n // 2
        pairs = x.narrow(dim, 0, half) * x.narrow(dim, half, half)
        x = pairs if n == 2 * half else cat([pairs, x.narrow(dim, n - 1, 1)], dim)
    return x if keepdim else x.squeeze(dim)


@numpy_names
def var(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """The mean squared distance from the mean, Σ (x - mean)² / (n - correction).

    Args:
        correction: 1 by default; `unbiased=False` is `correction=0`. Where n - correction is not
            positive the result is nan (or infinite), as PyTorch's.
    """
    if isinstance(dim, bool):  # var(False)
        dim, unbiased = None, dim
    if correction is None:
        correction = 1 if unbiased is None else int(unbiased)
    x, dims = of_floats("var", input), all_dims(input, dim)
    d = x - reductions.mean(x, dim=dims, keepdim=True)
    total = reductions.sum(d * d, dim=dims, keepdim=keepdim)
    freedom = reductions.count(x, dims) - correction
    if freedom > 0:
        return total / freedom
    with np.errstate(all="ignore"):
        return total / 0.0


@numpy_names
def std(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """The square root of `var`; where all elements are equal its gradient is 0."""
    return ew.root(var(input, dim, unbiased, keepdim, correction=correction))


@numpy_names
def var_mean(input: Tensor, dim: Any = None, **options: Any) -> tuple[Tensor, Tensor]:
    """`var` and `mean`; the options are `var`'s."""
    over = None if isinstance(dim, bool) else dim
    keepdim = options.get("keepdim", False)
    return var(input, dim, **options), mean(input, over, keepdim)


@numpy_names
def std_mean(input: Tensor, dim: Any = None, **options: Any) -> tuple[Tensor, Tensor]:
    """`std` and `mean`; the options are `std`'s."""
    over = None if isinstance(dim, bool) else dim
    keepdim = options.get("keepdim", False)
    return std(input, dim, **options), mean(input, over, keepdim)


def of_floats(name: str, x: Tensor) -> Tensor:
    if x.array.dtype.kind not in "fc":
        raise RuntimeError(
            f"{name} of a {x.array.dtype.name} tensor: convert it first, x.to(th.float32)."
        )
    return x


# ----------------------------------------------------------------------------------- extremes


@numpy_names
def amax(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """The greatest element over `dim`; ties share the gradient equally."""
    return reductions.amax(input, dim=as_dim(input, dim), keepdim=keepdim)


@numpy_names
def amin(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """The least element over `dim`; ties share the gradient equally."""
    return reductions.amin(input, dim=as_dim(input, dim), keepdim=keepdim)


@overload
def max(input: Tensor) -> Tensor: ...
@overload
def max(input: Tensor, dim: int, keepdim: bool = False) -> ValuesIndices: ...
@overload
def max(input: Tensor, dim: Tensor) -> Tensor: ...
@overload
def max(input: Tensor, *, other: Tensor) -> Tensor: ...


@numpy_names
def max(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """The greatest element; with `dim`, `(values, indices)` along it, the first of ties taken;
    with another tensor, the elementwise maximum."""
    other = dim if hasattr(dim, "shape") else other
    if other is not None:
        return ew.maximum(input, other)
    return amax(input) if dim is None else MAX(*chosen(input, reductions.argmax, dim, keepdim))


@overload
def min(input: Tensor) -> Tensor: ...
@overload
def min(input: Tensor, dim: int, keepdim: bool = False) -> ValuesIndices: ...
@overload
def min(input: Tensor, dim: Tensor) -> Tensor: ...
@overload
def min(input: Tensor, *, other: Tensor) -> Tensor: ...


@numpy_names
def min(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """The least element; with `dim` or another tensor as in `max`."""
    other = dim if hasattr(dim, "shape") else other
    if other is not None:
        return ew.minimum(input, other)
    return amin(input) if dim is None else MIN(*chosen(input, reductions.argmin, dim, keepdim))


def chosen(x: Tensor, choose: Any, dim: int, keepdim: bool) -> ValuesIndices:
    """The element that `choose` picks along `dim`, and its index."""
    x = as_traced(x)
    dim = checked(dim, x.array.ndim)
    if not x.array.ndim:
        return ValuesIndices(x.clone(), choose(x))
    indices = choose(x, dim=dim, keepdim=True)
    values = indexing.gather(x, index=indices.array, dim=dim)
    if keepdim:
        return ValuesIndices(values, indices)
    return ValuesIndices(values.squeeze(dim), indices.squeeze(dim))


@numpy_names
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Where the greatest element stands along `dim`, or in the flattened tensor: the first."""
    if is_bool_array(input):
        raise RuntimeError("argmax of booleans: convert it first, x.to(th.int64)")
    return reductions.argmax(input, dim=as_dim(input, dim), keepdim=keepdim)


@numpy_names
def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Where the least element stands along `dim`, or in the flattened tensor: the first."""
    if is_bool_array(input):
        raise RuntimeError("argmin of booleans: convert it first, x.to(th.int64)")
    return reductions.argmin(input, dim=as_dim(input, dim), keepdim=keepdim)


def is_bool_array(x: Tensor) -> bool:
    return x.array.dtype.kind == "b"


@numpy_names
def any(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """Whether some element is not 0."""
    if dim == ():  # over no axes
        return like_bool(ew.ne(input, 0), input)
    return like_bool(reductions.any(input, dim=as_dim(input, dim), keepdim=keepdim), input)


@numpy_names
def all(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """Whether no element is 0."""
    if dim == ():  # over no axes
        return like_bool(ew.ne(input, 0), input)
    return like_bool(reductions.all(input, dim=as_dim(input, dim), keepdim=keepdim), input)


def like_bool(found: Tensor, input: Tensor) -> Tensor:
    """Booleans; of uint8, as PyTorch has kept it, uint8."""
    return found.to(np.uint8) if input.array.dtype == np.uint8 else found


@numpy_names
def count_nonzero(input: Tensor, dim: Dim = None) -> Tensor:
    return sum(ew.ne(input, 0), dim)


# ------------------------------------------------------------------------- sums of exponentials


@numpy_names
def logsumexp(input: Tensor, dim: int | tuple[int, ...], keepdim: bool = False) -> Tensor:
    """log Σ exp(x) over `dim`, without overflow."""
    dim = as_dim(input, dim)
    over = tuple(range(input.array.ndim)) if dim is None else dim
    return sm.logsumexp(input, dim=over, keepdim=keepdim)


@numpy_names
def softmax(input: Tensor, dim: int, dtype: DType = None) -> Tensor:
    """exp(x) / Σ exp(x) along `dim`, without overflow."""
    x = of_floats("softmax", input if dtype is None else input.to(dtype))
    return sm.softmax(x, dim=checked(dim, input.array.ndim))


@numpy_names
def log_softmax(input: Tensor, dim: int, dtype: DType = None) -> Tensor:
    """log softmax(x) along `dim`, without overflow."""
    x = of_floats("log_softmax", input if dtype is None else input.to(dtype))
    return sm.log_softmax(x, dim=checked(dim, input.array.ndim))


# -------------------------------------------------------------------------------------- norms


@numpy_names
def vector_norm(
    x: Tensor, ord: float = 2, dim: Dim = None, keepdim: bool = False, *, dtype: DType = None
) -> Tensor:
    """(Σ |x|^ord)^(1/ord) over `dim` (all axes by default); for ±inf the greatest or least |x|,
    for 0 how many are not 0. Its slope where the norm is 0 is 0."""
    x = of_floats("norm", x if dtype is None else x.to(dtype))
    if x.array.dtype == np.float16:  # whose squares overflow early
        return vector_norm(x.to(np.float32), ord, dim, keepdim).to(np.float16)
    dims = all_dims(x, dim)
    if ord == 0:
        ones = ew.sign(x) * ew.sign(x)
        return reductions.sum(ones, dim=dims, keepdim=keepdim)
    if ord == 2:
        return ew.root(reductions.sum(x * x, dim=dims, keepdim=keepdim))
    size = ew.abs(x)
    if math.isinf(ord):
        extreme = reductions.amax if ord > 0 else reductions.amin
        return extreme(size, dim=dims, keepdim=keepdim)
    if ord == 1:
        return reductions.sum(size, dim=dims, keepdim=keepdim)
    zero = ew.eq(x, 0)  # which has slope 0, whatever the power
    powers = ew.where(zero, 0 if ord > 0 else np.inf, ew.where(zero, 1, size) ** ord)
    total = reductions.sum(powers, dim=dims, keepdim=keepdim)
    none = ew.eq(total, 0)
    return ew.where(none, 0, ew.where(none, 1, total) ** (1 / ord))


@numpy_names
def norm(
    input: Tensor,
    p: float | str | None = "fro",
    dim: Dim = None,
    keepdim: bool = False,
    *,
    dtype: DType = None,
) -> Tensor:
    """The norm of the elements over `dim`, as of one long vector: see `linalg.vector_norm`.

    Raises:
        RuntimeError: p="nuc", the sum of singular values, whose gradient is not here.
    """
    if isinstance(p, str) and p != "fro":
        raise RuntimeError(f"p is a number or 'fro'; p={p!r} is not covered")
    ord = 2 if p is None or isinstance(p, str) else p
    return vector_norm(input, ord, dim, keepdim, dtype=dtype)


def dist(input: Tensor, other: Operand, p: float = 2) -> Tensor:
    """The norm of the difference."""
    return vector_norm(input - other, p)
