"""Activation functions, element by element. Kinks are resolved as PyTorch resolves them.

What `where` does not select still gets a gradient, of zeros, and 0 times infinity is nan; so both
of its branches are made of numbers that cannot overflow.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_hw.methods import in_place
from tinygrad_hw.rules import elementwise as ew
from tinygrad_hw.tensor import Tensor

SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805  # Klambauer et al., 2017


def floats(name: str, input: Tensor) -> Tensor:
    if input.array.dtype.kind not in "fc":
        raise NotImplementedError(f"{name} is of floats, not {input.dtype}: use x.float()")
    return input


# ----------------------------------------------------------------- made of straight lines


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(x, 0), with slope 0 at 0."""
    return relu_(input) if inplace else ew.relu(input)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x where x > 0, negative_slope · x elsewhere."""
    if inplace:
        return leaky_relu_(input, negative_slope)
    x = floats("leaky_relu", input)
    return x * np.where(x.array > 0, 1, negative_slope).astype(x.array.dtype)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """x where x > 0, w x elsewhere; `weight` is one number, or one for each index of axis 1.

    Raises:
        RuntimeError: as many weights as neither 1 nor the channels.
    """
    channels = input.shape[1] if input.ndim > 1 else 1
    if weight.ndim > 1 or weight.numel() not in (1, channels):
        raise RuntimeError(
            f"prelu: weight has shape {weight.array.shape}; an input of shape {input.array.shape} "
            f"takes one number or {channels}"
        )
    spread = (-1, *[1] * (input.ndim - 2)) if weight.numel() > 1 else (1,) * input.ndim
    return ew.relu(input) + weight.reshape(spread) * ew.where(input > 0, 0, input)


def hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    """x between min_val and max_val, and the bound beyond; the slope is 0 at the bounds.

    Raises:
        ValueError: min_val is greater than max_val.
    """
    if min_val > max_val:
        raise ValueError(f"hardtanh: min_val={min_val} is greater than max_val={max_val}")
    if inplace:
        return hardtanh_(input, min_val, max_val)
    x = input.array
    low, high = (x.dtype.type(bound) for bound in (min_val, max_val))
    return ew.where((x <= low) | (x >= high), np.clip(x, low, high), input)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(x, 0), 6)."""
    return hardtanh(input, 0, 6, inplace)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """(x + 3) / 6 between -3 and 3, and 0 or 1 beyond."""
    if inplace:
        return hardsigmoid_(input)
    return (hardtanh(floats("hardsigmoid", input), -3, 3) + 3) / 6


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x (x + 3) / 6 between -3 and 3, 0 below and x above (Howard et al., 2019)."""
    return hardswish_(input) if inplace else input * hardsigmoid(input)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x where x > threshold, `value` elsewhere."""
    if inplace:
        return threshold_(input, threshold, value)
    return ew.where(input <= threshold, input.array.dtype.type(value), input)


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x - λ above λ, x + λ below -λ, and 0 between."""
    if lambd < 0:
        raise RuntimeError(f"softshrink: lambd is 0 or more, not {lambd}")
    return floats("softshrink", input) - ew.clamp(input, min=-lambd, max=lambd)


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x above λ and below -λ, and 0 between."""
    x = floats("hardshrink", input)
    return ew.where(np.absolute(x.array) <= lambd, 0, x)


# ------------------------------------------------------------------------- exponential tails


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, α (exp(x) - 1) elsewhere (Clevert et al., 2016)."""
    if inplace:
        return elu_(input, alpha)
    x = floats("elu", input)
    return ew.where(x > 0, x, ew.expm1(ew.clamp(x, max=0)) * alpha)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """λ elu(x, α), for the λ and α under which mean 0 and variance 1 are a fixed point."""
    return selu_(input) if inplace else elu(input, SELU_ALPHA) * SELU_SCALE


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, α (exp(x/α) - 1) elsewhere: an elu with slope 1 at 0 for every α."""
    if alpha == 0:
        raise RuntimeError("celu: alpha=0 would divide by zero (ZeroDivisionError); use relu")
    if inplace:
        return celu_(input, alpha)
    x = floats("celu", input)
    return ew.where(x > 0, x, ew.expm1(ew.clamp(x, max=0) / alpha) * alpha)


# ------------------------------------------------------------------------------------ smooth


def tanh(input: Tensor) -> Tensor:
    return ew.tanh(input)


def sigmoid(input: Tensor) -> Tensor:
    """1 / (1 + exp(-x)), without overflow."""
    return ew.sigmoid(input)


def logsigmoid(input: Tensor) -> Tensor:
    """log(1 / (1 + exp(-x))), without overflow."""
    return -ew.softplus(-floats("logsigmoid", input))


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + exp(β x)) / β, and x where β x is above the threshold."""
    x = floats("softplus", input)
    scaled = x if beta == 1 else x * beta
    smooth = ew.softplus(scaled)
    return ew.where(scaled > threshold, x, smooth if beta == 1 else smooth / beta)


def softsign(input: Tensor) -> Tensor:
    """x / (1 + |x|)."""
    return input / (ew.abs(input) + 1)


def tanhshrink(input: Tensor) -> Tensor:
    """x - tanh(x)."""
    return input - ew.tanh(input)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x sigmoid(x), also called swish."""
    return silu_(input) if inplace else floats("silu", input) * ew.sigmoid(input)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x tanh(log(1 + exp(x))) (Misra, 2020)."""
    return mish_(input) if inplace else floats("mish", input) * ew.tanh(ew.softplus(input))


def gelu(input: Tensor, *, approximate: str = "none") -> Tensor:
    """x Φ(x), for the normal distribution function Φ; with approximate="tanh",
    x/2 (1 + tanh(√(2/π) (x + 0.044715 x³))) (Hendrycks and Gimpel, 2016).

    Raises:
        RuntimeError: another `approximate`.
    """
    x = floats("gelu", input)
    if approximate == "none":
        return 0.5 * x * (ew.erf(x * math.sqrt(0.5)) + 1)
    if approximate == "tanh":
        return 0.5 * x * (ew.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)) + 1)
    raise RuntimeError(f"gelu: approximate is 'none' or 'tanh', not {approximate!r}")


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """a sigmoid(b), for the halves a and b of the input along `dim` (Dauphin et al., 2017).

    Raises:
        RuntimeError: an odd size.
    """
    n = input.shape[dim] if input.ndim else 1
    if n % 2:
        raise RuntimeError(f"glu: the input of shape {input.array.shape} has no halves along {dim}")
    before: tuple[Any, ...] = (slice(None),) * (dim % input.ndim)
    return input[(*before, slice(n // 2))] * ew.sigmoid(input[(*before, slice(n // 2, None))])


# ------------------------------------------------------------------------------ over the input

relu_, leaky_relu_, hardtanh_ = in_place(relu), in_place(leaky_relu), in_place(hardtanh)
hardsigmoid_, hardswish_ = in_place(hardsigmoid), in_place(hardswish)
elu_, selu_, celu_ = in_place(elu), in_place(selu), in_place(celu)
silu_, mish_, threshold_ = in_place(silu), in_place(mish), in_place(threshold)
