"""Cosine annealing, once or with restarts (Loshchilov and Hutter, "SGDR", 2017)."""

from __future__ import annotations

import math

from tinygrad_hw.optim.lr_scheduler.base import LRScheduler, Rate
from tinygrad_hw.optim.optimizer import Optimizer


class CosineAnnealingLR(LRScheduler):
    """From the initial rate at epoch 0 along a cosine to `eta_min` at epoch `T_max`; after that
    along the same cosine up again.

    >>> import tinygrad_hw as th
    >>> sgd = th.optim.SGD([th.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = th.optim.lr_scheduler.CosineAnnealingLR(sgd, T_max=2)
    >>> for epoch in range(2):
    ...     sgd.step(); scheduler.step()
    ...     print(f"{scheduler.get_last_lr()[0]:.2f}")
    0.50
    0.00
    """

    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def share(self, epoch: int) -> float:
        """Twice the share of the way between `eta_min` and the initial rate."""
        return 1 + math.cos(math.pi * epoch / self.T_max)

    def get_lr(self) -> list[Rate]:
        low, epoch = self.eta_min, self.last_epoch
        if self._is_initial:
            return self.rates()
        if self._step_count == 1 and epoch > 0:
            return self._get_closed_form_lr()
        if (epoch - 1 - self.T_max) % (2 * self.T_max) == 0:  # from eta_min, by no factor
            rise = 1 - math.cos(math.pi / self.T_max)
            pairs = zip(self.base_lrs, self.rates(), strict=True)
            return [rate + (base - low) * rise / 2 for base, rate in pairs]
        factor = self.share(epoch) / self.share(epoch - 1)
        return [factor * (rate - low) + low for rate in self.rates()]

    def _get_closed_form_lr(self) -> list[Rate]:
        low, share = self.eta_min, self.share(self.last_epoch)
        return [low + (base - low) * share / 2 for base in self.base_lrs]


class CosineAnnealingWarmRestarts(LRScheduler):
    """From the initial rate along a cosine to `eta_min` in `T_0` epochs; then anew from the initial
    rate, each time in `T_mult` times as many epochs.

    Raises:
        ValueError: `T_0` or `T_mult` is not a whole number from 1 up.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        for name, value in (("T_0", T_0), ("T_mult", T_mult)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be a whole number from 1 up, not {value}")
        if not isinstance(eta_min, (float, int)):
            raise ValueError(f"eta_min must be a number, not {type(eta_min).__name__}")
        self.T_0 = self.T_i = T_0
        self.T_mult, self.eta_min = T_mult, eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        low, share = self.eta_min, 1 + math.cos(math.pi * self.T_cur / self.T_i)
        return [low + (base - low) * share / 2 for base in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Go to the next epoch, or to `epoch`, which may lie between two: epoch + batch / batches.
        """
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        if epoch is None:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        else:
            self.place(epoch)
        self.last_epoch = math.floor(epoch)
        self.set_rates(self.get_lr())

    def place(self, epoch: float) -> None:
        """Find the period that holds `epoch`, and how far into it that is."""
        if epoch < 0:
            raise ValueError(f"an epoch is at least 0, not {epoch}")
        if epoch < self.T_0:
            self.T_cur, self.T_i = epoch, self.T_0
        elif self.T_mult == 1:
            self.T_cur = epoch % self.T_0
        else:
            passed = epoch / self.T_0 * (self.T_mult - 1) + 1
            n = int(math.log(passed, self.T_mult))
            begin = self.T_0 * (self.T_mult**n - 1) / (self.T_mult - 1)
            self.T_cur, self.T_i = epoch - begin, self.T_0 * self.T_mult**n
