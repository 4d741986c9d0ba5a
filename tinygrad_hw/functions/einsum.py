"""`einsum`: sums of products along named axes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tinygrad_hw.functions.products import matmul
from tinygrad_hw.functions.shapes import diagonal, expand, permute, reshape
from tinygrad_hw.rules import reductions

if TYPE_CHECKING:
    from tinygrad_hw.tensor import Tensor


def einsum(equation: str, *operands: Any) -> Tensor:
    """Products summed along named axes, `einsum("ij,jk->ik", a, b)`: factors are multiplied two
    by two, and an axis is summed as soon as nothing else needs it.

    Raises:
        RuntimeError: an equation that does not fit, or with an ellipsis.
    """
    listed = len(operands) == 1 and not hasattr(operands[0], "array")
    xs = list(operands[0]) if listed else [*operands]
    left, arrow, result = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if "." in equation:
        raise RuntimeError(f"einsum: the ellipsis of {equation!r} is not covered: name the axes")
    if not arrow:
        result = "".join(sorted(c for c in set(left) if c.isalpha() and left.count(c) == 1))
    if len(terms) != len(xs):
        raise RuntimeError(f"einsum: {equation!r} has {len(terms)} terms for {len(xs)} tensors")
    factors = [single_axes(x, term, equation) for x, term in zip(xs, terms, strict=True)]
    if set(result) - set("".join(t for _, t in factors)) or len(set(result)) < len(result):
        raise RuntimeError(f"einsum: the result of {equation!r} names unknown or equal axes")
    x, names = factors[0]
    for i, (other, more) in enumerate(factors[1:], 2):
        later = set(result).union(*(t for _, t in factors[i:]))
        x, names = summed(x, names, later | set(more))
        x, names = multiplied(x, names, other, more, later)
    x, names = summed(x, names, set(result))
    return permute(x, *(names.index(c) for c in result)) if result else x


def single_axes(x: Tensor, names: str, equation: str) -> tuple[Tensor, str]:
    """A factor with each name once: of an axis named twice, the diagonal."""
    if x.array.ndim != len(names):
        raise RuntimeError(
            f"einsum: {names!r} of {equation!r} has {len(names)} axes, the tensor {x.array.shape}"
        )
    for c in dict.fromkeys(names):
        while names.count(c) > 1:
            i = names.index(c)
            j = names.index(c, i + 1)
            x = diagonal(x, 0, i, j)
            names = names[:i] + names[i + 1 : j] + names[j + 1 :] + c
    return x, names


def summed(x: Tensor, names: str, needed: set[str]) -> tuple[Tensor, str]:
    """Without the axes that nothing needs any more."""
    over = tuple(i for i, c in enumerate(names) if c not in needed)
    if not over:
        return x, names
    return reductions.sum(x, dim=over), "".join(c for c in names if c in needed)


def multiplied(
    a: Tensor, names: str, b: Tensor, more: str, needed: set[str]
) -> tuple[Tensor, str]:
    """The product of two factors, summed over the axes they share and nothing else needs."""
    b, more = summed(b, more, needed | set(names))
    batch = [c for c in names if c in more and c in needed]
    over = [c for c in names if c in more and c not in needed]
    rows = [c for c in names if c not in more]
    columns = [c for c in more if c not in names]
    size = {**dict(zip(more, b.array.shape, strict=True))}
    for c, n in zip(names, a.array.shape, strict=True):
        if c in size and n != size[c] and 1 not in (n, size[c]):
            raise RuntimeError(f"einsum: axis {c!r} is of size {n} here and {size[c]} there")
        size[c] = max(n, size.get(c, 1)) if n else 0
    left, right = batch + rows + over, batch + over + columns
    a = expand(permute(a, *(names.index(c) for c in left)), [size[c] for c in left])
    b = expand(permute(b, *(more.index(c) for c in right)), [size[c] for c in right])
    n, k, m = (math.prod(size[c] for c in group) for group in (rows, over, columns))
    shape = [size[c] for c in batch]
    product = matmul(reshape(a, *shape, n, k), reshape(b, *shape, k, m))
    left = batch + rows + columns
    return reshape(product, *(size[c] for c in left)), "".join(left)
