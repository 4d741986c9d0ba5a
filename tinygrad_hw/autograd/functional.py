"""Derivatives of functions at given inputs, as in `torch.autograd.functional`.

Each takes a function and its inputs, a tensor or a tuple of them, and gives numbers; `th.func` has
the same as functions of functions. With `create_graph` what is returned can itself be
differentiated. With `strict` a derivative that is 0 because something does not depend on an input
is refused with a RuntimeError.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_hw import autograd
from tinygrad_hw.tape import Traced, push, raw, vertex, wrap

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]

Function = Callable[..., Any]


class Point:
    """A function's outputs at inputs that are followed, and its derivatives there."""

    def __init__(
        self, name: str, func: Function, inputs: Any, create_graph: bool, strict: bool
    ) -> None:
        self.name, self.create_graph, self.strict = name, create_graph, strict
        self.one_input = not isinstance(inputs, tuple)
        self.inputs = [self.followed(x) for x in self.tensors("inputs", inputs)]
        with autograd.enable_grad():
            value = func(*self.inputs)
        self.one_output = not isinstance(value, tuple)
        self.outputs = self.tensors("outputs of the function", value)
        self.depend(self.outputs, "output {} of the function does not depend on the inputs")

    def tensors(self, what: str, given: Any) -> list[Any]:
        found = list(given) if isinstance(given, tuple) else [given]
        for x in found:
            if not isinstance(x, Traced):
                raise TypeError(
                    f"{self.name}: the {what} are a tensor or a tuple of tensors; one of them is a "
                    f"{type(x).__name__}"
                )
        return found

    def followed(self, x: Any) -> Any:
        """An input to differentiate: in the graph of `x` itself, or apart from it."""
        if not (self.create_graph and x.tracked):
            return x.detach().requires_grad_()
        with autograd.enable_grad():
            return x.reshape(x.shape)

    def depend(self, values: Sequence[Any], sentence: str) -> None:
        for i, x in enumerate(values):
            if self.strict and (x is None or not x.tracked):
                raise RuntimeError(
                    f"{self.name}: {sentence.format(i)}. With strict=False that derivative is 0."
                )

    def number(self) -> None:
        """Refuse a function that returns anything but one number."""
        if not self.one_output or self.outputs[0].array.size != 1:
            shapes = ", ".join(str(y.array.shape) for y in self.outputs)
            raise RuntimeError(f"{self.name}: the function returns one number, and not {shapes}")

    def vector(self, v: Any, what: str, like: Sequence[Any]) -> list[Any]:
        """The vector `v` that belongs to some tensors; left out, it is 1 for one number."""
        if v is None:
            if len(like) != 1 or like[0].array.size != 1:
                raise RuntimeError(
                    f"{self.name}: v may be left out only where the {what} are one number; it has "
                    "their shape."
                )
            return [wrap(np.ones_like(like[0].array))]
        found = self.tensors("vectors v", v)
        if [x.shape for x in found] != [x.shape for x in like]:
            shapes = ", ".join(str(x.array.shape) for x in found)
            wanted = ", ".join(str(x.array.shape) for x in like)
            raise RuntimeError(
                f"{self.name}: v is {shapes}, and has the shape of its {what}: {wanted}"
            )
        return found if self.create_graph else [x.detach() for x in found]

    def pull(self, ys: Sequence[Any], vs: Sequence[Any], create_graph: bool) -> list[Any]:
        """Cotangents of the inputs, of those of what was computed from them."""
        pairs = [(y, v) for y, v in zip(ys, vs, strict=True) if y.tracked]
        found: Sequence[Any] = [None] * len(self.inputs)
        if pairs:
            found = autograd.grad(
                [y for y, _ in pairs],
                self.inputs,
                [v for _, v in pairs],
                retain_graph=True,
                create_graph=create_graph,
                allow_unused=True,
            )
        return self.filled(found, self.inputs, "the function does not depend on input {}")

    def push(self, ys: Sequence[Any], vs: Sequence[Any]) -> list[Any]:
        """Tangents of what was computed from the inputs, of those of the inputs."""
        seeds = {
            vertex(x): v if self.create_graph else raw(v)
            for x, v in zip(self.inputs, vs, strict=True)
        }
        with autograd.set_grad_enabled(self.create_graph):
            found = push(seeds, [vertex(y) for y in ys], create_graph=self.create_graph)
        moved = [t if t is None or isinstance(t, Traced) else wrap(t) for t in found]
        return self.filled(moved, ys, "number {} of what is to move does not depend on the inputs")

    def filled(self, found: Sequence[Any], like: Sequence[Any], sentence: str) -> list[Any]:
        for i, x in enumerate(found):
            if self.strict and x is None:
                self.depend(found[: i + 1], sentence)
        return [
            wrap(np.zeros_like(z.array)) if x is None else x
            for x, z in zip(found, like, strict=True)
        ]

    def rows(self, y: Any, create_graph: bool) -> list[Any]:
        """The Jacobian of one tensor: for each input a block."""
        from tinygrad_hw.func.derivatives import stacked
        from tinygrad_hw.func.matrices import units

        rows = [self.pull([y], [wrap(unit)], create_graph) for unit in units(y)]
        columns: Any = zip(*rows, strict=True) if rows else [[] for _ in self.inputs]
        with autograd.set_grad_enabled(create_graph):
            return [
                stacked(column, (*y.shape, *x.shape))
                for column, x in zip(columns, self.inputs, strict=True)
            ]

    def columns(self) -> list[list[Any]]:
        """The Jacobian in forward mode: for each output, for each input, a block."""
        from tinygrad_hw.func.derivatives import stacked
        from tinygrad_hw.func.matrices import units

        blocks: list[list[Any]] = [[] for _ in self.outputs]
        for k, x in enumerate(self.inputs):
            moved = []
            for unit in units(x):
                vs = [wrap(np.zeros_like(other.array)) for other in self.inputs]
                vs[k] = wrap(unit)
                moved.append(self.push(self.outputs, vs))
            for j, y in enumerate(self.outputs):
                block = stacked([m[j] for m in moved], (x.array.size, y.array.size))
                blocks[j].append(block.t().reshape((*y.shape, *x.shape)))
        return blocks

    def tidy(self, found: Sequence[Any], one: bool) -> Any:
        """What is returned: one tensor or a tuple, with a history only where it was asked for."""
        kept = tuple(found if self.create_graph else [x.detach() for x in found])
        return kept[0] if one else kept

    def table(self, blocks: Sequence[Sequence[Any]], one_row: bool) -> Any:
        found = tuple(self.tidy(row, self.one_input) for row in blocks)
        return found[0] if one_row else found


def vjp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """func(*inputs), and `v`, of the shape of that, times its Jacobian.

    >>> import tinygrad_hw as th
    >>> th.autograd.functional.vjp(lambda x: x.square(), th.tensor([1.0, 2.0]), th.ones(2))
    (tensor([1., 4.]), tensor([2., 4.]))
    """
    at = Point("vjp", func, inputs, create_graph, strict)
    found = at.pull(at.outputs, at.vector(v, "outputs", at.outputs), create_graph)
    if create_graph:
        at.depend(found, "the derivative with respect to input {} is constant")
    return at.tidy(at.outputs, at.one_output), at.tidy(found, at.one_input)


def jvp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """func(*inputs), and its Jacobian times `v`, of the shape of the inputs.

    >>> import tinygrad_hw as th
    >>> th.autograd.functional.jvp(lambda x: x.sum(), th.ones(2), th.tensor([1.0, 2.0]))
    (tensor(2.), tensor(3.))
    """
    at = Point("jvp", func, inputs, create_graph, strict)
    found = at.push(at.outputs, at.vector(v, "inputs", at.inputs))
    if strict:  # every input has to matter too, which only the way back tells
        at.pull(at.outputs, [wrap(np.ones_like(y.array)) for y in at.outputs], create_graph=False)
    if create_graph:
        at.depend(found, "the derivative of output {} is constant")
    return at.tidy(at.outputs, at.one_output), at.tidy(found, at.one_output)


def jacobian(
    func: Function,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """All partial derivatives of `func` at the inputs: a block for each output and input, of the
    output's shape followed by the input's, in tuples where those were tuples.

    Args:
        vectorize: accepted; one row is computed at a time.
        strategy: "reverse-mode", row by row, or "forward-mode", column by column.

    >>> import tinygrad_hw as th
    >>> th.autograd.functional.jacobian(lambda x: x.square(), th.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if strategy not in ("reverse-mode", "forward-mode"):
        raise ValueError(
            f"jacobian: strategy is 'reverse-mode' or 'forward-mode', not {strategy!r}"
        )
    refuse_strict("jacobian", strict, vectorize, strategy)
    at = Point("jacobian", func, inputs, create_graph, strict)
    if strategy == "forward-mode":
        return at.table(at.columns(), at.one_output)
    blocks = [at.rows(y, create_graph) for y in at.outputs]
    for row in blocks if create_graph else ():
        at.depend(row, "the derivative with respect to input {} is constant")
    return at.table(blocks, at.one_output)


def refuse_strict(name: str, strict: bool, vectorize: bool, strategy: str) -> None:
    if strict and (vectorize or strategy == "forward-mode"):
        option = "vectorize=True" if vectorize else "forward mode"
        raise RuntimeError(f"{name}: strict=True goes with reverse mode only, without {option}")


def hessian(
    func: Function,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """All second derivatives of a scalar function at the inputs: a block for each pair of them, of
    the two shapes one after the other.

    >>> import tinygrad_hw as th
    >>> th.autograd.functional.hessian(lambda x: (x**3).sum(), th.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    if outer_jacobian_strategy not in ("reverse-mode", "forward-mode"):
        raise ValueError(
            "hessian: outer_jacobian_strategy is 'reverse-mode' or 'forward-mode', not "
            f"{outer_jacobian_strategy!r}"
        )
    refuse_strict("hessian", strict, vectorize, outer_jacobian_strategy)
    at, slopes = slopes_at("hessian", func, inputs, create_graph, strict)
    if outer_jacobian_strategy == "forward-mode":
        at.outputs = slopes
        return at.table(at.columns(), at.one_input)
    return at.table([at.rows(slope, create_graph) for slope in slopes], at.one_input)


def slopes_at(
    name: str, func: Function, inputs: Any, create_graph: bool, strict: bool
) -> tuple[Point, list[Any]]:
    """A scalar function at the inputs, and its gradient, recorded."""
    at = Point(name, func, inputs, create_graph, strict)
    at.number()
    slopes = at.pull(at.outputs, [wrap(np.ones_like(at.outputs[0].array))], create_graph=True)
    at.depend(slopes, "the gradient with respect to input {} is constant")
    return at, slopes


def vhp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """func(*inputs), a number, and `v`, of the shape of the inputs, times its Hessian: reverse
    mode twice."""
    at, slopes = slopes_at("vhp", func, inputs, create_graph, strict)
    found = at.pull(slopes, at.vector(v, "inputs", at.inputs), create_graph)
    return at.tidy(at.outputs, at.one_output), at.tidy(found, at.one_input)


def hvp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """func(*inputs), a number, and its Hessian times `v`, of the shape of the inputs: forward mode
    over reverse.

    >>> import tinygrad_hw as th
    >>> th.autograd.functional.hvp(lambda x: (x**3).sum(), th.tensor([1.0, 2.0]), th.ones(2))
    (tensor(9.), tensor([ 6., 12.]))
    """
    at, slopes = slopes_at("hvp", func, inputs, create_graph, strict)
    found = at.push(slopes, at.vector(v, "inputs", at.inputs))
    return at.tidy(at.outputs, at.one_output), at.tidy(found, at.one_input)
