"""Losses as modules; the functions and their formulas are in `nn.functional`.

`size_average` and `reduce`, by which old scripts choose a reduction, are taken and warned of.
"""

from __future__ import annotations

import tinygrad_hw.nn.functional as F
from tinygrad_hw.functions.arguments import Operand
from tinygrad_hw.nn.functional.reduction import Legacy, from_legacy
from tinygrad_hw.nn.module import Module
from tinygrad_hw.tensor import Tensor


class Loss(Module):
    """The base of every loss: what becomes of the losses of single elements."""

    def __init__(
        self, size_average: Legacy = None, reduce: Legacy = None, reduction: str = "mean"
    ) -> None:
        super().__init__()
        if size_average is not None or reduce is not None:
            reduction = from_legacy(size_average, reduce)
        self.reduction = reduction


class Weighted(Loss):
    """A loss with weights, which are a buffer: of classes, or of elements."""

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: Legacy = None,
        reduce: Legacy = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


# ------------------------------------------------------------------------------ class labels


class NLLLoss(Weighted):
    """The negative of the log-probability at the label: see `nn.functional.nll_loss`."""

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: Legacy = None,
        ignore_index: int = -100,
        reduce: Legacy = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Operand) -> Tensor:
        return F.nll_loss(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )


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
        size_average: Legacy = None,
        ignore_index: int = -100,
        reduce: Legacy = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing

    def forward(self, input: Tensor, target: Operand) -> Tensor:
        return F.cross_entropy(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


# ----------------------------------------------------------------------------- probabilities


class BCELoss(Weighted):
    """-(t log p + (1 - t) log(1 - p)): see `nn.functional.binary_cross_entropy`."""

    def forward(self, input: Tensor, target: Operand) -> Tensor:
        return F.binary_cross_entropy(input, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(Weighted):
    """`BCELoss` of sigmoid(x): see `nn.functional.binary_cross_entropy_with_logits`."""

    pos_weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: Legacy = None,
        reduce: Legacy = None,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Operand) -> Tensor:
        return F.binary_cross_entropy_with_logits(
            input, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )


class KLDivLoss(Loss):
    """t (log t - x), of log-probabilities x: see `nn.functional.kl_div`."""

    def __init__(
        self,
        size_average: Legacy = None,
        reduce: Legacy = None,
        reduction: str = "mean",
        log_target: bool = False,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target

    def forward(self, input: Tensor, target: Operand) -> Tensor:
        return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


# ----------------------------------------------------------------------------------- numbers


class MSELoss(Loss):
    """(x - t)²: see `nn.functional.mse_loss`."""

    def forward(self, input: Tensor, target: Operand) -> Tensor:
        return F.mse_loss(input, target, reduction=self.reduction)


class L1Loss(Loss):
    """|x - t|: see `nn.functional.l1_loss`."""

    def forward(self, input: Tensor, target: Operand) -> Tensor:
        return F.l1_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(Loss):
    """(x - t)² / 2β near 0, and |x - t| - β/2 beyond: see `nn.functional.smooth_l1_loss`."""

    def __init__(
        self,
        size_average: Legacy = None,
        reduce: Legacy = None,
        reduction: str = "mean",
        beta: float = 1.0,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Operand) -> Tensor:
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(Loss):
    """(x - t)² / 2 near 0, and δ (|x - t| - δ/2) beyond: see `nn.functional.huber_loss`."""

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Operand) -> Tensor:
        return F.huber_loss(input, target, self.reduction, self.delta)


class GaussianNLLLoss(Loss):
    """(log v + (x - t)² / v) / 2: see `nn.functional.gaussian_nll_loss`."""

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.full, self.eps = full, eps

    def forward(self, input: Tensor, target: Operand, var: Tensor | float) -> Tensor:
        return F.gaussian_nll_loss(input, target, var, self.full, self.eps, self.reduction)


class PoissonNLLLoss(Loss):
    """exp(x) - t x: see `nn.functional.poisson_nll_loss`."""

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        size_average: Legacy = None,
        eps: float = 1e-8,
        reduce: Legacy = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_input, self.full, self.eps = log_input, full, eps

    def forward(self, log_input: Tensor, target: Operand) -> Tensor:
        return F.poisson_nll_loss(
            log_input,
            target,
            log_input=self.log_input,
            full=self.full,
            eps=self.eps,
            reduction=self.reduction,
        )


# ----------------------------------------------------------------------------------- margins


class Margin(Loss):
    """A loss of targets 1 and -1 that asks for a margin."""

    def __init__(
        self,
        margin: float = 0.0,
        size_average: Legacy = None,
        reduce: Legacy = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin


class MarginRankingLoss(Margin):
    """max(0, -t (x₁ - x₂) + margin): see `nn.functional.margin_ranking_loss`."""

    def forward(self, input1: Tensor, input2: Tensor, target: Operand) -> Tensor:
        return F.margin_ranking_loss(
            input1, input2, target, margin=self.margin, reduction=self.reduction
        )


class CosineEmbeddingLoss(Margin):
    """1 - cos, or max(0, cos - margin): see `nn.functional.cosine_embedding_loss`."""

    def forward(self, input1: Tensor, input2: Tensor, target: Operand) -> Tensor:
        return F.cosine_embedding_loss(
            input1, input2, target, margin=self.margin, reduction=self.reduction
        )


class HingeEmbeddingLoss(Margin):
    """x, or max(0, margin - x): see `nn.functional.hinge_embedding_loss`."""

    def __init__(
        self,
        margin: float = 1.0,
        size_average: Legacy = None,
        reduce: Legacy = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(margin, size_average, reduce, reduction)

    def forward(self, input: Tensor, target: Operand) -> Tensor:
        return F.hinge_embedding_loss(
            input, target, margin=self.margin, reduction=self.reduction
        )


class SoftMarginLoss(Loss):
    """log(1 + exp(-t x)): see `nn.functional.soft_margin_loss`."""

    def forward(self, input: Tensor, target: Operand) -> Tensor:
        return F.soft_margin_loss(input, target, reduction=self.reduction)
