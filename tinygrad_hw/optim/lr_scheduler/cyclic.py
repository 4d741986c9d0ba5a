"""Rates that rise and fall while the momentum falls and rises (Smith, 2017 and 2018)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

from tinygrad_hw.optim.lr_scheduler.base import (
    LRScheduler,
    Rate,
    an_optimizer,
    assign,
    attributes,
    per_group,
)
from tinygrad_hw.optim.optimizer import Group, Optimizer


class WithMomentum(LRScheduler):
    """Cycles each group's momentum too: `momentum`, or the first of `betas`."""

    cycle_momentum: bool
    use_beta1: bool

    def begin_momentum(self, base: list[Any], high: list[Any], last_epoch: int) -> None:
        defaults = self.optimizer.defaults
        if "momentum" not in defaults and "betas" not in defaults:
            raise ValueError(
                f"{type(self.optimizer).__name__} has neither momentum nor betas to cycle: pass "
                "cycle_momentum=False"
            )
        self.use_beta1 = "betas" in defaults
        if last_epoch == -1:
            for low, top, group in zip(base, high, self.optimizer.param_groups, strict=True):
                self.set_momentum(group, top)
                group["max_momentum"], group["base_momentum"] = top, low

    def set_momentum(self, group: Group, momentum: Any) -> None:
        if self.use_beta1:
            group["betas"] = (momentum, *group["betas"][1:])
        else:
            group["momentum"] = momentum


def cos(start: Any, end: Any, share: float) -> Any:
    return end + (start - end) / 2.0 * (math.cos(math.pi * share) + 1)


def linear(start: Any, end: Any, share: float) -> Any:
    return (end - start) * share + start


def phase(end: float, lr: tuple[str, str], momentum: tuple[str, str]) -> dict[str, Any]:
    """Until step `end`, from one of a group's rates and momenta to another."""
    return {
        "end_step": end, "start_lr": lr[0], "end_lr": lr[1],
        "start_momentum": momentum[0], "end_momentum": momentum[1],
    }  # fmt: skip


class OneCycleLR(WithMomentum):
    """One cycle over all steps of a training, a step a batch: up from max_lr / div_factor to
    max_lr, then down to max_lr / (div_factor · final_div_factor), while the momentum goes from
    `max_momentum` to `base_momentum` and back.

    Args:
        optimizer, last_epoch: as for every scheduler.
        max_lr, base_momentum, max_momentum: a number, or a list of one for each group.
        total_steps: the number of steps; or else `epochs` times `steps_per_epoch`.
        pct_start: the share of the steps that go up.
        anneal_strategy: "cos" or "linear".
        cycle_momentum: whether the momentum moves too.
        three_phase: down as long as up, and then on to the last rate.

    Raises:
        ValueError: an argument that makes no sense; at a step after the last.

    >>> import tinygrad_hw as th
    >>> sgd = th.optim.SGD([th.zeros(1, requires_grad=True)], momentum=0.9)
    >>> scheduler = th.optim.lr_scheduler.OneCycleLR(sgd, max_lr=0.1, total_steps=10)
    >>> for batch in range(2):
    ...     sgd.step(); scheduler.step()
    >>> sgd.param_groups[0]["lr"], sgd.param_groups[0]["momentum"]
    (0.1, 0.85)
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 10000.0,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        self.optimizer = an_optimizer(optimizer)
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ValueError("OneCycleLR needs total_steps, or epochs and steps_per_epoch")
            total_steps = whole("epochs", epochs) * whole("steps_per_epoch", steps_per_epoch)
        self.total_steps = whole("total_steps", total_steps)
        if not isinstance(pct_start, float) or not 0 <= pct_start <= 1:
            raise ValueError(f"pct_start must be a float between 0 and 1, not {pct_start!r}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy is 'cos' or 'linear', not {anneal_strategy!r}")
        self._anneal_func_type = anneal_strategy
        up = float(pct_start * self.total_steps) - 1
        down = ("base_momentum", "max_momentum")
        self._schedule_phases = [phase(up, ("initial_lr", "max_lr"), down[::-1])]
        if three_phase:
            self._schedule_phases += [
                phase(float(2 * pct_start * total_steps) - 2, ("max_lr", "initial_lr"), down),
                phase(total_steps - 1, ("initial_lr", "min_lr"), ("max_momentum", "max_momentum")),
            ]
        else:
            self._schedule_phases.append(phase(total_steps - 1, ("max_lr", "min_lr"), down))
        highest = per_group("max_lr", optimizer, max_lr)
        if last_epoch == -1:
            for high, group in zip(highest, optimizer.param_groups, strict=True):
                group["initial_lr"], group["max_lr"] = high / div_factor, high
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.begin_momentum(
                per_group("base_momentum", optimizer, base_momentum),
                per_group("max_momentum", optimizer, max_momentum),
                last_epoch,
            )
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        step = self.last_epoch
        if step > self.total_steps:
            raise ValueError(f"step {step} of a cycle of {self.total_steps}: make it longer")
        between = cos if self._anneal_func_type == "cos" else linear
        start = 0.0
        for phase in self._schedule_phases[:-1]:
            if step <= phase["end_step"]:
                break
            start = phase["end_step"]
        else:
            phase = self._schedule_phases[-1]
        share = (step - start) / (phase["end_step"] - start)
        rates = []
        for group in self.optimizer.param_groups:
            rates.append(between(group[phase["start_lr"]], group[phase["end_lr"]], share))
            if self.cycle_momentum:
                ends = group[phase["start_momentum"]], group[phase["end_momentum"]]
                self.set_momentum(group, between(*ends, share))
        return rates


def whole(name: str, value: Any) -> int:
    if not isinstance(value, int) or value <= 0:
        raise ValueError(f"{name} must be a whole number above 0, not {value}")
    return value


class CyclicLR(WithMomentum):
    """Up from `base_lr` to `max_lr` in `step_size_up` steps and down again in `step_size_down`,
    over and over, while the momentum goes down and up; a step a batch.

    Args:
        optimizer, last_epoch: as for every scheduler.
        base_lr, max_lr, base_momentum, max_momentum: a number, or a list of one for each group.
        step_size_down: `step_size_up` unless given.
        mode: the height of a cycle: "triangular", always the same; "triangular2", half as high
            every time; "exp_range", times `gamma` every step.
        scale_fn, scale_mode: the height by a function of the cycle's number ("cycle") or of the
            step's ("iterations") instead.
        cycle_momentum: whether the momentum moves too.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: Literal["triangular", "triangular2", "exp_range"] = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: Literal["cycle", "iterations"] = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float = 0.8,
        max_momentum: float = 0.9,
        last_epoch: int = -1,
    ) -> None:
        self.optimizer = an_optimizer(optimizer)
        base_lrs = per_group("base_lr", optimizer, base_lr)
        if last_epoch == -1:
            for rate, group in zip(base_lrs, optimizer.param_groups, strict=True):
                assign(group, "lr", rate)
        self.max_lrs = per_group("max_lr", optimizer, max_lr)
        up = float(step_size_up)
        down = up if step_size_down is None else float(step_size_down)
        self.total_size, self.step_ratio = up + down, up / (up + down)
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ValueError(f"mode is triangular, triangular2 or exp_range, not {mode!r}")
        self.mode, self.gamma = mode, gamma
        self._scale_fn_custom = scale_fn
        if scale_fn is None:
            scale_mode = "iterations" if mode == "exp_range" else "cycle"
        self.scale_mode = scale_mode
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.base_momentums = per_group("base_momentum", optimizer, base_momentum)
            self.max_momentums = per_group("max_momentum", optimizer, max_momentum)
            self.begin_momentum(self.base_momentums, self.max_momentums, last_epoch)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def scale_fn(self, x: float) -> float:
        """The height of cycle x, or of step x."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "triangular":
            return 1.0
        return float(1 / 2.0 ** (x - 1) if self.mode == "triangular2" else self.gamma**x)

    def get_lr(self) -> list[Rate]:
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        ratio = self.step_ratio
        share = x / ratio if x <= ratio else (x - 1) / (ratio - 1)
        height = self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            momenta = zip(self.base_momentums, self.max_momentums, strict=True)
            for group, (low, high) in zip(self.optimizer.param_groups, momenta, strict=True):
                self.set_momentum(group, high - (high - low) * share * height)
        ends = zip(self.base_lrs, self.max_lrs, strict=True)
        return [low + (high - low) * share * height for low, high in ends]

    def state_dict(self) -> dict[str, Any]:
        return super().state_dict() | {"_scale_fn_custom": attributes(self._scale_fn_custom)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        kept = state_dict["_scale_fn_custom"]
        super().load_state_dict({k: v for k, v in state_dict.items() if k != "_scale_fn_custom"})
        if kept is not None:
            vars(self._scale_fn_custom).update(kept)
