"""`Op`: handed arrays it *is* its NumPy function; handed a tensor, it also records.

A rule is one function for each input, `rule(g, y, *inputs, **static)`: given the cotangent `g` of
the output `y`, the cotangent of that input. Rules are written with operators and other ops, so the
same rule runs at NumPy speed on arrays and records itself on tensors, which is what makes every
derivative of every order exact. A rule that does not look at its output calls it `_`.

The engine, never a rule, sums over broadcast axes, casts to the input's dtype, and skips inputs
that nobody differentiates. An op's *kind* gives forward mode without a second table:

* `elementwise`: the Jacobian is diagonal, so the rule applied to the tangent is the answer;
* `linear`, in one input at a time: the op itself applied to the tangent is the answer;
* anything else: the pullback, which is linear in `g`, is itself pulled back.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_hw.dtypes import Default, promoted
from tinygrad_hw.tape import Traced, Value, Vertex, fit, grad_mode, pull, recorded, vertex, wrap

if TYPE_CHECKING:  # what an op returns to people; to a rule it may be a bare array
    from tinygrad_hw.tensor import Tensor

Rule = Callable[..., Any]
FLOAT16, FLOAT32, FLOAT64 = (np.dtype(t) for t in (np.float16, np.float32, np.float64))
INT8 = np.dtype(np.int8)
NO_STATIC: dict[str, Any] = {}  # of a call without metadata
REFUSALS = ValueError, TypeError, IndexError, OverflowError  # which NumPy raises
FOREIGN = frozenset({list, tuple, str, complex})  # which NumPy takes beside an array

by_ufunc: dict[np.ufunc, Callable[..., Any]] = {}  # np.exp(tensor) finds its op here


class LinAlgError(RuntimeError):
    """A matrix that is singular, or not positive definite, where it may not be."""


class Op:
    """A NumPy function with one derivative rule for each input (None: not differentiable)."""

    __slots__ = ("forward", "kind", "name", "promotes", "rules", "uses_output")

    def __init__(
        self,
        forward: Callable[..., Any],
        *rules: Rule | None,
        kind: str = "general",
        name: str = "",
        promotes: bool = False,
    ) -> None:
        self.forward = forward
        self.promotes = promotes  # whether inputs of different dtypes meet in a common one
        self.rules: Sequence[Rule | None] = rules
        self.kind = kind
        self.name = name or forward.__name__
        self.uses_output = any(r and r.__code__.co_varnames[1] != "_" for r in rules)
        if isinstance(forward, np.ufunc):
            by_ufunc[forward] = self

    def __repr__(self) -> str:
        return f"<Op {self.name}>"

    def __call__(self, *inputs: Any, **static: Any) -> Tensor:
        for x in inputs:
            if isinstance(x, Traced):
                break
        else:
            return self.forward(*inputs, **static)  # type: ignore[no-any-return]
        arrays, parents = [], []
        dtype = None
        recording = foreign = mixed = False
        for x in inputs:
            parent = None
            if isinstance(x, Traced):
                if x.tracked:
                    recording = True
                    parent = x.node or x
                x = x.array
                if x.dtype is not dtype:
                    mixed, dtype = dtype is not None, x.dtype
            elif type(x) in FOREIGN:
                foreign = True
            arrays.append(x)
            parents.append(parent)
        if foreign:
            raise refused(self, arrays)
        met = promoted(arrays) if mixed and self.promotes else arrays
        try:
            out = self.forward(*met, **static)
        except REFUSALS as error:
            raise explained(self, error, arrays, static) from error
        if out.dtype is not FLOAT32:
            out = closed(self, out, met, static)
        if type(out) is not np.ndarray:
            out = np.asarray(out)
        if recording and self.rules and grad_mode.enabled:
            return recorded(self, tuple(arrays), static, out, tuple(parents))
        return wrap(out)

    def jvp(
        self, tangents: Sequence[Value], y: Value, inputs: Sequence[Any], static: dict[str, Any]
    ) -> Value:
        """The tangent of `y`, given one for each input (None where an input does not move)."""
        total: Any = None
        for i, (t, rule) in enumerate(zip(tangents, self.rules, strict=False)):
            if t is None or rule is None:
                continue
            if self.kind == "elementwise":
                moved = rule(t, y, *inputs, **static)
            elif self.kind == "linear":
                moved = self(*inputs[:i], t, *inputs[i + 1 :], **static)
            else:
                moved = transposed(rule, t, y, inputs, static)
            total = moved if total is None else total + moved
        if total is None:
            total = np.zeros(y.shape, y.dtype)
        elif total.shape != y.shape:  # an input that was broadcast moves every copy
            total = total + np.zeros(y.shape, y.dtype)
        return fit(total, y)


general = Op.__call__  # whoever watches exchanges the attribute


def transposed(rule: Rule, t: Value, y: Value, inputs: Sequence[Any], static: Any) -> Value:
    """Apply a Jacobian to `t` when only its transpose, the rule, is at hand."""
    g = wrap(np.zeros(y.shape, y.dtype))
    g.tracked = True
    mode, grad_mode.enabled = grad_mode.enabled, True
    try:
        back = rule(g, y, *inputs, **static)
        if t.shape != back.shape:
            t = t + np.zeros(back.shape, t.dtype)
        seeds: dict[Vertex, Value] = {vertex(back): t}
        create_graph = isinstance(t, Traced) or isinstance(y, Traced)
        found, _ = pull(seeds, {g}, create_graph=create_graph, retain_graph=create_graph)
    finally:
        grad_mode.enabled = mode
    return found[g]


class Unary(Op):
    """An elementwise op of one input. Its calls are small and many, so that the usual one, of a
    tensor without metadata, is spelled out here."""

    __slots__ = ()

    def __call__(self, x: Any, **static: Any) -> Tensor:
        if not isinstance(x, Traced):
            return self.forward(x, **static)  # type: ignore[no-any-return]
        if static:
            return general(self, x, **static)
        array = x.array
        try:
            out = self.forward(array)
        except REFUSALS as error:
            raise explained(self, error, (array,), static) from error
        if out.dtype is not array.dtype:
            out = closed(self, out, (array,), static)
        if type(out) is not np.ndarray:
            out = np.asarray(out)
        if x.tracked and grad_mode.enabled:
            return recorded(self, (array,), static, out, (x.node or x,))
        return wrap(out)


class Binary(Op):
    """An elementwise op of two inputs, the usual call spelled out as `Unary`'s: a tensor, and
    another of its dtype or a number. All others go the general way."""

    __slots__ = ()

    def __call__(self, a: Any, b: Any) -> Tensor:
        if not isinstance(a, Traced):
            return general(self, a, b) if isinstance(b, Traced) else self.forward(a, b)
        x, y, parent, other = a.array, b, None, None
        dtype = x.dtype
        if isinstance(b, Traced):
            y = b.array
            if y.dtype is not dtype:
                return general(self, a, b)
            if b.tracked:
                other = b.node or b
        elif type(b) is not float and type(b) is not int:
            return general(self, a, b)
        try:
            out = self.forward(x, y)
        except REFUSALS as error:
            raise explained(self, error, (x, y), {}) from error
        if out.dtype is not dtype:
            out = closed(self, out, (x, y), {})
        if type(out) is not np.ndarray:
            out = np.asarray(out)
        if a.tracked:
            parent = a.node or a
        elif other is None:
            return wrap(out)
        if grad_mode.enabled:
            return recorded(self, (x, y), NO_STATIC, out, (parent, other))
        return wrap(out)


def elementwise(forward: Callable[..., Any], *rules: Rule | None, name: str = "") -> Op:
    """An op whose Jacobian is diagonal in each input."""
    kind: type[Op] = {1: Unary, 2: Binary}.get(len(rules), Op)
    return kind(forward, *rules, kind="elementwise", name=name, promotes=len(rules) == 2)


def comparison(forward: Callable[..., Any], name: str = "") -> Op:
    """An op of two inputs whose result is constant: nothing flows back through it."""
    return Op(forward, name=name, promotes=True)


def linear(forward: Callable[..., Any], *rules: Rule | None, name: str = "") -> Op:
    """An op that is linear in each input by itself (a + b is not: it is linear in both jointly)."""
    return Op(forward, *rules, kind="linear", name=name)


def variadic(forward: Callable[..., Any], rule: Callable[..., Any], name: str = "") -> Op:
    """An op of any number of inputs with one rule, which is told the input's number first."""
    op = Op(forward, name=name, promotes=True)
    op.rules = EachInput(rule)
    return op


class EachInput(Sequence[Rule]):
    """`rule(i, g, y, *inputs, **static)` seen as one rule for each input."""

    def __init__(self, rule: Callable[..., Any]) -> None:
        self.rule = rule

    def __len__(self) -> int:
        return sys.maxsize

    def __getitem__(self, i: Any) -> Any:
        return functools.partial(self.rule, i)


def refused(op: Op, arrays: Sequence[Any]) -> TypeError:
    given = ", ".join(type(a).__name__ for a in arrays)
    return TypeError(
        f"{op.name} takes tensors, arrays and numbers, not ({given}): th.tensor(x) makes a tensor "
        "of lists of numbers."
    )


def closed(op: Op, out: Any, arrays: Sequence[Any], static: dict[str, Any]) -> Any:
    """Keep float64 out of results that no float64 went into. As in PyTorch, integers join floats
    the default dtype, and neither a scalar nor a 0-d float64 promotes a float32 array."""
    if out.dtype.kind not in "fiubc":
        raise refused(op, arrays)
    if "dtype" in static or (out.dtype.kind != "f" and out.dtype != INT8):
        return out
    inputs = [a for a in arrays if isinstance(a, np.ndarray)]
    if out.dtype == INT8:  # of booleans, for NumPy the least of the integers
        wide = [a.astype(np.int64) if isinstance(a, np.ndarray) else a for a in arrays]
        return out if any(a.dtype == INT8 for a in inputs) else op.forward(*wide, **static)
    if out.dtype == FLOAT16 and all(a.dtype.kind != "f" for a in inputs):  # from 8 bits
        wide = [a.astype(Default.dtype) if isinstance(a, np.ndarray) else a for a in arrays]
        return op.forward(*wide, **static)
    if out.dtype == FLOAT64:
        deciding = [a for a in inputs if a.ndim and a.dtype.kind == "f"] or inputs
        if inputs and all(a.dtype != FLOAT64 for a in deciding):
            floats = [a.dtype for a in deciding if a.dtype.kind == "f"]
            return out.astype(floats[0] if floats else Default.dtype)
    return out


def explained(op: Op, error: Exception, arrays: Sequence[Any], static: dict[str, Any]) -> Exception:
    """NumPy's refusal, as PyTorch's exception type, with what was given and what to do."""
    given = ", ".join(
        f"{a.dtype.name} {a.shape}" if isinstance(a, np.ndarray) else repr(a) for a in arrays
    )
    options = "".join(f", {k}={v!r}" for k, v in static.items() if not isinstance(v, np.ndarray))
    kind = next((k for k in (IndexError, TypeError) if isinstance(error, k)), RuntimeError)
    if isinstance(error, np.linalg.LinAlgError):
        kind = LinAlgError
    elif "ufunc" in str(error) or "numpy boolean" in str(error):  # of dtypes, not of Python's types
        kind = RuntimeError
    hint = ""
    shapes = [a.shape for a in arrays if isinstance(a, np.ndarray)]
    if "broadcast" in str(error) and len(shapes) > 1:
        hint = (
            " Shapes are compared from the right; each pair of sizes must be equal or have a 1. "
            "Add an axis with unsqueeze(dim), or reorder with transpose or reshape."
        )
    reason = f"{error}."
    if "gufunc" in reason and len(shapes) == 2 and all(shapes):  # or NumPy's own signatures show
        rows = -1 if len(shapes[1]) == 1 else -2
        reason = (
            f"the last size of the first, {shapes[0][-1]}, has to be the size of axis {rows} of "
            f"the second, {shapes[1][rows]}. Transpose one of them, or reshape it."
        )
    return kind(f"{op.name}({given}{options}): {reason}{hint}")
