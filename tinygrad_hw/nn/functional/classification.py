"""Losses of class labels: one fused op in the usual case, composed of log_softmax otherwise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_hw.creation import as_tensor
from tinygrad_hw.functions.arguments import Operand
from tinygrad_hw.nn.functional.reduction import REDUCTIONS, Legacy, chosen, from_legacy, reduced
from tinygrad_hw.rules import elementwise as ew
from tinygrad_hw.rules import indexing
from tinygrad_hw.rules import softmax as sm
from tinygrad_hw.tape import raw
from tinygrad_hw.tensor import Tensor


def cross_entropy(
    input: Tensor,
    target: Operand,
    weight: Operand | None = None,
    size_average: Legacy = None,
    ignore_index: int = -100,
    reduce: Legacy = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """-Σ_c t_c w_c log softmax(z)_c for each sample, and over samples their mean, sum or neither.

    Args:
        input: logits z, (C,), (N, C) or (N, C, d1, …); C is the number of classes.
        target: whole numbers in 0 … C-1 of the input's shape without C, where t is one at the
            label; or floats of the input's shape, where t is given.
        weight: w, of shape (C,). The mean of class labels then divides by Σ w at the labels;
            that of given t always by the number of samples.
        ignore_index: samples with this label do not count.
        size_average, reduce: what old scripts give for `reduction`; deprecated.
        label_smoothing: ε: t becomes (1 - ε) t + ε / C.

    Raises:
        IndexError: a label that is not a class.
        ValueError: shapes that do not fit, or no such reduction.
        RuntimeError: labels that are neither whole numbers nor one distribution for each sample.

    >>> import tinygrad_hw as th
    >>> z = th.tensor([[2.0, 0.0], [0.0, 0.0]], requires_grad=True)
    >>> loss = th.nn.functional.cross_entropy(z, th.tensor([0, 1]))
    >>> loss.backward()
    >>> f"{loss:.4f}", z.grad
    ('0.4100', tensor([[-0.0596,  0.0596],
            [ 0.2500, -0.2500]]))
    """
    if size_average is not None or reduce is not None:
        reduction = from_legacy(size_average, reduce)
    z, labels = raw(input), raw(target)
    if (  # the usual case, in one fused op
        weight is None
        and not label_smoothing
        and isinstance(labels, np.ndarray)
        and labels.dtype.kind in "iu"
        and z.ndim == 2
        and z.dtype.kind == "f"
        and z.shape[:1] == labels.shape
        and reduction in REDUCTIONS
    ):
        return sm.cross_entropy(input, labels, reduction=reduction, ignore_index=ignore_index)
    return cross_entropy_of_any(
        as_tensor(input), as_tensor(target), weight, ignore_index, reduction, label_smoothing
    )


def cross_entropy_of_any(
    input: Tensor,
    target: Tensor,
    weight: Operand | None,
    ignore_index: int,
    reduction: str,
    smoothing: float,
) -> Tensor:
    """Cross-entropy in every form: what is not the fused op is composed of log_softmax."""
    if not 0 <= smoothing <= 1:
        raise RuntimeError(f"label_smoothing is a share between 0 and 1, not {smoothing}")
    if input.dtype.kind not in "fc":
        raise RuntimeError(f"logits are floats, not {input.dtype}: convert with .float()")
    reduction = chosen(reduction)
    if target.dtype.kind == "f":
        return soft_cross_entropy(input, target, weight, ignore_index, reduction, smoothing)
    z, labels = samples(input, target)
    if weight is None and not smoothing:
        loss = sm.cross_entropy(z, labels, reduction=reduction, ignore_index=ignore_index)
        return loss.reshape(target.shape) if reduction == "none" else loss
    logp, w, counts, safe = counted(sm.log_softmax(z, dim=1), labels, weight, ignore_index)
    losses = at_label(logp, safe) * -counts
    if smoothing:
        spread = (logp * w).sum(1) * (-smoothing / z.shape[1])
        losses = losses * (1 - smoothing) + spread
    return weighted(losses, counts, reduction, target.shape)


def soft_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Operand | None,
    ignore_index: int,
    reduction: str,
    smoothing: float,
) -> Tensor:
    """Cross-entropy between given distributions and softmax(input)."""
    if target.shape != input.shape:
        raise RuntimeError(
            f"cross_entropy: targets of {target.dtype} are one distribution for each sample, so "
            f"their shape must be the input's, {input.array.shape}, and not {target.array.shape}. "
            "For class labels give whole numbers: target.long()."
        )
    if ignore_index >= 0:
        raise RuntimeError("ignore_index is about class labels, and these targets are floats")
    classes = 1 if input.ndim > 1 else 0
    n = input.shape[classes]
    t = target * (1 - smoothing) + smoothing / n if smoothing else target
    if weight is not None:
        t = t * class_weights(input, weight, n).reshape(-1, *[1] * (input.ndim - 1 - classes))
    losses = -(t * sm.log_softmax(input, dim=classes)).sum(classes)
    return reduced(losses, reduction)


def nll_loss(
    input: Tensor,
    target: Operand,
    weight: Operand | None = None,
    size_average: Legacy = None,
    ignore_index: int = -100,
    reduce: Legacy = None,
    reduction: str = "mean",
) -> Tensor:
    """-w_y x_y at each label y: cross-entropy of log-probabilities. Arguments, shapes and errors
    are those of `cross_entropy`."""
    reduction = chosen(reduction, size_average, reduce)
    target = as_tensor(target)
    x, labels = samples(input, target)
    x, _, counts, safe = counted(x, labels, weight, ignore_index)
    return weighted(at_label(x, safe) * -counts, counts, reduction, target.shape)


def samples(input: Tensor, target: Tensor) -> tuple[Tensor, NDArray[Any]]:
    """(N, C, d1, …) and (N, d1, …) as one row of C for each label."""
    if target.dtype.kind not in "iu":
        raise RuntimeError(f"class labels are whole numbers, not {target.dtype}: use target.long()")
    if not input.ndim:
        raise ValueError("a loss of class labels needs an axis of classes, and the input has none")
    classes = 1 if input.ndim > 1 else 0
    fitting = input.shape[:classes] + input.shape[classes + 1 :]
    if target.shape != fitting and not (input.ndim == 1 and target.shape == (1,)):
        hint = "" if target.shape[1:] != (1,) else " Drop its last axis: target.squeeze(1)."
        raise ValueError(
            f"an input of shape {input.array.shape} needs one label for each sample, shape "
            f"{tuple(fitting)}; the target has shape {target.array.shape}.{hint}"
        )
    order = [i for i in range(input.ndim) if i != classes]
    rows = input.permute(*order, classes) if input.ndim > 2 else input
    return rows.reshape(-1, input.shape[classes]), target.array.reshape(-1)


def counted(
    x: Tensor, labels: NDArray[Any], weight: Operand | None, ignore_index: int
) -> tuple[Tensor, NDArray[Any], NDArray[Any], NDArray[Any]]:
    """The rows, those that are ignored as zeros; the class weights; how much each row counts; and
    labels that are safe to look up."""
    n = x.shape[1]
    kept = labels != ignore_index
    wrong = np.flatnonzero(kept & ((labels < 0) | (labels >= n)))
    if wrong.size:
        i = wrong[0]
        raise IndexError(
            f"label {labels[i]} in row {i} is not one of {n} classes, 0 to {n - 1}"
            f" ({wrong.size} of {len(labels)} labels are wrong)"
        )
    if not kept.all():
        x = ew.where(kept[:, None], x, 0)
    w = np.ones(n, x.dtype) if weight is None else class_weights(x, weight, n)
    safe = np.where(kept, labels, 0)
    return x, w, w[safe] * kept, safe


def class_weights(x: Tensor, weight: Operand, n: int) -> NDArray[Any]:
    w = np.asarray(raw(weight), x.dtype)
    if w.shape != (n,):
        raise RuntimeError(f"weight has shape {w.shape}; {n} classes need one each, shape ({n},)")
    return w


def at_label(x: Tensor, labels: NDArray[Any]) -> Tensor:
    """The entry of each row at its label."""
    return indexing.gather(x, index=labels[:, None], dim=1).reshape(-1)


def weighted(losses: Tensor, counts: NDArray[Any], reduction: str, shape: Any) -> Tensor:
    """Reduce losses; their mean is over what counts, and of nothing it is nan."""
    if reduction != "mean":
        return reduced(losses.reshape(shape), reduction)
    total = float(counts.sum())
    return losses.sum() * (1 / total if total else math.nan)
