"""Newton's method, with exact Hessians."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_hw.autograd import grad
from tinygrad_hw.optim.optimizer import Closure, Group, Optimizer, at_least_zero
from tinygrad_hw.optim.vectors import flat, hessian_product, put
from tinygrad_hw.tape import Traced


class Newton(Optimizer):
    """p ← p - lr (H + λ I)⁻¹ g, where g and H are the gradient and the Hessian of the loss with
    respect to all n numbers of a group together, both by automatic differentiation.

    On a quadratic loss one step reaches the optimum from anywhere (homework, equations 1 to 3).
    A step costs n backward sweeps, 8 n² bytes for the Hessian, and O(n³) to solve: it is meant for
    some thousand numbers at most. The system is solved in float64, whatever the parameters are.

    Args:
        params: as for every optimizer; several groups are solved one by one.
        lr: the length of the step; 1 is Newton's.
        damping: λ, which makes a singular Hessian regular and a step shorter.

    >>> import tinygrad_hw as th
    >>> w = th.tensor([5.0, -3.0], requires_grad=True)
    >>> newton = th.optim.Newton([w])
    >>> newton.step(lambda: ((w - th.tensor([1.0, 2.0])) ** 2).sum())
    tensor(41., grad_fn=<SumBackward0>)
    >>> w
    tensor([1., 2.], requires_grad=True)
    """

    def __init__(self, params: Iterable[Any], lr: float = 1.0, damping: float = 0.0) -> None:
        super().__init__(params, {"lr": lr, "damping": damping})

    def check(self, group: Group) -> None:
        at_least_zero(group, "lr", "damping")

    def step(self, closure: Closure | None = None) -> Any:
        """Move by one step; `closure` returns the loss, and calls neither backward nor zero_grad.

        Raises:
            RuntimeError: no closure.
            numpy.linalg.LinAlgError: a Hessian that is singular to working precision, or is not
                finite.
        """
        if closure is None:
            raise RuntimeError("Newton.step needs a closure that returns the loss: step(closure)")
        loss = self.loss_of(closure)
        if not isinstance(loss, Traced):
            raise RuntimeError(f"the closure has to return the loss, and returned {loss!r}")
        moved = []  # all before the first write, which would make the graph's values stale
        for group in self.param_groups:
            params = group["params"]
            g, h = gradient_and_hessian(loss, params)
            step = solved(h, g, group["damping"], params)
            moved.append(flat(params, np.float64) - float(group["lr"]) * step)
        for group, values in zip(self.param_groups, moved, strict=True):
            put(values, group["params"])
        return loss


def gradient_and_hessian(loss: Any, params: Sequence[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The gradient (n,) and the Hessian (n, n), row by row, in float64."""
    slopes = grad(loss, params, create_graph=True, materialize_grads=True)
    g = flat(slopes, np.float64)
    h = np.stack([hessian_product(slopes, params, unit) for unit in np.eye(len(g))])
    return g, h


def solved(
    h: NDArray[Any], g: NDArray[Any], damping: float, params: Sequence[Any]
) -> NDArray[Any]:
    """The p of (H + λ I) p = g."""
    n = len(g)
    h[np.diag_indices(n)] += damping
    if not np.isfinite(h).all():
        raise np.linalg.LinAlgError(f"the Hessian, {n} x {n}, is not finite: the loss diverged")
    sizes = np.abs(np.linalg.eigvalsh(h))
    largest, smallest = sizes.max(initial=0.0), sizes.min(initial=np.inf)
    precision = max(np.finfo(p.dtype).eps for p in params)
    rank = int((sizes > largest * n * precision).sum())
    if rank < n:
        condition = largest / smallest if smallest else np.inf
        raise np.linalg.LinAlgError(
            f"the Hessian, {n} x {n}, is singular to working precision: rank {rank}, condition "
            f"number {condition:.1e}, so the loss is flat along {n - rank} direction(s) and has no "
            f"single Newton step. Give a damping, Newton(params, damping=1e-3), or add a "
            "regularizer to the loss, such as 1e-3 * (w * w).sum()."
        )
    return np.linalg.solve(h, g)
