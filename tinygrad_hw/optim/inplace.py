"""`lerp`, `addcmul` and `addcdiv`: the sums that optimizers keep, in place on arrays.

They round as PyTorch's of those names do, and their intermediate results go to `scratch`, memory of
the same shape, so that a step allocates nothing.
"""

from __future__ import annotations

import numpy as np

from tinygrad_hw.tape import Array


def lerp(average: Array, x: Array, weight: float, scratch: Array) -> None:
    """average ← average + weight · (x - average), reckoned from the nearer end."""
    np.subtract(x, average, out=scratch)
    if weight < 0.5:
        scratch *= weight
        average += scratch
    else:
        scratch *= weight - 1
        np.add(x, scratch, out=average)


def addcmul(total: Array, x: Array, y: Array, value: float, scratch: Array) -> None:
    """total ← total + value · x · y."""
    np.multiply(x, value, out=scratch)
    scratch *= y
    total += scratch


def addcdiv(total: Array, x: Array, y: Array, value: float, scratch: Array) -> None:
    """total ← total + value · x / y."""
    np.multiply(x, value, out=scratch)
    scratch /= y
    total += scratch
