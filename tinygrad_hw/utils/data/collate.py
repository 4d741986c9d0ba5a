"""Making one batch of many samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from tinygrad_hw.creation import as_tensor
from tinygrad_hw.methods import stack
from tinygrad_hw.tape import Traced, raw, wrap


def default_collate(batch: Sequence[Any]) -> Any:
    """Samples as a batch: tensors, arrays and numbers gain a first axis, of the batch's size.

    Tuples become a list with one batch for each place; lists, named tuples and mappings keep
    their kind; strings and bytes stay as they are. Python floats become float32, as everywhere
    here (PyTorch makes float64 of them).

    Raises:
        RuntimeError: samples of unequal shapes or lengths.
        TypeError: samples of a kind that has no tensor.

    >>> import tinygrad_hw as th
    >>> th.utils.data.default_collate([(th.zeros(2), 3), (th.ones(2), 4)])
    [tensor([[0., 0.],
            [1., 1.]]), tensor([3, 4])]
    """
    first = batch[0]
    if isinstance(first, (Traced, np.ndarray)):
        return stacked(batch)
    if isinstance(first, (int, float, np.number, np.bool_)):
        return as_tensor(list(batch))
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        return like(first, ((key, default_collate([d[key] for d in batch])) for key in first))
    if isinstance(first, Sequence):
        lengths = [len(sample) for sample in batch]
        if len(set(lengths)) > 1:
            raise RuntimeError(f"samples of unequal lengths, {shown(lengths)}: {REMEDY}")
        places = (default_collate(place) for place in zip(*batch, strict=True))
        return list(places) if type(first) is tuple else like(first, places)
    raise TypeError(f"no batch can be made of {type(first).__name__} samples: {REMEDY}")


def default_convert(sample: Any) -> Any:
    """One sample, not batched: its arrays become tensors on the same memory, the rest stays."""
    if isinstance(sample, (np.ndarray, np.number, np.bool_)):
        return as_tensor(sample)
    if isinstance(sample, Mapping):
        return like(sample, ((key, default_convert(value)) for key, value in sample.items()))
    if isinstance(sample, Sequence) and not isinstance(sample, (str, bytes)):
        places = (default_convert(place) for place in sample)
        return list(places) if type(sample) is tuple else like(sample, places)
    return sample


REMEDY = "pass the DataLoader a collate_fn that makes a batch of them."


def stacked(batch: Sequence[Any]) -> Any:
    """Tensors or arrays along a new first axis."""
    shapes = [sample.shape for sample in batch]
    if len(set(shapes)) > 1:
        raise RuntimeError(f"samples of unequal shapes, {shown(shapes)}: {REMEDY}")
    if any(isinstance(sample, Traced) and sample.tracked for sample in batch):
        return stack(batch)
    return wrap(np.stack([raw(sample) for sample in batch]))


def like(container: Any, items: Iterable[Any]) -> Any:
    """A container of the same kind with other items; a plain one where the kind does not allow."""
    kind = type(container)
    if hasattr(kind, "_make"):  # a named tuple
        return kind._make(items)
    plain: Callable[[Any], Any] = dict if isinstance(container, Mapping) else list
    made = plain(items)
    try:
        return made if kind is plain else kind(made)
    except TypeError:
        return made


def shown(values: Sequence[Any]) -> str:
    """The different values, the first few of them."""
    different = [str(value) for value in dict.fromkeys(values)]
    return ", ".join(different[:4]) + (", …" if len(different) > 4 else "")
