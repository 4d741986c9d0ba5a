"""Initial values: each function fills a tensor in place, outside of any graph, and returns it.

Random ones draw from `th.manual_seed`'s generator, or from `generator`.
"""

from __future__ import annotations

import math
from typing import Any, TypeVar

from numpy.typing import NDArray

from tinygrad_hw.dtypes import float32, float64
from tinygrad_hw.random import Generator, draws
from tinygrad_hw.tape import note_write
from tinygrad_hw.tensor import Tensor

T = TypeVar("T", bound=Tensor)

GAINS = {
    "linear": 1.0,
    "conv1d": 1.0,
    "conv2d": 1.0,
    "conv3d": 1.0,
    "sigmoid": 1.0,
    "tanh": 5 / 3,
    "relu": math.sqrt(2),
    "selu": 3 / 4,
}


def filled(tensor: T, values: NDArray[Any] | float) -> T:
    tensor.array[...] = values
    note_write(tensor.array)
    return tensor


def drawn(tensor: Tensor) -> Any:
    """The dtype to draw in: that of the tensor, or float32 for narrower ones."""
    return float64 if tensor.dtype == float64 else float32


def uniform_(tensor: T, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> T:
    """Uniform on [a, b)."""
    values = draws(generator).random(tensor.shape, drawn(tensor))
    return filled(tensor, values * (b - a) + a)


def normal_(
    tensor: T, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None
) -> T:
    """Normal with the given mean and standard deviation."""
    values = draws(generator).standard_normal(tensor.shape, drawn(tensor))
    return filled(tensor, values * std + mean)


def constant_(tensor: T, val: float) -> T:
    return filled(tensor, val)


def ones_(tensor: T) -> T:
    return filled(tensor, 1)


def zeros_(tensor: T) -> T:
    return filled(tensor, 0)


def fans(tensor: Tensor) -> tuple[int, int]:
    """How many inputs each output has, and how many outputs each input."""
    if tensor.ndim < 2:
        raise ValueError(f"fan in and fan out need 2 axes or more, given shape {tensor.shape}")
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor on the standard deviation that makes up for what a nonlinearity takes away."""
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        return math.sqrt(2 / (1 + slope**2))
    if nonlinearity not in GAINS:
        raise ValueError(f"no gain for {nonlinearity!r}; there is {[*GAINS, 'leaky_relu']}")
    return GAINS[nonlinearity]


def xavier_std(tensor: Tensor, gain: float) -> float:
    return gain * math.sqrt(2 / (sum(fans(tensor)) or 1))


def xavier_uniform_(tensor: T, gain: float = 1.0, generator: Generator | None = None) -> T:
    """Uniform on ±gain √(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010, equation 16)."""
    bound = math.sqrt(3) * xavier_std(tensor, gain)
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: T, gain: float = 1.0, generator: Generator | None = None) -> T:
    """Normal with standard deviation gain √(2 / (fan_in + fan_out))."""
    return normal_(tensor, 0.0, xavier_std(tensor, gain), generator)


def kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"mode is 'fan_in' or 'fan_out', not {mode!r}")
    fan = fans(tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan or 1)


def kaiming_uniform_(
    tensor: T,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> T:
    """Uniform on ±gain √(3 / fan) (He et al., 2015, equations 10 and 14); `a` is leaky_relu's
    slope."""
    bound = math.sqrt(3) * kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: T,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> T:
    """Normal with standard deviation gain / √fan."""
    return normal_(tensor, 0.0, kaiming_std(tensor, a, mode, nonlinearity), generator)
