"""The steps of optimizers, in place and in one pass, each beside the NumPy lines that it equals.

All arrays are like the parameter p; g, its gradient, is only read. The loops take C-contiguous
arrays of one dtype; any others go through NumPy, which allocates.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_hw.kernels.jit import Loop
from tinygrad_hw.kernels.rows import Array

SGD, SGD_MOMENTUM = Loop("sgd", "update_loops"), Loop("sgd_momentum", "update_loops")
ADAM = Loop("adam", "update_loops")


def ran(loop: Any, arrays: tuple[Array, ...], *numbers: float) -> bool:
    """loop(*arrays, *numbers) with the arrays as one flat run each; whether that could be done."""
    flat = []
    for a in arrays:
        if not loop or not a.flags.c_contiguous:  # to flatten it would be to copy it
            return False
        flat.append(a if a.ndim == 1 else a.ravel())
    try:
        loop(*flat, *numbers)
    except TypeError:  # not all of one dtype
        return False
    return True


def sgd(p: Array, g: Array, *, lr: float, decay: float = 0) -> None:
    """p ← p - lr (g + decay p)."""
    if not ran(SGD[p.dtype], (p, g), lr, decay):
        p -= lr * (g + decay * p if decay else g)


def sgd_momentum(
    p: Array, g: Array, v: Array, *, lr: float, decay: float, momentum: float, fresh: float,
    nesterov: bool,
) -> None:  # fmt: skip
    """d = g + decay p; v ← momentum v + fresh d; p ← p - lr v, or with nesterov
    p - lr (d + momentum v)."""
    if not ran(SGD_MOMENTUM[p.dtype], (p, g, v), lr, decay, momentum, fresh, nesterov):
        d = g + decay * p if decay else g
        v *= momentum
        v += fresh * d
        p -= lr * (d + momentum * v if nesterov else v)


def adam(
    p: Array, g: Array, m: Array, v: Array, top: Array | None, *, rate: float, shrink: float,
    decay: float, beta1: float, beta2: float, root: float, eps: float,
) -> None:  # fmt: skip
    """p ← shrink p; d = g + decay p; m ← m + (1 - beta1) (d - m), reckoned from the nearer end;
    v ← beta2 v + (1 - beta2) d²; s = v, or where there is a `top`, top ← max(top, v) and s = top;
    p ← p - rate m / (√s / root + eps)."""
    arrays = (p, g, m, v, g if top is None else top)  # without a top nothing is written to it
    numbers = rate, shrink, decay, beta1, beta2, root, eps
    if not ran(ADAM[p.dtype], arrays, *numbers, top is not None):
        p *= shrink
        d = g + decay * p if decay else g
        m[...] = m + (1 - beta1) * (d - m) if beta1 > 0.5 else d - beta1 * (d - m)
        v *= beta2
        v += (1 - beta2) * d * d
        s = v if top is None else np.maximum(top, v, out=top)
        p -= rate * m / (np.sqrt(s) / root + eps)
