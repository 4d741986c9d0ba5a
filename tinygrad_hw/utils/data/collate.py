"""Making one batch of many samples."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import numpy as np

from tinygrad_hw.creation import as_tensor, tensor
from tinygrad_hw.dtypes import as_dtype, float64
from tinygrad_hw.functions.shapes import stack
from tinygrad_hw.tape import Traced, raw, wrap

REMEDY = "pass the DataLoader a collate_fn that makes a batch of them."


def default_collate(batch: Sequence[Any]) -> Any:
    """Samples as a batch: tensors, arrays and numbers gain a first axis, of the batch's size.

    Tuples become a list with one batch for each place; lists, named tuples and mappings keep
    their kind; strings and bytes stay as they are. The first sample says what kind they are.
    A batch of Python floats is float64, as in PyTorch, though a tensor of a list of them would be
    float32: what a data set returns as a label often wants `.float()`.

    Raises:
        RuntimeError: samples of unequal shapes or lengths.
        KeyError: a mapping without a key of the first one.
        TypeError: samples of a kind that has no tensor.

    >>> import tinygrad_hw as th
    >>> th.utils.data.default_collate([(th.zeros(2), 3), (th.ones(2), 4)])
    [tensor([[0., 0.],
            [1., 1.]]), tensor([3, 4])]
    """
    first = batch[0]
    if isinstance(first, (Traced, np.ndarray)):
        return stacked(batch)
    if isinstance(first, (np.number, np.bool_)):
        return tensor(list(batch))
    if isinstance(first, (int, float)):
        return tensor(list(batch), dtype=float64 if isinstance(first, float) else None)
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        return like(first, ((key, default_collate([d[key] for d in batch])) for key in first))
    if isinstance(first, Sequence):
        lengths = [len(sample) for sample in batch]
        if len(set(lengths)) > 1 and not hasattr(first, "_fields"):
            raise RuntimeError(f"samples of unequal lengths, {shown(lengths)}: {REMEDY}")
        return like(first, (default_collate(place) for place in zip(*batch, strict=False)))
    raise TypeError(f"no batch can be made of {type(first).__name__} samples: {REMEDY}")


def default_convert(data: Any) -> Any:
    """One sample, not batched: its arrays become tensors on the same memory, the rest stays."""
    if isinstance(data, np.ndarray) and data.dtype.kind in "SUO":  # of texts, or of objects
        return data
    if isinstance(data, (np.ndarray, np.generic)) and not isinstance(data, np.str_):
        return as_tensor(data)
    if isinstance(data, Mapping):
        return like(data, ((key, default_convert(data[key])) for key in data))
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return like(data, map(default_convert, data))
    return data


def stacked(batch: Sequence[Any]) -> Any:
    """Tensors or arrays along a new first axis."""
    arrays = [np.asarray(raw(sample)) for sample in batch]
    shapes, dtypes = [a.shape for a in arrays], {a.dtype for a in arrays}
    for dtype in dtypes:
        as_dtype(dtype)
    if len(set(shapes)) > 1:
        raise RuntimeError(f"samples of unequal shapes, {shown(shapes)}: {REMEDY}")
    if len(dtypes) > 1 or any(isinstance(s, Traced) and s.tracked for s in batch):
        return stack([as_tensor(sample) for sample in batch])
    return wrap(np.stack(arrays))


def like(container: Any, items: Iterable[Any]) -> Any:
    """A container of the same kind with other items; a plain one where the kind does not allow."""
    kind = type(container)
    if isinstance(container, tuple):
        return kind(*items) if hasattr(kind, "_fields") else list(items)
    mapping = isinstance(container, Mapping)
    made: Any = dict(items) if mapping else list(items)
    try:
        if not isinstance(container, (MutableMapping, MutableSequence)):
            return kind(made)
        clone: Any = copy.copy(container)  # with whatever else it carries: a default, an order
        for key, item in made.items() if mapping else enumerate(made):
            clone[key] = item
    except TypeError:
        return made
    return clone


def shown(values: Sequence[Any]) -> str:
    """The different values, the first few of them."""
    different = [str(value) for value in dict.fromkeys(values)]
    return ", ".join(different[:4]) + (", …" if len(different) > 4 else "")
