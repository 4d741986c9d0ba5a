"""Arithmetic, rounding and bounds, element by element; inputs are broadcast together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_hw.dtypes import result_type
from tinygrad_hw.functions.arguments import Operand, as_traced, written
from tinygrad_hw.functions.selection import where
from tinygrad_hw.rules import elementwise as ew
from tinygrad_hw.tape import raw

if TYPE_CHECKING:
    from tinygrad_hw.tensor import Tensor


def add(input: Operand, other: Operand, *, alpha: float = 1, out: Tensor | None = None) -> Tensor:
    """input + alpha * other."""
    return written(ew.add(input, scaled(input, other, alpha)), out)


def sub(input: Operand, other: Operand, *, alpha: float = 1, out: Tensor | None = None) -> Tensor:
    """input - alpha * other."""
    for x in (input, other):
        if is_bool(x):
            raise RuntimeError("booleans cannot be subtracted: x ^ y or x & ~y says what is meant")
    return written(ew.sub(input, scaled(input, other, alpha)), out)


def rsub(input: Operand, other: Operand, *, alpha: float = 1) -> Tensor:
    """other - alpha * input."""
    return sub(other, input, alpha=alpha)


def scaled(input: Operand, other: Operand, alpha: float) -> Any:
    """alpha * other, where alpha may not be of a higher kind than the result."""
    if type(alpha) is int and alpha == 1:
        return other
    kinds = {getattr(raw(x), "dtype", np.dtype(type(x))).kind for x in (input, other)}
    if isinstance(alpha, bool) and "b" not in kinds:
        raise RuntimeError("a boolean alpha is for boolean tensors only")
    if isinstance(alpha, float) and "f" not in kinds:
        raise RuntimeError(f"alpha={alpha} would turn whole numbers into floats: use x.float()")
    dtype = result_type(input, other)
    if dtype.kind == "u":
        alpha %= 1 << 8 * dtype.itemsize  # as an unsigned number counts
    return ew.mul(as_traced(other).to(dtype) if hasattr(other, "dtype") else other, alpha)


def is_bool(x: Operand) -> bool:
    return bool(getattr(raw(x), "dtype", None) == np.bool_)


def mul(input: Operand, other: Operand, *, out: Tensor | None = None) -> Tensor:
    """input * other."""
    return written(ew.mul(input, other), out)


def div(
    input: Operand,
    other: Operand,
    *,
    rounding_mode: str | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """input / other; `rounding_mode` "floor" rounds down, "trunc" toward 0 (both have slope 0)."""
    if rounding_mode is None:
        return written(ew.div(input, other), out)
    if rounding_mode == "floor":
        return written(floor_divide(input, other), out)
    if rounding_mode != "trunc":
        raise RuntimeError(f"rounding_mode is None, 'floor' or 'trunc', not {rounding_mode!r}")
    if whole(input, other):
        return written(floor_divide(ew.sub(input, ew.fmod(input, other)), other), out)
    return written(ew.trunc(ew.div(input, other)), out)


def floor_divide(input: Operand, other: Operand) -> Tensor:
    """input / other, rounded down."""
    whole_by_zero(input, other)
    return ew.floor_divide(input, other)


def remainder(input: Operand, other: Operand) -> Tensor:
    """What is left of input divided by other, of the sign of other: Python's %."""
    whole_by_zero(input, other)
    return ew.remainder(input, other)


def fmod(input: Operand, other: Operand) -> Tensor:
    """What is left of input divided by other, of the sign of input: C's fmod."""
    whole_by_zero(input, other)
    return ew.fmod(input, other)


def whole_by_zero(input: Operand, other: Operand) -> None:
    """Refuse to divide a whole number by 0, which has no value there."""
    if whole(input, other) and not np.all(raw(other)):
        raise RuntimeError("a whole number divided by 0 (ZeroDivisionError)")


def whole(*operands: Operand) -> bool:
    """Whether all of them are integers or booleans."""
    return all(np.asarray(raw(x)).dtype.kind in "iub" for x in operands)


def neg(input: Tensor) -> Tensor:
    if is_bool(input):
        raise RuntimeError("booleans have no negative: ~x, or logical_not, says what is meant")
    return ew.neg(input)


def pow(input: Operand, exponent: Operand, *, out: Tensor | None = None) -> Tensor:
    """input ** exponent."""
    return written(ew.pow(input, exponent), out)


def abs(input: Tensor) -> Tensor:
    """|input|, with slope 0 at 0."""
    return ew.abs(input)


def sign(input: Tensor) -> Tensor:
    """-1, 0 or 1."""
    return ew.clone(input) if is_bool(input) else ew.sign(input)


def square(input: Tensor) -> Tensor:
    return ew.pow(input, 2)


def reciprocal(input: Tensor) -> Tensor:
    """1 / input."""
    return ew.div(1, input)


def maximum(input: Tensor, other: Operand) -> Tensor:
    """The greater of each pair; equal ones share the gradient."""
    return ew.maximum(input, other)


def minimum(input: Tensor, other: Operand) -> Tensor:
    """The lesser of each pair; equal ones share the gradient."""
    return ew.minimum(input, other)


def clamp(
    input: Tensor,
    min: Operand | None = None,
    max: Operand | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Elements below `min` become `min`, those above `max` become `max`; None: no bound."""
    if min is None and max is None:
        raise RuntimeError("clamp needs min, max or both")
    if hasattr(min, "shape") or hasattr(max, "shape"):  # bounds that gradients flow to
        below: Any = input if min is None else where(outside(input < min, min), min, input)
        if max is None:
            return written(below, out)
        return written(where(outside(below > max, max), max, below), out)
    return written(ew.clamp(input, min=min, max=max), out)


def outside(beyond: Tensor, bound: Operand) -> Tensor:
    """Where a bound is taken: beyond it, and where it is nan."""
    return ew.bitwise_or(beyond, ew.isnan(bound))


def clamp_min(input: Tensor, min: Operand) -> Tensor:
    return clamp(input, min)


def clamp_max(input: Tensor, max: Operand) -> Tensor:
    return clamp(input, None, max)


# ----------------------------------------------------------------------------------- rounding


def floor(input: Tensor) -> Tensor:
    """The next whole number below, with slope 0."""
    return ew.clone(input) if whole(input) else ew.floor(input)


def ceil(input: Tensor) -> Tensor:
    """The next whole number above, with slope 0."""
    return ew.clone(input) if whole(input) else ew.ceil(input)


def trunc(input: Tensor) -> Tensor:
    """The next whole number toward 0, with slope 0."""
    return ew.clone(input) if whole(input) else ew.trunc(input)


def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """The nearest number of so many decimals, the even one of two; with slope 0."""
    return ew.clone(input) if whole(input) else ew.round(input, decimals=decimals)


def frac(input: Tensor) -> Tensor:
    """What `trunc` takes away."""
    return input - trunc(input)


# ----------------------------------------------------------------------------------- composed


def lerp(input: Tensor, end: Tensor, weight: Operand) -> Tensor:
    """input + weight * (end - input), from the nearer of the two."""
    way: Tensor = end - input
    near: Tensor = input + way * weight
    far: Tensor = end - way * (1 - weight)
    if hasattr(weight, "shape"):
        return ew.where(ew.lt(weight, 0.5), near, far)
    return near if weight < 0.5 else far


def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: float = 1) -> Tensor:
    """input + value * tensor1 * tensor2."""
    return input + value * (tensor1 * tensor2)


def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: float = 1) -> Tensor:
    """input + value * tensor1 / tensor2."""
    return input + value * (tensor1 / tensor2)


def nan_to_num(
    input: Tensor, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """nan and the infinities replaced by numbers, by default 0 and the largest of the dtype."""
    if whole(input):
        return ew.clone(input)
    limits = np.finfo(input.array.dtype)
    high = float(limits.max) if posinf is None else posinf
    low = float(limits.min) if neginf is None else neginf
    x = ew.where(ew.isnan(input), nan, input)
    x = ew.where(ew.eq(x, np.inf), high, x)
    return ew.where(ew.eq(x, -np.inf), low, x)
