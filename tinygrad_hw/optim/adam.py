"""Adam, and AdamW, which keeps weight decay out of its averages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tinygrad_hw import kernels
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


class Adam(Optimizer):
    """At step t, with the gradient g (Kingma and Ba, "Adam", 2015, algorithm 1):

        m ← β₁ m + (1 - β₁) g,  v ← β₂ v + (1 - β₂) g²,
        p ← p - lr m̂ / (√v̂ + ε),  where m̂ = m / (1 - β₁ᵗ) and v̂ = v / (1 - β₂ᵗ).

    Args:
        params: as for every optimizer.
        lr: the length of a step: a number, or a tensor of one element.
        betas: β₁ and β₂, at least 0 and below 1.
        eps: ε.
        weight_decay: λ; g ← g + λ p, before anything else.
        amsgrad: v̂ is made of the largest v so far (Reddi, Kale and Kumar, 2018).
        maximize: g ← -g.
        decoupled_weight_decay: p ← (1 - lr λ) p instead, as AdamW does.

    >>> import tinygrad_hw as th
    >>> p = th.tensor(1.0, requires_grad=True)
    >>> adam = th.optim.Adam([p], lr=0.1)
    >>> (p * p).backward()
    >>> adam.step()
    >>> p
    tensor(0.9000, requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-3,
        betas: tuple[Any, Any] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def check(self, group: Group) -> None:
        at_least_zero(group, "lr", "eps", "weight_decay")
        fractions(group, "betas")

    def initial(self, p: Array, group: Group) -> State:
        state = {"step": counter(), "exp_avg": zeros(p), "exp_avg_sq": zeros(p)}
        return state | {"max_exp_avg_sq": zeros(p)} if group["amsgrad"] else state

    def update(self, p: Traced, g: Array, group: Group) -> None:
        state = self.state_of(p, group)
        lr, (beta1, beta2) = number(group["lr"]), map(number, group["betas"])
        decay, shrink, t = group["weight_decay"], 1.0, counted(state)
        if group["decoupled_weight_decay"]:
            decay, shrink = 0, float(1 - lr * decay)
        if group["maximize"]:
            g = -g
        m, v = state["exp_avg"].array, state["exp_avg_sq"].array
        kernels.adam(
            p.array, g, m, v, state["max_exp_avg_sq"].array if group["amsgrad"] else None,
            rate=float(lr / (1 - beta1**t)), shrink=shrink, decay=float(decay),
            beta1=float(beta1), beta2=float(beta2), root=float((1 - beta2**t) ** 0.5),
            eps=float(group["eps"]),
        )  # fmt: skip


class AdamW(Adam):
    """Adam whose weight decay leaves the averages alone: p ← (1 - lr λ) p, then Adam's step
    (Loshchilov and Hutter, "Decoupled weight decay regularization", 2019). See `Adam`.

    >>> import tinygrad_hw as th
    >>> p = th.tensor(1.0, requires_grad=True)
    >>> adamw = th.optim.AdamW([p], lr=0.1, weight_decay=0.5)
    >>> (0 * p).backward()
    >>> adamw.step()
    >>> p
    tensor(0.9500, requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-3,
        betas: tuple[Any, Any] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad,
            foreach=foreach, maximize=maximize, capturable=capturable,
            differentiable=differentiable, fused=fused, decoupled_weight_decay=True,
        )  # fmt: skip
