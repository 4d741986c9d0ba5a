"""RMSprop: gradients divided by a running root mean square."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_hw.optim.inplace import addcdiv, addcmul, lerp
from tinygrad_hw.optim.optimizer import (
    Group,
    Optimizer,
    State,
    at_least_zero,
    counted,
    counter,
    zeros,
)
from tinygrad_hw.tape import Array, Traced


class RMSprop(Optimizer):
    """v ← α v + (1 - α) g²,  p ← p - lr g / (√v + ε) (Hinton's lecture 6e, 2012).

    Args:
        params, lr, eps, weight_decay, maximize: as for `Adam`.
        alpha: α, how much of the average is kept.
        momentum: μ; b ← μ b + g / (√v + ε) and p ← p - lr b instead.
        centered: divides by the root of the variance v - a², where a ← α a + (1 - α) g
            (Graves, 2013).

    >>> import tinygrad_hw as th
    >>> p = th.tensor(1.0, requires_grad=True)
    >>> rmsprop = th.optim.RMSprop([p], lr=0.01)
    >>> (p * p).backward()
    >>> rmsprop.step()
    >>> p
    tensor(0.9000, requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def check(self, group: Group) -> None:
        at_least_zero(group, "lr", "eps", "momentum", "weight_decay", "alpha")

    def initial(self, p: Array, group: Group) -> State:
        state = {"step": counter(), "square_avg": zeros(p)}
        if group["momentum"]:
            state["momentum_buffer"] = zeros(p)
        if group["centered"]:
            state["grad_avg"] = zeros(p)
        return state

    def update(self, p: Traced, g: Array, group: Group) -> None:
        out, spare, _ = self.scratch_for(p.array)
        state, alpha, lr = self.state_of(p, group), group["alpha"], float(group["lr"])
        g = self.ascent(p.array, g, group, out)
        counted(state)
        v = state["square_avg"].array
        v *= alpha
        addcmul(v, g, g, 1 - alpha, spare)
        if group["centered"]:
            a = state["grad_avg"].array
            lerp(a, g, 1 - alpha, spare)
            np.multiply(a, a, out=spare)
            v = np.subtract(v, spare, out=spare)
        root = np.sqrt(v, out=spare)
        root += group["eps"]
        if group["momentum"]:
            b = state["momentum_buffer"].array
            b *= group["momentum"]
            addcdiv(b, g, root, 1, out)
            np.multiply(b, lr, out=out)
            p.array -= out
        else:
            addcdiv(p.array, g, root, -lr, out)
