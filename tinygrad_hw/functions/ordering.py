"""Sorting, running sums and products, and what is left when duplicates go: along one axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

import numpy as np

from tinygrad_hw.dtypes import DType
from tinygrad_hw.functions.arguments import checked, numpy_names
from tinygrad_hw.functions.reductions import ValuesIndices, return_type, summable
from tinygrad_hw.functions.shapes import cat, span
from tinygrad_hw.rules import indexing, reductions
from tinygrad_hw.tape import Array, raw, wrap

if TYPE_CHECKING:
    from tinygrad_hw.tensor import Tensor


SORT, TOPK, MEDIAN = return_type("sort"), return_type("topk"), return_type("median")


def order(x: Array, dim: int, descending: bool) -> Array:
    """The indices that sort x along `dim`; equal elements keep their order, nan is the greatest."""
    if not descending:
        return np.argsort(x, axis=dim, kind="stable")
    last = x.shape[dim] - 1
    return np.flip(last - np.argsort(np.flip(x, dim), axis=dim, kind="stable"), dim)


@numpy_names
def sort(
    input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False
) -> ValuesIndices:
    """The elements in order along `dim`, and where they stood; equal ones keep their order."""
    dim = checked(dim, input.array.ndim)
    if not input.array.ndim:
        return SORT(input.clone(), wrap(np.zeros((), np.int64)))
    at = order(input.array, dim, descending)
    return SORT(indexing.gather(input, index=at, dim=dim), wrap(at))


@numpy_names
def argsort(
    input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False
) -> Tensor:
    """The indices that sort along `dim`."""
    return sort(input.detach(), dim, descending).indices


@numpy_names
def topk(
    input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True
) -> ValuesIndices:
    """The k greatest (or least) elements along `dim`, in order, and where they stand."""
    dim = checked(dim, input.array.ndim)
    n = input.array.shape[dim] if input.array.ndim else 1
    if not 0 <= k <= n:
        raise RuntimeError(f"topk: k={k} of the {n} elements along axis {dim}")
    values, indices = sort(input, dim, descending=largest)
    if not input.array.ndim:
        return TOPK(values, indices)
    return TOPK(*(x.narrow(dim, 0, k).contiguous() for x in (values, indices)))


@overload
def median(input: Tensor) -> Tensor: ...
@overload
def median(input: Tensor, dim: int, keepdim: bool = False) -> ValuesIndices: ...


@numpy_names
def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The middle element, the lower one of two; with `dim`, `(values, indices)` along it."""
    if dim is None:
        flat = input.reshape(-1)
        if not flat.array.size:
            return wrap(np.array(np.nan, input.array.dtype))
        return middle(flat, 0).values.reshape(())
    dim = checked(dim, input.array.ndim)
    if not input.array.ndim:
        return MEDIAN(input.clone(), wrap(np.zeros((), np.int64)))
    found = middle(input, dim)
    return MEDIAN(*(x if keepdim else x.squeeze(dim) for x in found))


def middle(x: Tensor, dim: int) -> ValuesIndices:
    """The middle element along `dim`, which stays with size 1; a nan where there is one."""
    at = order(x.array, dim, False)
    k = (x.array.shape[dim] - 1) // 2
    chosen = at.take([k], axis=dim)
    if x.array.dtype.kind == "f":
        none = np.isnan(x.array)
        first = np.argmax(none, axis=dim, keepdims=True)
        chosen = np.where(none.any(axis=dim, keepdims=True), first, chosen)
    return ValuesIndices(indexing.gather(x, index=chosen, dim=dim), wrap(chosen))


@numpy_names
def cumsum(input: Tensor, dim: int, *, dtype: DType = None) -> Tensor:
    """The sum of each element and all before it along `dim`; integers sum to int64."""
    x = summable(input, dtype)
    dim = checked(dim, x.array.ndim)
    return reductions.cumsum(x, dim=dim) if x.array.ndim else x.clone()


@numpy_names
def cumprod(input: Tensor, dim: int, *, dtype: DType = None) -> Tensor:
    """The product of each element and all before it along `dim`; integers multiply to int64.

    It doubles the stretch that each element has gathered, so that gradients are exact at 0 too.
    """
    x = summable(input, dtype)
    dim = checked(dim, x.array.ndim)
    n = x.array.shape[dim] if x.array.ndim else 0
    reach = 1
    x = x.clone()
    while reach < n:
        x = cat([span(x, dim, 0, reach), span(x, dim, reach, n) * span(x, dim, 0, n - reach)], dim)
        reach *= 2
    return x


@numpy_names
def diff(input: Tensor, n: int = 1, dim: int = -1) -> Tensor:
    """The n-th difference between neighbours along `dim`."""
    if not input.array.ndim:
        raise RuntimeError("diff takes a tensor of one axis or more")
    dim, x = checked(dim, input.array.ndim), input
    for _ in range(n):
        size = x.array.shape[dim]
        if size < 1:
            break
        after, before = span(x, dim, 1, size), span(x, dim, 0, size - 1)
        x = after != before if x.array.dtype == np.bool_ else after - before
    return x


# ------------------------------------------------------------------------ no gradient: counts


def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The different elements in order (or slices along `dim`); on request also where each element
    of the input is among them, and how often each comes."""
    find: Any = np.unique
    found = find(
        input.array, return_inverse=return_inverse, return_counts=return_counts, axis=dim
    )
    if not isinstance(found, tuple):
        return wrap(found)
    parts = [wrap(np.asarray(part)) for part in found]
    if return_inverse and dim is None:
        parts[1] = parts[1].reshape(input.array.shape)
    return tuple(parts)


def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each whole number from 0 on comes, or the sum of its weights."""
    if input.array.ndim != 1 or input.array.dtype.kind not in "iu":
        raise RuntimeError("bincount takes a vector of whole numbers")
    if input.array.size and input.array.min() < 0:
        raise RuntimeError("bincount takes whole numbers that are not negative")
    if weights is None:
        return wrap(np.bincount(input.array, minlength=minlength))
    n = max(minlength, int(input.array.max(initial=-1)) + 1)
    return indexing.put(weights, index=input.array, shape=(n,))


def searchsorted(sorted_sequence: Tensor, input: Any, *, right: bool = False) -> Tensor:
    """Where each element would be put in to keep a sorted vector in order."""
    if sorted_sequence.array.ndim != 1:
        raise RuntimeError("searchsorted: only a vector as sorted_sequence is covered")
    side: Any = "right" if right else "left"
    return wrap(np.searchsorted(sorted_sequence.array, raw(input), side))


def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """How many elements fall into each of `bins` intervals from min to max (where both are equal,
    of the elements), in the dtype of the input."""
    low, high = (min, max) if min < max else (input.array.min(), input.array.max())
    counts = np.histogram(input.array, bins, (low, high))[0]
    return wrap(counts.astype(input.array.dtype))


def bucketize(input: Any, boundaries: Tensor, *, right: bool = False) -> Tensor:
    """Which of the intervals between the boundaries each element falls into."""
    return searchsorted(boundaries, input, right=right)


