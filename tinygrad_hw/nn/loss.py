"""Losses as modules; the functions and their formulas are in `nn.functional`."""

from __future__ import annotations

import tinygrad_hw.nn.functional as F
from tinygrad_hw.nn.module import Module
from tinygrad_hw.operators import Operand
from tinygrad_hw.tensor import Tensor


class Weighted(Module):
    """A loss of class labels: with a weight for each class, and a label that does not count."""

    def __init__(
        self, weight: Tensor | None = None, ignore_index: int = -100, reduction: str = "mean"
    ) -> None:
        super().__init__()
        self.weight: Tensor | None
        self.register_buffer("weight", weight)
        self.ignore_index, self.reduction = ignore_index, reduction


class CrossEntropyLoss(Weighted):
    """-log softmax(z) at the label: see `nn.functional.cross_entropy`.

    >>> import tinygrad_hw as th
    >>> loss = th.nn.CrossEntropyLoss()
    >>> loss(th.zeros(4, 10), th.tensor([0, 3, 9, 1]))
    tensor(2.3026)
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, ignore_index, reduction)
        self.label_smoothing = label_smoothing

    def forward(self, input: Tensor, target: Operand) -> Tensor:
        return F.cross_entropy(
            input, target, self.weight, self.ignore_index, self.reduction, self.label_smoothing
        )


class NLLLoss(Weighted):
    """The negative of the log-probability at the label: see `nn.functional.nll_loss`."""

    def forward(self, input: Tensor, target: Operand) -> Tensor:
        return F.nll_loss(input, target, self.weight, self.ignore_index, self.reduction)


class MSELoss(Module):
    """The mean of squared differences: see `nn.functional.mse_loss`."""

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = reduction

    def forward(self, input: Tensor, target: Operand) -> Tensor:
        return F.mse_loss(input, target, self.reduction)
