"""Elementwise calculus. In a rule, g is the cotangent of y; a and b (or x) are the inputs.

Kinks are resolved as PyTorch resolves them: abs'(0) = 0, relu'(0) = 0, ties of maximum and
minimum are shared equally, and the edge of a clamp passes the gradient.
"""

from __future__ import annotations

import math
from operator import pow as python_pow
from typing import Any

import numpy as np

from tinygrad_hw import kernels
from tinygrad_hw.dtypes import Default
from tinygrad_hw.op import Op, comparison, elementwise


def floats(x: Any) -> Any:
    return x.astype(Default.dtype) if x.dtype.kind in "biu" else x


def logistic(x: Any) -> Any:
    """1 / (1 + exp(-x)), by an exponential that cannot overflow and keeps both tails."""
    x = floats(x)
    right = x.real >= 0
    e = np.exp(np.where(right, -x, x))
    return np.where(right, 1, e) / (e + 1)


def log1p_exp(x: Any) -> Any:
    """log(1 + exp(x)), by an exponential that cannot overflow and keeps the left tail."""
    x = floats(x)
    right = x.real > 0
    return np.where(right, x, 0) + np.log1p(np.exp(np.where(right, -x, x)))


def times_log(a: Any, b: Any) -> Any:
    """a log(b), and 0 where a is 0 (unless b is nan)."""
    none = (a == 0) & (b == b)
    with np.errstate(all="ignore"):
        return np.where(none, 0, a * np.log(np.where(none, 1, b)))


def one_less(a: Any, b: Any) -> Any:
    """a ** (b - 1), so that b times it is 0 where a and b are: x ** 0 has slope 0 at 0 too."""
    if isinstance(b, (int, float)):
        return a ** (b - (b != 0))
    return where((a == 0) & (b == 0), 1, a) ** (b - 1)


def squares(a: Any, b: Any) -> Any:
    """a² + b², and 1 at the origin, where an angle has slope 0."""
    return where((a == 0) & (b == 0), 1, a * a + b * b)


def where_nonzero(a: Any, b: Any) -> Any:
    """`a`, with 1 where `a ** b` has no slope in b (0 to a power that is not negative)."""
    if isinstance(a, (int, float)) and a:
        return a  # a Python number keeps its precision
    return where((a == 0) & (b >= 0), 1, a)


def flat(g: Any, _: Any, *inputs: Any, **static: Any) -> Any:
    """The rule of a function of steps: no slope anywhere."""
    return where(False, g, 0)


# ------------------------------------------------------------------------------------- arithmetic

add = elementwise(np.add, lambda g, _, a, b: g, lambda g, _, a, b: g)
sub = elementwise(np.subtract, lambda g, _, a, b: g, lambda g, _, a, b: -g, name="sub")
mul = elementwise(np.multiply, lambda g, _, a, b: g * b, lambda g, _, a, b: g * a, name="mul")
div = elementwise(
    np.true_divide, lambda g, _, a, b: g / b, lambda g, y, a, b: -(g * y) / b, name="div"
)
neg = elementwise(np.negative, lambda g, _, x: -g, name="neg")
pow = elementwise(
    python_pow,
    lambda g, _, a, b: g * (b * one_less(a, b)),
    lambda g, y, a, b: g * (y * log(where_nonzero(a, b))),
)

remainder = elementwise(  # of the sign of the divisor, as Python's %
    np.remainder, lambda g, _, a, b: g, lambda g, _, a, b: -g * floor(a / b)
)
fmod = elementwise(  # of the sign of the dividend, as C's
    np.fmod, lambda g, _, a, b: g, lambda g, _, a, b: -g * trunc(a / b)
)

# --------------------------------------------------------------------- exponentials and the like

exp = elementwise(np.exp, lambda g, y, x: g * y)
log: Op = elementwise(np.log, lambda g, _, x: g / x)
expm1 = elementwise(np.expm1, lambda g, y, x: g * (y + 1))
log1p = elementwise(np.log1p, lambda g, _, x: g / (x + 1))
exp2 = elementwise(np.exp2, lambda g, y, x: g * (y * math.log(2)))
log2 = elementwise(np.log2, lambda g, _, x: g / (x * math.log(2)))
log10 = elementwise(np.log10, lambda g, _, x: g / (x * math.log(10)))
sqrt = elementwise(np.sqrt, lambda g, y, x: 0.5 * g / y)
root = elementwise(  # sqrt with slope 0 at 0, the length of a vector or a deviation that is 0
    lambda x: np.sqrt(x),
    lambda g, y, x: where(y == 0, 0, 0.5 * g / where(y == 0, 1, y)),
    name="root",
)
xlogy = elementwise(
    times_log,
    lambda g, _, a, b: where((a == 0) & (b <= 0), 0, g * log(where((a == 0) & (b <= 0), 1, b))),
    lambda g, _, a, b: g * a / b,
    name="xlogy",
)
softplus = elementwise(log1p_exp, lambda g, _, x: g * sigmoid(x), name="softplus")
erf = elementwise(
    kernels.erf, lambda g, _, x: g * (exp(-(x * x)) * (2 / math.sqrt(math.pi))), name="erf"
)

# ---------------------------------------------------------------------------------- trigonometry

sin: Op = elementwise(np.sin, lambda g, _, x: g * cos(x))
cos: Op = elementwise(np.cos, lambda g, _, x: -g * sin(x))
tan = elementwise(np.tan, lambda g, y, x: g * (y * y + 1))
asin = elementwise(np.arcsin, lambda g, _, x: g / sqrt(1 - x * x), name="asin")
acos = elementwise(np.arccos, lambda g, _, x: -g / sqrt(1 - x * x), name="acos")
atan = elementwise(np.arctan, lambda g, _, x: g / (x * x + 1), name="atan")
atan2 = elementwise(
    np.arctan2,
    lambda g, _, a, b: g * b / squares(a, b),
    lambda g, _, a, b: -g * a / squares(a, b),
    name="atan2",
)
sinh: Op = elementwise(np.sinh, lambda g, _, x: g * cosh(x))
cosh: Op = elementwise(np.cosh, lambda g, _, x: g * sinh(x))
asinh = elementwise(np.arcsinh, lambda g, _, x: g / sqrt(x * x + 1), name="asinh")
acosh = elementwise(np.arccosh, lambda g, _, x: g / sqrt(x * x - 1), name="acosh")
atanh = elementwise(np.arctanh, lambda g, _, x: g / (1 - x * x), name="atanh")
tanh = elementwise(np.tanh, lambda g, y, x: (g + g * y) * (1 - y))
sigmoid: Op = elementwise(logistic, lambda g, y, x: g * y * (1 - y), name="sigmoid")

# ----------------------------------------------------------------------------------------- kinks

abs = elementwise(np.absolute, lambda g, _, x: g * sign(x), name="abs")
sign: Op = elementwise(np.sign, flat)
floor: Op = elementwise(np.floor, flat)
ceil = elementwise(np.ceil, flat)
trunc: Op = elementwise(np.trunc, flat)
round = elementwise(lambda x, *, decimals=0: np.round(x, decimals), flat, name="round")
floor_divide = elementwise(np.floor_divide, flat, flat)
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

eq, ne = comparison(np.equal), comparison(np.not_equal)
lt, le = comparison(np.less), comparison(np.less_equal)
gt, ge = comparison(np.greater), comparison(np.greater_equal)
isclose = comparison(lambda a, b, **kw: np.isclose(a, b, **kw), name="isclose")
logical_and, logical_or = Op(np.logical_and), Op(np.logical_or)
logical_xor, logical_not = Op(np.logical_xor), Op(np.logical_not)
bitwise_and, bitwise_or = comparison(np.bitwise_and), comparison(np.bitwise_or)
left_shift, right_shift = comparison(np.left_shift), comparison(np.right_shift)
bitwise_xor, invert = comparison(np.bitwise_xor), Op(np.invert)
isnan, isinf, isfinite = Op(np.isnan), Op(np.isinf), Op(np.isfinite)

# ---------------------------------------------------------------------------------------- storage

clone = elementwise(  # in the order of memory "C", rows first, or "K", as it is
    lambda x, *, order="K": np.copy(x, order), lambda g, _, x, order="K": g, name="clone"
)
cast = elementwise(  # the engine casts the cotangent back
    lambda x, *, dtype: x.astype(dtype), lambda g, _, x, dtype: g, name="to"
)
