"""Rprop: steps that look at the signs of the gradient alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_hw.optim.optimizer import (
    Group,
    Optimizer,
    State,
    at_least_zero,
    counted,
    counter,
    zeros,
)
from tinygrad_hw.tape import Array, Traced, wrap


class Rprop(Optimizer):
    """p ← p - s sign(g), each number with a step s of its own: s grows by η⁺ where the sign of g
    stayed, and shrinks by η⁻ where it changed; there g counts as 0 once (Riedmiller and Braun,
    1993, without stepping back). For whole data sets, not for batches.

    Args:
        params, maximize: as for `Adam`.
        lr: the first s.
        etas: η⁻ and η⁺.
        step_sizes: the least and the greatest s.

    >>> import tinygrad_hw as th
    >>> p = th.tensor(1.0, requires_grad=True)
    >>> rprop = th.optim.Rprop([p], lr=0.1)
    >>> (p * p).backward()
    >>> rprop.step()
    >>> p
    tensor(0.9000, requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "etas": etas,
            "step_sizes": step_sizes,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def check(self, group: Group) -> None:
        at_least_zero(group, "lr")
        down, up = group["etas"]
        if not 0 < down < 1 < up:
            raise ValueError(f"etas must be one factor below 1 and one above, not {group['etas']}")

    def initial(self, p: Array, group: Group) -> State:
        size = wrap(np.full_like(p, float(group["lr"])))
        return {"step": counter(), "prev": zeros(p), "step_size": size}

    def update(self, p: Traced, g: Array, group: Group) -> None:
        out, spare, _ = self.scratch_for(p.array)
        state, (down, up) = self.state_of(p, group), group["etas"]
        counted(state)
        before, size = state["prev"].array, state["step_size"].array
        np.multiply(g, before, out=spare)  # `before` has the sign of maximize already
        if group["maximize"]:
            np.negative(spare, out=spare)
        turned = spare < 0
        np.multiply(size, down, out=size, where=turned)
        np.multiply(size, up, out=size, where=spare > 0)
        np.clip(size, *group["step_sizes"], out=size)
        (np.negative if group["maximize"] else np.positive)(g, out=before)
        before[turned] = 0
        np.sign(before, out=out)
        out *= size
        p.array -= out
