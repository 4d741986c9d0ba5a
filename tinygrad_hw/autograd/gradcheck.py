"""`gradcheck` and `gradgradcheck`: derivatives held against differences of the function's values.

`th.check.check_derivation` goes further: it draws the inputs, shrinks what fails and names the
mistake. These take PyTorch's arguments and check at the inputs that they are given.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from tinygrad_hw import tape
from tinygrad_hw.tape import Array, Traced, wrap

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]

Function = Callable[..., Any]


class GradcheckError(RuntimeError):
    """A derivative is not what the differences of the function's values say it is."""


def gradcheck(
    func: Function,
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Hold the Jacobians of `func` against central differences, (f(x + eps) - f(x - eps)) / 2 eps.

    Args:
        func: a function of tensors that returns a tensor or a tuple of them.
        inputs: a tensor or a tuple of arguments; those that require grad are moved, in float64.
        atol, rtol: |analytical - numerical| may be atol + rtol * |numerical|, entry by entry.
        raise_exception: raise, or return False.
        nondet_tol: how much two sweeps with the same cotangent may differ.
        check_grad_dtypes: a gradient has its input's dtype (which the engine sees to).
        check_forward_ad, check_backward_ad: which of the two modes to check.
        fast_mode: accepted; every entry is checked all the same.
        check_undefined_grad, masked: accepted, and without effect.

    Raises:
        GradcheckError: with both Jacobians and the entry that is worst.
        ValueError: no input requires grad.
        NotImplementedError: check_batched_grad, check_batched_forward_grad: there is no vmap.

    >>> import tinygrad_hw as th
    >>> x = th.tensor([0.5, 2.0], dtype=th.float64, requires_grad=True)
    >>> th.autograd.gradcheck(lambda x: x * x.exp(), x)
    True
    """
    if check_batched_grad or check_batched_forward_grad:
        raise NotImplementedError(
            "check_batched_grad and check_batched_forward_grad check vmap, which is not supported"
        )
    args = inputs if isinstance(inputs, (tuple, list)) else (inputs,)
    moving = [x for x in args if isinstance(x, Traced) and x.tracked]
    if not moving:
        raise ValueError("gradcheck moves inputs that require grad, and none of these does")
    for x in moving:
        if x.array.dtype != np.float64:
            warnings.warn(
                f"gradcheck: an input is {x.array.dtype.name}, whose rounding is as large as what "
                "is to be seen: use float64.",
                stacklevel=2,
            )
    at = At(func, args, moving, eps)
    try:
        truth = at.numerical()
        if check_backward_ad:
            at.compare("", at.backward(nondet_tol), truth, atol, rtol)
            at.scales_with_cotangent(check_grad_dtypes)
        if check_forward_ad:
            at.compare(" in forward mode", at.forward(), truth, atol, rtol)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


Jacobians = list[list[Array]]  # for each input, for each output: (input's size, output's size)


class At:
    """A function at the inputs where it is checked."""

    def __init__(self, func: Function, args: Sequence[Any], moving: list[Any], eps: float) -> None:
        self.func, self.args, self.moving, self.eps = func, args, moving, eps
        self.outputs = self.values()

    def values(self) -> list[Any]:
        """The floating-point outputs."""
        found = self.func(*self.args)
        outputs = found if isinstance(found, (tuple, list)) else (found,)
        return [y for y in outputs if isinstance(y, Traced) and y.array.dtype.kind == "f"]

    def numerical(self) -> Jacobians:
        jacobians: Jacobians = []
        for x in self.moving:
            columns = []
            for index in np.ndindex(x.array.shape):
                sides = []
                for step in (self.eps, -self.eps):
                    with moved(x, index, step):
                        sides.append([y.array.astype(np.float64).ravel() for y in self.values()])
                columns.append([(a - b) / (2 * self.eps) for a, b in zip(*sides, strict=True)])
            jacobians.append(self.by_output(columns))
        return jacobians

    def by_output(self, rows: Sequence[Sequence[Array]]) -> list[Array]:
        """Rows, one for each element of an input, as a matrix for each output."""
        return [
            np.array([row[j] for row in rows], np.float64).reshape(len(rows), y.array.size)
            for j, y in enumerate(self.outputs)
        ]

    def backward(self, nondet_tol: float) -> Jacobians:
        first, second = self.swept(), self.swept()
        for a, b in zip(first, second, strict=True):
            for p, q in zip(a, b, strict=True):
                if (np.abs(p - q) > nondet_tol).any():
                    raise GradcheckError(
                        "two sweeps with the same cotangent gave different gradients: backward is "
                        f"not a function of it. nondet_tol allows {nondet_tol}."
                    )
        return first

    def swept(self) -> Jacobians:
        found: Jacobians = [[np.zeros((x.array.size, y.array.size)) for y in self.outputs]
                            for x in self.moving]  # fmt: skip
        for j, y in enumerate(self.outputs):
            for column, unit in enumerate(units(y) if y.tracked else ()):
                for i, g in enumerate(self.pull([y], [wrap(unit)])):
                    if g is not None:
                        found[i][j][:, column] = g.array.ravel()
        return found

    def pull(self, ys: Sequence[Any], gs: Sequence[Any]) -> Sequence[Any]:
        from tinygrad_hw import autograd  # which has this module's names

        return autograd.grad(ys, self.moving, gs, retain_graph=True, allow_unused=True)

    def forward(self) -> Jacobians:
        ends = [tape.vertex(y) for y in self.outputs]
        found: Jacobians = []
        for x in self.moving:
            rows = []
            for unit in units(x):
                tangents = tape.push({tape.vertex(x): unit}, ends)
                rows.append([
                    np.zeros(y.array.size) if t is None else np.ravel(t)
                    for t, y in zip(tangents, self.outputs, strict=True)
                ])  # fmt: skip
            found.append(self.by_output(rows))
        return found

    def compare(
        self, mode: str, found: Jacobians, truth: Jacobians, atol: float, rtol: float
    ) -> None:
        for i, x in enumerate(self.moving):
            for j, y in enumerate(self.outputs):
                a, n = found[i][j], truth[i][j]
                close = np.isclose(a, n, rtol=rtol, atol=atol, equal_nan=False) | (a == n)
                if not close.all():
                    raise GradcheckError(mismatch(mode, i, x, j, y, a, n, close))

    def scales_with_cotangent(self, check_grad_dtypes: bool) -> None:
        """A gradient is linear in the cotangent: that of 0 is 0."""
        ys = [y for y in self.outputs if y.tracked]
        grads = self.pull(ys, [wrap(np.zeros_like(y.array)) for y in ys]) if ys else ()
        for x, g in zip(self.moving, grads, strict=False):
            if g is not None and g.array.any():
                raise GradcheckError(
                    "the gradient of a cotangent of zeros is not 0: backward was not multiplied by "
                    "the cotangent (grad_output)."
                )
            if check_grad_dtypes and g is not None and g.array.dtype != x.array.dtype:
                raise GradcheckError(
                    f"a {g.array.dtype.name} gradient for a {x.array.dtype.name} input"
                )


@contextmanager
def moved(x: Any, index: tuple[int, ...], step: float) -> Iterator[None]:
    """One element of a tensor moved, in a copy of its array."""
    array = x.array
    x.array = array.copy()
    x.array[index] += step
    try:
        yield
    finally:
        x.array = array


def units(x: Any) -> Iterator[Array]:
    """The arrays of a tensor's shape that are 1 in one place and 0 elsewhere."""
    for index in np.ndindex(x.array.shape):
        unit = np.zeros_like(x.array)
        unit[index] = 1
        yield unit


def mismatch(
    mode: str, i: int, x: Any, j: int, y: Any, found: Array, truth: Array, close: Array
) -> str:
    """What is wrong, both Jacobians, and the entry where it is worst."""
    off = np.where(close, -1, np.nan_to_num(np.abs(found - truth), nan=np.inf))
    row, column = np.unravel_index(int(np.argmax(off)), off.shape)
    of_input = list(map(int, np.unravel_index(row, x.array.shape)))
    of_output = list(map(int, np.unravel_index(column, y.array.shape)))
    narrow = x.array.dtype != np.float64 or y.array.dtype != np.float64
    return (
        f"Jacobian mismatch{mode} for output {j}, of shape {y.array.shape}, with respect to input "
        f"{i}, of shape {x.array.shape}; a row for each element of the input, a column for each of "
        "the output:\n"
        f"numerical: {wrap(truth)}\n"
        f"analytical: {wrap(found)}\n"
        f"{np.count_nonzero(~close)} of {close.size} entries are wrong; the worst is the "
        f"derivative of output{of_output} by input{of_input}: numerical "
        f"{truth[row, column]:.8g}, analytical {found[row, column]:.8g}.\n"
        + ("These are not float64, whose rounding alone may be the difference.\n" if narrow else "")
        + "th.check.check_derivation finds, shrinks and names mistakes in a derivation."
    )


def gradgradcheck(
    func: Function,
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """Hold the gradients of the gradient of `func` against differences of the gradient.

    Args:
        grad_outputs: the cotangents of the outputs, which are moved too (default: random ones).
        gen_non_contig_grad_outputs: make these not contiguous.
        check_fwd_over_rev, check_rev_over_rev: which modes to check the gradient with.

    The other arguments, and what is raised, are those of `gradcheck`.

    >>> import tinygrad_hw as th
    >>> x = th.tensor([0.5, 2.0], dtype=th.float64, requires_grad=True)
    >>> th.autograd.gradgradcheck(lambda x: x * x.exp(), x)
    True
    """
    from tinygrad_hw import autograd

    args = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    outputs = [y for y in At(func, args, [], eps).outputs if y.tracked]
    if grad_outputs is None:
        cotangents = tuple([random_like(y.array, gen_non_contig_grad_outputs) for y in outputs])
    elif isinstance(grad_outputs, (tuple, list)):
        cotangents = tuple(grad_outputs)
    else:
        cotangents = (grad_outputs,)

    def gradients(*values: Any) -> tuple[Any, ...]:
        xs, gs = values[: len(args)], values[len(args) :]
        ys = [y for y in At(func, xs, [], eps).outputs if y.tracked]
        moving = [x for x in xs if isinstance(x, Traced) and x.tracked]
        found = autograd.grad(ys, moving, gs, create_graph=True, allow_unused=True)
        return tuple([g for g in found if g is not None])

    return gradcheck(
        gradients,
        (*args, *cotangents),
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
        check_grad_dtypes=check_grad_dtypes,
        check_batched_grad=check_batched_grad,
        check_forward_ad=check_fwd_over_rev,
        check_backward_ad=check_rev_over_rev,
    )


def random_like(array: Array, strided: bool) -> Any:
    """A cotangent with entries in (-1, 1), to be moved."""
    shape = (*array.shape, 2) if strided else array.shape
    drawn = np.random.default_rng(0).uniform(-1, 1, shape).astype(array.dtype)
    tensor = wrap(drawn[..., 0] if strided else drawn)
    tensor.requires_grad = True
    return tensor
