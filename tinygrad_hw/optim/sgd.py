"""Stochastic gradient descent, with everything that is usually added to it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tinygrad_hw import kernels
from tinygrad_hw.optim.optimizer import Group, Optimizer, at_least_zero, zeros
from tinygrad_hw.tape import Array, Traced, note_write


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
        x, lr, decay = p.array, float(group["lr"]), float(group["weight_decay"])
        if group["maximize"]:
            g = -g
        momentum = group["momentum"]
        if not momentum:
            return kernels.sgd(x, g, lr=lr, decay=decay)
        state, fresh = self.state[p], 1 - group["dampening"]
        if state.get("momentum_buffer") is None:
            state["momentum_buffer"], fresh = zeros(x), 1
        v = state["momentum_buffer"].array
        kernels.sgd_momentum(
            x, g, v, lr=lr, decay=decay, momentum=float(momentum), fresh=float(fresh),
            nesterov=group["nesterov"],
        )  # fmt: skip
        return note_write(v)
