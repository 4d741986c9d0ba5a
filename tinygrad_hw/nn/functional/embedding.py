"""Whole numbers into vectors: rows of a table, and rows with a single one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_hw.rules import elementwise as ew
from tinygrad_hw.rules import indexing
from tinygrad_hw.tape import note_write, raw, wrap
from tinygrad_hw.tensor import Tensor


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Each label as a row of int64 zeros with a one at the label, shape (*, num_classes).

    Raises:
        RuntimeError: labels that are not whole numbers, or not in 0 … num_classes - 1.

    >>> import tinygrad_hw as th
    >>> th.nn.functional.one_hot(th.tensor([0, 2]), 3)
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    labels = raw(tensor)
    if labels.dtype.kind not in "iu":
        raise RuntimeError(f"one_hot takes whole numbers, not {labels.dtype}: convert with .long()")
    if not labels.size and num_classes <= 0:
        raise RuntimeError("one_hot of no labels needs num_classes")
    n = int(labels.max()) + 1 if num_classes < 0 else num_classes
    if labels.size and (labels.min() < 0 or labels.max() >= n):
        span = f"{labels.min()} to {labels.max()}"
        raise RuntimeError(f"one_hot: labels from {span} do not fit in {n} classes, 0 to {n - 1}")
    rows: Tensor = wrap((labels[..., None] == np.arange(n)).astype(np.int64))
    return rows


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """The row of `weight` at each index, shape (*, dim) for indices of shape (*).

    Args:
        input: whole numbers in 0 … n - 1.
        weight: the table, of shape (n, dim).
        padding_idx: an index whose row gets no gradient.
        max_norm: rows that are looked up and whose norm is greater are first scaled down to it,
            in `weight` itself.
        norm_type: the p of that norm.

    Raises:
        IndexError: an index that is not a row.
        RuntimeError: indices that are not whole numbers, a weight that is not a matrix.
        TypeError: indices that are no tensor.
        NotImplementedError: scale_grad_by_freq or sparse.

    >>> import tinygrad_hw as th
    >>> table = th.tensor([[0.0, 1.0], [2.0, 3.0]])
    >>> th.nn.functional.embedding(th.tensor([1, 0, 1]), table)
    tensor([[2., 3.],
            [0., 1.],
            [2., 3.]])
    """
    supported(scale_grad_by_freq, sparse)
    if not hasattr(input, "dtype"):
        raise TypeError(f"embedding: indices are a tensor, not a {type(input).__name__}")
    if weight.ndim != 2:
        raise RuntimeError(f"embedding: weight is a matrix, not of shape {weight.array.shape}")
    n = weight.shape[0]
    indices = raw(input)
    if indices.dtype.kind not in "iu":
        raise RuntimeError(f"embedding: an index is a whole number, not {indices.dtype}: .long()")
    if indices.size and not 0 <= indices.min() <= indices.max() < n:
        span = f"{indices.min()} to {indices.max()}"
        raise IndexError(f"embedding: indices from {span} do not fit in {n} rows, 0 to {n - 1}")
    if max_norm is not None:
        renormalize(weight, indices, max_norm, norm_type)
    rows = indexing.getitem(weight, index=indices)
    if padding_idx is None:
        return rows
    return ew.where((indices == padding_row(padding_idx, n))[..., None], rows.detach(), rows)


def supported(scale_grad_by_freq: bool, sparse: bool) -> None:
    for name, asked in (("scale_grad_by_freq", scale_grad_by_freq), ("sparse", sparse)):
        if asked:
            raise NotImplementedError(f"embedding: {name}=True is not supported; leave it out")


def padding_row(padding_idx: int, n: int) -> int:
    """The padding index, counted from the front."""
    if not -n <= padding_idx < n:
        raise AssertionError(f"padding_idx={padding_idx} is not one of {n} rows")
    return padding_idx % n


def renormalize(weight: Tensor, indices: NDArray[Any], max_norm: float, norm_type: float) -> None:
    """Scale the rows that are looked up down to norm `max_norm`, where they are longer."""
    rows = np.unique(indices)
    norms = np.linalg.norm(weight.array[rows], norm_type, axis=1)
    long = norms > max_norm
    weight.array[rows[long]] *= (max_norm / (norms[long] + 1e-7))[:, None]
    note_write(weight.array)
