"""The loops under `products`: each keeps several sums in registers while it streams along rows.

Importing this module imports Numba; `jit.Loop` does, on first use.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils as numba_cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from tinygrad_hw.kernels.loops import Column, Labels, Rows, compiled, reordered

cgutils: Any = numba_cgutils  # which has no types
Bytes = NDArray[np.uint8]  # (rows, columns)
HIGH = 0x8080 / 2**23  # the first 16 bits of 1/255


def prefetched(_: Any, x: Any, i: Any, j: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, *at = arguments
        array = context.make_array(signature.args[0])(context, builder, x)
        address = cgutils.get_item_pointer(context, builder, signature.args[0], array, at)
        byte, whole = ir.IntType(8).as_pointer(), ir.IntType(32)
        form = ir.FunctionType(ir.VoidType(), [byte, whole, whole, whole])
        function = cgutils.get_or_insert_function(builder.module, form, "llvm.prefetch.p0i8")
        read, keep, data = (ir.Constant(whole, n) for n in (0, 3, 1))
        builder.call(function, [builder.bitcast(address, byte), read, keep, data])
        return context.get_dummy_value()

    return types.void(x, i, j), emit


prefetch: Any = intrinsic(prefetched)  # ask for the memory of x[i, j], and do not wait for it


@reordered
def linear(x: Rows, w: Rows, bias: Column, out: Rows) -> None:
    """out = x @ w.T + bias, two rows by five outputs at a time (at the edges, some twice), so that
    the five rows of w stay in the first cache."""
    n, c = x.shape[0], w.shape[0]
    zero = x.dtype.type(0)
    for k in range(0, c, 5):
        k1, k2 = min(k + 1, c - 1), min(k + 2, c - 1)
        k3, k4 = min(k + 3, c - 1), min(k + 4, c - 1)
        for i in range(0, n, 2):
            j = min(i + 1, n - 1)
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
    """out = g.T @ x, four rows by five outputs at a time, then what is left at the edges."""
    n, c = g.shape
    d = x.shape[1]
    rows, outputs = n - n % 4, c - c % 5
    out[:] = 0
    for i in range(0, rows, 4):
        for k in range(0, outputs, 5):
            a0, a1, a2, a3 = g[i, k], g[i + 1, k], g[i + 2, k], g[i + 3, k]
            b0, b1, b2, b3 = g[i, k + 1], g[i + 1, k + 1], g[i + 2, k + 1], g[i + 3, k + 1]
            c0, c1, c2, c3 = g[i, k + 2], g[i + 1, k + 2], g[i + 2, k + 2], g[i + 3, k + 2]
            d0, d1, d2, d3 = g[i, k + 3], g[i + 1, k + 3], g[i + 2, k + 3], g[i + 3, k + 3]
            e0, e1, e2, e3 = g[i, k + 4], g[i + 1, k + 4], g[i + 2, k + 4], g[i + 3, k + 4]
            for m in range(d):
                x0, x1, x2, x3 = x[i, m], x[i + 1, m], x[i + 2, m], x[i + 3, m]
                out[k, m] += a0 * x0 + a1 * x1 + a2 * x2 + a3 * x3
                out[k + 1, m] += b0 * x0 + b1 * x1 + b2 * x2 + b3 * x3
                out[k + 2, m] += c0 * x0 + c1 * x1 + c2 * x2 + c3 * x3
                out[k + 3, m] += d0 * x0 + d1 * x1 + d2 * x2 + d3 * x3
                out[k + 4, m] += e0 * x0 + e1 * x1 + e2 * x2 + e3 * x3
        for k in range(outputs, c):
            a0, a1, a2, a3 = g[i, k], g[i + 1, k], g[i + 2, k], g[i + 3, k]
            for m in range(d):
                x0, x1, x2, x3 = x[i, m], x[i + 1, m], x[i + 2, m], x[i + 3, m]
                out[k, m] += a0 * x0 + a1 * x1 + a2 * x2 + a3 * x3
    for i in range(rows, n):
        for k in range(c):
            for m in range(d):
                out[k, m] += g[i, k] * x[i, m]


AHEAD, LINE = 3, 64  # rows, and the bytes of a line of the caches


@compiled
def take_pixels(x: Bytes, index: Labels, out: Rows) -> int:
    """out = x[index] / 255. The first index that is out of range, or -1.

    Rows far apart are slow to come from memory, so that each is asked for some rows ahead.

    1/255 in two parts: a byte times the first has no more than 24 bits and so is exact, and the
    sum with the second is the quotient, correctly rounded, at a fraction of a division's cost.
    """
    high, low = out.dtype.type(HIGH), out.dtype.type(1 / 255 - HIGH)
    for i in range(len(index)):
        row = index[i] + (len(x) if index[i] < 0 else 0)
        if not 0 <= row < len(x):
            return i
        soon = index[min(i + AHEAD, len(index) - 1)]
        if 0 <= soon < len(x):
            for m in range(0, x.shape[1], LINE):
                prefetch(x, soon, m)
        for m in range(x.shape[1]):
            pixel = out.dtype.type(x[row, m])
            out[i, m] = pixel * high + pixel * low
    return -1
