"""Linear algebra: inverses, systems of equations, determinants, factors and norms.

Matrices are the last two axes; axes in front of them are batches. `inv`, `solve`, `det`, `slogdet`,
`cholesky` and the norms are differentiable, to any order; the other factorizations are values
only, and refuse where a gradient would have to flow through them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tinygrad_hw.functions import shapes
from tinygrad_hw.functions.arguments import Dim, Operand, all_dims
from tinygrad_hw.functions.products import cross as cross_of
from tinygrad_hw.functions.products import matmul
from tinygrad_hw.functions.reductions import vector_norm
from tinygrad_hw.op import LinAlgError
from tinygrad_hw.rules import elementwise as ew
from tinygrad_hw.rules import linalg as rules
from tinygrad_hw.tape import Traced, grad_mode, wrap

if TYPE_CHECKING:
    from tinygrad_hw.tensor import Tensor

__all__ = [
    "LinAlgError",
    "cholesky",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eigh",
    "eigvalsh",
    "inv",
    "lstsq",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "multi_dot",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "svd",
    "svdvals",
    "vector_norm",
]


def square(name: str, A: Tensor) -> Tensor:
    """A, if it is a square matrix of floats, or a batch of them."""
    if A.ndim < 2 or A.array.shape[-1] != A.array.shape[-2]:
        raise RuntimeError(f"{name} takes square matrices, and the shape is {A.array.shape}")
    if A.array.dtype.kind not in "fc":
        raise RuntimeError(f"{name} takes floats, not {A.array.dtype}: convert it, x.float()")
    return A


def inv(A: Tensor) -> Tensor:
    """A⁻¹. Raises RuntimeError where A is singular.

    >>> import tinygrad_hw as th
    >>> th.linalg.inv(th.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    return rules.inv(square("inv", A))


def solve(A: Tensor, B: Tensor, *, left: bool = True) -> Tensor:
    """The X of A X = B, for B a vector (n,), a matrix (n, k), or batches of them; with left=False
    that of X A = B. Raises RuntimeError where A is singular."""
    square("solve", A)
    vector = B.ndim == 1 or (A.ndim - 1 == B.ndim and B.array.shape == A.array.shape[:-1])
    if not left:
        if vector:
            raise RuntimeError("solve with left=False takes matrices B, not vectors")
        return solve(A.transpose(-1, -2), B.transpose(-1, -2)).transpose(-1, -2)
    if vector:
        return rules.solve(A, B.unsqueeze(-1)).squeeze(-1)
    return rules.solve(A, B)


def det(A: Tensor) -> Tensor:
    """The determinant; its gradient is exact for singular matrices too."""
    return rules.det(square("det", A))


class SignLogabsdet(NamedTuple):
    """The sign of a determinant, and the logarithm of its size."""

    sign: Tensor
    logabsdet: Tensor


def slogdet(A: Tensor) -> SignLogabsdet:
    """The determinant's sign and log |det A|, which overflows where the determinant does not."""
    sign = np.linalg.slogdet(square("slogdet", A).array)[0]
    return SignLogabsdet(wrap(np.asarray(sign)), rules.logabsdet(A))


def cholesky(A: Tensor, *, upper: bool = False) -> Tensor:
    """The lower triangular L of A = L Lᵀ (or, with `upper`, Lᵀ), of a positive definite A: only its
    lower (upper) triangle is read. Raises RuntimeError where A is not positive definite."""
    square("cholesky", A)
    lower = rules.cholesky(A.transpose(-1, -2) if upper else A)
    return lower.transpose(-1, -2) if upper else lower


def matrix_power(A: Tensor, n: int) -> Tensor:
    """A multiplied by itself n times; for negative n its inverse."""
    square("matrix_power", A)
    if n < 0:
        return matrix_power(inv(A), -n)
    result: Any = None
    while n:
        if n % 2:
            result = A if result is None else result @ A
        A, n = A @ A if n > 1 else A, n // 2
    if result is A:
        copy: Tensor = A.clone()
        return copy
    if result is None:
        eye = np.eye(A.array.shape[-1], dtype=A.array.dtype)
        return wrap(np.broadcast_to(eye, A.array.shape).copy())
    found: Tensor = result
    return found


def multi_dot(tensors: Sequence[Tensor]) -> Tensor:
    """The product of matrices one after another."""
    product = tensors[0]
    for x in tensors[1:]:
        product = matmul(product, x)
    return product


def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """The diagonal of two axes, by default of each matrix."""
    found: Tensor = shapes.diagonal(A, offset, dim1, dim2)
    return found


def cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """The cross product of vectors of three along `dim`."""
    return cross_of(input, other, dim)


# -------------------------------------------------------------------------------------- norms


def norm(
    A: Tensor,
    ord: float | str | None = None,
    dim: Dim = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
) -> Tensor:
    """The norm of the vector (all elements by default), or with two axes or a matrix and `ord`
    the matrix norm: see `vector_norm` and `matrix_norm`."""
    pair = isinstance(dim, (tuple, list)) and len(dim) == 2
    if ord is None:
        return vector_norm(A, 2, dim, keepdim, dtype=dtype)
    if dim is None and A.ndim not in (1, 2):
        raise RuntimeError(f"norm with ord={ord!r} takes a vector, a matrix, or dim: {A.ndim} axes")
    if pair or isinstance(ord, str) or (dim is None and A.ndim == 2):
        return matrix_norm(A, ord, (-2, -1) if dim is None else dim, keepdim, dtype=dtype)
    return vector_norm(A, ord, dim, keepdim, dtype=dtype)


def matrix_norm(
    A: Tensor,
    ord: float | str = "fro",
    dim: Any = (-2, -1),
    keepdim: bool = False,
    *,
    dtype: Any = None,
) -> Tensor:
    """"fro": the root of the sum of squares; ±1 and ±inf: the greatest (least) sum of sizes over
    columns and rows; ±2 and "nuc": of singular values, without a gradient."""
    x = A if dtype is None else A.to(dtype)
    rows, columns = all_dims(x, dim)
    if ord == "fro":
        return vector_norm(x, 2, (rows, columns), keepdim)
    if ord in (1, -1, float("inf"), float("-inf")):
        over, rest = (rows, columns) if ord in (1, -1) else (columns, rows)
        sums = ew.abs(x).sum(over, keepdim=True)
        found: Tensor = sums.amax(rest, keepdim=True) if ord > 0 else sums.amin(rest, keepdim=True)
        return found if keepdim else found.squeeze((rows, columns))
    if ord in (2, -2, "nuc"):
        s = svdvals(x.movedim((rows, columns), (-2, -1)))
        value = s.sum(-1) if ord == "nuc" else s.amax(-1) if ord == 2 else s.amin(-1)
        if keepdim:
            for axis in sorted((rows, columns)):
                value = value.unsqueeze(axis)
        return value
    raise RuntimeError(f"matrix_norm: ord is 'fro', 'nuc', ±1, ±2 or ±inf, not {ord!r}")


# --------------------------------------------------------------------------------- values only


class SVD(NamedTuple):
    """A = U diag(S) Vh."""

    U: Tensor
    S: Tensor
    Vh: Tensor


class QR(NamedTuple):
    """A = Q R."""

    Q: Tensor
    R: Tensor


class Eigh(NamedTuple):
    """A = V diag(L) Vᵀ."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class LstSq(NamedTuple):
    """What `lstsq` found."""

    solution: Tensor
    residuals: Tensor
    rank: Tensor
    singular_values: Tensor


def values_only(name: str, function: Callable[..., Any], *inputs: Operand, **options: Any) -> Any:
    """NumPy's result as tensors.

    Raises:
        RuntimeError: an input whose gradient is wanted.
    """
    for x in inputs:
        if isinstance(x, Traced) and x.tracked and grad_mode.enabled:
            raise RuntimeError(
                f"linalg.{name} has no gradient here: give it x.detach(), or compute under "
                "th.no_grad()."
            )
    found = function(*(x.array if isinstance(x, Traced) else x for x in inputs), **options)
    if isinstance(found, tuple):
        return tuple(wrap(np.asarray(part)) for part in found)
    return wrap(np.asarray(found))


def svd(A: Tensor, full_matrices: bool = True) -> SVD:
    """The singular values S, in descending order, and the vectors in U and Vh; no gradient."""
    return SVD(*values_only("svd", np.linalg.svd, A, full_matrices=full_matrices))


class OldSVD(NamedTuple):
    """A = U diag(S) Vᵀ."""

    U: Tensor
    S: Tensor
    V: Tensor


def svd_of_old(input: Tensor, some: bool = True) -> OldSVD:
    """`torch.svd`, which gives V and not its transpose, and by default the reduced matrices."""
    u, s, vh = svd(input, full_matrices=not some)
    return OldSVD(u, s, vh.transpose(-1, -2))


def svdvals(A: Tensor) -> Tensor:
    """The singular values, in descending order; no gradient."""
    found: Tensor = values_only("svdvals", np.linalg.svd, A, compute_uv=False)
    return found


def qr(A: Tensor, mode: str = "reduced") -> QR:
    """The orthonormal Q and the upper triangular R; no gradient."""
    if mode not in ("reduced", "complete"):
        raise RuntimeError(f"qr: mode is 'reduced' or 'complete', not {mode!r}")
    return QR(*values_only("qr", np.linalg.qr, A, mode=mode))


def eigh(A: Tensor, UPLO: str = "L") -> Eigh:
    """The eigenvalues, in ascending order, and eigenvectors of a symmetric A; no gradient."""
    return Eigh(*values_only("eigh", np.linalg.eigh, square("eigh", A), UPLO=UPLO))


def eigvalsh(A: Tensor, UPLO: str = "L") -> Tensor:
    """The eigenvalues of a symmetric A, in ascending order; no gradient."""
    found: Tensor = values_only("eigvalsh", np.linalg.eigvalsh, square("eigvalsh", A), UPLO=UPLO)
    return found


def cutoff(A: Tensor) -> float:
    """What singular values count as 0, in relation to the greatest: those that rounding makes."""
    return float(max(A.array.shape[-2:]) * np.finfo(A.array.dtype).eps)


def pinv(A: Tensor) -> Tensor:
    """The pseudo-inverse; no gradient."""
    found: Tensor = values_only("pinv", np.linalg.pinv, A, rcond=cutoff(A))
    return found


def lstsq(A: Tensor, B: Tensor) -> LstSq:
    """The X that makes ‖A X - B‖ least; no gradient."""
    x, residuals, rank, s = values_only("lstsq", np.linalg.lstsq, A, B, rcond=cutoff(A))
    return LstSq(x, residuals, rank, s)


def matrix_rank(A: Tensor) -> Tensor:
    """How many singular values are not 0 to working precision."""
    found: Tensor = values_only("matrix_rank", np.linalg.matrix_rank, A.detach())
    return found


def cond(A: Tensor, p: float | str | None = None) -> Tensor:
    """The condition number; no gradient."""
    found: Tensor = values_only("cond", np.linalg.cond, A, p)
    return found
