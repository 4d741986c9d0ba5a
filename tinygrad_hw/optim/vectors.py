"""Several parameters as one vector of n numbers, for methods that see them all together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_hw.autograd import grad
from tinygrad_hw.tape import Array, Traced, note_write, raw


def flat(tensors: Sequence[Any], dtype: Any = None) -> Array:
    """All their numbers, one after the other, copied."""
    return np.concatenate([raw(t).reshape(-1) for t in tensors], dtype=dtype)


def split(vector: Array, params: Sequence[Traced]) -> list[Array]:
    """The vector's parts in the shape of each parameter."""
    ends = np.cumsum([p.array.size for p in params])
    parts = np.split(vector, ends[:-1])
    return [part.reshape(p.array.shape) for part, p in zip(parts, params, strict=True)]


def put(vector: Array, params: Sequence[Traced]) -> None:
    """Write the vector's numbers to the parameters."""
    for p, part in zip(params, split(vector, params), strict=True):
        p.array[...] = part
        note_write(p.array)


def hessian_product(slopes: Sequence[Any], params: Sequence[Traced], vector: Array) -> Array:
    """The Hessian times a vector, in the vector's dtype, without the Hessian: the gradient of the
    recorded gradient's component along the vector (Pearlmutter, 1994). One backward sweep.

    Args:
        slopes: the gradient of the loss by each parameter, recorded (`create_graph=True`).
    """
    pairs = zip(slopes, split(vector, params), strict=True)
    moving = [(slope, v) for slope, v in pairs if slope.tracked]  # the others are constant
    if not moving:
        return np.zeros_like(vector)
    outputs, along = zip(*moving, strict=True)
    parts = grad(outputs, params, along, retain_graph=True, materialize_grads=True)
    return flat(parts, vector.dtype)
