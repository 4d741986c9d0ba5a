"""tinygrad_hw: reverse-mode automatic differentiation over NumPy whose calculus is one table.

    import tinygrad_hw as th

or, for a script that was written for it, `import tinygrad_hw as torch`.
"""

import math as _math
import warnings as _warnings
from importlib import import_module as _import_module
from typing import TYPE_CHECKING as _TYPE_CHECKING

from numpy import dtype as dtype
from numpy import finfo as finfo
from numpy import iinfo as iinfo

from tinygrad_hw import autograd as autograd
from tinygrad_hw import dtypes as _dtypes
from tinygrad_hw import linalg as linalg
from tinygrad_hw.autograd import enable_grad as enable_grad
from tinygrad_hw.autograd import inference_mode as inference_mode
from tinygrad_hw.autograd import is_anomaly_check_nan_enabled as is_anomaly_check_nan_enabled
from tinygrad_hw.autograd import is_anomaly_enabled as is_anomaly_enabled
from tinygrad_hw.autograd import is_grad_enabled as is_grad_enabled
from tinygrad_hw.autograd import is_inference_mode_enabled as is_inference_mode_enabled
from tinygrad_hw.autograd import no_grad as no_grad
from tinygrad_hw.autograd import set_grad_enabled as set_grad_enabled
from tinygrad_hw.creation import arange as arange
from tinygrad_hw.creation import as_tensor as as_tensor
from tinygrad_hw.creation import asarray as asarray
from tinygrad_hw.creation import empty as empty
from tinygrad_hw.creation import empty_like as empty_like
from tinygrad_hw.creation import eye as eye
from tinygrad_hw.creation import from_numpy as from_numpy
from tinygrad_hw.creation import full as full
from tinygrad_hw.creation import full_like as full_like
from tinygrad_hw.creation import linspace as linspace
from tinygrad_hw.creation import logspace as logspace
from tinygrad_hw.creation import ones as ones
from tinygrad_hw.creation import ones_like as ones_like
from tinygrad_hw.creation import scalar_tensor as scalar_tensor
from tinygrad_hw.creation import tensor as tensor
from tinygrad_hw.creation import zeros as zeros
from tinygrad_hw.creation import zeros_like as zeros_like
from tinygrad_hw.device import device as device
from tinygrad_hw.device import get_default_device as get_default_device
from tinygrad_hw.device import set_default_device as set_default_device
from tinygrad_hw.dtypes import can_cast as can_cast
from tinygrad_hw.dtypes import double as double
from tinygrad_hw.dtypes import float16 as float16
from tinygrad_hw.dtypes import float32 as float32
from tinygrad_hw.dtypes import float64 as float64
from tinygrad_hw.dtypes import get_default_dtype as get_default_dtype
from tinygrad_hw.dtypes import half as half
from tinygrad_hw.dtypes import int8 as int8
from tinygrad_hw.dtypes import int16 as int16
from tinygrad_hw.dtypes import int32 as int32
from tinygrad_hw.dtypes import int64 as int64
from tinygrad_hw.dtypes import long as long
from tinygrad_hw.dtypes import promote_types as promote_types
from tinygrad_hw.dtypes import result_type as result_type
from tinygrad_hw.dtypes import set_default_dtype as set_default_dtype
from tinygrad_hw.dtypes import short as short
from tinygrad_hw.dtypes import uint8 as uint8
from tinygrad_hw.functions import arithmetic as _ar
from tinygrad_hw.functions import conversion as _cv
from tinygrad_hw.functions import logic as _logic
from tinygrad_hw.functions import ordering as _ordering
from tinygrad_hw.functions import pointwise as _pw
from tinygrad_hw.functions import products as _products
from tinygrad_hw.functions import reductions as _rd
from tinygrad_hw.functions import selection as _sel
from tinygrad_hw.functions import shapes as _shapes
from tinygrad_hw.functions.einsum import einsum as einsum
from tinygrad_hw.size import Size as Size
from tinygrad_hw.tensor import Tensor as Tensor
from tinygrad_hw.tensor import is_tensor as is_tensor

if _TYPE_CHECKING:
    from tinygrad_hw import backends as backends
    from tinygrad_hw import check as check
    from tinygrad_hw import closed_form as closed_form
    from tinygrad_hw import cuda as cuda
    from tinygrad_hw import datasets as datasets
    from tinygrad_hw import func as func
    from tinygrad_hw import nn as nn
    from tinygrad_hw import optim as optim
    from tinygrad_hw import utils as utils
    from tinygrad_hw.autograd.drawing import draw as draw
    from tinygrad_hw.legacy import BoolTensor as BoolTensor
    from tinygrad_hw.legacy import ByteTensor as ByteTensor
    from tinygrad_hw.legacy import CharTensor as CharTensor
    from tinygrad_hw.legacy import DoubleTensor as DoubleTensor
    from tinygrad_hw.legacy import FloatTensor as FloatTensor
    from tinygrad_hw.legacy import HalfTensor as HalfTensor
    from tinygrad_hw.legacy import IntTensor as IntTensor
    from tinygrad_hw.legacy import LongTensor as LongTensor
    from tinygrad_hw.legacy import ShortTensor as ShortTensor
    from tinygrad_hw.printing import set_printoptions as set_printoptions
    from tinygrad_hw.random import Generator as Generator
    from tinygrad_hw.random import bernoulli as bernoulli
    from tinygrad_hw.random import default_generator as default_generator
    from tinygrad_hw.random import get_rng_state as get_rng_state
    from tinygrad_hw.random import initial_seed as initial_seed
    from tinygrad_hw.random import manual_seed as manual_seed
    from tinygrad_hw.random import multinomial as multinomial
    from tinygrad_hw.random import normal as normal
    from tinygrad_hw.random import rand as rand
    from tinygrad_hw.random import rand_like as rand_like
    from tinygrad_hw.random import randint as randint
    from tinygrad_hw.random import randint_like as randint_like
    from tinygrad_hw.random import randn as randn
    from tinygrad_hw.random import randn_like as randn_like
    from tinygrad_hw.random import randperm as randperm
    from tinygrad_hw.random import seed as seed
    from tinygrad_hw.random import set_rng_state as set_rng_state
    from tinygrad_hw.serialization import load as load
    from tinygrad_hw.serialization import save as save
    from tinygrad_hw.threads import get_num_threads as get_num_threads
    from tinygrad_hw.threads import set_num_threads as set_num_threads

# log(0) is -inf here without a word, as in PyTorch; th.autograd.detect_anomaly says where it was.
_warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"tinygrad_hw\.")

__version__ = "0.1.0"
bool, float, int = _dtypes.bool_, _dtypes.float_, _dtypes.int_
pi, e, inf, nan = _math.pi, _math.e, _math.inf, _math.nan

# Rooms that are loaded on first use, and the names that some of them lend to this one.
_ROOMS = "backends check closed_form cuda datasets func nn optim utils"
_LAZY = dict.fromkeys(_ROOMS.split(" "), "")
_LENT = {
    "autograd.drawing": "draw",
    "legacy": "BoolTensor ByteTensor CharTensor DoubleTensor FloatTensor HalfTensor IntTensor "
    "LongTensor ShortTensor",
    "printing": "set_printoptions",
    "random": "Generator bernoulli default_generator get_rng_state initial_seed manual_seed "
    "multinomial normal rand rand_like randint randint_like randn randn_like randperm seed "
    "set_rng_state",
    "serialization": "load save",
    "threads": "get_num_threads set_num_threads",
}
_LAZY |= {name: room for room, names in _LENT.items() for name in names.split()}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"tinygrad_hw has no attribute {name!r}")
    if not _LAZY[name]:
        return _import_module(f"tinygrad_hw.{name}")
    found: object = getattr(_import_module(f"tinygrad_hw.{_LAZY[name]}"), name)
    globals()[name] = found  # the next look finds it at once
    return found


def __dir__() -> list[str]:
    return sorted({name for name in globals() if name[0] != "_"} | set(_LAZY))


# The functions of tensors, by family: th.exp(x) is x.exp().

abs, add, addcdiv, addcmul, ceil = _ar.abs, _ar.add, _ar.addcdiv, _ar.addcmul, _ar.ceil
clamp, clamp_max, clamp_min, div = _ar.clamp, _ar.clamp_max, _ar.clamp_min, _ar.div
floor, floor_divide, fmod, frac, lerp = _ar.floor, _ar.floor_divide, _ar.fmod, _ar.frac, _ar.lerp
maximum, minimum, mul, nan_to_num = _ar.maximum, _ar.minimum, _ar.mul, _ar.nan_to_num
neg, pow, reciprocal, remainder = _ar.neg, _ar.pow, _ar.reciprocal, _ar.remainder
round, rsub, sign, square, sub = _ar.round, _ar.rsub, _ar.sign, _ar.square, _ar.sub
trunc, absolute, clip, divide, true_divide = _ar.trunc, _ar.abs, _ar.clamp, _ar.div, _ar.div
fix, multiply, negative, subtract = _ar.trunc, _ar.mul, _ar.neg, _ar.sub

acos, acosh, asin, asinh, atan = _pw.acos, _pw.acosh, _pw.asin, _pw.asinh, _pw.atan
atan2, atanh, cos, cosh, erf, exp = _pw.atan2, _pw.atanh, _pw.cos, _pw.cosh, _pw.erf, _pw.exp
exp2, expm1, log, log10, log1p = _pw.exp2, _pw.expm1, _pw.log, _pw.log10, _pw.log1p
log2, logit, relu, rsqrt, sigmoid = _pw.log2, _pw.logit, _pw.relu, _pw.rsqrt, _pw.sigmoid
sin, sinh, sqrt, tan, tanh, xlogy = _pw.sin, _pw.sinh, _pw.sqrt, _pw.tan, _pw.tanh, _pw.xlogy
arccos, arccosh, arcsin, arcsinh, arctan = _pw.acos, _pw.acosh, _pw.asin, _pw.asinh, _pw.atan
arctan2, arctanh = _pw.atan2, _pw.atanh

allclose, bitwise_and, bitwise_not = _logic.allclose, _logic.bitwise_and, _logic.bitwise_not
bitwise_or, bitwise_xor, eq = _logic.bitwise_or, _logic.bitwise_xor, _logic.eq
equal, ge, gt, isclose = _logic.equal, _logic.ge, _logic.gt, _logic.isclose
isfinite, isinf, isnan, le = _logic.isfinite, _logic.isinf, _logic.isnan, _logic.le
logical_and, logical_not, logical_or = _logic.logical_and, _logic.logical_not, _logic.logical_or
logical_xor, lt, ne, greater = _logic.logical_xor, _logic.lt, _logic.ne, _logic.gt
greater_equal, less, less_equal, not_equal = _logic.ge, _logic.lt, _logic.le, _logic.ne

all, amax, amin, any, argmax = _rd.all, _rd.amax, _rd.amin, _rd.any, _rd.argmax
argmin, count_nonzero, dist = _rd.argmin, _rd.count_nonzero, _rd.dist
log_softmax, logsumexp, max, mean = _rd.log_softmax, _rd.logsumexp, _rd.max, _rd.mean
min, nanmean, nansum, norm, prod = _rd.min, _rd.nanmean, _rd.nansum, _rd.norm, _rd.prod
softmax, std, std_mean, sum, var = _rd.softmax, _rd.std, _rd.std_mean, _rd.sum, _rd.var
var_mean = _rd.var_mean

argsort, bincount, bucketize = _ordering.argsort, _ordering.bincount, _ordering.bucketize
cumprod, cumsum, diff = _ordering.cumprod, _ordering.cumsum, _ordering.diff
median, histc, searchsorted = _ordering.median, _ordering.histc, _ordering.searchsorted
sort = _ordering.sort
topk, unique = _ordering.topk, _ordering.unique

broadcast_tensors, broadcast_to = _shapes.broadcast_tensors, _shapes.broadcast_to
cat, chunk, concat, concatenate = _shapes.cat, _shapes.chunk, _shapes.concat, _shapes.concatenate
diag, diagonal, flatten, flip = _shapes.diag, _shapes.diagonal, _shapes.flatten, _shapes.flip
hstack, meshgrid, movedim = _shapes.hstack, _shapes.meshgrid, _shapes.movedim
narrow, permute, ravel = _shapes.narrow, _shapes.permute, _shapes.ravel
repeat_interleave, reshape, roll = _shapes.repeat_interleave, _shapes.reshape, _shapes.roll
select, split, squeeze, stack = _shapes.select, _shapes.split, _shapes.squeeze, _shapes.stack
t, tile, transpose, tril = _shapes.t, _shapes.tile, _shapes.transpose, _shapes.tril
triu, unbind, unflatten = _shapes.triu, _shapes.unbind, _shapes.unflatten
unsqueeze, vstack, moveaxis = _shapes.unsqueeze, _shapes.vstack, _shapes.movedim
swapaxes, swapdims = _shapes.transpose, _shapes.transpose

argwhere, gather, index_add = _sel.argwhere, _sel.gather, _sel.index_add
index_copy, index_fill, index_put = _sel.index_copy, _sel.index_fill, _sel.index_put
index_select, masked_fill, masked_select = _sel.index_select, _sel.masked_fill, _sel.masked_select
nonzero, scatter, scatter_add, take = _sel.nonzero, _sel.scatter, _sel.scatter_add, _sel.take
take_along_dim, where = _sel.take_along_dim, _sel.where

addbmm, addmm, addmv = _products.addbmm, _products.addmm, _products.addmv
baddbmm, bmm, cross, dot = _products.baddbmm, _products.bmm, _products.cross, _products.dot
inner, kron, matmul, mm = _products.inner, _products.kron, _products.matmul, _products.mm
mv, outer, tensordot, trace = _products.mv, _products.outer, _products.tensordot, _products.trace
ger = _products.outer

clone, is_floating_point, numel = _cv.clone, _logic.is_floating_point, _shapes.numel
preserve_format, contiguous_format = _cv.preserve_format, _cv.contiguous_format
channels_last, strided = _cv.channels_last, "strided"

cholesky, det, inverse, slogdet = linalg.cholesky, linalg.det, linalg.inv, linalg.slogdet
matrix_power, pinverse = linalg.matrix_power, linalg.pinv
qr, svd = linalg.qr, linalg.svd_of_old
