"""Stochastic gradient descent, with everything that is usually added to it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_hw.optim.optimizer import Group, Optimizer, at_least_zero
from tinygrad_hw.tape import Array, Traced, note_write, wrap


class SGD(Optimizer):
    """p ← p - lr d, where d is the gradient g, or what these options make of it, in this order:

    * `maximize`: g ← -g;
    * `weight_decay` λ: g ← g + λ p;
    * `momentum` μ and `dampening` τ: v ← μ v + (1 - τ) g, which starts as v = g, and d = v;
    * `nesterov`: d = g + μ v instead (Sutskever et al., 2013, as PyTorch writes it).

    >>> import tinygrad_hw as th
    >>> p = th.tensor(1.0, requires_grad=True)
    >>> sgd = th.optim.SGD([p], lr=0.1)
    >>> (p * p).backward()
    >>> sgd.step()
    >>> p
    tensor(0.8000, requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def check(self, group: Group) -> None:
        at_least_zero(group, "lr", "momentum", "weight_decay")
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"]):
            raise ValueError("nesterov needs a momentum, and a dampening of 0")

    def update(self, p: Traced, g: Array, group: Group) -> None:
        out, spare, _ = self.scratch_for(p.array)
        g = self.ascent(p.array, g, group, out)
        if momentum := group["momentum"]:
            g = self.with_momentum(p, g, momentum, group, spare)
        np.multiply(g, float(group["lr"]), out=out)
        np.subtract(p.array, out, out=p.array)

    def with_momentum(
        self, p: Traced, g: Array, momentum: float, group: Group, out: Array
    ) -> Array:
        state = self.state[p]
        held = state.get("momentum_buffer")
        if held is None:
            held = state["momentum_buffer"] = wrap(g.copy())
        else:
            keep = 1 - group["dampening"]
            held.array *= momentum
            held.array += g if keep == 1 else np.multiply(g, keep, out=out)
            note_write(held.array)
        v: Array = held.array
        if not group["nesterov"]:
            return v
        np.multiply(v, momentum, out=out)
        return np.add(g, out, out=out)
