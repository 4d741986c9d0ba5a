"""Products of vectors and matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_hw.functions.arguments import Operand, checked, numpy_names, written
from tinygrad_hw.functions.shapes import diagonal, expand, movedim, permute, reshape, stack
from tinygrad_hw.rules import linalg
from tinygrad_hw.tape import wrap

if TYPE_CHECKING:
    from tinygrad_hw.tensor import Tensor


def matmul(input: Tensor, other: Operand, *, out: Tensor | None = None) -> Tensor:
    """The product of matrices (their last two axes, batches broadcast) and vectors."""
    return written(linalg.matmul(input, other), out)


def of_axes(name: str, *wanted: tuple[Tensor, int]) -> None:
    for x, ndim in wanted:
        if x.array.ndim != ndim:
            raise RuntimeError(
                f"{name}: a tensor of {ndim} axes is expected, and shape {x.array.shape} was given"
            )


def mm(input: Tensor, mat2: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The product of two matrices."""
    of_axes("mm", (input, 2), (mat2, 2))
    return matmul(input, mat2, out=out)


def bmm(input: Tensor, mat2: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The products of two batches of matrices, (B, n, m) and (B, m, p)."""
    of_axes("bmm", (input, 3), (mat2, 3))
    if len(input.array) != len(mat2.array):
        raise RuntimeError(f"bmm: batches of {len(input.array)} and {len(mat2.array)} matrices")
    return matmul(input, mat2, out=out)


def mv(input: Tensor, vec: Tensor) -> Tensor:
    """The product of a matrix and a vector."""
    of_axes("mv", (input, 2), (vec, 1))
    return matmul(input, vec)


def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """Σ input · tensor, of two vectors of one size."""
    of_axes("dot", (input, 1), (tensor, 1))
    if input.array.dtype != tensor.array.dtype:
        raise RuntimeError(f"dot: one dtype, not {input.array.dtype} and {tensor.array.dtype}")
    return matmul(input, tensor)


def inner(input: Tensor, other: Tensor) -> Tensor:
    """Σ input · other over the last axis of both."""
    if not input.array.ndim or not other.array.ndim:
        return input * other
    a = reshape(input, -1, input.array.shape[-1])
    b = reshape(other, -1, other.array.shape[-1])
    shape = input.array.shape[:-1] + other.array.shape[:-1]
    return reshape(matmul(a, permute(b, 1, 0)), shape)


def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """The products of each element of a vector with each of another."""
    of_axes("outer", (input, 1), (vec2, 1))
    return reshape(input, -1, 1) * vec2


def weighted(beta: float, input: Tensor, alpha: float, product: Tensor) -> Tensor:
    """beta * input + alpha * product, where a factor of 0 drops its term, nan and all."""
    if product.array.dtype.kind != "f" and (beta % 1 or alpha % 1):
        raise RuntimeError(f"beta={beta} and alpha={alpha} of whole numbers have to be whole too")
    if product.array.dtype.kind != "f":
        beta, alpha = int(beta), int(alpha)
    shape = np.broadcast_shapes(input.array.shape, product.array.shape)
    terms = [expand(x, shape) * factor for factor, x in ((beta, input), (alpha, product)) if factor]
    if not terms:
        return wrap(np.zeros(shape, product.array.dtype))
    return terms[0] if len(terms) == 1 else terms[0] + terms[1]


def addmm(
    input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1
) -> Tensor:
    """beta * input + alpha * mat1 @ mat2."""
    return weighted(beta, input, alpha, mm(mat1, mat2))


def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta * input + alpha * mat @ vec."""
    return weighted(beta, input, alpha, mv(mat, vec))


def addbmm(
    input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: float = 1, alpha: float = 1
) -> Tensor:
    """beta * input + alpha * Σ batch1[i] @ batch2[i]."""
    return weighted(beta, input, alpha, bmm(batch1, batch2).sum(0))


def baddbmm(
    input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: float = 1, alpha: float = 1
) -> Tensor:
    """beta * input + alpha * batch1 @ batch2."""
    return weighted(beta, input, alpha, bmm(batch1, batch2))


def trace(input: Tensor) -> Tensor:
    """The sum of a matrix's diagonal."""
    of_axes("trace", (input, 2))
    return diagonal(input).sum()


def kron(input: Tensor, other: Tensor) -> Tensor:
    """The Kronecker product: `other`, scaled by each element of `input`, as a block matrix."""
    n = max(input.array.ndim, other.array.ndim)
    a = (1,) * (n - input.array.ndim) + input.array.shape
    b = (1,) * (n - other.array.ndim) + other.array.shape
    wide = [k for size in a for k in (size, 1)]
    narrow = [k for size in b for k in (1, size)]
    blocks = reshape(input, wide) * reshape(other, narrow)
    return reshape(blocks, [p * q for p, q in zip(a, b, strict=True)])


@numpy_names
def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Tensor:
    """The cross product of vectors of three along `dim`, by default the first axis of size 3."""
    if input.array.ndim != other.array.ndim:
        raise RuntimeError(
            f"cross: shapes {input.array.shape} and {other.array.shape} differ in their axes"
        )
    if dim is None:
        threes = [i for i, n in enumerate(input.array.shape) if n == 3]
        if not threes:
            raise RuntimeError(f"cross needs an axis of size 3, given {input.array.shape}")
        dim = threes[0]
    axis = checked(dim, input.array.ndim)
    if input.array.shape[axis] != 3 or other.array.shape[axis] != 3:
        raise RuntimeError(f"cross: axis {dim} has to be of size 3")
    a, b = movedim(input, axis, 0), movedim(other, axis, 0)
    parts = [a[i] * b[j] - a[j] * b[i] for i, j in ((1, 2), (2, 0), (0, 1))]
    return movedim(stack(parts), 0, axis)


def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """Σ a · b over the last `dims` axes of a and the first of b, or over two lists of axes."""
    if isinstance(dims, int):
        dims = (list(range(a.array.ndim - dims, a.array.ndim)), list(range(dims)))
    pairs = zip((a, b), dims, strict=True)
    over = [[checked(d, x.array.ndim) for d in axes] for x, axes in pairs]
    free = [
        [i for i in range(x.array.ndim) if i not in d] for x, d in zip((a, b), over, strict=True)
    ]
    shape = [a.array.shape[i] for i in free[0]] + [b.array.shape[i] for i in free[1]]
    n = int(np.prod([a.array.shape[i] for i in over[0]]))
    left = reshape(permute(a, *free[0], *over[0]), -1, n) if n else reshape(a, 0, n)
    right = reshape(permute(b, *over[1], *free[1]), n, -1)
    return reshape(matmul(left, right), shape)
