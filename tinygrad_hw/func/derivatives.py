"""Gradients, vector-Jacobian and Jacobian-vector products of functions.

A function is called on *followed* arguments: views of new leaves, or of tensors that are recorded
already. Whether the derivative has itself to be recorded is seen from the graph of the value: does
it reach a leaf that somebody else follows, the user or a derivative around this one?
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from tinygrad_hw import autograd
from tinygrad_hw.func.trees import leaves, like, mapped, structure
from tinygrad_hw.tape import Traced, Vertex, grad_mode, nodes_behind, push, raw, vertex, wrap
from tinygrad_hw.tensor import Tensor

Function = Callable[..., Any]
Argnums = int | Sequence[int]


class Followed(Tensor):
    """The leaf behind an argument, which matters to others only while the function runs."""

    __slots__ = ("running",)
    running: bool


class Evaluation:
    """A function's value at arguments of which some are followed, and what it takes to go back
    and forth between the two."""

    def __init__(
        self, f: Function, args: Sequence[Any], argnums: Argnums, has_aux: bool, **kwargs: Any
    ) -> None:
        self.args = list(args)
        self.single = isinstance(argnums, int)
        chosen = positions(argnums, len(args))
        for i in chosen:
            self.args[i] = mapped(followed, self.args[i])
        moving = tuple(self.args[i] for i in chosen)
        self.moving = moving[0] if self.single else moving  # as a tree
        self.inputs: list[Tensor] = leaves(moving)
        recording = grad_mode.enabled
        try:
            with autograd.enable_grad():
                self.value = f(*self.args, **kwargs)
        finally:
            for x in self.inputs:
                for root in x.node.parents if x.node else ():
                    if isinstance(root, Followed):
                        root.running = False
        self.aux = None
        if has_aux:
            if not (isinstance(self.value, tuple) and len(self.value) == 2):
                raise RuntimeError("with has_aux=True the function returns a pair, (value, aux)")
            self.value, self.aux = self.value
        self.outputs = leaves(self.value)
        for y in self.outputs:
            if not isinstance(y, Traced):
                raise RuntimeError(f"the function returned a {type(y).__name__}, not a tensor")
        self.nested = recording and self.reaches_outside()

    def reaches_outside(self) -> bool:
        """Whether the value depends on something that is recorded by others."""
        ends = [vertex(y) for y in self.outputs if y.tracked]
        found = [p for node in nodes_behind(ends) for p in node.parents] + ends
        return any(
            leaf.running if isinstance(leaf, Followed) else isinstance(leaf, Traced)
            for leaf in found
        )

    def result(self, tree: Any) -> Any:
        """What is handed out: without the history that only served the derivative."""
        return tree if self.nested else mapped(plain, tree)

    def pull(self, cotangents: Sequence[Any], retain_graph: bool = True) -> list[Tensor]:
        """The cotangents of the inputs, of those of the outputs."""
        pairs = [(y, g) for y, g in zip(self.outputs, cotangents, strict=True) if y.tracked]
        if not pairs:
            return [wrap(np.zeros_like(x.array)) for x in self.inputs]
        ys, gs = zip(*pairs, strict=True)
        tracked = any(isinstance(g, Traced) and g.tracked for g in gs)
        create_graph = self.nested or (tracked and grad_mode.enabled)
        return list(
            autograd.grad(
                ys,
                self.inputs,
                None if all(g is None for g in gs) else gs,
                retain_graph=retain_graph or create_graph,
                create_graph=create_graph,
                materialize_grads=True,
            )
        )

    def push(self, tangents: Sequence[Any]) -> list[Tensor | None]:
        """The tangents of the outputs, of those of the inputs; None where nothing moves."""
        create_graph = self.nested or any(isinstance(t, Traced) and t.tracked for t in tangents)
        seeds: dict[Vertex, Any] = {}
        for x, t in zip(self.inputs, tangents, strict=True):
            array = np.asarray(raw(t))
            if array.shape != x.shape:
                raise RuntimeError(
                    f"a tangent of shape {array.shape} for a primal of shape {x.array.shape}: they "
                    "have the same shape."
                )
            if not create_graph:
                seeds[vertex(x)] = array.astype(x.dtype, copy=False)
            else:
                tensor: Any = t if isinstance(t, Traced) else wrap(array)
                seeds[vertex(x)] = tensor.to(x.dtype)
        with autograd.set_grad_enabled(create_graph):
            moved = push(seeds, [vertex(y) for y in self.outputs], create_graph=create_graph)
        return [m if m is None or isinstance(m, Tensor) else wrap(m) for m in moved]


def followed(x: Any) -> Tensor:
    """`x` as an input to differentiate: a view of it that is recorded (in its own graph, if it
    has one, so that derivatives nest)."""
    if not isinstance(x, (Traced, np.ndarray, np.generic, float, int)):
        raise ValueError(f"derivatives are of tensors, and this argument is a {type(x).__name__}")
    root: Any = x
    if not (isinstance(x, Traced) and x.tracked and grad_mode.enabled):
        root = object.__new__(Followed)
        root.array, root.node, root.tracked = np.asarray(raw(x)), None, False
        root.gradient = root.hooks = None
        root.running = True
        root.requires_grad = True  # refused to integers
    with autograd.enable_grad():
        found: Tensor = root.reshape(root.shape)
    return found


def plain(x: Any) -> Any:
    return wrap(x.array) if isinstance(x, Traced) else x


def positions(argnums: Argnums, n: int) -> list[int]:
    """Which of `n` arguments are meant, counted from the left."""
    chosen = [argnums] if isinstance(argnums, int) else list(argnums)
    found = [i + n if i < 0 else i for i in chosen]
    if not found or len(set(found)) < len(found) or not all(0 <= i < n for i in found):
        raise RuntimeError(
            f"argnums is the number of an argument, or a tuple of several: {argnums!r} are not "
            f"among the {n} that were given."
        )
    return found


def grad_and_value(func: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """The function that gives the gradient of a scalar function, and its value.

    With `has_aux` the function returns a pair `(value, aux)`, and so does what is returned here:
    `(gradient, (value, aux))`.

    Raises:
        RuntimeError: when called, where the function's value is not a single number.
    """

    def derivative(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        at = Evaluation(func, args, argnums, has_aux, **kwargs)
        if not isinstance(at.value, Traced) or at.value.array.ndim:
            shapes = [y.array.shape for y in at.outputs]
            raise RuntimeError(
                f"grad: the function has to return one number, a tensor of shape (), and returned "
                f"{shapes if len(shapes) > 1 else shapes[0]}: reduce it, as with .sum(), or use "
                "jacrev."
            )
        found = like(at.moving, map(at.result, at.pull([None], retain_graph=False)))
        value = at.result(at.value)
        return found, (value, at.result(at.aux)) if has_aux else value

    return derivative


def grad(func: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """The function that gives the gradient of a scalar function with respect to `argnums`: of the
    structure of that argument, or a tuple for several; with `has_aux`, `(gradient, aux)`.

    >>> import tinygrad_hw as th
    >>> cube = lambda x: x ** 3
    >>> th.func.grad(th.func.grad(cube))(th.tensor(2.0))
    tensor(12.)
    """
    both = grad_and_value(func, argnums, has_aux)

    def derivative(*args: Any, **kwargs: Any) -> Any:
        found, value = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return derivative


def vjp(func: Function, *primals: Any, has_aux: bool = False) -> Any:
    """func(*primals), and the function that pulls a cotangent of it back to each primal (and
    `aux`, of a function that returns `(value, aux)`).

    >>> import tinygrad_hw as th
    >>> y, pullback = th.func.vjp(lambda x: x.square(), th.tensor([1.0, 2.0]))
    >>> pullback(th.tensor([1.0, 10.0]))
    (tensor([ 2., 40.]),)
    """
    at = Evaluation(func, primals, range(len(primals)), has_aux)

    def pullback(cotangents: Any) -> Any:
        return like(at.moving, at.pull(matching(cotangents, at.value, "vjp: a cotangent")))

    value = at.result(at.value)
    return (value, pullback, at.result(at.aux)) if has_aux else (value, pullback)


def jvp(
    func: Function, primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False
) -> Any:
    """func(*primals), and how it moves when the primals move along the tangents (forward mode).

    Args:
        primals, tangents: tuples, of the same structure.
        strict: refuse a function whose value does not depend on the primals, rather than give 0.
        has_aux: the function returns `(value, aux)`, and `aux` is handed on, third.

    >>> import tinygrad_hw as th
    >>> th.func.jvp(th.exp, (th.tensor(0.0),), (th.tensor(2.0),))
    (tensor(1.), tensor(2.))
    """
    for name, given in (("primals", primals), ("tangents", tangents)):
        if not isinstance(given, (tuple, list)):
            raise RuntimeError(f"jvp: {name} is a tuple, one for each argument; write ({name},)")
    at = Evaluation(func, primals, range(len(primals)), has_aux)
    moved = at.push(matching(tuple(tangents), tuple(primals), "jvp: a tangent"))
    if strict and any(m is None for m in moved):
        raise RuntimeError("jvp: with strict=True, the function's value has to depend on primals")
    tangent = like(
        at.value, [still(y) if m is None else m for m, y in zip(moved, at.outputs, strict=True)]
    )
    value, tangent = at.result(at.value), at.result(tangent)
    return (value, tangent, at.result(at.aux)) if has_aux else (value, tangent)


def still(y: Traced) -> Tensor:
    """The tangent of what does not move."""
    return wrap(np.zeros_like(y.array))


def matching(given: Any, tree: Any, what: str) -> list[Any]:
    """The leaves of what is given for a tree, if it has the same structure."""
    if structure(given) != structure(tree):
        raise RuntimeError(
            f"{what} has the structure of what it belongs to, {shown(tree)}, and this is "
            f"{shown(given)}."
        )
    return leaves(given)


def shown(tree: Any) -> str:
    return repr(mapped(lambda leaf: np.shape(raw(leaf)), tree))


def stacked(rows: Iterable[Any], shape: tuple[int, ...]) -> Tensor:
    """Rows as one tensor of `shape`."""
    from tinygrad_hw.rules.shapes import cat

    found = [row.reshape((1, -1)) for row in rows]
    return cat(*found, dim=0).reshape(shape) if found else wrap(np.zeros(shape))
