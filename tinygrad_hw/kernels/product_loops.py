"""The loops under `products`: each keeps several sums in registers while it streams along rows.

Importing this module imports Numba; `jit.Loop` does, on first use.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinygrad_hw.kernels.loops import Column, Labels, Rows, compiled, reordered

Bytes = NDArray[np.uint8]  # (rows, columns)
HIGH = 0x8080 / 2**23  # the first 16 bits of 1/255


@reordered
def linear(x: Rows, w: Rows, bias: Column, out: Rows) -> None:
    """out = x @ w.T + bias, two rows by five outputs at a time (at the edges, some twice)."""
    n, c = x.shape[0], w.shape[0]
    zero = x.dtype.type(0)
    for i in range(0, n, 2):
        j = min(i + 1, n - 1)
        for k in range(0, c, 5):
            k1, k2 = min(k + 1, c - 1), min(k + 2, c - 1)
            k3, k4 = min(k + 3, c - 1), min(k + 4, c - 1)
            a0 = a1 = a2 = a3 = a4 = b0 = b1 = b2 = b3 = b4 = zero
            for m in range(x.shape[1]):
                a, b = x[i, m], x[j, m]
                w0, w1, w2, w3, w4 = w[k, m], w[k1, m], w[k2, m], w[k3, m], w[k4, m]
                a0, a1, a2, a3, a4 = a0 + a * w0, a1 + a * w1, a2 + a * w2, a3 + a * w3, a4 + a * w4
                b0, b1, b2, b3, b4 = b0 + b * w0, b1 + b * w1, b2 + b * w2, b3 + b * w3, b4 + b * w4
            out[i, k], out[i, k1], out[i, k2], out[i, k3], out[i, k4] = a0, a1, a2, a3, a4
            out[j, k], out[j, k1], out[j, k2], out[j, k3], out[j, k4] = b0, b1, b2, b3, b4
    for i in range(n):
        for k in range(c):
            out[i, k] += bias[k]


@reordered
def linear_grad(g: Rows, x: Rows, out: Rows) -> None:
    """out = g.T @ x, four rows by two outputs at a time, then what is left at the edges."""
    n, c = g.shape
    d = x.shape[1]
    out[:] = 0
    for i in range(0, n - 3, 4):
        for k in range(0, c - 1, 2):
            a0, a1, a2, a3 = g[i, k], g[i + 1, k], g[i + 2, k], g[i + 3, k]
            b0, b1, b2, b3 = g[i, k + 1], g[i + 1, k + 1], g[i + 2, k + 1], g[i + 3, k + 1]
            for m in range(d):
                x0, x1, x2, x3 = x[i, m], x[i + 1, m], x[i + 2, m], x[i + 3, m]
                out[k, m] += a0 * x0 + a1 * x1 + a2 * x2 + a3 * x3
                out[k + 1, m] += b0 * x0 + b1 * x1 + b2 * x2 + b3 * x3
        if c % 2:
            a0, a1, a2, a3 = g[i, c - 1], g[i + 1, c - 1], g[i + 2, c - 1], g[i + 3, c - 1]
            for m in range(d):
                x0, x1, x2, x3 = x[i, m], x[i + 1, m], x[i + 2, m], x[i + 3, m]
                out[c - 1, m] += a0 * x0 + a1 * x1 + a2 * x2 + a3 * x3
    for i in range(n - n % 4, n):
        for k in range(c):
            for m in range(d):
                out[k, m] += g[i, k] * x[i, m]


@compiled
def take_pixels(x: Bytes, index: Labels, out: Rows) -> int:
    """out = x[index] / 255. The first index that is out of range, or -1.

    1/255 in two parts: a byte times the first has no more than 24 bits and so is exact, and the
    sum with the second is the quotient, correctly rounded, at a fraction of a division's cost.
    """
    high, low = out.dtype.type(HIGH), out.dtype.type(1 / 255 - HIGH)
    for i in range(len(index)):
        row = index[i] + (len(x) if index[i] < 0 else 0)
        if not 0 <= row < len(x):
            return i
        for m in range(x.shape[1]):
            pixel = out.dtype.type(x[row, m])
            out[i, m] = pixel * high + pixel * low
    return -1
