"""The loops under `updates`: each goes once over a parameter and all that is kept about it.

Importing this module imports Numba; `jit.Loop` does, on first use.
"""

from __future__ import annotations

import numpy as np

from tinygrad_hw.kernels.loops import Column, compiled


@compiled
def sgd(p: Column, g: Column, lr: float, decay: float) -> None:
    """p -= lr * (g + decay * p), without the second term where decay is 0"""
    lr_, decay_ = p.dtype.type(lr), p.dtype.type(decay)
    for i in range(p.size):
        d = g[i]
        if decay_ != 0:
            d += decay_ * p[i]
        p[i] -= lr_ * d


@compiled
def sgd_momentum(
    p: Column, g: Column, v: Column, lr: float, decay: float, momentum: float, fresh: float,
    nesterov: int,
) -> None:  # fmt: skip
    """The same with d = g + decay * p; v = momentum * v + fresh * d, and v, or d + momentum * v,
    in the place of d"""
    lr_, decay_ = p.dtype.type(lr), p.dtype.type(decay)
    momentum_, fresh_ = p.dtype.type(momentum), p.dtype.type(fresh)
    for i in range(p.size):
        d = g[i]
        if decay_ != 0:
            d += decay_ * p[i]
        v[i] = momentum_ * v[i] + fresh_ * d
        p[i] -= lr_ * (d + momentum_ * v[i] if nesterov else v[i])


@compiled
def adam(
    p: Column, g: Column, m: Column, v: Column, top: Column, rate: float, shrink: float,
    decay: float, beta1: float, beta2: float, root: float, eps: float, amsgrad: int,
) -> None:  # fmt: skip
    """The NumPy lines of `updates.adam`."""
    number, near = p.dtype.type, beta1 > 0.5
    rate_, shrink_, decay_, eps_ = number(rate), number(shrink), number(decay), number(eps)
    weight1 = number(1 - beta1 if near else -beta1)
    weight2, beta2_, scale = number(1 - beta2), number(beta2), number(1 / root)
    for i in range(p.size):
        x, d = shrink_ * p[i], g[i]
        if decay_ != 0:
            d += decay_ * x
        m[i] = (m[i] if near else d) + weight1 * (d - m[i])
        v[i] = beta2_ * v[i] + weight2 * d * d
        square = v[i]
        if amsgrad:
            top[i] = square = top[i] if square <= top[i] else square
        p[i] = x - rate_ * m[i] / (np.sqrt(square) * scale + eps_)
