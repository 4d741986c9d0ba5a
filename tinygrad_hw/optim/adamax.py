"""Adamax: Adam with the largest recent gradient in place of a root mean square."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_hw.optim.inplace import addcdiv, lerp
from tinygrad_hw.optim.optimizer import (
    Group,
    Optimizer,
    State,
    at_least_zero,
    counted,
    counter,
    fractions,
    number,
    zeros,
)
from tinygrad_hw.tape import Array, Traced


class Adamax(Optimizer):
    """m ← β₁ m + (1 - β₁) g,  u ← max(β₂ u, |g| + ε),  p ← p - lr m / ((1 - β₁ᵗ) u)
    (Kingma and Ba, "Adam", 2015, algorithm 2). Arguments as for `Adam`.

    >>> import tinygrad_hw as th
    >>> p = th.tensor(1.0, requires_grad=True)
    >>> adamax = th.optim.Adamax([p], lr=0.1)
    >>> (p * p).backward()
    >>> adamax.step()
    >>> p
    tensor(0.9000, requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def check(self, group: Group) -> None:
        at_least_zero(group, "lr", "eps", "weight_decay")
        fractions(group, "betas")

    def initial(self, p: Array, group: Group) -> State:
        return {"step": counter(), "exp_avg": zeros(p), "exp_inf": zeros(p)}

    def update(self, p: Traced, g: Array, group: Group) -> None:
        out, spare, _ = self.scratch_for(p.array)
        state, (beta1, beta2) = self.state_of(p, group), group["betas"]
        g = self.ascent(p.array, g, group, out)
        t = counted(state)
        m, u = state["exp_avg"].array, state["exp_inf"].array
        lerp(m, g, 1 - beta1, spare)
        u *= beta2
        np.abs(g, out=spare)
        spare += group["eps"]
        np.maximum(u, spare, out=u)
        addcdiv(p.array, m, u, float(-(number(group["lr"]) / (1 - beta1**t))), out)
