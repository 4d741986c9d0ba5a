"""Choosing elements, and putting others in their place, by masks and by index tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

import numpy as np

from tinygrad_hw.dtypes import can_cast, common_dtype
from tinygrad_hw.functions.arguments import Operand, as_traced, checked, numpy_names
from tinygrad_hw.rules import elementwise as ew
from tinygrad_hw.rules import indexing
from tinygrad_hw.tape import Array, Traced, raw, wrap

if TYPE_CHECKING:
    from tinygrad_hw.tensor import Tensor


@overload
def where(condition: Operand) -> tuple[Tensor, ...]: ...
@overload
def where(condition: Operand, input: Operand, other: Operand) -> Tensor: ...


def where(condition: Operand, input: Operand = None, other: Operand = None) -> Any:
    """`input` where the condition holds, `other` elsewhere, broadcast together; with the condition
    alone, the indices where it holds, as `nonzero(as_tuple=True)`.

    Raises:
        RuntimeError: a condition that is not boolean.
    """
    if input is None and other is None:
        return nonzero(as_traced(condition), as_tuple=True)
    c = raw(condition)
    if isinstance(c, np.ndarray) and c.dtype not in (np.bool_, np.uint8):
        raise RuntimeError(f"where: the condition is of {c.dtype}, not bool: compare it, x != 0")
    a, b = raw(input), raw(other)
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and a.dtype is not b.dtype:
        dtype = common_dtype([a, b, np.asarray(c)])
        input, other = as_traced(input).to(dtype), as_traced(other).to(dtype)
    return ew.where(condition, input, other)


def masked_fill(input: Tensor, mask: Operand, value: Operand) -> Tensor:
    """`value`, a number or a 0-d tensor, where the mask holds."""
    m = raw(mask)
    if m.dtype != np.bool_:
        raise RuntimeError(f"masked_fill: the mask is of {m.dtype}, not bool: compare it, x != 0")
    return ew.where(mask, single("masked_fill", input, value), input)


def single(name: str, input: Tensor, value: Operand) -> Any:
    """`value` as one number of the input's dtype."""
    dtype = input.array.dtype
    if isinstance(value, Traced):
        if value.array.ndim:
            raise RuntimeError(f"{name}: value is one number, not of shape {value.array.shape}")
        if not can_cast(value.array.dtype, dtype):
            raise RuntimeError(f"{name}: a {value.array.dtype} value does not fit {dtype}")
        return as_traced(value).to(dtype)
    if dtype.kind in "iu" and isinstance(value, float) and value != int(value):
        raise RuntimeError(f"{name}: the value {value} does not fit {dtype}")
    return np.asarray(value, dtype)


def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The elements where the mask holds, in a row; both are broadcast together."""
    if raw(mask).dtype != np.bool_:
        raise RuntimeError("masked_select: the mask has to be boolean: compare it, x != 0")
    shape = np.broadcast_shapes(input.array.shape, mask.array.shape)
    index = np.broadcast_to(mask.array, shape)
    return indexing.getitem(input.expand(shape), index=index)


def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """Where the elements are not 0: a row of indices for each; or a tensor for each axis."""
    if as_tuple:
        array = input.array if input.array.ndim else input.array[None]
        return tuple(wrap(i) for i in np.nonzero(array))
    return wrap(np.ascontiguousarray(np.argwhere(input.array)))


argwhere = nonzero

# ----------------------------------------------------------------------------- along one axis


def along(
    name: str, input: Tensor, dim: int, index: Operand, outside: type[Exception] = IndexError
) -> tuple[int, Array]:
    """The axis, and the index as an array of whole numbers that stay inside it.

    Raises:
        RuntimeError: an index that is not of whole numbers.
        IndexError, or `outside`: an index out of range.
    """
    at = np.asarray(raw(index))
    if at.dtype.kind not in "iu":
        raise RuntimeError(f"{name}: the index is of {at.dtype}, not whole numbers: index.long()")
    ndim = input.array.ndim
    dim = checked(dim, ndim)
    n = input.array.shape[dim] if ndim else 1
    if at.size and (at.min() < 0 or at.max() >= n):
        bad = at[(at < 0) | (at > n - 1)][0]
        raise outside(f"{name}: index {bad} is out of range for axis {dim}, of size {n}")
    return dim, at


def elements(
    name: str, input: Tensor, dim: int, index: Operand, src: Array | None = None
) -> tuple[int, Array]:
    """As `along`, for an index that names one element at each of its own places."""
    dim, at = along(name, input, dim, index, RuntimeError)
    shape = input.array.shape
    if at.size and (at.ndim or 1) != (input.array.ndim or 1):
        raise RuntimeError(f"{name}: the index has shape {at.shape}, and the input {shape}: "
                           "they need as many axes")
    for i, n in enumerate(at.shape if shape else ()):
        over_src = src is not None and src.ndim and n > src.shape[i]
        if at.size and ((i != dim and n > shape[i]) or over_src):
            of = f"and the source {src.shape}" if src is not None else ""
            raise RuntimeError(
                f"{name}: the index {at.shape} is larger than the input {shape} {of} in axis {i}"
            )
    return dim, at


@numpy_names
def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Tensor:
    """out[i][j] = input[index[i][j]][j] for dim=0, and so on: of the shape of the index."""
    if sparse_grad:
        raise RuntimeError("gather: sparse_grad=True is not covered; gradients are dense")
    dim, at = elements("gather", input, dim, index)
    if not input.array.ndim:
        return input.reshape(1).gather(0, wrap(at.reshape(-1))).reshape(at.shape)
    if not at.size:
        return wrap(np.empty(at.shape, input.array.dtype)) if not input.tracked else (
            indexing.getitem(input.reshape(-1), index=at.astype(np.int64))
        )
    return indexing.gather(input, index=at if at.ndim else at[None], dim=dim).reshape(at.shape)


@numpy_names
def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """`gather`, with input and indices broadcast outside `dim`; None: in the flattened tensor."""
    if dim is None:
        return gather(input.reshape(-1), 0, indices.reshape(-1))
    dim, indices = checked(dim, input.array.ndim), as_traced(indices)
    a, b = list(input.array.shape), list(indices.array.shape)
    a[dim] = b[dim] = 1
    shape = list(np.broadcast_shapes(tuple(a), tuple(b)))
    wide = [*shape[:dim], input.array.shape[dim], *shape[dim + 1 :]]
    longs = [*shape[:dim], indices.array.shape[dim], *shape[dim + 1 :]]
    return gather(input.expand(wide), dim, indices.expand(longs))


@numpy_names
def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The slices of the input at the index, along `dim`: a copy."""
    dim, at = along("index_select", input, dim, index)
    if at.ndim > 1:
        raise IndexError(f"index_select: the index is a vector, and has shape {at.shape}")
    if not input.array.ndim:
        return input.clone()
    return indexing.getitem(input, index=(slice(None),) * dim + (at.reshape(-1),))


def take(input: Tensor, index: Tensor) -> Tensor:
    """The elements at the index in the flattened tensor, of the index's shape."""
    at = np.asarray(raw(index))
    if at.dtype.kind not in "iu":
        raise RuntimeError(f"take: the index is of {at.dtype}, not whole numbers: index.long()")
    return indexing.getitem(input.reshape(-1), index=at)


@numpy_names
def scatter(
    input: Tensor, dim: int, index: Tensor, src: Operand = None, *, value: Any = None
) -> Tensor:
    """The input with `src` put where `gather` would take: out[index[i][j]][j] = src[i][j]. Where
    an index comes twice it is not said which element stays."""
    source = value if src is None else src
    of_tensor = isinstance(source, Traced)
    dim, at = elements("scatter", input, dim, index, source.array if of_tensor else None)
    if of_tensor:
        same_dtype("scatter", input, source)
        source = source[tuple(slice(n) for n in at.shape)] if at.ndim else source
    else:
        source = single("scatter", input, source)
    if not input.array.ndim:
        return scatter(input.reshape(1), 0, wrap(at.reshape(-1)), source).reshape(())
    return indexing.setitem(input, source, index=indexing.along(at, dim))


@numpy_names
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """As `scatter`, with `src` added to what is there, as often as an index comes."""
    same_dtype("scatter_add", input, src)
    dim, at = elements("scatter_add", input, dim, index, src.array)
    if not input.array.ndim:
        return scatter_add(input.reshape(1), 0, wrap(at.reshape(-1)), src.reshape(-1)).reshape(())
    part = src[tuple(slice(n) for n in at.shape)]
    return input + indexing.put_along(part, index=at, dim=dim, shape=input.array.shape)


@numpy_names
def index_add(
    input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: float = 1
) -> Tensor:
    """The input with alpha times the slices of `source` added at the index, along `dim`."""
    same_dtype("index_add", input, source)
    dim, at = along("index_add", input, dim, index)
    where_to = (slice(None),) * dim + (at.reshape(-1),)
    v = source if alpha == 1 else source * alpha
    return input + indexing.put(v, index=where_to, shape=input.array.shape)


@numpy_names
def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """The input with the slices of `source` put at the index, along `dim`."""
    same_dtype("index_copy", input, source)
    dim, at = along("index_copy", input, dim, index)
    return indexing.setitem(input, source, index=(slice(None),) * dim + (at.reshape(-1),))


@numpy_names
def index_fill(input: Tensor, dim: int, index: Tensor, value: Operand) -> Tensor:
    """The input with one number at the index, along `dim`."""
    dim, at = along("index_fill", input, dim, index)
    v = single("index_fill", input, value)
    return indexing.setitem(input, v, index=(slice(None),) * dim + (at.reshape(-1),))


def index_put(
    input: Tensor, indices: Any, values: Operand, accumulate: bool = False
) -> Tensor:
    """The input with `values` put at the index tensors, or added there as often as one comes."""
    at = tuple(raw(i) for i in indices)
    v = as_traced(values)
    same_dtype("index_put", input, v)
    if accumulate:
        shape = np.broadcast_shapes(np.empty(input.array.shape, bool)[at].shape, v.array.shape)
        return input + indexing.put(v.expand(shape), index=at, shape=input.array.shape)
    return indexing.setitem(input, v, index=at)


def same_dtype(name: str, input: Tensor, source: Tensor) -> None:
    if input.array.dtype != source.array.dtype:
        raise RuntimeError(
            f"{name}: the input is of {input.array.dtype} and the source of {source.array.dtype}: "
            "they have to be of one dtype"
        )
