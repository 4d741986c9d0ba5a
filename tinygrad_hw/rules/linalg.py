"""Products of matrices, vectors, and batches of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_hw import kernels
from tinygrad_hw.op import Op, linear
from tinygrad_hw.rules.elementwise import where
from tinygrad_hw.rules.shapes import cat, reshape
from tinygrad_hw.tape import raw


def swap(x: Any) -> Any:
    """The transpose of the last two axes."""
    return x.T if x.ndim == 2 else x.swapaxes(-1, -2)


def left(g: Any, _: Any, a: Any, b: Any) -> Any:
    """The cotangent of a in a @ b: g @ bᵀ, with the axes that a vector lacks put in and out."""
    if b.ndim == 1:
        return g[..., None] * b
    if a.ndim == 1:
        return (b @ g[..., None])[..., 0]
    return g @ swap(b)


def right(g: Any, _: Any, a: Any, b: Any) -> Any:
    """The cotangent of b in a @ b: aᵀ @ g."""
    if a.ndim == 1:
        return a * g if b.ndim == 1 else a[..., None] * g[..., None, :]
    if b.ndim == 1:
        return (swap(a) @ g[..., None])[..., 0]
    if b.ndim == 2 < a.ndim:  # one product over all batches, rather than a batch of products
        a, g = rows(a), rows(g)
    return swap(a) @ g


def rows(x: Any) -> Any:
    """A batch of vectors as the rows of one matrix."""
    return x if x.ndim == 2 else reshape(x, shape=(math.prod(x.shape[:-1]), x.shape[-1]))


def one_dtype(*arrays: Any) -> None:
    """Two float dtypes in a product are, as in PyTorch, more likely a slip than a wish."""
    first = arrays[0]
    for a in arrays:
        if not isinstance(a, np.ndarray):
            raise TypeError("a product is of tensors or arrays")
        if a.dtype is first.dtype or a.dtype == first.dtype:
            continue
        if "c" not in (a.dtype.kind, first.dtype.kind):
            raise ValueError(f"one dtype is needed; write .to(th.{a.dtype}) on the first")


def matmul_forward(a: Any, b: Any) -> Any:
    one_dtype(a, b)
    return np.matmul(a, b)


def linear_forward(x: Any, w: Any, b: Any = None) -> Any:
    one_dtype(x, w) if b is None else one_dtype(x, w, b)
    return kernels.linear(x, w, b)


matmul = linear(matmul_forward, left, right, name="matmul")
affine: Op = Op(  # x wᵀ + b, a layer in one pass; without b it is x wᵀ
    linear_forward,
    lambda g, _, x, w, b=None: g @ w,
    lambda g, _, x, w, b=None: outer(rows(g), rows(x)),
    lambda g, _, x, w, b: g,
    name="linear",
)
outer: Op = linear(  # gᵀ x: with x wᵀ and g w it closes the circle, each the others' transpose
    kernels.linear_grad,
    lambda h, _, g, x: affine(x, h),
    lambda h, _, g, x: g @ h,
    name="outer",
)

# ----------------------------------------------------------------------- systems of equations


def half_lower(x: Any) -> Any:
    """The lower triangle, with half of the diagonal."""
    n = x.shape[-1]
    return where(np.tri(n, dtype=bool), x, 0) * (1 - np.eye(n, dtype=x.dtype) / 2)


def along_cholesky(g: Any, y: Any, _: Any) -> Any:
    """Murray (2016), "Differentiation of the Cholesky decomposition", equation 10."""
    s = solve(swap(y), half_lower(swap(y) @ g))
    s = swap(solve(swap(y), swap(s)))
    return (s + swap(s)) / 2


def cofactors(y: Any, x: Any) -> Any:
    """The slope of the determinant y in each element of x: y x⁻ᵀ, or where some matrix is
    singular, the determinants of what is left without the element's row and column."""
    n = x.shape[-1]
    if raw(y).all():
        return y[..., None, None] * swap(inv(x))
    if n == 1:
        return where(True, 1, x)
    minors = [
        (-1) ** (i + j) * det(x[..., others(i, n), :][..., others(j, n)])[..., None]
        for i in range(n)
        for j in range(n)
    ]
    return reshape(cat(*minors, dim=-1), shape=x.shape)


def others(i: int, n: int) -> list[int]:
    return [k for k in range(n) if k != i]


inv: Op = Op(np.linalg.inv, lambda g, y, x: -(swap(y) @ g @ swap(y)), name="inv")
solve: Op = Op(
    np.linalg.solve,
    lambda g, y, a, b: -(solve(swap(a), g) @ swap(y)),
    lambda g, y, a, b: solve(swap(a), g),
    name="solve",
)
det: Op = Op(np.linalg.det, lambda g, y, x: g[..., None, None] * cofactors(y, x), name="det")
logabsdet = Op(
    lambda x: np.linalg.slogdet(x)[1],
    lambda g, _, x: g[..., None, None] * swap(inv(x)),
    name="logabsdet",
)
cholesky = Op(np.linalg.cholesky, along_cholesky, name="cholesky")
