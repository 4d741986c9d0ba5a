"""The products of a thin layer, and the batch that it reads, each beside the NumPy line it equals.

With a few outputs the two products of a linear layer leave many a BLAS at a third of its speed; a
loop that keeps several sums in registers then is the faster one. From THIN outputs on it is not,
and on a processor with AVX-512 OpenBLAS is the faster for the gradient in any case.
`python -m benchmarks --only kernels` shows both.
"""

from __future__ import annotations

import numpy as np

from tinygrad_hw.kernels import rows
from tinygrad_hw.kernels.jit import COMPILED_DTYPES, Loop
from tinygrad_hw.kernels.rows import Array, over_rows

LINEAR = Loop("linear", "product_loops")
LINEAR_GRAD = Loop("linear_grad", "product_loops", unless="avx512f")
TAKE_PIXELS = Loop("take_pixels", "product_loops")
FLOAT32 = np.dtype(np.float32)
PART = 1 << 10  # rows whose products are summed at once
THIN = 16  # outputs up to which the loops win


def linear(x: Array, w: Array, bias: Array | None = None) -> Array:
    """x wᵀ + bias for rows x (…, d), a weight w (c, d) and a bias (c,), all of one dtype."""
    if x.ndim == w.ndim == 2 and x.shape[1] == w.shape[1] and len(w) <= THIN and x.size:
        b = np.zeros(len(w), x.dtype) if bias is None else bias
        if b.shape == w.shape[:1] and (loop := LINEAR[x.dtype]):
            out = np.empty((len(x), len(w)), x.dtype)
            try:
                if x.size < rows.THREAD:
                    loop(x, w, b, out)
                else:
                    over_rows(lambda part: loop(x[part], w, b, out[part]), len(x), x.size)
            except TypeError:  # not plain arrays of one dtype: NumPy takes them as they are
                pass
            else:
                return out
    if x.ndim == w.ndim == 2 and 1 < len(x) < len(w) and x.dtype == w.dtype:
        product: Array = np.matmul(w, x.T).T  # BLAS is faster with the larger one first
        return np.ascontiguousarray(product) if bias is None else np.add(product, bias, order="C")
    product = np.matmul(x, w.T)
    return product if bias is None else np.add(product, bias)


def linear_grad(g: Array, x: Array) -> Array:
    """gᵀ x, the gradient of w in x wᵀ, for cotangents g (n, c) and rows x (n, d)."""
    loop = LINEAR_GRAD[g.dtype]
    if loop and g.ndim == x.ndim == 2 and len(g) == len(x) and g.shape[1] <= THIN and x.size:
        try:
            if len(x) <= PART:  # memory of its own, which a gradient can keep
                out = np.empty((g.shape[1], x.shape[1]), g.dtype)
                loop(g, x, out)
                return out
            parts = -(-len(x) // PART)  # by the size alone: the sum may not depend on the threads
            sums = np.empty((parts, g.shape[1], x.shape[1]), g.dtype)

            def add_up(some: slice) -> None:
                for i in range(parts)[some]:
                    part = slice(i * PART, (i + 1) * PART)
                    loop(g[part], x[part], sums[i])

            over_rows(add_up, parts, x.size)
            return np.asarray(np.add.reduce(sums))
        except TypeError:
            pass
    return np.asarray(np.dot(g.T, x))  # for matrices what matmul is, with half of its overhead


def sum_of_rows(g: Array) -> Array:
    """g.sum(0): of thin rows as a product, which is up to seven times as fast."""
    if g.ndim == 2 and g.shape[1] <= THIN and g.dtype in COMPILED_DTYPES:  # which BLAS knows too
        if len(g) > PART:  # parts by the size alone: the sum may not depend on BLAS's threads
            parts = [sum_of_rows(g[i : i + PART]) for i in range(0, len(g), PART)]
            return sum_of_rows(np.stack(parts))
        ones = np.empty(len(g), g.dtype)
        ones.fill(1)
        return np.asarray(np.dot(ones, g))
    return np.asarray(np.add.reduce(g, axis=0))


def take_pixels(x: Array, index: Array) -> Array:
    """x[index] / 255 as float32, for bytes x (n, d) and row numbers, in one pass.

    Raises:
        IndexError: a row number out of range.
    """
    if loop := TAKE_PIXELS[FLOAT32]:
        out = np.empty((len(index), x.shape[1]), FLOAT32)
        try:
            if out.size < rows.THREAD:
                found = [(0, loop(x, index, out))]
            else:
                found = over_rows(
                    lambda part: (part.start, loop(x, index[part], out[part])), len(index), out.size
                )
        except TypeError:
            pass
        else:
            for start, bad in found:
                if bad >= 0:
                    wrong = index[start + bad]
                    raise IndexError(f"row {wrong} is out of range for {len(x)} rows")
            return out
    return np.asarray(x[index] / np.float32(255))
