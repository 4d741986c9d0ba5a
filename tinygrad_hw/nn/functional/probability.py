"""Losses between probabilities: of two outcomes, and of distributions."""

from __future__ import annotations

import warnings

import numpy as np

from tinygrad_hw.creation import as_tensor
from tinygrad_hw.functions.arguments import Operand
from tinygrad_hw.nn.functional.reduction import Legacy, chosen, known, reduced
from tinygrad_hw.rules import elementwise as ew
from tinygrad_hw.rules import losses as rules
from tinygrad_hw.tape import raw
from tinygrad_hw.tensor import Tensor


def binary_cross_entropy(
    input: Tensor,
    target: Operand,
    weight: Operand | None = None,
    size_average: Legacy = None,
    reduce: Legacy = None,
    reduction: str = "mean",
) -> Tensor:
    """-(t log p + (1 - t) log(1 - p)) of each element; then their mean, their sum, or each.

    A logarithm counts as -100 at least, so that p = 0 and p = 1 have finite losses; the slope is
    (p - t) / max(p (1 - p), 1e-12). Of logits rather than probabilities take
    `binary_cross_entropy_with_logits`, which is exact there too.

    Args:
        input: probabilities p.
        target: t, between 0 and 1, of the input's shape and dtype.
        weight: how much each element counts, broadcast against the input; the mean divides by the
            number of elements all the same.

    Raises:
        ValueError: shapes that differ, or no such reduction.
        RuntimeError: what is not between 0 and 1, another dtype of the target, or a weight that
            does not broadcast to the input's shape.
    """
    reduction = chosen(reduction, size_average, reduce)
    target = same_shape("binary_cross_entropy", input, as_tensor(target))
    if input.dtype.kind != "f" or target.dtype != input.dtype:
        raise RuntimeError(
            f"binary_cross_entropy: input and target are floats of one dtype, not {input.dtype} "
            f"and {target.dtype}. Convert the target: target.to(input.dtype)."
        )
    for role, x in (("an input", input.array), ("a target", target.array)):
        if not ((x >= 0) & (x <= 1)).all():
            raise RuntimeError(
                f"binary_cross_entropy: {role} from {x.min()} to {x.max()} holds what is not a "
                "probability. Of logits take binary_cross_entropy_with_logits."
            )
    return reduced(weighted(rules.binary_cross_entropy(input, target), weight), reduction)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Operand,
    weight: Operand | None = None,
    size_average: Legacy = None,
    reduce: Legacy = None,
    reduction: str = "mean",
    pos_weight: Operand | None = None,
) -> Tensor:
    """`binary_cross_entropy` of p = sigmoid(x), without overflow: (1 - t) x + log(1 + exp(-x)).

    With `pos_weight`, broadcast against the input, t log p counts that many times.

    Raises:
        ValueError: shapes that differ, or no such reduction.
        RuntimeError: whole numbers as targets.
    """
    reduction = chosen(reduction, size_average, reduce)
    t = floats("binary_cross_entropy_with_logits", as_tensor(target))
    t = same_shape("binary_cross_entropy_with_logits", input, t)
    softplus = ew.softplus(-input)
    if pos_weight is not None:
        softplus = softplus * ((pos_weight - 1) * t + 1)
    return reduced(weighted((1 - t) * input + softplus, weight), reduction)


def kl_div(
    input: Tensor,
    target: Operand,
    size_average: Legacy = None,
    reduce: Legacy = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """t (log t - x), the terms of the divergence of log-probabilities x from probabilities t (from
    log-probabilities where `log_target`); then their mean, their sum, each, or "batchmean": the
    sum over the first size, which is the divergence itself. At t = 0 the term is 0.

    >>> import tinygrad_hw as th
    >>> x, t = th.tensor([[0.5, 0.5]]).log(), th.tensor([[1.0, 0.0]])
    >>> th.nn.functional.kl_div(x, t, reduction="batchmean")
    tensor(0.6931)
    """
    batchmean = reduction == "batchmean"
    legacy = size_average is not None or reduce is not None
    if reduction == "mean" and not legacy:
        warnings.warn(
            "kl_div: 'mean' divides by the number of elements; the divergence of distributions is "
            "reduction='batchmean'",
            stacklevel=2,
        )
    if legacy or not batchmean:
        reduction = chosen(reduction, size_average, reduce)
    t = floats("kl_div", as_tensor(target))
    terms = ew.exp(t) * (t - input) if log_target else ew.xlogy(t, t) - t * input
    if not batchmean:
        return reduced(terms, known(reduction))
    total = reduced(terms, reduction if legacy else "sum")
    return total / input.shape[0] if input.ndim else total


def same_shape(name: str, input: Tensor, target: Tensor) -> Tensor:
    if target.shape != input.shape:
        raise ValueError(
            f"{name}: the input has shape {input.array.shape} and the target {target.array.shape}: "
            "give them one shape, by target.unsqueeze(1) or input.squeeze(1)."
        )
    return target


def floats(name: str, target: Tensor) -> Tensor:
    if target.dtype.kind != "f":
        raise RuntimeError(f"{name}: targets are floats, not {target.dtype}: use target.float()")
    return target


def weighted(losses: Tensor, weight: Operand | None) -> Tensor:
    """Losses times a weight that does not enlarge them."""
    if weight is None:
        return losses
    product: Tensor = losses * weight
    if product.shape != losses.shape:
        shape = losses.array.shape
        raise RuntimeError(f"a weight of shape {np.shape(raw(weight))} does not fit into {shape}")
    return product
