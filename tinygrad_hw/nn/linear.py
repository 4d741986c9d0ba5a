"""Layers that multiply by a matrix, and the one that makes vectors for them."""

from __future__ import annotations

import math

import numpy as np

import tinygrad_hw.nn.functional as F
from tinygrad_hw.dtypes import DType, as_dtype, float32
from tinygrad_hw.nn import init
from tinygrad_hw.nn.module import Module
from tinygrad_hw.nn.parameter import Parameter
from tinygrad_hw.operators import Operand
from tinygrad_hw.tape import wrap
from tinygrad_hw.tensor import Tensor


class Linear(Module):
    """y = x Wᵀ + b, for x of shape (*, in_features) and y of shape (*, out_features).

    The weight (out_features, in_features) and the bias (out_features,) both start out uniform on
    ±1/√in_features.
    """

    bias: Parameter | None

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: str | None = None,
        dtype: DType = None,
    ) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        kind = as_dtype(dtype or float32)
        self.weight = Parameter(wrap(np.empty((out_features, in_features), kind)))
        self.bias = Parameter(wrap(np.empty(out_features, kind))) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weight and the bias anew."""
        bound = 1 / math.sqrt(self.in_features) if self.in_features else 0.0
        init.uniform_(self.weight, -bound, bound)  # what kaiming_uniform_(a=√5) comes to
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Operand) -> Tensor:
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        features = f"in_features={self.in_features}, out_features={self.out_features}"
        return f"{features}, bias={self.bias is not None}"


class Flatten(Module):
    """The axes from `start_dim` to `end_dim` as one; by default everything but the batch axis."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Tensor) -> Tensor:
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"
