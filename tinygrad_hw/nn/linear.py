"""Layers that multiply by a matrix, and the one that does nothing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import tinygrad_hw.nn.functional as F
from tinygrad_hw.device import on_cpu
from tinygrad_hw.dtypes import DType, as_dtype, get_default_dtype
from tinygrad_hw.functions.arguments import Operand
from tinygrad_hw.nn import init
from tinygrad_hw.nn.module import Module
from tinygrad_hw.nn.parameter import Parameter, UninitializedParameter, is_lazy
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
        device: Any = None,
        dtype: DType = None,
    ) -> None:
        super().__init__()
        on_cpu(device)
        self.in_features, self.out_features = in_features, out_features
        kind = as_dtype(dtype or get_default_dtype())
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


class LazyLinear(Linear):
    """A `Linear` that takes `in_features` from its first input, and is then a `Linear`.

    >>> import tinygrad_hw as th
    >>> layer = th.nn.LazyLinear(10)
    >>> layer
    LazyLinear(in_features=0, out_features=10, bias=True)
    >>> y = layer(th.zeros(2, 784))
    >>> layer
    Linear(in_features=784, out_features=10, bias=True)
    """

    def __init__(
        self, out_features: int, bias: bool = True, device: Any = None, dtype: DType = None
    ) -> None:
        super().__init__(0, 0, False, device)
        self.out_features = out_features
        self.weight = UninitializedParameter(dtype=dtype)
        self.bias = UninitializedParameter(dtype=dtype) if bias else None

    def has_uninitialized_params(self) -> bool:
        """Whether the parameters have no shape yet."""
        return is_lazy(self.weight) or is_lazy(self.bias)

    def reset_parameters(self) -> None:
        """Draw the weight and the bias anew, where they have a shape."""
        if self.in_features and not self.has_uninitialized_params():
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:
        """Give the parameters the shapes that `input` asks for, and draw them."""
        self.in_features = input.shape[-1]
        if isinstance(self.weight, UninitializedParameter):
            self.weight.materialize((self.out_features, self.in_features))
            if isinstance(self.bias, UninitializedParameter):
                self.bias.materialize((self.out_features,))
            self.reset_parameters()

    def forward(self, input: Tensor) -> Tensor:
        self.initialize_parameters(input)
        self.__class__ = Linear  # type: ignore[assignment]
        return Linear.forward(self, input)


class Identity(Module):
    """Gives back its input, whatever arguments it was made with."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        return input
