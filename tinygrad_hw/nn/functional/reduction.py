"""From one loss for each element to what a loss returns."""

from __future__ import annotations

import warnings
from typing import TypeAlias

from tinygrad_hw.tensor import Tensor

REDUCTIONS = ("mean", "sum", "none")
Legacy: TypeAlias = bool | None  # size_average and reduce, which `reduction` has replaced


def chosen(reduction: str, size_average: Legacy = None, reduce: Legacy = None) -> str:
    """The reduction that the arguments of a loss ask for: `size_average` and `reduce`, by which
    old scripts choose it, prevail and warn.

    Raises:
        ValueError: there is no such reduction.
    """
    if size_average is not None or reduce is not None:
        reduction = from_legacy(size_average, reduce)
    return known(reduction)


def from_legacy(size_average: Legacy, reduce: Legacy) -> str:
    """What `size_average` and `reduce` mean, each True where it is not given."""
    average, one = (flag is None or flag for flag in (size_average, reduce))
    reduction = ("mean" if average else "sum") if one else "none"
    warnings.warn(
        f"size_average and reduce are deprecated: write reduction={reduction!r}", stacklevel=4
    )
    return reduction


def known(reduction: str) -> str:
    if reduction == "elementwise_mean":
        warnings.warn("'elementwise_mean' is deprecated: write reduction='mean'", stacklevel=4)
        return "mean"
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction is one of {', '.join(REDUCTIONS)}, not {reduction!r}")
    return reduction


def reduced(losses: Tensor, reduction: str) -> Tensor:
    """Losses as they are, their sum or their mean, by a reduction that is `known`."""
    if reduction == "none":
        return losses
    return losses.mean() if reduction == "mean" else losses.sum()
