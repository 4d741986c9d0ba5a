"""Elementwise calculus. In a rule, g is the cotangent of y; a and b (or x) are the inputs.

Kinks are resolved as PyTorch resolves them: abs'(0) = 0, relu'(0) = 0, ties of maximum and
minimum are shared equally, and the edge of a clamp passes the gradient.
"""

from __future__ import annotations

from operator import pow as python_pow
from typing import Any

import numpy as np

from tinygrad_hw.op import Op, elementwise


def logistic(x: Any) -> Any:
    """1 / (1 + exp(-x)), by an exponential that cannot overflow and keeps both tails."""
    right = x.real >= 0
    e = np.exp(np.where(right, -x, x))
    return np.where(right, 1, e) / (e + 1)


def where_nonzero(a: Any, b: Any) -> Any:
    """`a`, with 1 where `a ** b` has no slope in b (0 to a power that is not negative)."""
    if isinstance(a, (int, float)) and a:
        return a  # a Python number keeps its precision
    return where((a == 0) & (b >= 0), 1, a)


# ------------------------------------------------------------------------------------- arithmetic

add = elementwise(np.add, lambda g, _, a, b: g, lambda g, _, a, b: g)
sub = elementwise(np.subtract, lambda g, _, a, b: g, lambda g, _, a, b: -g, name="sub")
mul = elementwise(np.multiply, lambda g, _, a, b: g * b, lambda g, _, a, b: g * a, name="mul")
div = elementwise(
    np.true_divide, lambda g, _, a, b: g / b, lambda g, y, a, b: -(g * y) / b, name="div"
)
neg = elementwise(np.negative, lambda g, _, x: -g, name="neg")
pow = elementwise(  # the exponent of the slope stops at 0, so that x ** 0 has slope 0 at 0 too
    python_pow,
    lambda g, _, a, b: g * (b * a ** (b - (b != 0))),
    lambda g, y, a, b: g * (y * log(where_nonzero(a, b))),
)

# --------------------------------------------------------------------- exponentials and the like

exp = elementwise(np.exp, lambda g, y, x: g * y)
log: Op = elementwise(np.log, lambda g, _, x: g / x)
expm1 = elementwise(np.expm1, lambda g, y, x: g * (y + 1))
log1p = elementwise(np.log1p, lambda g, _, x: g / (x + 1))
sqrt = elementwise(np.sqrt, lambda g, y, x: 0.5 * g / y)
sin: Op = elementwise(np.sin, lambda g, _, x: g * cos(x))
cos: Op = elementwise(np.cos, lambda g, _, x: -g * sin(x))
tanh = elementwise(np.tanh, lambda g, y, x: (g + g * y) * (1 - y))
sigmoid = elementwise(logistic, lambda g, y, x: g * y * (1 - y), name="sigmoid")

# ----------------------------------------------------------------------------------------- kinks

abs = elementwise(np.absolute, lambda g, _, x: g * sign(x), name="abs")
sign: Op = elementwise(np.sign, lambda g, _, x: where(False, g, 0))
relu = elementwise(
    lambda x: np.maximum(x, 0), lambda g, _, x: where(x <= 0, 0, g), name="relu"
)
clamp = elementwise(
    lambda x, *, min=None, max=None: np.clip(x, min, max),
    lambda g, _, x, min=None, max=None: where(inside(x, min, max), g, 0),
    name="clamp",
)
maximum = elementwise(
    np.maximum,
    lambda g, _, a, b: where(a < b, 0, where(a == b, g / 2, g)),
    lambda g, _, a, b: where(b < a, 0, where(a == b, g / 2, g)),
)
minimum = elementwise(
    np.minimum,
    lambda g, _, a, b: where(a > b, 0, where(a == b, g / 2, g)),
    lambda g, _, a, b: where(b > a, 0, where(a == b, g / 2, g)),
)
where: Op = elementwise(  # linear in a and b jointly, not in each by itself
    np.where,
    None,
    lambda g, _, c, a, b: where(c, g, 0),
    lambda g, _, c, a, b: where(c, 0, g),
    name="where",
)


def inside(x: Any, min: Any, max: Any) -> Any:
    """Where a clamp has a slope: not at nan."""
    above = True if min is None else x >= min
    return above if max is None else (x <= max) & above


# --------------------------------------------------------- no gradient: what these make is constant

eq, ne = Op(np.equal), Op(np.not_equal)
lt, le, gt, ge = Op(np.less), Op(np.less_equal), Op(np.greater), Op(np.greater_equal)
logical_and, logical_or, logical_not = Op(np.logical_and), Op(np.logical_or), Op(np.logical_not)
bitwise_and, bitwise_or, invert = Op(np.bitwise_and), Op(np.bitwise_or), Op(np.invert)
isnan, isinf, isfinite = Op(np.isnan), Op(np.isinf), Op(np.isfinite)

# ---------------------------------------------------------------------------------------- storage

clone = elementwise(np.copy, lambda g, _, x: g, name="clone")
cast = elementwise(  # the engine casts the cotangent back
    lambda x, *, dtype: x.astype(dtype), lambda g, _, x, dtype: g, name="to"
)
