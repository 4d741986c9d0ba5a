"""Losses between numbers and the numbers they should have been."""

from __future__ import annotations

import math
import warnings

from tinygrad_hw.creation import as_tensor
from tinygrad_hw.functions.arguments import Operand
from tinygrad_hw.nn.functional.distance import at_least
from tinygrad_hw.nn.functional.reduction import Legacy, chosen, known, reduced
from tinygrad_hw.rules import elementwise as ew
from tinygrad_hw.tensor import Tensor


def mse_loss(
    input: Tensor,
    target: Operand,
    size_average: Legacy = None,
    reduce: Legacy = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """(x - t)² of each element; then their mean, their sum, or each.

    With `weight`, of the input's shape: w (x - t)², and the mean divides by Σ w.

    Raises:
        ValueError: a weight of another shape, or no such reduction.
        RuntimeError: input and target are both whole numbers, or do not broadcast.
    """
    reduction = chosen(reduction, size_average, reduce)
    d = difference("mse_loss", input, target)
    return mean_by_weight(d * d, input, weight, reduction)


def l1_loss(
    input: Tensor,
    target: Operand,
    size_average: Legacy = None,
    reduce: Legacy = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """|x - t| of each element, with slope 0 at 0; weights, reductions and errors as `mse_loss`."""
    reduction = chosen(reduction, size_average, reduce)
    d = difference("l1_loss", input, target)
    return mean_by_weight(ew.abs(d), input, weight, reduction)


def smooth_l1_loss(
    input: Tensor,
    target: Operand,
    size_average: Legacy = None,
    reduce: Legacy = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """d² / 2β where d = |x - t| < β, and d - β/2 beyond (Girshick, 2015); |x - t| for β = 0.

    Raises:
        RuntimeError: beta is negative.
    """
    reduction = chosen(reduction, size_average, reduce)
    if beta < 0:
        raise RuntimeError(f"smooth_l1_loss: beta is 0 or more, not {beta}")
    d = difference("smooth_l1_loss", input, target)
    if beta == 0:
        return reduced(ew.abs(d), reduction)
    return reduced(huber(d, beta) / beta, reduction)


def huber_loss(
    input: Tensor,
    target: Operand,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Tensor | None = None,
) -> Tensor:
    """d² / 2 where d = |x - t| < δ, and δ (d - δ/2) beyond (Huber, 1964). With `weight`, times it;
    the mean is over elements all the same.

    Raises:
        RuntimeError: delta is not positive.
    """
    reduction = known(reduction)
    if delta <= 0:
        raise RuntimeError(f"huber_loss: delta is greater than 0, not {delta}")
    losses = huber(difference("huber_loss", input, target), delta)
    return reduced(losses if weight is None else losses * fitting(weight, input), reduction)


def gaussian_nll_loss(
    input: Tensor,
    target: Operand,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """(log v + (x - t)² / v) / 2, for v = max(var, eps) (Nix and Weigend, 1994); with `full`, plus
    log(2π) / 2. Through the maximum the gradient passes as if it were not there.

    Args:
        var: of the input's shape, or that without its last axis, or with an axis of size 1.

    Raises:
        ValueError: a negative variance, one of another shape, or no such reduction.
    """
    reduction = known(reduction)
    v = as_tensor(var)
    if (v.array < 0).any():
        raise ValueError("gaussian_nll_loss: var holds a negative number")
    if v.shape != input.shape and not isinstance(var, float):
        if v.shape == input.shape[:-1]:
            v = v.unsqueeze(-1)
        elif v.ndim != input.ndim or [
            m for n, m in zip(input.shape, v.shape, strict=True) if n != m
        ] != [1]:
            raise ValueError(
                f"gaussian_nll_loss: var has shape {v.array.shape}, the input {input.array.shape}"
            )
    v = at_least(eps, v)
    d = input - target
    losses = 0.5 * (ew.log(v) + d * d / v)
    return reduced(losses + 0.5 * math.log(2 * math.pi) if full else losses, reduction)


def poisson_nll_loss(
    input: Tensor,
    target: Operand,
    log_input: bool = True,
    full: bool = False,
    size_average: Legacy = None,
    eps: float = 1e-8,
    reduce: Legacy = None,
    reduction: str = "mean",
) -> Tensor:
    """exp(x) - t x for the logarithm of a rate, or x - t log(x + eps) for a rate x; with `full`,
    plus Stirling's t log t - t + log(2π t) / 2 where t > 1."""
    reduction = chosen(reduction, size_average, reduce)
    t = as_tensor(target)
    losses = ew.exp(input) - t * input if log_input else input - t * ew.log(input + eps)
    if full:
        counted = ew.where(t > 1, t, 1)
        stirling = counted * ew.log(counted) - counted + 0.5 * ew.log(2 * math.pi * counted)
        losses = losses + ew.where(t > 1, stirling, 0)
    return reduced(losses, reduction)


# ----------------------------------------------------------------------------------- in common


def difference(name: str, input: Tensor, target: Operand) -> Tensor:
    """input - target, with a warning where their shapes differ."""
    target = as_tensor(target)
    if target.shape != input.shape:
        warnings.warn(
            f"{name}: the input has shape {input.array.shape} and the target {target.array.shape}; "
            "they are broadcast, which is seldom what is meant. Give them one shape.",
            stacklevel=3,
        )
    d: Tensor = input - target
    if d.dtype.kind not in "fc":
        raise NotImplementedError(
            f"{name}: input and target are whole numbers, {input.dtype} and {target.dtype}: "
            "convert with .float()"
        )
    return d


def huber(d: Tensor, delta: float) -> Tensor:
    """d² / 2 where |d| < δ, δ (|d| - δ/2) beyond. What `where` does not select never overflows,
    for its gradient would then be nan."""
    size = ew.abs(d)
    near = size < delta
    square = ew.where(near, d, 0)
    return ew.where(near, 0.5 * square * square, delta * (size - 0.5 * delta))


def fitting(weight: Tensor, input: Tensor) -> Tensor:
    if weight.shape != input.shape:
        raise ValueError(
            f"the weight has shape {weight.array.shape} and the input {input.array.shape}: they "
            "must be equal"
        )
    return weight


def mean_by_weight(
    losses: Tensor, input: Tensor, weight: Tensor | None, reduction: str
) -> Tensor:
    """Losses reduced; their mean is that of the weights' distribution."""
    if weight is None:
        return reduced(losses, reduction)
    weighted = losses * fitting(weight, input)
    return weighted.sum() / weight.sum() if reduction == "mean" else reduced(weighted, reduction)
