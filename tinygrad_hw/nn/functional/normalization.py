"""Layers that standardize: over a batch, over a sample, over a vector."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tinygrad_hw.rules import elementwise as ew
from tinygrad_hw.rules.normalization import standardize
from tinygrad_hw.tape import note_write
from tinygrad_hw.tensor import Tensor


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """(x - μ) / √(σ² + ε) · weight + bias, in each channel (Ioffe and Szegedy, 2015).

    Where `training`, μ and σ² are the mean and the (biased) variance of the batch, and the running
    ones move toward the mean and the unbiased variance by `momentum`; otherwise μ and σ² are the
    running ones.

    Args:
        input: shape (N, C) or (N, C, d1, …); C is the number of channels.
        running_mean, running_var, weight, bias: shape (C,) each, or None.

    Raises:
        ValueError: one value in each channel when training, or `eps` not positive.
        RuntimeError: shapes or dtypes that do not fit; no running statistics to evaluate with.
    """
    shape = input.array.shape
    if len(shape) < 2:
        raise RuntimeError(f"batch_norm: the input needs a batch and channels, not {shape}")
    if training and math.prod(shape) == shape[1]:
        raise ValueError(
            f"batch_norm: training needs several values in each channel, and an input of shape "
            f"{shape} has one. Use a larger batch, or eval()."
        )
    if eps < 0 or (training and eps == 0):
        raise ValueError(f"batch_norm: eps is positive, not {eps}")
    if input.dtype.kind != "f":
        raise NotImplementedError(f"batch_norm is of floats, not {input.dtype}: use x.float()")
    n = shape[1]
    given = {
        "running_mean": running_mean,
        "running_var": running_var,
        "weight": weight,
        "bias": bias,
    }
    for name, t in given.items():
        if t is not None and t.shape != (n,):
            raise RuntimeError(
                f"batch_norm: {name} has shape {t.array.shape}, and an input of shape {shape} has "
                f"{n} channels"
            )
        if t is not None and t.dtype != input.dtype:
            raise RuntimeError(
                f"batch_norm: {name} is {t.dtype} and the input {input.dtype}; give them one dtype"
            )
    others = tuple(d for d in range(len(shape)) if d != 1)
    column = (n,) + (1,) * (len(shape) - 2)
    if training:
        y = standardize(input, dim=others, eps=eps)
        follow(input, running_mean, running_var, others, momentum)
    elif running_mean is None or running_var is None:
        raise RuntimeError("batch_norm: to evaluate, it needs running_mean and running_var")
    else:
        scale = ew.sqrt(running_var + eps)
        y = (input - running_mean.reshape(column)) / scale.reshape(column)
    if weight is not None:
        y = y * weight.reshape(column)
    return y if bias is None else y + bias.reshape(column)


def follow(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    dims: tuple[int, ...],
    momentum: float,
) -> None:
    """Move the running statistics toward those of the batch."""
    x = input.array
    n = x.size // max(x.shape[1], 1)
    if not n:
        return
    moments = ((running_mean, x.mean(dims)), (running_var, x.var(dims, ddof=1)))
    for running, now in moments:
        if running is not None:
            running.array[...] += momentum * (now - running.array)
            note_write(running.array)


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """(x - μ) / √(σ² + ε) · weight + bias, over the last axes of each sample (Ba et al., 2016).

    Args:
        input: shape (*, normalized_shape).
        weight, bias: of shape `normalized_shape`.

    Raises:
        RuntimeError: shapes or dtypes that do not fit.
    """
    shape = tuple(normalized_shape)
    if not shape:
        raise RuntimeError("layer_norm: normalized_shape needs one axis or more")
    if input.shape[-len(shape) :] != shape:
        raise RuntimeError(
            f"layer_norm: normalized_shape is {shape}, and the input's shape {input.array.shape} "
            "does not end in it"
        )
    for name, t in (("weight", weight), ("bias", bias)):
        if t is not None and (t.shape != shape or t.dtype != input.dtype):
            raise RuntimeError(
                f"layer_norm: {name} is {t.dtype} {t.array.shape}; {input.dtype} {shape} is needed"
            )
    if input.dtype.kind != "f":
        raise NotImplementedError(f"layer_norm is of floats, not {input.dtype}: use x.float()")
    y = standardize(input, dim=tuple(range(-len(shape), 0)), eps=eps)
    if weight is not None:
        y = y * weight
    return y if bias is None else y + bias
