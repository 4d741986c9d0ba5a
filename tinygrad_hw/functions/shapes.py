"""Shapes: the same elements under other axes, joined, cut and repeated.

What PyTorch gives as a view of the same memory is one here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import index as whole_number
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_hw.functions.arguments import (
    Dim,
    Operand,
    all_dims,
    as_traced,
    checked,
    numpy_names,
    sizes,
    written,
)
from tinygrad_hw.rules import elementwise as ew
from tinygrad_hw.rules import indexing, shapes
from tinygrad_hw.tape import raw

if TYPE_CHECKING:
    from tinygrad_hw.tensor import Tensor


def numel(input: Tensor) -> int:
    """How many elements there are."""
    return input.array.size


def reshape(input: Tensor, *shape: Any) -> Tensor:
    """The same elements in order, in another shape; one size may be -1. A view if it can be."""
    return shapes.reshape(input, shape=sizes(shape, -1))


def view(input: Tensor, *shape: Any) -> Tensor:
    """`reshape` that shares memory, or refuses."""
    if len(shape) == 1 and isinstance(shape[0], (np.dtype, type)):
        raise RuntimeError("view(dtype) is not covered: to(dtype) converts")
    return shapes.view(input, shape=sizes(shape, -1))


def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    return reshape(input, other.array.shape)


def view_as(input: Tensor, other: Tensor) -> Tensor:
    return view(input, other.array.shape)


def permute(input: Tensor, *dims: Any) -> Tensor:
    """The axes in another order; a view."""
    ndim, order = input.array.ndim, sizes(dims, -math.inf)
    if len(order) != ndim:
        raise RuntimeError(f"permute needs each of the {ndim} axes once, given {order}")
    return shapes.permute(input, dims=tuple(checked(d, ndim) for d in order))


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two axes exchanged; a view."""
    order = list(range(input.array.ndim))
    a, b = checked(dim0, len(order)), checked(dim1, len(order))
    if a != b:
        order[a], order[b] = b, a
    return shapes.permute(input, dims=tuple(order))


def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """Some axes moved to other places, the rest in order; a view."""
    froms, tos = all_dims(input, source), all_dims(input, destination)
    if len(froms) != len(tos):
        raise RuntimeError(f"movedim: {len(froms)} axes cannot move to {len(tos)} places")
    rest = iter([i for i in range(input.array.ndim) if i not in froms])
    at = dict(zip(tos, froms, strict=True))
    return shapes.permute(
        input, dims=tuple(at[i] if i in at else next(rest) for i in range(input.array.ndim))
    )


def t(input: Tensor) -> Tensor:
    """The transpose of a matrix; a view."""
    if input.array.ndim > 2:
        raise RuntimeError(f"t() takes at most 2 axes, given {input.array.shape}: use transpose")
    return shapes.permute(input, dims=tuple(range(input.array.ndim))[::-1])


def expand(input: Tensor, *shape: Any) -> Tensor:
    """Repeat axes of size 1 without copying; -1 keeps a size."""
    wanted = sizes(shape, -1)
    lead = len(wanted) - input.array.ndim
    if lead < 0 or -1 in wanted[:lead]:
        raise RuntimeError(
            f"expand of {input.array.shape} to {wanted}: -1 keeps a size, and there is none to "
            "keep for a new axis in front; nor can axes be left out."
        )
    full = [n if n != -1 else input.array.shape[i - lead] for i, n in enumerate(wanted)]
    return shapes.expand(input, shape=tuple(full))


def expand_as(input: Tensor, other: Tensor) -> Tensor:
    return expand(input, other.array.shape)


def broadcast_to(input: Tensor, shape: Sequence[int]) -> Tensor:
    """As `expand`."""
    return expand(input, shape)


def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """The tensors expanded to their common shape."""
    shape = np.broadcast_shapes(*(x.array.shape for x in tensors))
    return tuple(expand(x, shape) for x in tensors)


def squeeze(input: Tensor, dim: Dim = None) -> Tensor:
    """Without the axes of size 1 (or without those of `dim` that are of size 1); a view."""
    ndim = input.array.ndim
    asked = range(ndim) if dim is None else (dim,) if isinstance(dim, int) else dim
    drop = {checked(d, ndim) for d in asked}
    kept = [n for i, n in enumerate(input.array.shape) if n != 1 or i not in drop]
    return shapes.reshape(input, shape=tuple(kept))


def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """With an axis of size 1 at `dim`; a view."""
    shape = list(input.array.shape)
    shape.insert(checked(dim, len(shape) + 1), 1)
    return shapes.reshape(input, shape=tuple(shape))


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """The axes from `start_dim` to `end_dim` as one."""
    shape = input.array.shape or (1,)
    start, end = checked(start_dim, len(shape)), checked(end_dim, len(shape))
    if start > end:
        raise RuntimeError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim}")
    middle = math.prod(shape[start : end + 1])
    return shapes.reshape(input, shape=(*shape[:start], middle, *shape[end + 1 :]))


def ravel(input: Tensor) -> Tensor:
    return reshape(input, -1)


def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """One axis as several, of the given sizes."""
    dim, shape = checked(dim, input.array.ndim), input.array.shape
    return view(input, *shape[:dim], *sizes, *shape[dim + 1 :])


# --------------------------------------------------------------------------------- parts: views


def span(x: Tensor, dim: int, start: int, end: int) -> Tensor:
    return indexing.getitem(x, index=(slice(None),) * dim + (slice(start, end),))


@numpy_names
def narrow(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    """`length` slices from `start` on, along `dim`; a view."""
    dim, n = checked(dim, input.array.ndim), input.array.shape[dim]
    start = whole_number(start)
    begin = start + n if start < 0 else start
    if not 0 <= begin <= n:
        raise IndexError(f"narrow: start {start} is outside of axis {dim}, of size {n}")
    if length < 0 or begin + length > n:
        raise RuntimeError(f"narrow: {length} from {start} on exceed axis {dim}, of size {n}")
    return span(input, dim, begin, begin + length)


@numpy_names
def select(input: Tensor, dim: int, index: int) -> Tensor:
    """The slice at one index along `dim`, without that axis; a view."""
    if not input.array.ndim:
        raise IndexError("select() cannot be applied to a 0-d tensor")
    dim = checked(dim, input.array.ndim)
    return indexing.getitem(input, index=(slice(None),) * dim + (index, ...))


@numpy_names
def split(input: Tensor, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Parts of one size along `dim` (the last may be smaller), or of the sizes listed; views."""
    if not input.array.ndim:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    dim, size = checked(dim, input.array.ndim), split_size_or_sections
    n = input.array.shape[dim]
    if isinstance(size, (list, tuple)):
        if sum(size) != n or min(size, default=0) < 0:
            raise RuntimeError(f"split: the sizes {size} do not add up to {n}, axis {dim}'s size")
        ends = list(np.cumsum(size))
        return tuple(span(input, dim, e - s, e) for e, s in zip(ends, size, strict=True))
    if size < 0 or (size == 0 and n):
        raise RuntimeError(f"split: a size of {size} does not cut axis {dim}, of size {n}")
    return tuple(span(input, dim, i, min(i + size, n)) for i in range(0, max(n, 1), size or 1))


@numpy_names
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most so many parts of equal size along `dim`, the last may be smaller; views."""
    if not input.array.ndim:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise RuntimeError(f"chunk needs at least one chunk, not {chunks}")
    n = input.array.shape[checked(dim, input.array.ndim)]
    if not n:
        return split(input, [0] * chunks, dim)
    return split(input, -(-n // chunks), dim)


@numpy_names
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The slices along `dim`; views."""
    if not input.array.ndim:
        raise RuntimeError("a 0-d tensor has no axis to unbind")
    n = input.array.shape[checked(dim, input.array.ndim)]
    return tuple(select(input, dim, i) for i in range(n))


@numpy_names
def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The diagonal of two axes, `offset` above the main one, as the last axis."""
    a, b = checked(dim1, input.array.ndim), checked(dim2, input.array.ndim)
    if a == b:
        raise RuntimeError(f"a diagonal needs two different axes, given {dim1} and {dim2}")
    return along_diagonal(movedim(input, (a, b), (-2, -1)), offset)


def along_diagonal(x: Tensor, offset: int) -> Tensor:
    """The diagonal of the last two axes: a view."""
    return indexing.diagonal(x, offset=offset)


def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """The diagonal of a matrix, or the matrix of a diagonal."""
    if input.array.ndim == 2:
        return ew.clone(along_diagonal(input, diagonal))
    if input.array.ndim != 1:
        raise RuntimeError(f"diag takes a vector or a matrix, not shape {input.array.shape}")
    n = len(input.array)
    i, size = np.arange(n), n + abs(diagonal)
    at = (i + max(-diagonal, 0), i + max(diagonal, 0))
    return indexing.put(input, index=at, shape=(size, size))


def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle of the last two axes; 0 above `diagonal`."""
    if input.array.ndim < 2:
        raise RuntimeError(f"tril takes matrices, not shape {input.array.shape}")
    n, m = input.array.shape[-2:]
    return ew.where(np.tri(n, m, diagonal, dtype=bool), input, np.zeros((), input.array.dtype))


def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle of the last two axes; 0 below `diagonal`."""
    if input.array.ndim < 2:
        raise RuntimeError(f"triu takes matrices, not shape {input.array.shape}")
    n, m = input.array.shape[-2:]
    return ew.where(np.tri(n, m, diagonal - 1, dtype=bool), np.zeros((), input.array.dtype), input)


# --------------------------------------------------------------------------- joined and repeated


@numpy_names
def cat(tensors: Sequence[Operand], dim: int = 0, *, out: Tensor | None = None) -> Tensor:
    """The tensors one after another along `dim`; their other sizes must be equal."""
    if hasattr(tensors, "shape"):
        raise TypeError("cat takes a sequence of tensors, and was given one tensor: cat([x, y])")
    if not len(tensors):
        raise ValueError("cat needs at least one tensor")
    if any(np.ndim(raw(x)) == 0 for x in tensors):
        raise RuntimeError("cat joins tensors along an axis, and a 0-d tensor has none: use stack")
    dim = checked(dim, max(np.ndim(raw(x)) for x in tensors))
    full = next((np.shape(raw(x)) for x in tensors if np.shape(raw(x)) != (0,)), (0,))
    nothing = (*full[:dim], 0, *full[dim + 1 :])  # an empty vector joins anything, as in PyTorch
    joined = [x if np.ndim(raw(x)) == len(full) else reshape_empty(x, nothing) for x in tensors]
    return written(shapes.cat(*joined, dim=dim), out)


def reshape_empty(x: Operand, shape: tuple[int, ...]) -> Operand:
    return as_traced(x).reshape(shape) if np.shape(raw(x)) == (0,) else x


concat = concatenate = cat


@numpy_names
def stack(tensors: Sequence[Operand], dim: int = 0, *, out: Tensor | None = None) -> Tensor:
    """The tensors side by side along a new axis at `dim`; their shapes must be equal."""
    if not len(tensors):
        raise RuntimeError("stack needs at least one tensor")
    rows = [as_traced(x) for x in tensors]
    if len({x.array.shape for x in rows}) > 1:
        raise RuntimeError(f"stack needs equal shapes, given {[x.array.shape for x in rows]}")
    dim = checked(dim, rows[0].array.ndim + 1)
    return written(shapes.cat(*(unsqueeze(x, dim) for x in rows), dim=dim), out)


def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """Vectors one after another; anything else joined along axis 1."""
    rows = [x.reshape(1) if not x.array.ndim else x for x in tensors]
    return cat(rows, 0 if rows and rows[0].array.ndim == 1 else 1)


def vstack(tensors: Sequence[Tensor]) -> Tensor:
    """Joined along axis 0, vectors as rows."""
    return cat([x.reshape(1, -1) if x.array.ndim < 2 else x for x in tensors], 0)


def repeat(input: Tensor, *repeats: Any) -> Tensor:
    """The tensor laid out so many times along each axis; more repeats than axes add some."""
    times = sizes(repeats)
    lead = len(times) - input.array.ndim
    if lead < 0:
        raise RuntimeError(f"repeat: {times} names fewer axes than {input.array.shape} has")
    shape = (*(1,) * lead, *input.array.shape)
    pairs = [n for pair in zip(times, shape, strict=True) for n in pair]
    single = [n for size in shape for n in (1, size)]
    wide = shapes.expand(shapes.reshape(input, shape=tuple(single)), shape=tuple(pairs))
    total = tuple(a * b for a, b in zip(times, shape, strict=True))
    result = shapes.reshape(wide, shape=total)
    return result if result.array.base is None else ew.clone(result, order="C")


def tile(input: Tensor, *dims: Any) -> Tensor:
    """As `repeat`; missing repeats in front are 1."""
    times = sizes(dims)
    return repeat(input, (1,) * (input.array.ndim - len(times)) + times)


@numpy_names
def repeat_interleave(input: Tensor, repeats: Any, dim: int | None = None) -> Tensor:
    """Each slice along `dim` so many times in a row (None: each element of the flattened)."""
    x = reshape(input, -1) if dim is None else input
    dim = checked(dim or 0, x.array.ndim)
    at = np.repeat(np.arange(x.array.shape[dim]), raw(repeats))
    return indexing.getitem(x, index=(slice(None),) * dim + (at,))


def flip(input: Tensor, *dims: Any) -> Tensor:
    """The elements back to front along `dims`; a copy."""
    turned = {checked(d, input.array.ndim) for d in sizes(dims, -math.inf)}
    at = tuple(slice(None, None, -1 if i in turned else 1) for i in range(input.array.ndim))
    return ew.clone(indexing.getitem(input, index=at))


@numpy_names
def roll(input: Tensor, shifts: Any, dims: Any = None) -> Tensor:
    """The elements moved on along `dims`, those that leave coming in at the other end."""
    if dims is None:
        return reshape(roll(reshape(input, -1), shifts, 0), input.array.shape)
    moves = (shifts,) if isinstance(shifts, int) else tuple(shifts)
    axes = (dims,) if isinstance(dims, int) else tuple(dims)
    if len(moves) != len(axes):
        raise RuntimeError(f"roll: {len(moves)} shifts for {len(axes)} dims")
    x = input
    for move, axis in zip(moves, axes, strict=True):
        dim = checked(axis, x.array.ndim)
        n = x.array.shape[dim] if x.array.ndim else 0
        if n and move % n:
            x = cat([span(x, dim, n - move % n, n), span(x, dim, 0, n - move % n)], dim)
    return ew.clone(input) if x is input else x


def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """Vectors as coordinates of a grid: each along an axis of its own, expanded along the others.
    `indexing` is "ij" (the default) or "xy", which exchanges the first two axes."""
    xs = list(tensors[0]) if len(tensors) == 1 and not hasattr(tensors[0], "array") else [*tensors]
    if indexing not in (None, "ij", "xy"):
        raise RuntimeError(f"indexing is 'ij' or 'xy', not {indexing!r}")
    swap = indexing == "xy" and len(xs) > 1
    if swap:
        xs[0], xs[1] = xs[1], xs[0]
    shape = tuple(x.array.size for x in xs)
    grids = [
        expand(reshape(x, *(-1 if i == j else 1 for j in range(len(xs)))), shape)
        for i, x in enumerate(xs)
    ]
    if swap:
        grids[0], grids[1] = grids[1], grids[0]
    return tuple(grids)
