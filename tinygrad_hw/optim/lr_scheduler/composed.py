"""Schedulers made of schedulers: one after the other, or all at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from tinygrad_hw.optim.lr_scheduler.base import LRScheduler, assign
from tinygrad_hw.optim.lr_scheduler.plateau import ReduceLROnPlateau
from tinygrad_hw.optim.optimizer import Optimizer


class Composed(LRScheduler):
    """Saves and loads several schedulers of one optimizer."""

    _schedulers: Sequence[LRScheduler]

    def take(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None) -> None:
        """Keep the schedulers, if they can be composed.

        Raises:
            TypeError: one that is no scheduler.
            ValueError: none, one of another optimizer, or one whose step needs a metric.
        """
        name = type(self).__name__
        if len(schedulers) < 1:
            raise ValueError(f"{name} needs at least one scheduler")
        for i, scheduler in enumerate(schedulers):
            if not hasattr(scheduler, "optimizer"):
                raise TypeError(f"{name}: scheduler {i} is {type(scheduler).__name__}")
            if isinstance(scheduler, ReduceLROnPlateau):
                raise ValueError(f"{name}: scheduler {i}, ReduceLROnPlateau, needs a metric")
            optimizer = optimizer or scheduler.optimizer
            if scheduler.optimizer is not optimizer:
                raise ValueError(f"{name}: scheduler {i} belongs to another optimizer")
        self._schedulers = schedulers
        self.optimizer = optimizer or schedulers[0].optimizer

    def state_dict(self) -> dict[str, Any]:
        return super().state_dict() | {"_schedulers": [s.state_dict() for s in self._schedulers]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        super().load_state_dict({k: v for k, v in state_dict.items() if k != "_schedulers"})
        for scheduler, state in zip(self._schedulers, state_dict["_schedulers"], strict=True):
            scheduler.load_state_dict(state)


class SequentialLR(Composed):
    """The first scheduler until the first of `milestones`, the next until the next, and so on; each
    counts its epochs from 0.

    >>> import tinygrad_hw as th
    >>> from tinygrad_hw.optim.lr_scheduler import ConstantLR, ExponentialLR, SequentialLR
    >>> sgd = th.optim.SGD([th.zeros(1, requires_grad=True)], lr=1.0)
    >>> parts = [ConstantLR(sgd, factor=0.5), ExponentialLR(sgd, gamma=0.25)]
    >>> scheduler = SequentialLR(sgd, parts, milestones=[2])
    >>> rates = []
    >>> for epoch in range(4):
    ...     rates += scheduler.get_last_lr()
    ...     sgd.step(); scheduler.step()
    >>> rates
    [0.5, 0.5, 1.0, 0.25]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: list[LRScheduler],
        milestones: list[int],
        last_epoch: int = -1,
    ) -> None:
        self.take(schedulers, optimizer)
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                f"{len(schedulers)} schedulers meet at {len(schedulers) - 1} milestones, not at "
                f"{len(milestones)}"
            )
        self._milestones = milestones
        self.last_epoch = last_epoch + 1
        for group in optimizer.param_groups:  # each scheduler has set its first rate when made
            assign(group, "lr", group["initial_lr"])
        for scheduler in schedulers:
            take_back(scheduler)
        first = schedulers[bisect_right(milestones, 0)]
        first._initial_step()
        self._last_lr = first.get_last_lr()

    def step(self) -> None:  # type: ignore[override]
        self.last_epoch += 1
        i = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[i]
        if i > 0 and self._milestones[i - 1] == self.last_epoch:
            scheduler._update_lr(0)
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()


def take_back(scheduler: LRScheduler) -> None:
    """Undo the count of the step that a scheduler took when it was made."""
    if isinstance(scheduler, Composed):
        for part in scheduler._schedulers:
            take_back(part)
    else:
        scheduler.last_epoch -= 1


class ChainedScheduler(Composed):
    """Every scheduler at every step, each on what those before it have made of the rates.

    >>> import tinygrad_hw as th
    >>> from tinygrad_hw.optim.lr_scheduler import ChainedScheduler, ExponentialLR, StepLR
    >>> sgd = th.optim.SGD([th.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = ChainedScheduler([ExponentialLR(sgd, 0.5), StepLR(sgd, 1, gamma=0.5)])
    >>> sgd.step(); scheduler.step()
    >>> scheduler.get_last_lr()
    [0.25]
    """

    def __init__(
        self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None
    ) -> None:
        self.take(schedulers, optimizer)
        self._last_lr = self.rates()

    def step(self) -> None:  # type: ignore[override]
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = self.rates()
