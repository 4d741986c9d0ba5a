"""Comparisons and logic, element by element: their results are constant, no gradient flows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tinygrad_hw.functions.arguments import Operand
from tinygrad_hw.rules import elementwise as ew
from tinygrad_hw.tape import raw

if TYPE_CHECKING:
    from tinygrad_hw.tensor import Tensor


def eq(input: Tensor, other: Operand) -> Tensor:
    return ew.eq(input, other)


def ne(input: Tensor, other: Operand) -> Tensor:
    return ew.ne(input, other)


def lt(input: Tensor, other: Operand) -> Tensor:
    return ew.lt(input, other)


def le(input: Tensor, other: Operand) -> Tensor:
    return ew.le(input, other)


def gt(input: Tensor, other: Operand) -> Tensor:
    return ew.gt(input, other)


def ge(input: Tensor, other: Operand) -> Tensor:
    return ew.ge(input, other)


def logical_and(input: Tensor, other: Operand) -> Tensor:
    return ew.logical_and(input, other)


def logical_or(input: Tensor, other: Operand) -> Tensor:
    return ew.logical_or(input, other)


def logical_xor(input: Tensor, other: Operand) -> Tensor:
    return ew.logical_xor(input, other)


def logical_not(input: Tensor) -> Tensor:
    return ew.logical_not(input)


def bitwise_and(input: Operand, other: Operand) -> Tensor:
    return ew.bitwise_and(input, other)


def bitwise_or(input: Operand, other: Operand) -> Tensor:
    return ew.bitwise_or(input, other)


def bitwise_xor(input: Operand, other: Operand) -> Tensor:
    return ew.bitwise_xor(input, other)


def bitwise_not(input: Tensor) -> Tensor:
    return ew.invert(input)


def isnan(input: Tensor) -> Tensor:
    return ew.isnan(input)


def isinf(input: Tensor) -> Tensor:
    return ew.isinf(input)


def isfinite(input: Tensor) -> Tensor:
    return ew.isfinite(input)


def isclose(
    input: Tensor,
    other: Operand,
    rtol: float = 1e-5,
    atol: float = 1e-8,
    equal_nan: bool = False,
) -> Tensor:
    """Whether |input - other| <= atol + rtol |other|, for each pair."""
    a, b = raw(input), raw(other)
    if a.dtype != b.dtype:
        raise RuntimeError(f"isclose compares equal dtypes, not {a.dtype} with {b.dtype}")
    return ew.isclose(input, other, rtol=rtol, atol=atol, equal_nan=equal_nan)


def allclose(
    input: Tensor,
    other: Operand,
    rtol: float = 1e-5,
    atol: float = 1e-8,
    equal_nan: bool = False,
) -> bool:
    """Whether all pairs are close: see `isclose`."""
    return bool(isclose(input, other, rtol, atol, equal_nan).array.all())


def equal(input: Tensor, other: Operand) -> bool:
    """Whether both have the same shape and the same elements."""
    return np.array_equal(raw(input), raw(other))


def is_floating_point(input: Tensor) -> bool:
    """Whether the elements are floats."""
    return input.array.dtype.kind == "f"
