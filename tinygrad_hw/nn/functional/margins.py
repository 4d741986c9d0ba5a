"""Losses that ask for a margin. Targets are 1 and -1."""

from __future__ import annotations

import math

from tinygrad_hw.creation import as_tensor
from tinygrad_hw.functions.arguments import Operand
from tinygrad_hw.nn.functional.reduction import Legacy, chosen, reduced
from tinygrad_hw.rules import elementwise as ew
from tinygrad_hw.tensor import Tensor


def hinge_embedding_loss(
    input: Tensor,
    target: Operand,
    margin: float = 1.0,
    size_average: Legacy = None,
    reduce: Legacy = None,
    reduction: str = "mean",
) -> Tensor:
    """x where the target is 1, max(0, margin - x) where it is -1, their sum for other targets."""
    reduction = chosen(reduction, size_average, reduce)
    t = as_tensor(target)
    near = ew.where(t != -1, input, 0)
    apart = ew.where(t != 1, ew.clamp(margin - input, min=0), 0)
    return reduced(near + apart, reduction)


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Operand,
    margin: float = 0,
    size_average: Legacy = None,
    reduce: Legacy = None,
    reduction: str = "mean",
) -> Tensor:
    """max(0, -t (x₁ - x₂) + margin): the first should rank higher where t is 1.

    Raises:
        RuntimeError: different numbers of axes.
    """
    reduction = chosen(reduction, size_average, reduce)
    t = as_tensor(target)
    if not input1.ndim == input2.ndim == t.ndim:
        raise RuntimeError(
            f"margin_ranking_loss: the shapes {input1.array.shape}, {input2.array.shape} and "
            f"{t.array.shape} must have one number of axes"
        )
    return reduced(ew.clamp(-t * (input1 - input2) + margin, min=0), reduction)


def soft_margin_loss(
    input: Tensor,
    target: Operand,
    size_average: Legacy = None,
    reduce: Legacy = None,
    reduction: str = "mean",
) -> Tensor:
    """log(1 + exp(-t x)), without overflow."""
    reduction = chosen(reduction, size_average, reduce)
    return reduced(ew.softplus(-as_tensor(target) * input), reduction)


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Operand,
    margin: float = 0,
    size_average: Legacy = None,
    reduce: Legacy = None,
    reduction: str = "mean",
) -> Tensor:
    """1 - cos where the target is 1, max(0, cos - margin) where it is -1; cos = x₁ · x₂ / ‖x₁‖ ‖x₂‖
    along the last axis, with 1e-12 added to the squares.

    Args:
        input1, input2: shape (N, D) and target (N,), or (D,) and ().
    """
    reduction = chosen(reduction, size_average, reduce)
    t = as_tensor(target)
    if not t.ndim + 1 == input1.ndim == input2.ndim <= 2:
        raise RuntimeError(
            f"cosine_embedding_loss takes inputs (N, D) and targets (N,), or (D,) and (), and not "
            f"{input1.array.shape}, {input2.array.shape} and {t.array.shape}"
        )
    squares = ((x * x).sum(-1) + 1e-12 for x in (input1, input2))
    cos = (input1 * input2).sum(-1) / ew.sqrt(math.prod(squares))
    apart = ew.where(t == 1, 1 - cos, 0)
    near = ew.where(t == -1, ew.clamp(cos - margin, min=0), 0)
    return reduced(apart + near, reduction)
