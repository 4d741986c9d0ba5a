"""The loops that Numba compiles, each under the NumPy lines that it equals.

One algorithm serves them all. It takes a block of rows that fits the first cache, subtracts from
each row what keeps `exp` in range, runs `exp` over the whole block *as one flat run*, and totals
each row. So SIMD lanes stay full however short the rows are, and a row's result depends on that row
alone: not on its neighbours, nor on where the work was cut between threads. Totals are float64.

One file, so that nothing compiled outlives its source: Numba's cache on disk watches only the file
of a function, not of those it calls. This imports Numba; `jit.Loop` imports this, on first use.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit
from numba.extending import overload
from numpy.typing import NDArray

F = TypeVar("F", bound=Callable[..., Any])

# What a loop takes. `jit.Loop` reads these names, and compiles one form for each dtype.
Rows = NDArray[Any]  # (rows, columns)
Column = NDArray[Any]  # (rows,), of the same dtype
Totals = NDArray[np.float64]  # (rows,)
Labels = NDArray[np.int64]  # (rows,)

BLOCK = 4096  # elements in a block of rows: 16 KB of float32
SMALL = 1 << 14  # elements of a batch that is taken as one block
CALM = 40.0  # a row within ±CALM needs no shift: its exps are in range, and exact without it
TINY = 1e-30  # a float32 above it is far from the subnormals
EXACT = {"contract", "nsz"}  # fused multiply-adds; no flag that gives up inf, NaN or an order


def compiler(*flags: str, **options: Any) -> Callable[[F], F]:
    chosen: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy"} | options
    return cast(Callable[[F], F], njit(fastmath=EXACT.union(flags), **chosen))


compiled = compiler()
reordered = compiler("reassoc")  # free to add in any order: SIMD lanes become partial sums
brief = compiler(nogil=False)  # for calls so short that to let go of the GIL does not pay
inlined = compiler(inline="always")  # into callers: to pass arrays costs what 16 rows of work do


def by_dtype(single: F, double: F) -> F:
    """The function that compiled code calls for `single` on 32 bits and for `double` on 64."""

    def chosen(x: Any) -> Any:
        raise NotImplementedError("for compiled code only")

    overload(chosen)(lambda x: {32: lambda x: single(x), 64: lambda x: double(x)}[x.bitwidth])
    return cast(F, chosen)


# exp and log in plain arithmetic vectorize where a call of libm does not.
#
# x = n ln 2 + r with |r| <= ln(2) / 2, ln 2 in two parts so that n times the first is exact; then
# exp x = 2ⁿ (1 + r + r² q(r)), q the polynomial of least relative error (Remez: 3e-9 and 4e-18).
# Adding 1.5 · 2²³ (2⁵²) rounds to an integer and leaves it in the last bits. 2ⁿ comes in halves, as
# exp x may be subnormal or infinite where 2ⁿ is no float; a calm x needs neither that nor bounds.
# A comparison with NaN is false, so that NaN passes through every line.


@compiled
def power32(k: Any) -> Any:
    return np.int32((k + np.int32(127)) << np.int32(23)).view(np.float32)


@compiled
def power64(k: Any) -> Any:
    return np.int64((k + 1023) << 52).view(np.float64)


@compiled
def parts32(x: Any) -> Any:
    shifted = x * np.float32(1.4426950408889634) + np.float32(12582912)
    n = shifted - np.float32(12582912)
    r = x - n * np.float32(0.693145751953125) - n * np.float32(1.4286068203094172e-6)
    q = r * np.float32(0.00138145986467) + np.float32(0.00836871687973)
    q = r * q + np.float32(0.0416683880453)
    q = r * q + np.float32(0.166665206317)
    q = r * q + np.float32(0.499999934478)
    k = np.int32(np.float32(shifted).view(np.int32) - np.int32(0x4B400000))
    return k, r * r * q + r + np.float32(1)


@compiled
def parts64(x: Any) -> Any:
    shifted = x * 1.4426950408889634 + 6755399441055744.0
    n = shifted - 6755399441055744.0
    r = x - n * 0.693147180559663 - n * 2.8235290563031577e-13
    q = r * 2.5000061602835667e-8 + 2.7630248379211444e-7
    q = r * q + 2.7557586373840164e-6
    q = r * q + 2.480149309890655e-5
    q = r * q + 1.9841269506578688e-4
    q = r * q + 1.388888894363011e-3
    q = r * q + 8.333333333494462e-3
    q = r * q + 4.166666666653016e-2
    q = r * q + 0.16666666666666413
    q = r * q + 0.5000000000000011
    k = np.float64(shifted).view(np.int64) - 0x4338000000000000
    return k, r * r * q + r + 1.0


@compiled
def calm_exp32(x: Any) -> Any:
    k, y = parts32(x)
    return y * power32(k)


@compiled
def calm_exp64(x: Any) -> Any:
    k, y = parts64(x)
    return y * power64(k)


@compiled
def exp32(x: Any) -> Any:
    x = np.float32(-104) if x < np.float32(-104) else x
    x = np.float32(89) if x > np.float32(89) else x
    k, y = parts32(x)
    half = np.int32(k >> np.int32(1))
    return y * power32(half) * power32(np.int32(k - half))


@compiled
def exp64(x: Any) -> Any:
    x = -746.0 if x < -746.0 else x
    x = 710.0 if x > 710.0 else x
    k, y = parts64(x)
    half = k >> 1
    return y * power64(half) * power64(k - half)


@compiled
def log64(x: Any) -> Any:
    """log of a total: 0, inf, NaN or a positive normal float64.

    x = 2ᵏ (1 + f) with 1 + f in [√½, √2); log(1 + f) = 2 artanh s = f - s (f - s² q(s²)) where
    s = f / (2 + f), q again a polynomial (Chebyshev: 5e-18).
    """
    bits = np.float64(x).view(np.int64)
    k = (bits - 0x3FE6A09E667F3BCD) >> 52
    f = np.int64(bits - (k << 52)).view(np.float64) - 1.0
    s = f / (2.0 + f)
    w = s * s
    q = w * 0.14616585424888623 + 0.15331710618210773
    q = w * q + 0.18182889455674947
    q = w * q + 0.22222211130259878
    q = w * q + 0.2857142862600327
    q = w * q + 0.39999999999899444
    q = w * q + 0.666666666666667
    y = k * 0.6931471805599453 + (f - s * (f - w * q))
    return -np.inf if x == 0 else y if x < np.inf else x


# The bits of a float as an integer of the same order, and back: a maximum of integers vectorizes.


@compiled
def order32(x: Any) -> Any:
    bits = np.float32(x).view(np.int32)
    return np.int32(bits ^ ((bits >> np.int32(31)) & np.int32(0x7FFFFFFF)))


@compiled
def order64(x: Any) -> Any:
    bits = np.float64(x).view(np.int64)
    return np.int64(bits ^ ((bits >> 63) & 0x7FFFFFFFFFFFFFFF))


@compiled
def float32(order: Any) -> Any:
    return np.int32(order ^ ((order >> np.int32(31)) & np.int32(0x7FFFFFFF))).view(np.float32)


@compiled
def float64(order: Any) -> Any:
    return np.int64(order ^ ((order >> 63) & 0x7FFFFFFFFFFFFFFF)).view(np.float64)


exp = by_dtype(exp32, exp64)
calm_exp = by_dtype(calm_exp32, calm_exp64)
order_of = by_dtype(order32, order64)
float_of = by_dtype(float32, float64)


@compiled
def row_max(x: Rows, i: int) -> Any:
    """x[i].max(). NaN may be overlooked here, as it makes the row's total NaN in any case."""
    order = order_of(x[i, 0])
    for j in range(1, x.shape[1]):
        order = max(order, order_of(x[i, j]))
    return float_of(order)


@reordered
def row_sum(x: Rows, i: int) -> float:
    """x[i].sum(dtype=np.float64)"""
    total = 0.0
    for j in range(x.shape[1]):
        total += x[i, j]
    return total


@inlined
def calm(x: Rows) -> bool:
    """abs(x).max() <= CALM"""
    bound = x.dtype.type(CALM)
    beyond = 0
    for j in range(x.size):
        beyond |= not abs(x.flat[j]) <= bound
    return beyond == 0


@inlined
def exponentials(x: Rows, e: Rows, shift: Column, total: Column, always: bool) -> None:
    """shift = x.max(1) (or 0 if calm, unless `always`); e = np.exp(x - shift); total = e.sum(1)"""
    rows, columns = x.shape
    if not always and calm(x):
        shift[:rows] = 0
        for j in range(x.size):
            e.flat[j] = calm_exp(x.flat[j])
    else:
        for i in range(rows):
            top = row_max(x, i) if always or not calm(x[i : i + 1]) else x.dtype.type(0)
            shift[i] = top
            for j in range(columns):
                e[i, j] = x[i, j] - top
        for j in range(x.size):
            e.flat[j] = exp(e.flat[j])
    for i in range(rows):
        total[i] = row_sum(e, i)


@compiled
def exp_all(x: Column, out: Column) -> None:
    """out = np.exp(x)"""
    for i in range(x.size):
        out[i] = exp(x[i])


@compiled
def softmax(x: Rows, out: Rows) -> None:
    """e = np.exp(x - x.max(1)); out = e / e.sum(1)"""
    rows, columns = x.shape
    block = max(1, BLOCK // columns)
    shift, total = np.empty(block), np.empty(block)
    for start in range(0, rows, block):
        z, e = x[start : start + block], out[start : start + block]
        exponentials(z, e, shift, total, False)
        for i in range(len(z)):
            scale = x.dtype.type(1 / total[i])
            for j in range(columns):
                e[i, j] *= scale


@compiled
def log_softmax(x: Rows, out: Rows) -> None:
    """d = x - x.max(1); out = d - np.log(np.exp(d).sum(1))"""
    rows, columns = x.shape
    block = max(1, BLOCK // columns)
    shift, total = np.empty(block), np.empty(block)
    for start in range(0, rows, block):
        z, y = x[start : start + block], out[start : start + block]
        exponentials(z, y, shift, total, True)
        for i in range(len(z)):
            top, size = x.dtype.type(shift[i]), x.dtype.type(log64(total[i]))
            for j in range(columns):
                y[i, j] = z[i, j] - top - size


@compiled
def logsumexp(x: Rows, out: Column) -> None:
    """m = x.max(1); out = m + np.log(np.exp(x - m).sum(1)), with an m of 0 where it is infinite"""
    rows, columns = x.shape
    block = max(1, min(rows, BLOCK // columns))
    shift, total = np.empty(block), np.empty(block)
    e = np.empty((block, columns), x.dtype)
    for start in range(0, rows, block):
        z, y = x[start : start + block], out[start : start + block]
        exponentials(z, e[: len(z)], shift, total, True)
        for i in range(len(z)):
            y[i] = shift[i] + log64(total[i])
            if not abs(shift[i]) < np.inf:
                unshifted = 0.0
                for j in range(columns):
                    unshifted += exp(z[i, j])
                y[i] = log64(unshifted)


@inlined
def block_losses(z: Rows, target: Labels, ignore: int, e: Rows, scratch: Any) -> int:
    """scratch[0] = logsumexp(z) - z[:, target], 0 where ignored. The first bad target's row, or -1.

    Taken as log(total / e[target]), which keeps the digits of a loss near 0, since beside the
    target's own exp the total holds only small others. Not so where that exp has underflowed.
    """
    loss, total, likely = scratch[0], scratch[1], scratch[2]
    exponentials(z, e, loss, total, False)
    for i in range(len(z)):
        k = target[i]
        if k == ignore:
            loss[i], total[i], likely[i] = 0, 1, 1
        elif not 0 <= k < z.shape[1]:
            return i
        elif e[i, k] > TINY:
            loss[i], likely[i] = 0, e[i, k]
        else:
            loss[i], likely[i] = loss[i] - z[i, k], 1
    for i in range(len(z)):
        loss[i] += log64(total[i] / likely[i])
    return -1


@compiled
def losses(x: Rows, target: Labels, ignore: int, out: Totals) -> int:
    """out = logsumexp(x) - x[:, target], 0 where ignored. The first bad target's row, or -1."""
    rows, columns = x.shape
    block = max(1, min(rows, BLOCK // max(1, columns)))
    scratch, e = np.empty((3, block)), np.empty((block, columns), x.dtype)
    for start in range(0, rows, block):
        z = x[start : start + block]
        bad = block_losses(z, target[start : start + block], ignore, e[: len(z)], scratch)
        if bad >= 0:
            return start + bad
        out[start : start + block] = scratch[0, : len(z)]
    return -1


@inlined
def block_gradients(g: float, z: Rows, target: Labels, ignore: int, e: Rows, scratch: Any) -> int:
    """e = g (softmax(z) - onehot(target)), 0 where ignored; returns as `block_losses`."""
    shift, total = scratch[0], scratch[1]
    exponentials(z, e, shift, total, False)
    for i in range(len(z)):
        k = target[i]
        if k == ignore:
            e[i] = 0
        elif not 0 <= k < z.shape[1]:
            return i
        else:
            scale = g / total[i]
            at_target = (e[i, k] - total[i]) * scale  # where p - 1 would cancel if p is near 1
            factor = z.dtype.type(scale)
            for j in range(z.shape[1]):
                e[i, j] *= factor
            e[i, k] = at_target
    return -1


@compiled
def gradients(g: float, x: Rows, target: Labels, ignore: int, out: Rows) -> int:
    """out = g (softmax(x) - onehot(target)), 0 where ignored; returns as `losses`."""
    rows, columns = x.shape
    block = max(1, min(rows, BLOCK // max(1, columns)))
    scratch = np.empty((2, block))
    for start in range(0, rows, block):
        z, e = x[start : start + block], out[start : start + block]
        bad = block_gradients(g, z, target[start : start + block], ignore, e, scratch)
        if bad >= 0:
            return start + bad
    return -1


@reordered
def reduced(losses: Totals, target: Labels, ignore: int, mean: int) -> float:
    """losses.sum(), divided by (target != ignore).sum() for the mean"""
    total, kept = 0.0, 0
    for i in range(losses.size):
        total += losses[i]
        kept += target[i] != ignore
    return total / kept if mean else total


@brief
def small_loss(x: Rows, target: Labels, ignore: int, mean: int) -> Any:
    """`reduced` losses of a small batch in one call; -1 if it is not small, or a target is bad."""
    if target.size != len(x) or x.size > SMALL:
        return x.dtype.type(-1)
    scratch, e = np.empty((3, len(x))), np.empty(x.shape, x.dtype)
    if block_losses(x, target, ignore, e, scratch) >= 0:
        return x.dtype.type(-1)
    return x.dtype.type(reduced(scratch[0], target, ignore, mean))


@brief
def small_grad(g: float, x: Rows, target: Labels, ignore: int, mean: int, out: Rows) -> bool:
    """`gradients` of a small batch, with the mean, in one call; whether it was done."""
    if target.size != len(x) or x.size > SMALL:
        return False
    if mean:
        kept = 0
        for i in range(len(x)):
            kept += target[i] != ignore
        g /= kept
    return block_gradients(g, x, target, ignore, out, np.empty((2, len(x)))) < 0
