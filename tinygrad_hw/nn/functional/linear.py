"""The linear layer."""

from __future__ import annotations

import math

import numpy as np

from tinygrad_hw.functions.arguments import Operand
from tinygrad_hw.rules.linalg import affine
from tinygrad_hw.tape import raw
from tinygrad_hw.tensor import Tensor


def linear(input: Operand, weight: Operand, bias: Operand | None = None) -> Tensor:
    """x Wᵀ + b, for x of shape (*, in), W of shape (out, in) or (in,) and b of shape (out,).

    Raises:
        RuntimeError: shapes that do not fit.
    """
    try:
        if weight.ndim == 1:
            product: Tensor = input @ weight
            return product if bias is None else product + bias
        return affine(input, weight) if bias is None else affine(input, weight, bias)
    except RuntimeError as error:
        raise RuntimeError(misfit(input, weight, bias) or str(error)) from error


def misfit(input: Operand, weight: Operand, bias: Operand | None) -> str | None:
    """Why a linear layer refuses these shapes, and what to write instead."""
    x, w = np.shape(raw(input)), np.shape(raw(weight))
    given = f"linear: the input has shape {x} and the weight {w}"
    if x and w and x[-1] == w[-1]:
        b = w[:-1] if bias is None else np.shape(raw(bias))
        return None if b == w[:-1] else f"{given}, so the bias must have shape {w[:-1]}, not {b}."
    expected = f"{given}: in_features={w[-1] if w else None} is expected as the last size"
    if len(x) > 2 and w and math.prod(x[1:]) == w[-1]:
        return f"{expected}. Flatten each sample first: x.flatten(1), or nn.Flatten()."
    if len(x) > 1 and w and x[-2] == w[-1]:
        return f"{expected}. The axes look swapped: x.transpose(-1, -2) would fit."
    return f"{expected}, and {x[-1] if x else 'no axis'} was given."
