"""tinygrad_hw: reverse-mode automatic differentiation over NumPy whose calculus is one table.

    import tinygrad_hw as th
"""

from importlib import import_module
from typing import TYPE_CHECKING

from tinygrad_hw import autograd
from tinygrad_hw.autograd import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from tinygrad_hw.creation import (
    arange,
    as_tensor,
    empty,
    empty_like,
    eye,
    from_numpy,
    full,
    full_like,
    linspace,
    ones,
    ones_like,
    tensor,
    zeros,
    zeros_like,
)
from tinygrad_hw.dtypes import bool_ as bool
from tinygrad_hw.dtypes import (
    double,
    float16,
    float32,
    float64,
    half,
    int8,
    int16,
    int32,
    int64,
    long,
    short,
    uint8,
)
from tinygrad_hw.dtypes import float_ as float
from tinygrad_hw.dtypes import int_ as int
from tinygrad_hw.methods import cat, stack, where
from tinygrad_hw.tensor import Tensor

if TYPE_CHECKING:
    from tinygrad_hw import check, closed_form, datasets, func, nn, optim, utils
    from tinygrad_hw.random import (
        Generator,
        manual_seed,
        rand,
        rand_like,
        randint,
        randint_like,
        randn,
        randn_like,
        randperm,
    )
    from tinygrad_hw.serialization import load, save

__version__ = "0.1.0"

# Rooms that are loaded on first use, and the names that two of them lend to this one.
LAZY = dict.fromkeys(["check", "closed_form", "datasets", "func", "nn", "optim", "utils"], "")
LAZY |= dict.fromkeys(["load", "save"], "serialization")
LAZY |= dict.fromkeys(["Generator", "manual_seed", "rand", "rand_like"], "random")
LAZY |= dict.fromkeys(["randint", "randint_like", "randn", "randn_like", "randperm"], "random")


def __getattr__(name: str) -> object:
    if name not in LAZY:
        raise AttributeError(f"tinygrad_hw has no attribute {name!r}")
    if not LAZY[name]:
        return import_module(f"tinygrad_hw.{name}")
    found: object = getattr(import_module(f"tinygrad_hw.{LAZY[name]}"), name)
    globals()[name] = found  # the next look finds it at once
    return found


def __dir__() -> list[str]:
    return __all__


# The function of each method's name: th.exp(x) is x.exp().
abs = Tensor.abs
exp = Tensor.exp
log = Tensor.log
expm1 = Tensor.expm1
log1p = Tensor.log1p
sqrt = Tensor.sqrt
sin = Tensor.sin
cos = Tensor.cos
tanh = Tensor.tanh
sigmoid = Tensor.sigmoid
relu = Tensor.relu
sign = Tensor.sign
square = Tensor.square
clamp = Tensor.clamp
maximum = Tensor.maximum
minimum = Tensor.minimum
isnan = Tensor.isnan
isinf = Tensor.isinf
isfinite = Tensor.isfinite
sum = Tensor.sum
mean = Tensor.mean
amax = Tensor.amax
amin = Tensor.amin
max = Tensor.max
min = Tensor.min
argmax = Tensor.argmax
argmin = Tensor.argmin
any = Tensor.any
all = Tensor.all
logsumexp = Tensor.logsumexp
softmax = Tensor.softmax
log_softmax = Tensor.log_softmax
reshape = Tensor.reshape
permute = Tensor.permute
transpose = Tensor.transpose
squeeze = Tensor.squeeze
unsqueeze = Tensor.unsqueeze
flatten = Tensor.flatten
clone = Tensor.clone
t = Tensor.t
add = Tensor.add
sub = Tensor.sub
mul = Tensor.mul
div = Tensor.div
neg = Tensor.neg
pow = Tensor.pow
matmul = Tensor.matmul
mm = Tensor.mm
eq = Tensor.eq
ne = Tensor.ne
lt = Tensor.lt
le = Tensor.le
gt = Tensor.gt
ge = Tensor.ge

__all__ = [
    "Generator",
    "Tensor",
    "__version__",
    "abs",
    "add",
    "all",
    "amax",
    "amin",
    "any",
    "arange",
    "argmax",
    "argmin",
    "as_tensor",
    "autograd",
    "bool",
    "cat",
    "check",
    "clamp",
    "clone",
    "closed_form",
    "cos",
    "datasets",
    "div",
    "double",
    "empty",
    "empty_like",
    "enable_grad",
    "eq",
    "exp",
    "expm1",
    "eye",
    "flatten",
    "float",
    "float16",
    "float32",
    "float64",
    "from_numpy",
    "full",
    "full_like",
    "func",
    "ge",
    "gt",
    "half",
    "int",
    "int8",
    "int16",
    "int32",
    "int64",
    "is_grad_enabled",
    "isfinite",
    "isinf",
    "isnan",
    "le",
    "linspace",
    "load",
    "log",
    "log1p",
    "log_softmax",
    "logsumexp",
    "long",
    "lt",
    "manual_seed",
    "matmul",
    "max",
    "maximum",
    "mean",
    "min",
    "minimum",
    "mm",
    "mul",
    "ne",
    "neg",
    "nn",
    "no_grad",
    "ones",
    "ones_like",
    "optim",
    "permute",
    "pow",
    "rand",
    "rand_like",
    "randint",
    "randint_like",
    "randn",
    "randn_like",
    "randperm",
    "relu",
    "reshape",
    "save",
    "set_grad_enabled",
    "short",
    "sigmoid",
    "sign",
    "sin",
    "softmax",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "sub",
    "sum",
    "t",
    "tanh",
    "tensor",
    "transpose",
    "uint8",
    "unsqueeze",
    "utils",
    "where",
    "zeros",
    "zeros_like",
]
