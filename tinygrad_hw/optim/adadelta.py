"""Adadelta: steps in the units of the parameter, without a learning rate to choose."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_hw.optim.inplace import addcmul
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


class Adadelta(Optimizer):
    """v ← ρ v + (1 - ρ) g²,  d = g √(u + ε) / √(v + ε),  u ← ρ u + (1 - ρ) d²,  p ← p - lr d
    (Zeiler, 2012, algorithm 1, which has lr = 1).

    Args:
        params, lr, weight_decay, maximize: as for `Adam`.
        rho: ρ, how much of the averages v and u is kept, between 0 and 1.
        eps: ε.

    >>> import tinygrad_hw as th
    >>> p = th.tensor(1.0, requires_grad=True)
    >>> adadelta = th.optim.Adadelta([p])
    >>> (p * p).backward()
    >>> adadelta.step()
    >>> p
    tensor(0.9968, requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def check(self, group: Group) -> None:
        at_least_zero(group, "lr", "eps", "weight_decay")
        if not 0 <= group["rho"] <= 1:
            raise ValueError(f"rho must lie between 0 and 1, not {group['rho']}")

    def initial(self, p: Array, group: Group) -> State:
        return {"step": counter(), "square_avg": zeros(p), "acc_delta": zeros(p)}

    def update(self, p: Traced, g: Array, group: Group) -> None:
        out, spare, delta = self.scratch_for(p.array)
        state, rho, eps = self.state_of(p, group), group["rho"], group["eps"]
        g = self.ascent(p.array, g, group, out)
        counted(state)
        v, u = state["square_avg"].array, state["acc_delta"].array
        v *= rho
        addcmul(v, g, g, 1 - rho, spare)
        root = np.add(v, eps, out=spare)
        np.sqrt(root, out=root)
        np.add(u, eps, out=delta)
        np.sqrt(delta, out=delta)
        delta /= root
        delta *= g
        u *= rho
        addcmul(u, delta, delta, 1 - rho, spare)
        delta *= float(group["lr"])
        p.array -= delta
