"""Padding: more elements at the ends of axes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinygrad_hw.rules import indexing
from tinygrad_hw.tensor import Tensor


def pad(
    input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None
) -> Tensor:
    """`value` (0 by default) put before and after the elements of the last axes.

    Args:
        pad: how many before and how many after, of the last axis first, then of the one before it;
            negative numbers take elements away.

    Raises:
        RuntimeError: an odd number of sizes, too many, or an axis that would be negative.
        NotImplementedError: a `mode` other than "constant".

    >>> import tinygrad_hw as th
    >>> th.nn.functional.pad(th.tensor([1.0, 2.0]), (1, 2))
    tensor([0., 1., 2., 0., 0.])
    """
    if mode != "constant":
        raise NotImplementedError(f"pad: mode={mode!r} is not supported, only 'constant'")
    if len(pad) % 2 or len(pad) > 2 * input.ndim:
        raise RuntimeError(
            f"pad: {len(pad)} sizes; at most {input.ndim} axes take two each, one before and one "
            "after"
        )
    ends = [(0, 0)] * (input.ndim - len(pad) // 2)
    ends += zip(pad[-2::-2], pad[-1::-2], strict=True)
    shape = tuple(n + a + b for n, (a, b) in zip(input.shape, ends, strict=True))
    if min(shape, default=0) < 0:
        raise RuntimeError(f"pad: {tuple(pad)} takes more from {input.array.shape} than there is")
    kept = tuple(
        slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(input.shape, ends, strict=True)
    )
    inner = tuple(slice(max(a, 0), n - max(b, 0)) for n, (a, b) in zip(shape, ends, strict=True))
    padded = indexing.put(indexing.getitem(input, index=kept), index=inner, shape=shape)
    if not value:
        return padded
    border = np.full(shape, value, input.dtype)
    border[inner] = 0
    return padded + border
