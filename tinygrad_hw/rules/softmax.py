"""Softmax and its family along `dim`; the forward passes are kernels, the rules are one line.

`cross_entropy` fuses log-softmax, the choice of the label's entry and the reduction. Its backward
is itself an op with a rule, made of simple ops, so that Hessians of the fused loss are exact.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_hw import kernels
from tinygrad_hw.op import Op
from tinygrad_hw.rules.elementwise import exp
from tinygrad_hw.rules.reductions import kept, sum

softmax = Op(
    kernels.softmax,
    lambda g, y, x, dim=-1: y * (g - sum(g * y, dim=dim, keepdim=True)),
    name="softmax",
)
log_softmax = Op(
    kernels.log_softmax,
    lambda g, y, x, dim=-1: g - exp(y) * sum(g, dim=dim, keepdim=True),
    name="log_softmax",
)
logsumexp = Op(
    kernels.logsumexp,
    lambda g, y, x, dim=-1, keepdim=False: (
        kept(g, x, dim, keepdim) * exp(x - kept(y, x, dim, keepdim))
    ),
    name="logsumexp",
)


# ------------------------------------------------------------ cross-entropy of class indices, fused


def share(target: Any, reduction: str, ignore_index: int, dtype: Any) -> Any:
    """How much each row's gradient counts, a column: 0 where ignored, 1/n under the mean."""
    counts = (target != ignore_index).astype(dtype)
    if reduction == "mean":
        counts /= max(counts.sum(), 1)  # where all rows are ignored, 0 and not nan
    return counts[:, None]


def residual(z: Any, target: Any, ignore_index: int) -> Any:
    """softmax(z) - onehot(target), the gradient of one row's loss."""
    onehot = np.zeros(z.shape, z.dtype)
    inside = target != ignore_index
    onehot[np.flatnonzero(inside), target[inside]] = 1
    return softmax(z, dim=1) - onehot


def column(g: Any) -> Any:
    """The cotangent of the loss as a column beside the logits (1 x 1 where it was reduced)."""
    return g[:, None] if g.ndim else g


def along_g(h: Any, _: Any, g: Any, z: Any, target: Any, reduction: str, ignore_index: int) -> Any:
    """The gradient kernel is linear in g: contract it with h."""
    counts = share(target, reduction, ignore_index, z.dtype)
    by_row = sum(h * residual(z, target, ignore_index) * counts, dim=1)
    return by_row if reduction == "none" else sum(by_row)


def along_z(h: Any, _: Any, g: Any, z: Any, target: Any, reduction: str, ignore_index: int) -> Any:
    """The Hessian of softmax cross-entropy, diag(p) - p pᵀ in each row, applied to h."""
    p = softmax(z, dim=1)
    h = h * (column(g) * share(target, reduction, ignore_index, z.dtype))
    return p * (h - sum(h * p, dim=1, keepdim=True))


cross_entropy = Op(
    kernels.cross_entropy,
    lambda g, _, z, target, reduction, ignore_index: cross_entropy_grad(
        g, z, target, reduction=reduction, ignore_index=ignore_index
    ),
    None,
    name="cross_entropy",
)
cross_entropy_grad: Op = Op(
    kernels.cross_entropy_grad, along_g, along_z, None, name="cross_entropy_grad"
)

__all__ = ["cross_entropy", "log_softmax", "logsumexp", "softmax"]
