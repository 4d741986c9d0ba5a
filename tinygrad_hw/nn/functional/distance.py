"""How far two vectors are apart, and in how different directions they point."""

from __future__ import annotations

import numpy as np

from tinygrad_hw.functions.arguments import written
from tinygrad_hw.rules import elementwise as ew
from tinygrad_hw.tensor import Tensor


def normalize(
    input: Tensor,
    p: float = 2.0,
    dim: int = 1,
    eps: float = 1e-12,
    out: Tensor | None = None,
) -> Tensor:
    """x / max(‖x‖_p, ε) along `dim`."""
    return written(input / ew.clamp(input.norm(p, dim, keepdim=True), min=eps), out)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """x₁ · x₂ / (max(‖x₁‖, ε) max(‖x₂‖, ε)) along `dim`, of inputs broadcast together. Through the
    maxima the gradient passes as if they were not there.

    Raises:
        RuntimeError: shapes that do not broadcast.

    >>> import tinygrad_hw as th
    >>> th.nn.functional.cosine_similarity(th.tensor([1.0, 0.0]), th.tensor([3.0, 4.0]), dim=0)
    tensor(0.6000)
    """
    try:
        shape = np.broadcast_shapes(x1.shape, x2.shape)
    except ValueError as error:
        raise RuntimeError(
            f"cosine_similarity: the shapes {x1.array.shape} and {x2.array.shape} do not broadcast"
        ) from error
    a, b = (x.expand(shape) for x in (x1, x2))
    a, b = (x / at_least(eps, x.norm(2, dim, keepdim=True)) for x in (a, b))
    return (a * b).sum(dim)


def at_least(bound: float, x: Tensor) -> Tensor:
    """max(x, bound), with slope 1 below the bound too."""
    return x + ew.clamp(bound - x.detach(), min=0)
