"""Softmax, log-softmax, log-sum-exp and cross-entropy: pure functions of NumPy arrays.

Each shows the NumPy lines that its compiled loop (in `loops`) equals. They are also what runs where
there is no loop: for complex numbers, shifted by their real part so that the complex step passes
through; for float16 and integers, as float32; and where Numba cannot be used (see `jit.Loop`).
Inputs are never written to, results are fresh.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_hw.kernels.jit import Loop
from tinygrad_hw.kernels.products import linear, linear_grad, sum_of_rows, take_pixels
from tinygrad_hw.kernels.rows import Array, Dim, along, over_rows, plain, reduced_along
from tinygrad_hw.kernels.updates import adam, sgd, sgd_momentum

__all__ = [
    "adam",
    "cross_entropy",
    "cross_entropy_grad",
    "erf",
    "exp",
    "linear",
    "linear_grad",
    "log_softmax",
    "logsumexp",
    "sgd",
    "sgd_momentum",
    "softmax",
    "sum_of_rows",
    "take_pixels",
]

EXP, SOFTMAX, LOG_SOFTMAX = Loop("exp_all"), Loop("softmax"), Loop("log_softmax")
LOGSUMEXP, LOSSES, GRADIENTS = Loop("logsumexp"), Loop("losses"), Loop("gradients")
ERF = Loop("erf_all", "special_loops")
SMALL_LOSS, SMALL_GRAD = Loop("small_loss"), Loop("small_grad")
REDUCTIONS = {"sum": 0, "mean": 1}
CALM, TINY = 40, 1e-30  # as in `loops`, which only a kernel's first call may import


def exp(x: Array) -> Array:
    """exp of each element, by the polynomial that the other loops inline: within 2 ulp."""
    if loop := EXP[x.dtype]:
        out = np.empty(x.shape, x.dtype)
        loop(plain(x).reshape(-1), out.reshape(-1))
        return out
    with np.errstate(all="ignore"):
        return np.asarray(np.exp(x))


def erf(x: Array) -> Array:
    """The error function, 2/√π ∫ exp(-t²) dt from 0 to x, of each element; integers as float32."""
    if loop := ERF[x.dtype]:
        out = np.empty(x.shape, x.dtype)
        loop(plain(x).reshape(-1), out.reshape(-1))
        return out
    dtype = x.dtype if x.dtype.kind == "f" else np.dtype(np.float32)
    return np.array([math.erf(v) for v in x.flat], dtype).reshape(x.shape)


def softmax(x: Array, *, dim: int = -1) -> Array:
    """exp(x) / Σ exp(x) along `dim`. Raises IndexError for a `dim` that x does not have.

    >>> import numpy as np
    >>> from tinygrad_hw import kernels
    >>> print(kernels.softmax(np.log([1.0, 2.0, 5.0])))
    [0.125 0.25  0.625]
    """
    if (loop := SOFTMAX[x.dtype]) and x.size:
        return along(loop, x, dim)
    x, dtype = widened(x)
    with np.errstate(all="ignore"):
        e = np.exp(x - shift(x, dim))
        return np.asarray(e / total(e, dim), dtype)


def log_softmax(x: Array, *, dim: int = -1) -> Array:
    """x - log Σ exp(x) along `dim`. Raises IndexError for a `dim` that x does not have."""
    if (loop := LOG_SOFTMAX[x.dtype]) and x.size:
        return along(loop, x, dim)
    x, dtype = widened(x)
    with np.errstate(all="ignore"):
        d = x - shift(x, dim, always=True)
        return np.asarray(d - np.log(total(np.exp(d), dim)), dtype)


def logsumexp(x: Array, *, dim: Dim = -1, keepdim: bool = False) -> Array:
    """log Σ exp(x) along one `dim` or several; -inf where there is nothing to sum.

    Raises IndexError for a `dim` that x does not have.

    >>> import numpy as np
    >>> from tinygrad_hw import kernels
    >>> print(np.exp(kernels.logsumexp(np.log([[1.0, 2.0], [5.0, 0.5]]), dim=(0, 1))).round(6))
    8.5
    """
    if (loop := LOGSUMEXP[x.dtype]) and x.size:
        y = reduced_along(loop, x, dim)
    else:
        x, dtype = widened(x)
        with np.errstate(all="ignore"):
            m = shift(x, dim, always=True)
            m = np.where(np.isfinite(m), m, 0)
            y = np.asarray(m + np.log(total(np.exp(x - m), dim)), dtype)
    return y if keepdim else y.squeeze(dim)


def cross_entropy(
    z: Array, target: Array, *, reduction: str = "mean", ignore_index: int = -100
) -> Array:
    """Each row's loss, logsumexp(z) - z[target], of logits z (N, C) and integers `target` (N,).

    "none" gives the losses (N,), 0 where the target is `ignore_index`; "sum" and "mean" a 0-d
    array, the mean over the rows that are not ignored, nan if none is left. Raises IndexError for a
    target that is no class, naming its row.

    >>> import numpy as np
    >>> from tinygrad_hw import kernels
    >>> z = np.log([[1.0, 3.0], [2.0, 2.0]])
    >>> print(np.exp(-kernels.cross_entropy(z, np.array([0, 1]), reduction="none")))
    [0.25 0.5 ]
    """
    dtype = z.dtype
    if small := SMALL_LOSS[dtype]:
        try:
            loss = small(z, target, ignore_index, REDUCTIONS[reduction])
            if not loss < 0:  # nan is a loss
                return np.array(loss, dtype)
        except (KeyError, TypeError):  # another reduction; arrays that are not plain
            pass
    target = checked(z, target, reduction)
    kept = target != ignore_index
    if loop := LOSSES[dtype]:
        z, losses = plain(z), np.empty(len(z))
        refuse_first(
            lambda part: loop(z[part], target[part], ignore_index, losses[part]), z, target
        )
    else:
        z, dtype = widened(z)
        at, z, m, e, s = kept_rows(kept, z, target)
        losses = np.zeros(kept.shape, s.dtype)
        with np.errstate(all="ignore"):
            likely = np.abs(e[at]) > TINY
            losses[kept] = np.where(likely, np.log(s / e[at]), np.log(s) + (m - z[at]))
    with np.errstate(all="ignore"):
        if reduction == "none":
            return losses.astype(dtype)
        return np.asarray(losses.sum() / (kept.sum() if reduction == "mean" else 1), dtype)


def cross_entropy_grad(
    g: Any, z: Array, target: Array, *, reduction: str = "mean", ignore_index: int = -100
) -> Array:
    """The cotangent of z, g (softmax(z) - onehot(target)), from the loss's, g.

    g is 0-d, or (N,) for "none". For "mean" it is shared by the rows that are not ignored; a row
    that is ignored gets exactly 0. Raises as `cross_entropy` does.
    """
    dtype = z.dtype
    if small := SMALL_GRAD[dtype]:
        out = np.empty(z.shape, dtype)
        try:
            mean = REDUCTIONS[reduction]
            if small(float(g), z, target, ignore_index, mean, out):
                return out
        except (KeyError, TypeError):  # another reduction; arrays that are not plain
            pass
    target = checked(z, target, reduction)
    g, kept = np.asarray(g), target != ignore_index
    if reduction == "mean":
        g = g / max(kept.sum(), 1)
    if loop := GRADIENTS[dtype]:
        z, scale = plain(z), 1.0 if reduction == "none" else float(g)
        refuse_first(
            lambda part: loop(scale, z[part], target[part], ignore_index, out[part]), z, target
        )
        if reduction == "none":
            with np.errstate(all="ignore"):
                out *= np.where(kept, g, 0)[:, None]
        return out
    z, dtype = widened(z)
    out = np.zeros(z.shape, dtype)
    at, z, _, e, s = kept_rows(kept, z, target)
    with np.errstate(all="ignore"):
        residual = e / s[:, None]
        residual[at] = (e[at] - s) / s
        out[kept] = residual * (g[kept, None] if reduction == "none" else g)
    return out


def widened(x: Array) -> tuple[Array, np.dtype[Any]]:
    """x in float32 or better, and the dtype for the result: x's own, float32 for integers."""
    if x.dtype.kind in "biu":
        x = x.astype(np.float32)
    return x.astype(np.float32) if x.dtype == np.float16 else x, x.dtype


def shift(x: Array, dim: Dim, always: bool = False) -> Array:
    """What to take from x before exp: its maximum, or 0 for a calm row unless `always`."""
    x = x.real
    top = np.asarray(x.max(axis=dim, keepdims=True, initial=-np.inf))
    calm = np.abs(x).max(axis=dim, keepdims=True, initial=0) <= CALM
    return top if always else np.where(calm, 0, top)


def total(e: Array, dim: Dim) -> Array:
    """The sum along `dim`, which stays with size 1, in float64 or better."""
    return np.asarray(e.sum(axis=dim, keepdims=True, dtype=np.result_type(e, np.float64)))


def kept_rows(kept: Array, z: Array, target: Array) -> tuple[Any, ...]:
    """Of the rows that are kept: where their targets are, z, shift, exp and total."""
    bad = kept & ((target < 0) | (target >= z.shape[1]))
    if bad.any():
        raise refusal(z, target, int(bad.argmax()))
    at = np.arange(kept.sum()), target[kept]
    with np.errstate(all="ignore"):
        z = z[kept]
        m = shift(z, 1)
        e = np.exp(z - m)
        s = total(e, 1)[:, 0]
        return at, z, m[:, 0].astype(s.dtype), e, s


def checked(z: Array, target: Array, reduction: str) -> Array:
    """target as the loops take it, if the arguments fit each other."""
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(f"reduction is {reduction!r}, which must be 'none', 'sum' or 'mean'")
    if z.ndim != 2 or target.shape != z.shape[:1]:
        raise ValueError(
            f"logits {z.shape} and targets {target.shape} do not fit: "
            "give logits (N, C) and a class index for each row, (N,)"
        )
    if target.dtype.kind not in "iu":
        raise RuntimeError(f"targets are class indices of an integer dtype, not {target.dtype}")
    return plain(target.astype(np.int64, copy=False))


def refusal(z: Array, target: Array, row: int) -> IndexError:
    classes = z.shape[1]
    return IndexError(
        f"target {target[row]} in row {row} is out of range for the {classes} classes of logits "
        f"{z.shape}: give 0 <= target < {classes}, or the ignore_index"
    )


def refuse_first(work: Callable[[slice], int], z: Array, target: Array) -> None:
    """Do the work on all rows, and raise for the first row that it returns, if any."""
    for start, bad in over_rows(lambda part: (part.start, work(part)), len(z), z.size):
        if bad >= 0:
            raise refusal(z, target, start + bad)
