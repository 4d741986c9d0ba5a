"""NAdam: Adam that looks ahead along its momentum."""

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
    fractions,
    number,
    zeros,
)
from tinygrad_hw.tape import Array, Traced, note_write, wrap


class NAdam(Optimizer):
    """Adam's averages m and v, with a momentum that grows, and Nesterov's look ahead (Dozat, 2016):

        μₜ = β₁ (1 - 0.96^(t ψ) / 2),  Πₜ = μ₁ ⋯ μₜ,
        p ← p - lr ((1 - μₜ) g / (1 - Πₜ) + μₜ₊₁ m / (1 - Πₜ₊₁)) / (√v̂ + ε).

    Args:
        params, lr, betas, eps, weight_decay, decoupled_weight_decay, maximize: as for `Adam`.
        momentum_decay: ψ.

    >>> import tinygrad_hw as th
    >>> p = th.tensor(1.0, requires_grad=True)
    >>> nadam = th.optim.NAdam([p], lr=0.1)
    >>> (p * p).backward()
    >>> nadam.step()
    >>> p
    tensor(0.8944, requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def check(self, group: Group) -> None:
        at_least_zero(group, "lr", "eps", "weight_decay", "momentum_decay")
        fractions(group, "betas")

    def initial(self, p: Array, group: Group) -> State:
        product = wrap(np.ones((), np.float32))
        return {
            "step": counter(), "mu_product": product, "exp_avg": zeros(p), "exp_avg_sq": zeros(p),
        }  # fmt: skip

    def update(self, p: Traced, g: Array, group: Group) -> None:
        out, spare, denominator = self.scratch_for(p.array)
        state = self.state_of(p, group)
        lr, (beta1, beta2), decay = number(group["lr"]), group["betas"], group["momentum_decay"]
        if group["decoupled_weight_decay"] and group["weight_decay"]:
            p.array *= float(1 - lr * group["weight_decay"])
            group = group | {"weight_decay": 0}
        g = self.ascent(p.array, g, group, out)
        t = counted(state)
        mu = beta1 * (1 - 0.5 * 0.96 ** (t * decay))
        mu_next = beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * decay))
        state["mu_product"].array *= mu
        note_write(state["mu_product"].array)
        product = float(state["mu_product"].array)
        m, v = state["exp_avg"].array, state["exp_avg_sq"].array
        lerp(m, g, 1 - beta1, spare)
        v *= beta2
        addcmul(v, g, g, 1 - beta2, spare)
        np.divide(v, 1 - beta2**t, out=denominator)
        np.sqrt(denominator, out=denominator)
        denominator += group["eps"]
        addcdiv(p.array, g, denominator, float(-lr * (1 - mu) / (1 - product)), spare)
        addcdiv(p.array, m, denominator, float(-lr * mu_next / (1 - product * mu_next)), spare)
