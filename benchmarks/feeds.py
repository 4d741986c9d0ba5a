"""The same batches in the same order, as each library's user would draw them.

A feed is called for each pass over the batches, and yields inputs and targets. What it needs only
once, such as a copy of the data in a library's own memory, it makes at the first call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import repeat
from typing import Any

from benchmarks.data import Array, arrays, training_set

Batch = tuple[Any, ...]
Feed = Callable[[], Iterable[Batch]]
Batches = Sequence[Array]  # of indices


def loader_of_bytes(batches: Batches) -> Feed:
    """Our DataLoader over the images as they are stored, scaled while they are gathered."""
    from tinygrad_hw.utils.data import DataLoader

    return lambda: DataLoader(training_set().vectors(), batch_sampler=batches)


def loader_of_floats(batches: Batches) -> Feed:
    """Our DataLoader over float32 numbers."""
    from tinygrad_hw.utils.data import DataLoader, TensorDataset

    return lambda: DataLoader(TensorDataset(*arrays()), batch_sampler=batches)


def indexed(batches: Batches) -> Feed:
    """NumPy arrays, indexed."""
    X, y = arrays()
    return lambda: ((X[i], y[i]) for i in batches)


def torch_indexed(batches: Batches) -> Feed:
    """PyTorch's tensors, indexed."""

    def feed() -> Iterable[Batch]:
        from torch import from_numpy

        X, y = map(from_numpy, arrays())
        return ((X[i], y[i]) for i in map(from_numpy, batches))

    return feed


def torch_loader(batches: Batches) -> Feed:
    """PyTorch's DataLoader in this process, over float32 tensors."""

    @cache
    def made() -> Iterable[Batch]:
        import torch
        from torch.utils.data import DataLoader, TensorDataset

        dataset = TensorDataset(*map(torch.from_numpy, arrays()))
        return DataLoader(dataset, batch_sampler=[i.tolist() for i in batches])

    return lambda: made()


@cache
def _in_jax() -> tuple[Any, Any]:
    from jax import numpy as jnp

    return jnp.asarray(arrays()[0]), jnp.asarray(arrays()[1])


def jax_indices(batches: Batches) -> Feed:
    """All of JAX's data and a batch's indices: fastest where the compiled step does the rest."""
    return lambda: ((*_in_jax(), i) for i in batches)


def same(feed: Feed, steps: int) -> Feed:
    """A feed's first batch, drawn once and repeated."""

    @cache
    def first() -> Batch:
        x, t, *i = next(iter(feed()))
        return (x[i[0]], t[i[0]]) if i else (x, t)

    return lambda: repeat(first(), steps)
