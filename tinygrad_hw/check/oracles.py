"""What is true: a derivative by several roads, which must agree before a claim is judged.

* reverse mode and forward mode, where the loss is written with our ops;
* the complex step Im f(x + ihv) / h with h = 1e-20, exact to rounding where the loss is analytic
  (Squire & Trapp, SIAM Review 40, 1998);
* central differences, extrapolated to h = 0 with an error estimate (Ridders, Advances in
  Engineering Software 4, 1982), wherever the complex step does not apply.

For a loss that is a plain NumPy function the last two judge alone.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_hw import autograd
from tinygrad_hw.check.inputs import Array, large
from tinygrad_hw.tape import push, vertex, wrap
from tinygrad_hw.tensor import Tensor

STEP = 1e-20
EXPECTED = (TypeError, ValueError, LookupError, RuntimeError, ArithmeticError,
            np.exceptions.ComplexWarning)  # what a function raises that takes no such numbers
COTANGENT = "g"  # what a pullback calls the cotangent of the loss's value

Values = Mapping[str, Any]


@dataclass
class Truth:
    """The derivative for each name at one point, and what is to be known of it."""

    slopes: dict[str, Array]
    errors: dict[str, float]  # of an extrapolated slope
    finite: bool  # the loss is
    kinks: set[str] = field(default_factory=set)  # names in which the loss has a kink here
    conflicts: dict[str, str] = field(default_factory=dict)  # name: which oracles disagree

    def defined(self) -> bool:
        """Whether there is a derivative to compare with."""
        return self.finite and all(np.isfinite(slope).all() for slope in self.slopes.values())


class Oracle:
    """The derivative `of` a loss with respect to the names in `wrt`, at any point."""

    def __init__(self, loss: Callable[..., Any], names: Sequence[str], wrt: Sequence[str], of: str):
        self.loss, self.names, self.wrt, self.of = loss, names, wrt, of
        self.recorded = True  # the loss is written with our ops
        self.analytic = True  # the complex step has agreed with the others so far

    # ------------------------------------------------------------------ the loss, on anything

    def arguments(self, values: Values, dtype: Any, only: str | None) -> dict[str, Any]:
        """The loss's inputs, floats in one dtype; complex ones only for the name that moves."""
        arguments = {}
        for name in self.names:
            x = values[name]
            if isinstance(x, (np.ndarray, np.generic)) or name in self.wrt:
                x = np.array(x)
                if x.dtype.kind in "fc" or name in self.wrt:
                    complex_elsewhere = np.dtype(dtype).kind == "c" and name != only
                    x = x.astype(x.real.dtype if complex_elsewhere else dtype)
            arguments[name] = x
        return arguments

    def record(
        self, values: Values, dtype: Any = np.float64, only: str | None = None
    ) -> tuple[Any, dict[str, Tensor]]:
        """The loss's value as a recorded tensor, and the tensors it is to be differentiated in."""
        arguments = self.arguments(values, dtype, only)
        tensors = {k: wrap(x) if isinstance(x, np.ndarray) else x for k, x in arguments.items()}
        leaves = {name: tensors[name] for name in self.wrt if only in (None, name)}
        for leaf in leaves.values():
            leaf.tracked = True
        with autograd.enable_grad():
            return self.loss(**tensors), leaves

    def value(self, values: Values, dtype: Any = np.float64, only: str | None = None) -> Array:
        """The loss's value; for a pullback, its product with the cotangent."""
        arguments = self.arguments(values, dtype, only)
        if self.recorded:
            tensors = {k: wrap(x) if isinstance(x, np.ndarray) else x for k, x in arguments.items()}
            with autograd.no_grad():
                y = np.asarray(self.loss(**tensors).array)
        else:
            y = np.asarray(self.loss(**arguments))
        return (y * values[COTANGENT]).sum() if self.of == "vjp" else y

    def shape(self, values: Values) -> tuple[int, ...]:
        """The shape of the loss's value."""
        y = self.record(values)[0] if self.recorded else self.loss(
            **self.arguments(values, np.float64, None)
        )
        return tuple(np.shape(y.array if isinstance(y, Tensor) else y))

    def primal(self, values: Values, name: str, dtype: Any = np.float64) -> Array:
        """What is differentiated once: the loss's value, or its gradient where a Hessian is due."""
        if self.of != "hessian":
            return self.value(values, dtype, name)
        if self.recorded:
            y, leaves = self.record(values, dtype, name)
            return pulled(y, [leaves[name]], np.ones(()))[0].array
        columns = [self.step(values, name, v, self.value)[0] for v in units(values[name])]
        return np.reshape(columns, np.shape(values[name]))

    # ---------------------------------------------------------------------------- derivatives

    def derivative(self, values: Values, dtype: Any = np.float64) -> tuple[dict[str, Array], Any]:
        """The derivative for each name, and the error of each where it was extrapolated."""
        if self.recorded:
            return self.reverse(values, dtype), {}
        return self.columns(values, dtype)

    def columns(self, values: Values, dtype: Any) -> tuple[dict[str, Array], dict[str, float]]:
        """The derivative from values alone, coordinate by coordinate."""
        slopes, errors = {}, {}
        for name in self.wrt:
            pairs = [self.numerical(values, name, v, dtype) for v in units(values[name])]
            columns = np.stack([slope for slope, _ in pairs], axis=-1)
            slopes[name] = columns.reshape((*columns.shape[:-1], *np.shape(values[name])))
            errors[name] = max((error for _, error in pairs), default=0.0)
        return slopes, errors

    def reverse(self, values: Values, dtype: Any) -> dict[str, Array]:
        y, leaves = self.record(values, dtype)
        wanted = list(leaves.values())
        if self.of == "hessian":
            rows = {}
            for name, leaf in leaves.items():
                (slope,) = pulled(y, [leaf], np.ones(()), create_graph=True)
                rows[name] = matrix(slope, [leaf])[0]
            return rows
        if self.of == "jacobian":
            return dict(zip(leaves, matrix(y, wanted), strict=True))
        g = values[COTANGENT] if self.of == "vjp" else np.ones(())
        return {k: t.array for k, t in zip(leaves, pulled(y, wanted, g), strict=True)}

    def forward(self, values: Values, name: str, v: Array) -> Array:
        """The derivative along v in forward mode."""
        y, leaves = self.record(values, only=name)
        if self.of == "hessian":
            (y,) = pulled(y, [leaves[name]], np.ones(()), create_graph=True)
        (moved,) = push({vertex(leaves[name]): v}, [vertex(y)])
        moved = np.zeros(y.shape) if moved is None or not y.tracked else np.asarray(moved)
        return (moved * values[COTANGENT]).sum() if self.of == "vjp" else moved

    def numerical(
        self, values: Values, name: str, v: Array, dtype: Any = np.float64
    ) -> tuple[Array, float]:
        """The derivative along v from values alone, and how far it may be off."""
        if self.steps():
            wide = np.result_type(dtype, np.complex64)
            return self.complex_step(values, name, v, wide), 0.0
        return self.differences(values, name, v)

    def steps(self) -> bool:
        """Whether the complex step applies (not to a gradient that it was needed for itself)."""
        return self.analytic and (self.recorded or self.of != "hessian")

    def complex_step(
        self, values: Values, name: str, v: Array, dtype: Any = np.complex128
    ) -> Array:
        with warnings.catch_warnings():
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            moved = self.primal(shifted(values, name, v * (1j * STEP)), name, dtype)
        return np.imag(moved) / STEP

    def step(self, values: Values, name: str, v: Array, f: Any) -> tuple[Array, float]:
        """The derivative of the plain loss itself along v, for the gradient behind a Hessian."""
        if self.analytic:
            moved = f(shifted(values, name, v * (1j * STEP)), np.complex128, name)
            return np.imag(moved) / STEP, 0.0
        reach = 0.05 * room(values[name], v)
        return extrapolated(lambda h: f(shifted(values, name, h * v), np.float64, name), reach)

    def differences(self, values: Values, name: str, v: Array) -> tuple[Array, float]:
        """By central differences from two first steps: where the loss turns within the larger one,
        its table may settle on a chord, and the two disagree."""

        def primal(h: float) -> Array:
            return self.primal(shifted(values, name, h * v), name)

        reach = room(values[name], v)
        far, far_error = extrapolated(primal, 0.05 * reach)
        near, near_error = extrapolated(primal, 1e-4 * reach)
        apart = float(np.max(abs(far - near), initial=0))
        if not apart <= far_error + near_error:
            return near, max(apart, near_error)
        return (far, far_error) if far_error <= near_error else (near, near_error)

    # ------------------------------------------------------------------------------- agreement

    def truth(self, values: Values) -> Truth:
        """The derivative at a point, after the oracles have been held against each other."""
        slopes, errors = self.derivative(values)
        truth = Truth(slopes, errors, bool(np.isfinite(self.value(values)).all()))
        if not truth.defined():
            return truth
        for name in self.wrt:
            v = direction(values[name])
            broad = direction(values[name], 1.0)  # a zero beside tiny entries moves by more
            if self.kinked(values, name, v) or (
                (broad != v).any() and self.kinked(values, name, broad)
            ):
                truth.kinks.add(name)
            elif self.recorded and (conflict := self.conflict(values, name, v, slopes[name])):
                # a kink of one op that another makes up for, as in relu(x) - relu(-x), or worse?
                beside = shifted(values, name, 1e-3 * v)
                if not self.conflict(beside, name, v, self.derivative(beside)[0][name]):
                    truth.kinks.add(name)
                elif not large(values):  # where rounding is large too, none may accuse another
                    truth.conflicts[name] = conflict
            elif not self.recorded and self.steps() and self.misled(values, name, v, slopes[name]):
                errors[name] = np.inf  # the loss in NumPy is too rough here to judge by
        return truth

    def settle(self, points: Sequence[Values]) -> None:
        """Decide, on a few points, whether the complex step follows a loss in NumPy: not where it
        takes abs, a norm, or Python's own floats."""
        try:
            checks = []
            for values in points:
                slopes, _ = self.columns(values, np.float64)
                for name in self.wrt:
                    v = direction(values[name])
                    checks.append(self.misled(values, name, v, slopes[name]))
        except EXPECTED:
            checks = [True]
        self.analytic = sum(checks) <= len(checks) / 2

    def misled(self, values: Values, name: str, v: Array, slope: Array) -> bool:
        """Whether differences contradict a slope along v."""
        expected = np.tensordot(slope, v, v.ndim)
        found, error = self.differences(values, name, v)
        size = np.tensordot(abs(slope), abs(v), v.ndim) + abs(found)
        return not close(found, expected, 1e-6 * size + 1e-11 + error)

    def conflict(self, values: Values, name: str, v: Array, slope: Array) -> str | None:
        """Which oracles disagree with reverse mode along v."""
        expected = np.tensordot(slope, v, v.ndim)
        terms = np.tensordot(abs(slope), abs(v), v.ndim)
        floor = 1e-11 * max(1.0, float(np.max(abs(self.primal(values, name)), initial=0)))
        allowed = 1e-6 * terms + floor
        if not close(self.forward(values, name, v), expected, allowed):
            return "reverse mode and forward mode"
        if self.steps():
            try:
                if close(self.complex_step(values, name, v), expected, allowed):
                    return None
            except EXPECTED:  # a function that takes no complex numbers
                pass
        found, error = self.differences(values, name, v)
        if close(found, expected, allowed + error):
            self.analytic = False  # abs, or another that the complex step cannot follow
            return None
        size = max(float(np.max(a, initial=0)) for a in (terms, abs(found)))
        if not np.isfinite(found).all() or error > 1e-3 * size + floor:
            return None  # too rough a place for differences to accuse anyone
        return "autodiff and central differences"

    def kinked(self, values: Values, name: str, v: Array) -> bool:
        """Whether the slopes ahead and behind differ, however small the step."""

        def moved(h: float) -> Array:
            return self.primal(shifted(values, name, h * v), name)

        here, gap, noise = self.primal(values, name), None, None
        for h in (1e-4, 1e-5, 1e-6, 1e-7, 1e-8):
            ahead, behind = (moved(h) - here) / h, (here - moved(-h)) / h
            difference = abs(ahead - behind)
            bound = 1e-3 * (abs(ahead) + abs(behind))
            if gap is not None:  # curvature shrinks with h, and what rounds grows; a kink stays
                bound = np.where(difference > 2 * gap, np.inf, np.maximum(bound, 0.7 * gap))
            if (difference <= bound).all():
                return False
            if noise is None:  # what rounding alone does
                steps = [abs(moved(t) - here) for t in (1e-13, -1e-13, 3e-13)]
                noise = 8 * np.max([*steps, np.finfo(float).eps * abs(here)], axis=0)
            if (difference <= bound + noise / h).all():
                return False
            gap = difference
        return True

    def one_sided(self, values: Values, name: str) -> tuple[Array, Array]:
        """The least and the greatest one-sided slope in each coordinate, shaped as the claim."""
        here, ends = self.primal(values, name), []
        for v in units(values[name]):
            sides, reach = [], 1e-6 * room(values[name], v)
            for step in (reach, -reach):
                far, near = (
                    (self.primal(shifted(values, name, h * v), name) - here) / h
                    for h in (2 * step, step)
                )
                sides.append(2 * near - far)
            ends.append(sides)
        bounds = np.stack([np.stack(sides) for sides in ends], axis=-1)
        bounds = bounds.reshape(*bounds.shape[:-1], *np.shape(values[name]))
        around = [bounds, *(self.beside(values, name, seed)[None] for seed in range(8))]
        near = np.concatenate([a for a in around if np.isfinite(a).all()])
        return near.min(axis=0), near.max(axis=0)

    def beside(self, values: Values, name: str, seed: int) -> Array:
        """The derivative at a point all but at this one: Clarke's generalized gradient is the hull
        of such, and may be wider than the slopes along the axes (at a median's tie, say)."""
        x = np.asarray(values[name])
        nudge = 1e-7 * sizes(x) * np.random.default_rng(seed).uniform(-1, 1, x.shape)
        return np.asarray(self.derivative(shifted(values, name, nudge))[0][name])


# ------------------------------------------------------------------------------------- helpers


def pulled(y: Any, leaves: Sequence[Tensor], g: Any, create_graph: bool = False) -> list[Tensor]:
    """The cotangents of leaves; zeros for a value that does not depend on them."""
    if not isinstance(y, Tensor) or not y.tracked:
        return [wrap(np.zeros_like(leaf.array)) for leaf in leaves]
    cotangent = wrap(np.broadcast_to(np.asarray(g, y.dtype), y.shape))
    found = autograd.grad(
        y, leaves, cotangent, retain_graph=True, create_graph=create_graph, materialize_grads=True
    )
    return list(found)


def matrix(y: Any, leaves: Sequence[Tensor]) -> list[Array]:
    """The Jacobian for each leaf, row by row in reverse mode."""
    eye = np.eye(y.array.size).reshape(-1, *y.shape)
    rows = [pulled(y, leaves, unit) for unit in eye]
    return [
        np.array([row[i].array for row in rows]).reshape((*y.shape, *leaf.shape))
        for i, leaf in enumerate(leaves)
    ]


def shifted(values: Values, name: str, step: Array) -> dict[str, Any]:
    """The values, those of one name moved."""
    return {**values, name: values[name] + step}


def units(x: Any) -> Array:
    """The unit vectors of x's shape."""
    return np.eye(np.size(x)).reshape(-1, *np.shape(x))


def sizes(x: Any, least: float = 0.0) -> Array:
    """The size of each entry, and for those that are 0 the array's (or `least`): a step much
    smaller than that crosses no kink that x has not reached."""
    size = np.max(abs(np.asarray(x)), initial=least) or 1.0
    return np.where(np.asarray(x) == 0, size, abs(np.asarray(x)))


def room(x: Any, v: Array) -> float:
    """How far to go along v until some entry has moved by its own size."""
    moving = v != 0
    return float(np.min(sizes(x)[moving] / abs(v[moving]), initial=1e6))


def direction(x: Any, least: float = 0.0) -> Array:
    """A direction without zeros and without pattern, relative to the entries of x."""
    v = np.random.default_rng(np.size(x)).uniform(0.3, 1, np.shape(x))
    signs = np.where(np.arange(np.size(x)) % 2, -1, 1).reshape(np.shape(x))
    return np.asarray(v * signs * sizes(x, least))


def close(found: Array, expected: Array, allowed: Array) -> bool:
    return bool((abs(found - expected) <= allowed).all())


def extrapolated(f: Callable[[float], Array], first: float) -> tuple[Array, float]:
    """f'(0) by central differences, and a bound on its error: Ridders' table, which stops where
    rounding takes over."""
    best, error = np.asarray(np.nan), np.inf
    previous: list[Array] = []
    with np.errstate(all="ignore"):
        for k in range(10):
            h = first / 2**k
            ahead, behind = f(h), f(-h)
            row = [(ahead - behind) / (2 * h)]
            noise = np.finfo(float).eps * float(np.max(abs(ahead), initial=0)) / h
            for j, coarse in enumerate(previous):
                row.append(row[-1] + (row[-1] - coarse) / (4.0 ** (j + 1) - 1))
                gaps = abs(row[-1] - row[-2]), abs(row[-1] - coarse)
                off = max(float(np.max(gap, initial=0)) for gap in gaps)
                if off + noise <= error:
                    best, error = row[-1], off + noise
            if previous and np.max(abs(row[-1] - previous[-1]), initial=0) > 2 * error:
                break
            previous = row
    return best, 10 * error + 1e-11 * float(np.max(abs(best), initial=0))
