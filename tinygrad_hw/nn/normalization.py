"""Layers that standardize, with a scale and a shift that are learned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import tinygrad_hw.nn.functional as F
from tinygrad_hw.device import on_cpu
from tinygrad_hw.dtypes import DType, as_dtype, get_default_dtype
from tinygrad_hw.nn import init
from tinygrad_hw.nn.module import Module
from tinygrad_hw.nn.parameter import Parameter
from tinygrad_hw.tape import wrap
from tinygrad_hw.tensor import Tensor


class BatchNorm1d(Module):
    """(x - μ) / √(σ² + ε) · weight + bias in each channel: see `nn.functional.batch_norm`.

    In training μ and σ² are those of the batch, and the running ones follow: by `momentum`, or as
    the average of all batches so far where it is None. In evaluation they are the running ones, or
    the batch's where none are tracked.

    Args:
        num_features: C, for inputs of shape (N, C) or (N, C, L).
        affine: whether there are weight and bias, both of shape (C,), at first 1 and 0.
        track_running_stats: whether there are running_mean and running_var, at first 0 and 1, and
            num_batches_tracked.
        bias: whether `affine` has a bias.

    Raises:
        ValueError: an input of another number of axes, or with one value in each channel.
    """

    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: DType = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        on_cpu(device)
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        kind = as_dtype(dtype or get_default_dtype())
        self.weight = Parameter(wrap(np.ones(num_features, kind))) if affine else None
        self.bias = Parameter(wrap(np.zeros(num_features, kind))) if affine and bias else None
        mean, var, count = np.zeros(num_features, kind), np.ones(num_features, kind), np.array(0)
        tracked = {"running_mean": mean, "running_var": var, "num_batches_tracked": count}
        for name, array in tracked.items():
            self.register_buffer(name, wrap(array) if track_running_stats else None)

    def reset_running_stats(self) -> None:
        """Forget the batches so far."""
        if self.running_mean is not None and self.running_var is not None:
            init.zeros_(self.running_mean)
            init.ones_(self.running_var)
        if self.num_batches_tracked is not None:
            init.zeros_(self.num_batches_tracked)

    def reset_parameters(self) -> None:
        """Start over: weight 1, bias 0, and no batches so far."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in (2, 3):
            shape = input.array.shape
            raise ValueError(f"BatchNorm1d takes 2 or 3 axes, not an input of shape {shape}")
        tracked = self.running_mean is not None or self.running_var is not None
        following = self.training and self.track_running_stats
        momentum = 0.0 if self.momentum is None else self.momentum
        if following and self.num_batches_tracked is not None:
            self.num_batches_tracked += 1
            if self.momentum is None:  # the plain average of all batches
                momentum = 1 / self.num_batches_tracked.item()
        return F.batch_norm(
            input,
            self.running_mean if following or not self.training else None,
            self.running_var if following or not self.training else None,
            self.weight,
            self.bias,
            self.training or not tracked,
            momentum,
            self.eps,
        )

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, bias={self.bias is not None}, "
            f"track_running_stats={self.track_running_stats}"
        )


class LayerNorm(Module):
    """(x - μ) / √(σ² + ε) · weight + bias over the last axes: see `nn.functional.layer_norm`.

    Args:
        normalized_shape: the sizes of the last axes, or the size of the last.
        elementwise_affine: whether there are weight and bias of that shape, at first 1 and 0.
        bias: whether there is a bias.
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: DType = None,
    ) -> None:
        super().__init__()
        on_cpu(device)
        shape = normalized_shape
        self.normalized_shape = (shape,) if isinstance(shape, int) else tuple(shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        ones = np.ones(self.normalized_shape, as_dtype(dtype or get_default_dtype()))
        self.weight = Parameter(wrap(ones)) if elementwise_affine else None
        self.bias = Parameter(wrap(0 * ones)) if elementwise_affine and bias else None

    def reset_parameters(self) -> None:
        """Start over: weight 1 and bias 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        )
