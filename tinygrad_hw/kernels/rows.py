"""Arrays of any shape, strides and size, taken row by row by a loop, in threads where that pays."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple
from numpy.typing import NDArray

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

Array = NDArray[Any]
Dim = int | tuple[int, ...]
T = TypeVar("T")

THREAD = 1 << 20  # elements, a millisecond's work: for less it does not pay to wake a core
limit: int | None = None  # threads, where somebody has set their number


def threads() -> int:
    """How many threads a kernel may use."""
    if limit is not None:
        return limit
    if given := os.environ.get("NUMBA_NUM_THREADS", ""):
        return int(given)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def plain(x: Array) -> Array:
    """x as the loops take arrays, C-contiguous, aligned and writable: a copy unless it is so."""
    return x if type(x) is np.ndarray and x.flags.carray else np.array(x, order="C")


def along(loop: Callable[..., Any], x: Array, dim: int) -> Array:
    """loop(rows, out) over the rows of x along `dim`; out has x's shape."""
    if x.ndim == 0:
        return along(loop, x.reshape(1), dim).reshape(()).copy()
    moved = plain(x.swapaxes(dim, -1))
    rows, out = moved.reshape(-1, moved.shape[-1]), np.empty(moved.shape, x.dtype)
    out_rows = out.reshape(rows.shape)
    over_rows(lambda part: loop(rows[part], out_rows[part]), len(rows), x.size)
    last = dim % x.ndim == x.ndim - 1
    return out if last else out.swapaxes(dim, -1).copy()  # memory of its own: views are not written


def reduced_along(loop: Callable[..., Any], x: Array, dim: Dim) -> Array:
    """loop(rows, out) over the rows of x along every `dim` together; these keep size 1."""
    if x.ndim == 0:
        return reduced_along(loop, x.reshape(1), dim).reshape(())
    if dim in (-1, x.ndim - 1):  # the usual one, for to move axes takes longer than a small batch
        shape, moved = [*x.shape[:-1], 1], plain(x)
    else:
        dims = normalize_axis_tuple(dim, x.ndim)
        shape = [1 if i in dims else n for i, n in enumerate(x.shape)]
        moved = plain(np.moveaxis(x, dims, range(-len(dims), 0)))
    rows, out = moved.reshape(prod(shape), -1), np.empty(prod(shape), x.dtype)
    over_rows(lambda part: loop(rows[part], out[part]), len(rows), x.size)
    return out.reshape(shape)


def over_rows(work: Callable[[slice], T], rows: int, elements: int) -> list[T]:
    """work(part) for the slices of range(rows) that threads take at once; its results in order.

    These are threads of our own around loops that hold no GIL: two threads may not enter Numba's
    parallel loops at once, nor may a forked child at all. A row's result does not depend on the
    cut, and so not on the number of threads.
    """
    count = min(rows, elements // THREAD)
    if count > 1:
        count = min(count, threads())
    if count <= 1:
        return [work(slice(0, rows))]
    from concurrent.futures import wait

    cuts = [rows * i // count for i in range(count + 1)]
    others = [crew(count - 1).submit(work, slice(*cut)) for cut in pairwise(cuts[1:])]
    try:
        first = work(slice(0, cuts[1]))
    finally:
        wait(others)  # they write to what the caller holds
    return [first, *[other.result() for other in others]]


@cache
def crew(n: int) -> ThreadPoolExecutor:
    """n threads that wait for work: to wake one takes a third of what it takes to start one."""
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(n, "tinygrad_hw.kernels")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=crew.cache_clear)  # where its threads do not exist
