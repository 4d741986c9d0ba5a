"""Exponentials, logarithms, trigonometry and activations, element by element."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinygrad_hw.functions.arguments import Operand, written
from tinygrad_hw.functions.arithmetic import clamp, reciprocal
from tinygrad_hw.rules import elementwise as ew

if TYPE_CHECKING:
    from tinygrad_hw.tensor import Tensor


def exp(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    return written(ew.exp(input), out)


def exp2(input: Tensor) -> Tensor:
    """2 ** input."""
    return ew.exp2(input)


def expm1(input: Tensor) -> Tensor:
    """exp(input) - 1, with all its digits near 0."""
    return ew.expm1(input)


def log(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The natural logarithm."""
    return written(ew.log(input), out)


def log2(input: Tensor) -> Tensor:
    return ew.log2(input)


def log10(input: Tensor) -> Tensor:
    return ew.log10(input)


def log1p(input: Tensor) -> Tensor:
    """log(1 + input), with all its digits near 0."""
    return ew.log1p(input)


def sqrt(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    return written(ew.sqrt(input), out)


def rsqrt(input: Tensor) -> Tensor:
    """1 / sqrt(input)."""
    return reciprocal(ew.sqrt(input))


def sin(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    return written(ew.sin(input), out)


def cos(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    return written(ew.cos(input), out)


def tan(input: Tensor) -> Tensor:
    return ew.tan(input)


def asin(input: Tensor) -> Tensor:
    return ew.asin(input)


def acos(input: Tensor) -> Tensor:
    return ew.acos(input)


def atan(input: Tensor) -> Tensor:
    return ew.atan(input)


def atan2(input: Tensor, other: Tensor) -> Tensor:
    """The angle of the point (other, input), from -π to π."""
    return ew.atan2(input, other)


def sinh(input: Tensor) -> Tensor:
    return ew.sinh(input)


def cosh(input: Tensor) -> Tensor:
    return ew.cosh(input)


def tanh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    return written(ew.tanh(input), out)


def asinh(input: Tensor) -> Tensor:
    return ew.asinh(input)


def acosh(input: Tensor) -> Tensor:
    return ew.acosh(input)


def atanh(input: Tensor) -> Tensor:
    return ew.atanh(input)


def sigmoid(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """1 / (1 + exp(-input)), without overflow."""
    return written(ew.sigmoid(input), out)


def logit(input: Tensor, eps: float | None = None) -> Tensor:
    """log(x / (1 - x)) of x, clamped to [eps, 1 - eps] if `eps` is given."""
    x = input if eps is None else clamp(input, eps, 1 - eps)
    return ew.log(x / (1 - x))


def relu(input: Tensor) -> Tensor:
    """max(input, 0), with slope 0 at 0."""
    return ew.relu(input)


def erf(input: Tensor) -> Tensor:
    """2/√π ∫ exp(-t²) dt from 0 to input."""
    return ew.erf(input)


def xlogy(input: Operand, other: Operand) -> Tensor:
    """input * log(other), and 0 where input is 0 (unless other is nan)."""
    return ew.xlogy(input, other)
