"""Newton's method for many parameters: conjugate gradients on products with the Hessian."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from tinygrad_hw.autograd import grad
from tinygrad_hw.optim.optimizer import Closure, Group, Optimizer, at_least_zero
from tinygrad_hw.optim.vectors import flat, hessian_product, put
from tinygrad_hw.tape import Array, Traced


class NewtonCG(Optimizer):
    """Inexact Newton with a line search (Nocedal and Wright, "Numerical optimization", 2nd edition,
    algorithm 7.1). The Newton system H d = -g is solved by conjugate gradients, which need only
    products of the Hessian with vectors, each as dear as a gradient: no matrix is ever formed.

    * Conjugate gradients stop at a residual of min(forcing, √‖g‖) ‖g‖: coarse far from the optimum,
      ever finer near it, which makes the steps converge superlinearly (theorem 7.2); and no finer
      than half of `tolerance_grad`, which would be spent for nothing.
    * Where the loss is not convex along a direction, they stop before it; on the first direction,
      -g itself is taken. So d always leads downhill.
    * The step is the first of lr d, and shorter ones, that lowers the loss by Armijo's condition,
      f(p + α d) ≤ f(p) + 10⁻⁴ α gᵀd, up to the rounding of f.

    For losses of whole data sets: a closure that draws other batches at every call misleads it.

    Args:
        params: as for every optimizer, in one group.
        lr: the first length tried; 1 is Newton's.
        tolerance_grad: where ‖g‖, the Euclidean norm, is at most this, a step does not move.
        max_cg: the most products with the Hessian in a step.
        forcing: the coarsest relative residual, above 0 and below 1.
        max_ls: the most lengths tried in a step.

    `state[p]`, of the first parameter p, tells of the last step: `loss` and `grad_norm` where it
    began, its products with the Hessian `n_cg` and its length `step_size`; and of all steps the
    sums `n_iter`, `func_evals` and `hessian_products`.

    >>> import tinygrad_hw as th
    >>> w = th.tensor([-1.2, 1.0], dtype=th.float64, requires_grad=True)
    >>> newton = th.optim.NewtonCG([w], tolerance_grad=1e-9, forcing=0.01)
    >>> def rosenbrock():
    ...     return (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2
    >>> for step in range(30):
    ...     loss = newton.step(rosenbrock)
    >>> (w - 1).abs().max().item() < 1e-8
    True
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1.0,
        tolerance_grad: float = 1e-5,
        max_cg: int = 250,
        forcing: float = 0.5,
        max_ls: int = 25,
    ) -> None:
        defaults = {
            "lr": lr,
            "tolerance_grad": tolerance_grad,
            "max_cg": max_cg,
            "forcing": forcing,
            "max_ls": max_ls,
        }
        super().__init__(params, defaults)

    def check(self, group: Group) -> None:
        if self.param_groups:
            raise ValueError("NewtonCG moves all parameters together: give them in one group")
        at_least_zero(group, "lr", "tolerance_grad")
        if not 0 < group["forcing"] < 1:
            raise ValueError(f"forcing must be above 0 and below 1, not {group['forcing']}")
        for option in ("max_cg", "max_ls"):
            if group[option] < 1:
                raise ValueError(f"{option} must be at least 1, not {group[option]}")

    def step(self, closure: Closure | None = None) -> Any:
        """Move by one step; `closure` returns the loss, and calls neither backward nor zero_grad.
        Returns the loss where the step began.

        Raises:
            RuntimeError: no closure; a loss or a gradient that is not finite; no length that lowers
                the loss. The parameters are then as they were.
        """
        if closure is None:
            raise RuntimeError("NewtonCG.step needs a closure that returns the loss: step(closure)")
        (group,) = self.param_groups
        params = group["params"]
        loss = self.loss_of(closure)
        if not isinstance(loss, Traced):
            raise RuntimeError(f"the closure has to return the loss, and returned {loss!r}")
        slopes = grad(loss, params, create_graph=True, materialize_grads=True)
        g = flat(slopes, np.float64)
        f, norm = loss.array.item(), float(np.linalg.norm(g))
        if not math.isfinite(f + norm):
            raise RuntimeError(
                f"the loss is {f} and the norm of its gradient {norm}: start elsewhere, or look "
                "for what is not finite in the model."
            )
        state = self.state[params[0]]
        state.update(loss=f, grad_norm=norm, n_cg=0, step_size=0.0)
        for total in ("n_iter", "func_evals", "hessian_products"):
            state.setdefault(total, 0)
        state["func_evals"] += 1
        if norm <= group["tolerance_grad"]:
            return loss
        residual = min(group["forcing"], math.sqrt(norm)) * norm
        residual = max(residual, group["tolerance_grad"] / 2)
        times = partial(hessian_product, slopes, params)
        found = newton_direction(times, g, residual, group["max_cg"])
        del slopes, times  # and with them their graph, before the line search makes others
        state["n_cg"] = found.products
        state["hessian_products"] += found.products
        state["step_size"] = self.search(closure, f, float(g @ found.direction), found.direction)
        state["n_iter"] += 1
        return loss

    def search(self, closure: Closure, f: float, slope: float, direction: Array) -> float:
        """Move to the first point along the direction that lowers the loss enough, and return how
        far that is. Lengths that do not are shortened by the parabola through what is known."""
        (group,) = self.param_groups
        params, state = group["params"], self.state[group["params"][0]]
        start = flat(params, np.float64)
        rounding = 10 * max(np.finfo(p.dtype).eps for p in params) * abs(f)
        length = float(group["lr"])
        for _ in range(group["max_ls"]):
            put(start + length * direction, params)
            value = self.loss_of(closure).array.item()
            state["func_evals"] += 1
            if value <= f + 1e-4 * length * slope + rounding:
                return length
            least = -slope * length**2 / (2 * (value - f - slope * length))  # nan of no finite loss
            length = min(max(least, 0.1 * length), 0.5 * length) if least > 0 else 0.1 * length
        put(start, params)
        raise RuntimeError(
            f"no step lowers the loss, {f:.9g}, along a direction in which it falls at a rate of "
            f"{-slope:.3g}: does the closure give the same loss when it is called twice?"
        )


class Direction(NamedTuple):
    direction: Array
    products: int


def newton_direction(
    times: Callable[[Array], Array], g: Array, tolerance: float, most: int
) -> Direction:
    """An approximate solution d of H d = -g by conjugate gradients, `times(v)` being H v, until
    ‖H d + g‖ ≤ tolerance, the loss curves down, or `most` products were taken."""
    d, r, p = np.zeros_like(g), g, -g
    squared = float(r @ r)
    for product in range(1, most + 1):
        h = times(p)
        curvature = float(p @ h)
        if not curvature > 0:  # or nan
            return Direction(-g if product == 1 else d, product)
        length = squared / curvature
        d = d + length * p
        r = r + length * h
        before, squared = squared, float(r @ r)
        if math.sqrt(squared) <= tolerance:
            return Direction(d, product)
        p = squared / before * p - r
    return Direction(d, most)
