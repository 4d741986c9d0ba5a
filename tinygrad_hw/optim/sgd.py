"""Stochastic gradient descent, with everything that is usually added to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tinygrad_hw.optim.optimizer import Optimizer, at_least_zero
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
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
        }
        self.scratch: dict[Traced, Array] = {}
        super().__init__(params, defaults)

    def check(self, group: dict[str, Any]) -> None:
        at_least_zero(group, "lr", "momentum", "weight_decay")
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"]):
            raise ValueError("nesterov needs a momentum, and a dampening of 0")

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = self.loss_of(closure)
        for group in self.param_groups:
            plain = not (group["momentum"] or group["weight_decay"] or group["maximize"])
            lr = float(group["lr"])
            for p in group["params"]:
                if p.grad is None:
                    continue
                d = p.grad.array
                scratch = self.scratch_for(p)
                if not plain:
                    d = self.direction(p, d, scratch, group)
                np.multiply(d, lr, out=scratch)
                np.subtract(p.array, scratch, out=p.array)
                note_write(p.array)
        return loss

    def scratch_for(self, p: Traced) -> Array:
        """Memory of the parameter's shape, so that a step allocates nothing."""
        scratch = self.scratch.get(p)
        if scratch is None or scratch.shape != p.array.shape or scratch.dtype != p.array.dtype:
            scratch = self.scratch[p] = np.empty_like(p.array)
        return scratch

    def direction(self, p: Traced, g: Array, scratch: Array, group: dict[str, Any]) -> Array:
        """What the options make of the gradient `g`, which is not written."""
        momentum, keep = group["momentum"], 1 - group["dampening"]
        if group["weight_decay"]:
            np.multiply(p.array, group["weight_decay"], out=scratch)
            g = (np.subtract if group["maximize"] else np.add)(scratch, g, out=scratch)
        elif group["maximize"]:
            g = np.negative(g, out=scratch)
        if not momentum:
            return g
        state = self.state.setdefault(p, {})
        held = state.get("momentum_buffer")
        if held is None:
            held = state["momentum_buffer"] = wrap(g.copy())
        else:
            held.array *= momentum
            held.array += g if keep == 1 else np.multiply(g, keep, out=scratch)
        v: Array = held.array
        return np.add(g, momentum * v, out=scratch) if group["nesterov"] else v
