"""Adagrad: every number has its own step, shorter the more it has moved."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_hw.optim.inplace import addcdiv, addcmul
from tinygrad_hw.optim.optimizer import (
    Group,
    Optimizer,
    State,
    at_least_zero,
    counted,
    counter,
    number,
)
from tinygrad_hw.tape import Array, Traced, wrap


class Adagrad(Optimizer):
    """s ← s + g²,  p ← p - lr g / (√s + ε) (Duchi, Hazan and Singer, 2011).

    Args:
        params, lr, weight_decay, eps, maximize: as for `Adam`.
        lr_decay: η; at step t, lr / (1 + (t - 1) η) takes the place of lr.
        initial_accumulator_value: what s is before the first step.

    >>> import tinygrad_hw as th
    >>> p = th.tensor(1.0, requires_grad=True)
    >>> adagrad = th.optim.Adagrad([p], lr=0.1)
    >>> (p * p).backward()
    >>> adagrad.step()
    >>> p
    tensor(0.9000, requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:
            for p in group["params"]:
                self.state_of(p, group)

    def check(self, group: Group) -> None:
        options = "lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps"
        at_least_zero(group, *options)

    def initial(self, p: Array, group: Group) -> State:
        total = wrap(np.full_like(p, group["initial_accumulator_value"]))
        return {"step": counter(), "sum": total}

    def update(self, p: Traced, g: Array, group: Group) -> None:
        out, spare, _ = self.scratch_for(p.array)
        state = self.state_of(p, group)
        g = self.ascent(p.array, g, group, out)
        lr = number(group["lr"]) / (1 + (counted(state) - 1) * group["lr_decay"])
        total = state["sum"].array
        addcmul(total, g, g, 1, spare)
        root = np.sqrt(total, out=spare)
        root += group["eps"]
        addcdiv(p.array, g, root, float(-lr), out)
