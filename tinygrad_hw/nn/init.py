"""Initial values: each function fills a tensor in place, outside of any graph, and returns it.

Random ones draw from `th.manual_seed`'s generator, or from `generator`.
"""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from tinygrad_hw import random
from tinygrad_hw.random import Generator, draws
from tinygrad_hw.tape import note_write
from tinygrad_hw.tensor import Tensor

T = TypeVar("T", bound=Tensor)
P = ParamSpec("P")

CONVOLUTIONS = [f"conv{kind}{n}d" for kind in ("", "_transpose") for n in (1, 2, 3)]
GAINS = {
    **dict.fromkeys(["linear", *CONVOLUTIONS, "sigmoid"], 1.0),
    "tanh": 5 / 3,
    "relu": math.sqrt(2),
    "selu": 3 / 4,
}


def filled(tensor: T, values: NDArray[Any] | float) -> T:
    tensor.array[...] = values
    note_write(tensor.array)
    return tensor


# --------------------------------------------------------------------------------- constants


def constant_(tensor: T, val: float) -> T:
    return filled(tensor, val)


def ones_(tensor: T) -> T:
    return filled(tensor, 1)


def zeros_(tensor: T) -> T:
    return filled(tensor, 0)


def eye_(tensor: T) -> T:
    """Ones on the diagonal of a matrix, and zeros elsewhere."""
    return filled(tensor, np.eye(*matrix("eye_", tensor)))


def matrix(name: str, tensor: Tensor) -> tuple[int, int]:
    if tensor.ndim != 2:
        raise ValueError(f"{name} is of matrices, not of shape {tensor.array.shape}")
    rows, columns = tensor.array.shape
    return rows, columns


# ---------------------------------------------------------------------------------- random


def uniform_(tensor: T, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> T:
    """Uniform on [a, b)."""
    return filled(tensor, random.uniform(tensor, a, b, generator).array)


def normal_(
    tensor: T, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None
) -> T:
    """Normal with the given mean and standard deviation."""
    return filled(tensor, random.gaussian(tensor, mean, std, generator).array)


def trunc_normal_(
    tensor: T,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> T:
    """Normal with the given mean and standard deviation, under the condition of lying between `a`
    and `b`.

    Raises:
        ValueError: `a` is not below `b`.
    """
    if a >= b:
        raise ValueError(f"trunc_normal_: a={a} is not below b={b}")
    values = between((a - mean) / std, (b - mean) / std, tensor.array.size, draws(generator))
    kept = np.clip(values * std + mean, a, b)
    return filled(tensor, kept.reshape(tensor.array.shape))


def between(low: float, high: float, n: int, rng: np.random.Generator) -> NDArray[Any]:
    """Standard normal numbers between bounds, by rejection: of normal numbers where enough of them
    lie there, else of uniform ones (Robert, 1995) on as much of a tail as float64 can tell."""
    nearest = min(max(low, 0.0), high)  # where the density is greatest
    mass = (math.erf(high / math.sqrt(2)) - math.erf(low / math.sqrt(2))) / 2
    if low > 0:
        high = min(high, low + 40 / (low + 1))
    elif high < 0:
        low = max(low, high + 40 / (high - 1))
    values = np.empty(0)
    while values.size < n:
        if mass > 0.1:
            more = rng.standard_normal(2 * n + 16)
            more = more[(low <= more) & (more <= high)]
        else:
            more = rng.uniform(low, high, 2 * n + 16)
            more = more[rng.random(more.size) < np.exp((nearest**2 - more**2) / 2)]
        values = np.concatenate([values, more])
    return values[:n]


def orthogonal_(tensor: T, gain: float = 1, generator: Generator | None = None) -> T:
    """`gain` times a random matrix of orthonormal rows or columns, whichever are fewer, uniform
    among them (Saxe et al., 2014); axes behind the first are taken as one.

    Raises:
        ValueError: a tensor of fewer than 2 axes.
    """
    shape = tensor.array.shape
    if len(shape) < 2:
        raise ValueError(f"orthogonal_ needs 2 axes or more, given shape {shape}")
    if not tensor.array.size:
        return tensor
    rows, columns = shape[0], math.prod(shape[1:])
    flat = draws(generator).standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(flat)
    q *= np.sign(np.diag(r))  # without it the draw would not be uniform
    return filled(tensor, (q if rows >= columns else q.T).reshape(shape) * gain)


def sparse_(
    tensor: T, sparsity: float, std: float = 0.01, generator: Generator | None = None
) -> T:
    """Normal, but for a share `sparsity` of each column that is zero (Martens, 2010)."""
    rows, columns = matrix("sparse_", tensor)
    normal_(tensor, 0, std, generator)
    zeros = math.ceil(sparsity * rows)
    for column in range(columns):
        tensor.array[draws(generator).permutation(rows)[:zeros], column] = 0
    note_write(tensor.array)
    return tensor


# -------------------------------------------------------------- by the sizes of a layer's ends


def fans(tensor: Tensor) -> tuple[int, int]:
    """How many inputs each output has, and how many outputs each input."""
    shape = tensor.array.shape
    if len(shape) < 2:
        raise ValueError(f"fan in and fan out need 2 axes or more, given shape {shape}")
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor on the standard deviation that makes up for what a nonlinearity takes away.

    Raises:
        ValueError: no such nonlinearity, or a slope that is not a number.
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            raise ValueError(f"leaky_relu's slope is a number, not {slope!r}")
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
    if mode.lower() not in ("fan_in", "fan_out"):
        raise ValueError(f"mode is 'fan_in' or 'fan_out', not {mode!r}")
    fan = fans(tensor)[mode.lower() == "fan_out"]
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


# ------------------------------------------------------------------- names from before version 0.4


def deprecated(function: Callable[P, T]) -> Callable[P, T]:
    """`function` under its old name, without the underscore."""
    old = function.__name__.removesuffix("_")

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        warnings.warn(
            f"nn.init.{old} is deprecated: write nn.init.{old}_", FutureWarning, stacklevel=2
        )
        return function(*args, **kwargs)

    call.__name__ = call.__qualname__ = old
    return call


uniform, normal = deprecated(uniform_), deprecated(normal_)
constant, eye = deprecated(constant_), deprecated(eye_)
xavier_uniform, xavier_normal = deprecated(xavier_uniform_), deprecated(xavier_normal_)
kaiming_uniform, kaiming_normal = deprecated(kaiming_uniform_), deprecated(kaiming_normal_)
orthogonal, sparse = deprecated(orthogonal_), deprecated(sparse_)
