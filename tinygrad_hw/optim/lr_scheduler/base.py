"""`LRScheduler`: what schedulers share: the count of epochs, writing the rates, saving."""

from __future__ import annotations

import types
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from tinygrad_hw.optim.optimizer import Group, Optimizer
from tinygrad_hw.tape import Traced, note_write, raw

Rate: TypeAlias = Any  # a number, or a tensor of one where the optimizer was given one


class LRScheduler:
    """Sets the `lr` of each group of an optimizer: once when it is made, then at every `step()`,
    which comes after the optimizer's. A subclass writes `get_lr`.

    Args:
        optimizer: whose groups it sets.
        last_epoch: the epoch to go on from, of an optimizer whose groups have an `initial_lr`;
            -1 begins, and notes the rates of now as `initial_lr`.

    Most rates follow from the one before, so that schedulers can be chained and rates changed by
    hand.

    Raises:
        TypeError: what is not an optimizer.
        KeyError: `last_epoch` without an `initial_lr`.
    """

    _is_initial = False
    _last_lr: list[Rate]
    _step_count: int

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = an_optimizer(optimizer)
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", copied(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"last_epoch={last_epoch} goes on from an earlier run, but group {i} of the "
                    "optimizer has no 'initial_lr': load the optimizer's state dict first."
                )
        self.base_lrs = option(optimizer, "initial_lr")
        self.last_epoch = last_epoch
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def get_last_lr(self) -> list[Rate]:
        """The rates that were set last, of each group."""
        return self._last_lr

    def get_lr(self) -> list[Rate]:
        """The rates of epoch `last_epoch`, of each group, given those of the epoch before."""
        raise NotImplementedError(f"{type(self).__name__} has no get_lr")

    def step(self, epoch: int | None = None) -> None:
        """Go to the next epoch. (To jump to `epoch` is deprecated.)

        Warns:
            UserWarning: the first step comes before the optimizer's, which loses the first rate;
                or `epoch` is given.
        """
        if self._step_count == 1 and not self.optimizer.stepped:
            warnings.warn(
                "the scheduler's step() came before the optimizer's, so the first learning rate "
                "was never used: call optimizer.step(), then scheduler.step().",
                UserWarning,
                stacklevel=2,
            )
        self._step_count += 1
        if epoch is not None:
            warn_of_epoch()
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        if epoch is None:
            self.last_epoch += 1
            rates = self.get_lr()
        else:
            self.last_epoch = epoch
            closed_form = getattr(self, "_get_closed_form_lr", self.get_lr)
            rates = closed_form()
        self.set_rates(rates)

    def set_rates(self, rates: Sequence[Rate]) -> None:
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            assign(group, "lr", rate)
        self._last_lr = option(self.optimizer, "lr")

    def rates(self) -> list[Rate]:
        """The rates of now, copied."""
        return option(self.optimizer, "lr")

    def times(self, factor: float) -> list[Rate]:
        """The rates of now, all multiplied."""
        return [group["lr"] * factor for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer."""
        return {k: v for k, v in vars(self).items() if k not in ("optimizer", "_is_initial")}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over another's state, ours or PyTorch's; the optimizer's is loaded by itself."""
        vars(self).update(state_dict)


_LRScheduler = LRScheduler  # its name in older scripts


def an_optimizer(given: Any) -> Optimizer:
    if not isinstance(given, Optimizer):
        raise TypeError(f"a scheduler needs an optimizer, not {type(given).__name__}")
    return given


def warn_of_epoch() -> None:
    warnings.warn(
        "step(epoch) is deprecated: call step() once an epoch.", UserWarning, stacklevel=3
    )


def copied(value: Any) -> Any:
    return value.clone() if isinstance(value, Traced) else value  # type: ignore[attr-defined]


def option(optimizer: Optimizer, name: str) -> list[Any]:
    """An option of every group, copied."""
    return [copied(group[name]) for group in optimizer.param_groups]


def assign(group: Group, name: str, value: Any) -> None:
    """Set an option; a tensor is written to, since others may hold it."""
    held = group[name]
    if isinstance(held, Traced):
        held.array[...] = raw(value)
        note_write(held.array)
    else:
        group[name] = value


def per_group(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """One value for every group: a list's, or the same for all.

    Raises:
        ValueError: a list of another length.
    """
    groups = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [copied(value) for _ in range(groups)]
    if len(value) != groups:
        raise ValueError(f"{name} has {len(value)} values, and the optimizer {groups} groups")
    return [copied(v) for v in value]


def attributes(function: Any) -> dict[str, Any] | None:
    """What a callable object knows, which a state dict keeps; None for a function or a class."""
    if isinstance(function, (types.FunctionType, type)) or not hasattr(function, "__dict__"):
        return None
    return dict(vars(function))
