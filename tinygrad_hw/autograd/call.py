"""What the tape holds of one application of a `Function`.

It is a node like any other, whose op is a `Call`: its rules, one for each input, share a single
call of the user's `backward` (see `joint.py`). Where `forward` returns several tensors, the node
makes all of them at once, as an array of arrays, and each is a `Part` of that; on the way back the
parts gather their cotangents in an array of the same kind, where 0 stands for what did not arrive.

The node keeps the arrays that were saved, and of all others only shape and dtype.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_hw.autograd.joint import Joint
from tinygrad_hw.op import Op, variadic
from tinygrad_hw.tape import (
    Array,
    Node,
    Traced,
    Vertex,
    fit,
    grad_mode,
    pull,
    raw,
    recorded,
    vertex,
    wrap,
)


def position(x: Any, values: Sequence[Any]) -> int | None:
    return next((i for i, v in enumerate(values) if v is x), None)


def among(x: Any, values: Sequence[Any]) -> bool:
    return isinstance(x, Traced) and position(x, values) is not None


def hollow(x: Any) -> Any:
    """An array of the shape and dtype of a tensor or array that holds no memory; else None."""
    x = raw(x)
    return np.broadcast_to(np.zeros((), x.dtype), x.shape) if isinstance(x, np.ndarray) else None


def array_of(items: Sequence[Any]) -> Array:
    """An array whose elements are arrays, whatever their shapes."""
    array = np.empty(len(items), object)
    for i, item in enumerate(items):
        array[i] = item
    return array


def placed(g: Any, k: int, n: int) -> Array:
    """The cotangent of an array of `n` arrays, of its part `k`."""
    array = np.zeros(n, object)
    array[k] = g
    return array


class Part(Op):
    """One of the outputs of a `Call` that makes several."""

    __slots__ = ("grad_fn_name",)

    def __init__(self, grad_fn_name: str) -> None:
        super().__init__(
            lambda xs, *, k: xs[k],
            lambda g, _, xs, k: placed(g, k, xs.shape[0]),
            kind="linear",
            name="part",
        )
        self.grad_fn_name = grad_fn_name


class Call:
    """One application of a `Function`, seen from the tape as an op."""

    kind = "general"
    uses_output = False  # an output that backward needs is saved like anything else

    def __init__(self, function: Any, ctx: Any, args: Sequence[Any], outputs: Sequence[Any]):
        self.function, self.ctx = function, ctx
        self.name = function.__name__
        self.grad_fn_name = f"{self.name}Backward"
        self.takes_tensor = [isinstance(a, Traced) for a in args]
        self.parents = ctx.parents = tuple(
            [vertex(a) if isinstance(a, Traced) and a.tracked else None for a in args]
        )
        self.outputs = [hollow(o) if isinstance(o, Traced) else None for o in outputs]
        self.node: weakref.ref[Node] | None = None
        self.parts: dict[int, weakref.ref[Node]] = {}
        self.saved: list[tuple[int | None, int | None]] = []  # place in node.arrays; which output
        self.arrays = [hollow(a) if isinstance(a, Traced) else None for a in args]
        for t in ctx.to_save:
            place = position(t, args) if t is not None else None
            if place is not None:
                self.arrays[place] = t.array
            elif t is not None:
                place = len(self.arrays)
                self.arrays.append(t.array)
            self.saved.append((place, position(t, outputs) if t is not None else None))
        ctx.to_save = ()

    @property
    def rules(self) -> Sequence[Any]:
        return Joint(self.together)

    def together(self, g: Any, y: Any, inputs: Sequence[Any], static: Any) -> tuple[Any, ...]:
        """The user's backward: the gradients of all arguments."""
        ctx, function = self.ctx, self.function
        arrived = [g] if len(self.outputs) == 1 else list(g)
        cotangents = [
            self.cotangent(c, like) for c, like in zip(arrived, self.outputs, strict=True)
        ]
        ctx.saved = tuple([self.tied(place, k, inputs) for place, k in self.saved])
        try:
            own = function.backward if defines(function, "backward") else function.vjp
            found = own(ctx, *cotangents)
        finally:
            ctx.saved = None
        grads = self.checked(found if isinstance(found, tuple) else (found,))
        as_tensors = any(isinstance(c, Traced) for c in arrived)
        # A view is never taken for memory that nobody else holds, which these may not be.
        return tuple([r if r is None or as_tensors else r.array.view() for r in grads])

    def cotangent(self, arrived: Any, like: Array | None) -> Any:
        if like is None:
            return None
        if isinstance(arrived, int):  # 0: none came
            zeros = self.ctx.materialize_grads
            return wrap(np.zeros(like.shape, like.dtype)) if zeros else None
        return arrived if isinstance(arrived, Traced) else wrap(np.asarray(arrived))

    def tied(self, place: int | None, k: int | None, inputs: Sequence[Any]) -> Any:
        """A saved tensor with its history: that of the argument or the output that it is."""
        if place is None:
            return None
        x = inputs[place]
        if isinstance(x, Traced):
            return x
        parent = self.parents[place] if place < len(self.parents) else None
        if isinstance(parent, Node):
            return wrap(x, parent)
        if parent is None:
            return wrap(x) if k is None else wrap(x, self.part(k))
        if parent.array is not x:
            raise RuntimeError(
                f"{self.name}: the data of a saved argument of shape {x.shape} was replaced "
                "(x.data = ...) after forward ran. Call backward() before that."
            )
        return parent

    def part(self, k: int) -> Node | None:
        """The node that made output `k`; one like it, where the output was thrown away."""
        if k not in self.parts:
            return None
        part, node = self.parts[k](), self.node and self.node()
        if part is None and isinstance(node, Node):
            shape: Any = self.outputs[k]
            part = recorded(Part(self.grad_fn_name), (node.out,), {"k": k}, shape, (node,)).node
        return part

    def checked(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        """What backward returned, where it is one gradient for each argument, of its shape."""
        n = len(self.takes_tensor)
        if all(r is None for r in grads[n:]):
            grads = grads[:n]
        if len(grads) != n:
            raise RuntimeError(
                f"{self.name}.backward returned {len(grads)} gradients for the {n} arguments of "
                "forward: return one for each, in their order, None for what is no tensor."
            )
        for i, r in enumerate(grads):
            if r is None:
                continue
            if not self.takes_tensor[i]:
                raise RuntimeError(
                    f"{self.name}.backward returned a gradient for argument {i} of forward, which "
                    "was not a tensor: return None in its place."
                )
            if not isinstance(r, Traced):
                raise RuntimeError(
                    f"{self.name}.backward returned a {type(r).__name__} for argument {i}: return "
                    "a tensor or None for each argument, several as a tuple."
                )
            like: Any = self.arrays[i]
            if self.parents[i] is not None and not expands(like.shape, r.array.shape):
                raise RuntimeError(
                    f"{self.name}.backward returned a gradient of shape {r.array.shape} for "
                    f"argument {i} of shape {like.shape}: a gradient has the shape of its argument."
                )
        return grads

    def jvp(self, tangents: Sequence[Any], y: Any, inputs: Sequence[Any], static: Any) -> Any:
        """The tangent of the output, by the user's jvp or through its backward, which is linear in
        the cotangents, and so the transpose of what is wanted."""
        create_graph = any(isinstance(t, Traced) for t in tangents) or isinstance(y, Traced)
        if defines(self.function, "jvp"):
            given = [None if t is None else t if create_graph else wrap(t) for t in tangents]
            moved = self.function.jvp(self.ctx, *given[: len(self.takes_tensor)])
            found = list(moved) if isinstance(moved, tuple) else [moved]
        else:
            found = self.transposed(tangents, y, inputs, create_graph)
        for k, (t, like) in enumerate(zip(found, self.outputs, strict=True)):
            zeros = t is None and like is not None
            found[k] = wrap(np.zeros(like.shape, like.dtype)) if zeros and like is not None else t
            if not create_graph and isinstance(found[k], Traced):
                found[k] = found[k].array
        return found[0] if len(found) == 1 else array_of(found)

    def transposed(
        self, tangents: Sequence[Any], y: Any, inputs: Sequence[Any], create_graph: bool
    ) -> list[Any]:
        leaves = [None if o is None else wrap(np.zeros(o.shape, o.dtype)) for o in self.outputs]
        for leaf in leaves:
            if leaf is not None:
                leaf.tracked = True
        mode, grad_mode.enabled = grad_mode.enabled, True
        try:
            g = leaves[0] if len(leaves) == 1 else array_of([0 if x is None else x for x in leaves])
            back = self.together(g, y, inputs, {})
            seeds: dict[Vertex, Any] = {}
            for r, t, like in zip(back, tangents, self.arrays, strict=False):
                if r is not None and t is not None and r.tracked:
                    at = vertex(fit(r, like))
                    seeds[at] = seeds[at] + t if at in seeds else t
            targets: set[Vertex] = {x for x in leaves if x is not None}
            found, _ = pull(seeds, targets, create_graph=create_graph, retain_graph=create_graph)
        finally:
            grad_mode.enabled = mode
        return [None if x is None else found.get(x) for x in leaves]


def defines(function: Any, name: str) -> bool:
    """Whether a method is the user's own, not that of the base `Function`."""
    base = next(c for c in reversed(function.__mro__) if hasattr(c, "apply"))
    return getattr(function, name) is not getattr(base, name)


def expands(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    """Whether an array of `shape` broadcasts to the shape `to`."""
    tail = to[len(to) - len(shape) :]
    return len(shape) <= len(to) and all(a in (1, b) for a, b in zip(shape, tail, strict=True))


def record(function: Any, ctx: Any, args: Sequence[Any], outputs: Sequence[Any]) -> Any:
    """The outputs of forward with their history: one node, and its parts if they are several."""
    if any(isinstance(o, list) and any(isinstance(t, Traced) for t in o) for o in outputs):
        raise TypeError(
            f"{function.__name__}.forward returned a list of tensors, through which no gradient "
            "would flow: return a tuple."
        )
    if ctx.dirty:
        raise NotImplementedError(
            f"{function.__name__}: mark_dirty, an argument written in place while gradients are "
            "recorded, is not supported: return a new tensor."
        )
    constant, ctx.non_differentiable = ctx.non_differentiable, ()
    moving = [
        isinstance(o, Traced) and o.array.dtype.kind == "f" and not among(o, constant)
        for o in outputs
    ]
    call = Call(function, ctx, args, outputs)
    parents = (*call.parents, *[None] * (len(call.arrays) - len(call.parents)))
    out = call.outputs[0] if len(outputs) == 1 else array_of(call.outputs)
    node: Any = recorded(call, tuple(call.arrays), {}, out, parents).node  # type: ignore[arg-type]
    call.node = weakref.ref(node)
    call.arrays = [hollow(a) for a in call.arrays]  # the node keeps them
    results: list[Any] = []
    for k, o in enumerate(outputs):
        if not moving[k]:
            results.append(wrap(o.array) if isinstance(o, Traced) else o)
            continue
        made = node
        if len(outputs) > 1:
            made = recorded(Part(call.grad_fn_name), (out,), {"k": k}, o.array, (node,)).node
        call.parts[k] = weakref.ref(made)
        results.append(wrap(o.array, made))
    return tuple(results)


# -------------------------------------------------------------------------- differentiable once


def refuse(i: int, g: Any, _: Any, *xs: Any) -> Any:
    raise RuntimeError(
        "this would differentiate a second time through a backward that is marked "
        "@once_differentiable. Write it with ops of tensors, and take the mark away."
    )


twice = variadic(lambda *xs: xs[0], refuse, name="once_differentiable")


def refusing(grad: Any, behind: Sequence[Any]) -> Any:
    """A gradient that nobody can differentiate, though it depends on what is `behind` it."""
    if not isinstance(grad, Traced):
        return grad
    parents = [vertex(x) if isinstance(x, Traced) else x for x in behind]
    arrays = (grad.array, *[np.zeros(())] * len(parents))
    return recorded(twice, arrays, {}, grad.array, (None, *parents))
