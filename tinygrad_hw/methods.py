"""The methods of a tensor: its functions by name, and their forms in place.

A method *is* the function of that name, whose first argument is the tensor: see `functions`. A form
in place, with `_` at its end, is derived from the function: it computes the result and takes it
over, recorded or not, as `Operators.rewrite` says.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from tinygrad_hw import linalg
from tinygrad_hw.functions import arithmetic as ar
from tinygrad_hw.functions import conversion as cv
from tinygrad_hw.functions import logic, ordering, products, selection, shapes
from tinygrad_hw.functions import pointwise as pw
from tinygrad_hw.functions import reductions as rd
from tinygrad_hw.operators import Operators

if TYPE_CHECKING:
    from tinygrad_hw.tensor import Tensor

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound=Operators)


def named(method: Callable[P, R], function: Callable[..., Any]) -> Callable[P, R]:
    """The method under the function's name, with `_` at its end, and with its signature."""
    functools.update_wrapper(method, function)
    method.__name__ = f"{function.__name__}_"
    return method


def in_place(function: Callable[Concatenate[Any, P], Any]) -> Callable[Concatenate[S, P], S]:
    """The method that writes the function's result over the tensor."""

    def write(self: S, /, *args: P.args, **kwargs: P.kwargs) -> S:
        return self.rewrite(function, *args, **kwargs)

    return named(write, function)


def reshaped(function: Callable[Concatenate[Any, P], Any]) -> Callable[Concatenate[S, P], S]:
    """The method that gives the tensor itself the shape of the function's result."""

    def turn(self: S, /, *args: P.args, **kwargs: P.kwargs) -> S:
        return self.turn(function(self, *args, **kwargs))

    return named(turn, function)


def where_of(input: Any, condition: Any, other: Any) -> Tensor:
    """This tensor's element where the condition holds, the other's elsewhere."""
    found: Tensor = selection.where(condition, input, other)
    return found


class Methods(Operators):
    """Every function as a method, family by family, and those in place after them."""

    __slots__ = ()

    # ---------------------------------------------------------------------------- arithmetic

    add, sub, mul, div, pow, rsub = ar.add, ar.sub, ar.mul, ar.div, ar.pow, ar.rsub
    floor_divide, remainder, fmod, neg = ar.floor_divide, ar.remainder, ar.fmod, ar.neg
    abs, sign, square, reciprocal, maximum = ar.abs, ar.sign, ar.square, ar.reciprocal, ar.maximum
    minimum, clamp, clamp_min, clamp_max = ar.minimum, ar.clamp, ar.clamp_min, ar.clamp_max
    floor, ceil, trunc, round, frac = ar.floor, ar.ceil, ar.trunc, ar.round, ar.frac
    lerp, addcmul, addcdiv, nan_to_num = ar.lerp, ar.addcmul, ar.addcdiv, ar.nan_to_num
    subtract, multiply, divide, true_divide, negative = ar.sub, ar.mul, ar.div, ar.div, ar.neg
    absolute, clip, fix = ar.abs, ar.clamp, ar.trunc

    pow_, floor_divide_ = in_place(ar.pow), in_place(ar.floor_divide)
    remainder_, fmod_, neg_ = in_place(ar.remainder), in_place(ar.fmod), in_place(ar.neg)
    abs_, sign_, square_ = in_place(ar.abs), in_place(ar.sign), in_place(ar.square)
    reciprocal_, clamp_ = in_place(ar.reciprocal), in_place(ar.clamp)
    clamp_min_, clamp_max_ = in_place(ar.clamp_min), in_place(ar.clamp_max)
    floor_, ceil_, trunc_ = in_place(ar.floor), in_place(ar.ceil), in_place(ar.trunc)
    round_, frac_, lerp_ = in_place(ar.round), in_place(ar.frac), in_place(ar.lerp)
    addcmul_, addcdiv_ = in_place(ar.addcmul), in_place(ar.addcdiv)
    nan_to_num_, clip_ = in_place(ar.nan_to_num), in_place(ar.clamp)

    # ----------------------------------- exponentials, logarithms, trigonometry, activations

    exp, exp2, expm1, log, log2, log10 = pw.exp, pw.exp2, pw.expm1, pw.log, pw.log2, pw.log10
    log1p, sqrt, rsqrt, sin, cos, tan = pw.log1p, pw.sqrt, pw.rsqrt, pw.sin, pw.cos, pw.tan
    asin, acos, atan, atan2, sinh, cosh = pw.asin, pw.acos, pw.atan, pw.atan2, pw.sinh, pw.cosh
    tanh, asinh, acosh, atanh, sigmoid = pw.tanh, pw.asinh, pw.acosh, pw.atanh, pw.sigmoid
    logit, relu, erf, xlogy = pw.logit, pw.relu, pw.erf, pw.xlogy
    arcsin, arccos, arctan, arctan2, arcsinh = pw.asin, pw.acos, pw.atan, pw.atan2, pw.asinh
    arccosh, arctanh = pw.acosh, pw.atanh

    exp_, exp2_, expm1_ = in_place(pw.exp), in_place(pw.exp2), in_place(pw.expm1)
    log_, log2_, log10_ = in_place(pw.log), in_place(pw.log2), in_place(pw.log10)
    log1p_, sqrt_, rsqrt_ = in_place(pw.log1p), in_place(pw.sqrt), in_place(pw.rsqrt)
    sin_, cos_, tan_ = in_place(pw.sin), in_place(pw.cos), in_place(pw.tan)
    asin_, acos_, atan_ = in_place(pw.asin), in_place(pw.acos), in_place(pw.atan)
    atan2_, sinh_, cosh_ = in_place(pw.atan2), in_place(pw.sinh), in_place(pw.cosh)
    tanh_, asinh_, acosh_ = in_place(pw.tanh), in_place(pw.asinh), in_place(pw.acosh)
    atanh_, sigmoid_, logit_ = in_place(pw.atanh), in_place(pw.sigmoid), in_place(pw.logit)
    relu_, erf_, xlogy_ = in_place(pw.relu), in_place(pw.erf), in_place(pw.xlogy)

    # ----------------------------------------------------------------- comparisons and logic

    eq, ne, lt, le, gt, ge = logic.eq, logic.ne, logic.lt, logic.le, logic.gt, logic.ge
    logical_and, logical_or, logical_xor = logic.logical_and, logic.logical_or, logic.logical_xor
    logical_not, bitwise_and, bitwise_or = logic.logical_not, logic.bitwise_and, logic.bitwise_or
    bitwise_xor, bitwise_not, isnan = logic.bitwise_xor, logic.bitwise_not, logic.isnan
    isinf, isfinite, isclose = logic.isinf, logic.isfinite, logic.isclose
    allclose, equal = logic.allclose, logic.equal
    greater, greater_equal, less, less_equal = logic.gt, logic.ge, logic.lt, logic.le
    not_equal = logic.ne

    eq_, ne_, lt_ = in_place(logic.eq), in_place(logic.ne), in_place(logic.lt)
    le_, gt_, ge_ = in_place(logic.le), in_place(logic.gt), in_place(logic.ge)
    logical_and_, logical_or_ = in_place(logic.logical_and), in_place(logic.logical_or)
    logical_xor_, logical_not_ = in_place(logic.logical_xor), in_place(logic.logical_not)
    bitwise_and_, bitwise_or_ = in_place(logic.bitwise_and), in_place(logic.bitwise_or)
    bitwise_xor_, bitwise_not_ = in_place(logic.bitwise_xor), in_place(logic.bitwise_not)

    # ---------------------------------------------------------------------------- reductions

    sum, nansum, mean, nanmean, prod = rd.sum, rd.nansum, rd.mean, rd.nanmean, rd.prod
    var, std, amax, amin, max, min = rd.var, rd.std, rd.amax, rd.amin, rd.max, rd.min
    argmax, argmin, any, all = rd.argmax, rd.argmin, rd.any, rd.all
    count_nonzero, logsumexp, softmax = rd.count_nonzero, rd.logsumexp, rd.softmax
    log_softmax, norm, dist = rd.log_softmax, rd.norm, rd.dist

    # ------------------------------------------------------------------- order along an axis

    sort, argsort, topk, median = ordering.sort, ordering.argsort, ordering.topk, ordering.median
    cumsum, cumprod, diff = ordering.cumsum, ordering.cumprod, ordering.diff
    unique, bincount, histc = ordering.unique, ordering.bincount, ordering.histc

    cumsum_, cumprod_ = in_place(ordering.cumsum), in_place(ordering.cumprod)

    # -------------------------------------------------------------------------------- shapes

    reshape, view, reshape_as = shapes.reshape, shapes.view, shapes.reshape_as
    view_as, permute, transpose = shapes.view_as, shapes.permute, shapes.transpose
    movedim, t, expand, expand_as = shapes.movedim, shapes.t, shapes.expand, shapes.expand_as
    broadcast_to, squeeze, unsqueeze = shapes.broadcast_to, shapes.squeeze, shapes.unsqueeze
    flatten, ravel, unflatten = shapes.flatten, shapes.ravel, shapes.unflatten
    narrow, select, split, chunk = shapes.narrow, shapes.select, shapes.split, shapes.chunk
    unbind, diagonal, diag, tril = shapes.unbind, shapes.diagonal, shapes.diag, shapes.tril
    triu, repeat, tile = shapes.triu, shapes.repeat, shapes.tile
    repeat_interleave, flip, roll = shapes.repeat_interleave, shapes.flip, shapes.roll
    swapaxes, swapdims, moveaxis = shapes.transpose, shapes.transpose, shapes.movedim

    tril_, triu_ = in_place(shapes.tril), in_place(shapes.triu)

    # --------------------------------------------------------------------------------- parts

    masked_fill, masked_select = selection.masked_fill, selection.masked_select
    nonzero, argwhere, gather = selection.nonzero, selection.argwhere, selection.gather
    take_along_dim, index_select = selection.take_along_dim, selection.index_select
    take, scatter, scatter_add = selection.take, selection.scatter, selection.scatter_add
    index_add, index_copy = selection.index_add, selection.index_copy
    index_fill, index_put = selection.index_fill, selection.index_put

    masked_fill_, scatter_ = in_place(selection.masked_fill), in_place(selection.scatter)
    scatter_add_, index_add_ = in_place(selection.scatter_add), in_place(selection.index_add)
    index_copy_, index_fill_ = in_place(selection.index_copy), in_place(selection.index_fill)
    index_put_ = in_place(selection.index_put)

    # ------------------------------------------------------------------------------ products

    matmul, mm, bmm, mv = products.matmul, products.mm, products.bmm, products.mv
    dot, inner, outer, addmm = products.dot, products.inner, products.outer, products.addmm
    addmv, addbmm, baddbmm = products.addmv, products.addbmm, products.baddbmm
    trace, kron, cross = products.trace, products.kron, products.cross
    ger = products.outer

    addmm_, addmv_ = in_place(products.addmm), in_place(products.addmv)
    addbmm_, baddbmm_ = in_place(products.addbmm), in_place(products.baddbmm)

    # ---------------------------------------------------------------------------- conversion

    clone, contiguous, to, cpu, half = cv.clone, cv.contiguous, cv.to, cv.cpu, cv.half
    double, float, short, long, int = cv.double, cv.float, cv.short, cv.long, cv.int
    byte, char, type_as, type, numel = cv.byte, cv.char, cv.type_as, cv.type, shapes.numel
    is_floating_point = logic.is_floating_point
    bool, nelement = cv.as_bool, shapes.numel

    # ---------------------------------------------------------------------- linear algebra

    inverse, det, slogdet, cholesky = linalg.inv, linalg.det, linalg.slogdet, linalg.cholesky
    matrix_power, svd, qr, pinverse = linalg.matrix_power, linalg.svd_of_old, linalg.qr, linalg.pinv

    # -------------------------------------------------------- in another order, or in place

    where = where_of
    squeeze_, unsqueeze_ = reshaped(shapes.squeeze), reshaped(shapes.unsqueeze)
    t_, transpose_ = reshaped(shapes.t), reshaped(shapes.transpose)
