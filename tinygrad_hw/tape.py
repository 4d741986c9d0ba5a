"""The tape: what was recorded, and the two sweeps over it.

A `Node` is one recorded call of an op. Its edges lead to the nodes that made its inputs, or to the
leaf tensors themselves. One clock ticks on every recorded op and every in-place write, so

* newest first *is* a topological order, since an op can only use what already existed: a sweep
  takes the newest node that waits, and no recursion is needed, however deep the graph;
* memory written later than a node that remembers it is a stale value, found when the node is swept.

`pull` sweeps cotangents from outputs to inputs (reverse mode, vector-Jacobian products) and `push`
sweeps tangents from inputs to outputs (forward mode, Jacobian-vector products).
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Sequence
from heapq import heapify, heappop, heappush
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tinygrad_hw import kernels
from tinygrad_hw.grad_fn import GradFn

if TYPE_CHECKING:
    from tinygrad_hw.tensor import Tensor

Array: TypeAlias = NDArray[Any]
Value: TypeAlias = Any  # an array at first order, a tensor under create_graph

new = object.__new__
tick = itertools.count(1).__next__
clock_of_last_write = 0
written: dict[int, int] = {}  # id of the array that owns the memory -> time of its last write


class GradMode(threading.local):
    """Whether ops on this thread record (and whether it is `inference_mode` that says no)."""

    enabled = True
    inference = False


grad_mode = GradMode()


class Traced:
    """What a `Tensor` is to the engine: an array, and where it came from."""

    __slots__ = ("__weakref__", "array", "gradient", "hooks", "node", "tracked")

    result: ClassVar[type[Traced]]  # the class of an op's result: `tensor.py` sets it to Tensor
    array: Array
    tracked: bool  # whether gradients are wanted: the public requires_grad
    node: Node | None
    gradient: Any  # the public grad
    hooks: dict[int, Hook] | None


Hook: TypeAlias = Callable[[Any], Any]


class Node(GradFn):
    """One recorded call: the op, the arrays it saw, its static metadata, and its result."""

    __slots__ = ("__weakref__", "arrays", "hooks", "op", "out", "parents", "static", "time")

    op: Any
    arrays: tuple[Any, ...] | None
    static: dict[str, Any]
    out: Array | None
    parents: tuple[Node | Traced | None, ...]
    hooks: dict[int, Hook] | None
    time: int

    def free(self) -> None:
        """Let go of everything the rule would need; a second sweep is then refused. The edges
        stay, so that it is refused from wherever it starts, and the graph can still be walked."""
        self.arrays = self.out = None


Vertex: TypeAlias = Node | Traced


def vertex(x: Traced) -> Vertex:
    """Where the gradient of `x` gathers: the node that made it, or the leaf itself."""
    return x if x.node is None else x.node


def wrap(array: Any, node: Node | None = None) -> Tensor:
    """A tensor around `array`, made by `node`."""
    if type(array) is not np.ndarray:
        array = np.asarray(array)
    tensor: Any = new(Traced.result)
    tensor.array = array
    tensor.node = node
    tensor.tracked = node is not None
    tensor.gradient = tensor.hooks = None
    return tensor  # type: ignore[no-any-return]


def recorded(
    op: Any,
    arrays: tuple[Any, ...],
    static: dict[str, Any],
    out: Array,
    parents: tuple[Vertex | None, ...],
) -> Tensor:
    """Put a call of `op` on the tape, and wrap its result."""
    node = Node()
    node.op, node.arrays, node.static, node.out, node.parents = op, arrays, static, out, parents
    node.hooks = None
    node.time = tick()
    tensor: Any = new(Traced.result)
    tensor.array, tensor.node, tensor.tracked = out, node, True
    tensor.gradient = tensor.hooks = None
    return tensor  # type: ignore[no-any-return]


def raw(x: Any) -> Any:
    """The array of a tensor; anything else as it is."""
    return x.array if isinstance(x, Traced) else x


# ------------------------------------------------------------------------------- in-place writes


def owner(array: Array) -> int:
    """The identity of the memory behind an array: its views share it."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return id(array)


def note_write(array: Array) -> None:
    """Called after every in-place write. An id is only ever reused by an array that is younger
    than the write, so old entries can never accuse a newer node."""
    global clock_of_last_write
    clock_of_last_write = written[owner(array)] = tick()


def refuse_stale(node: Node) -> None:
    """Raise if memory that `node`'s rules look at was overwritten after it was recorded."""
    arrays = [(f"input {i}", a) for i, a in enumerate(node.arrays or ())]
    if node.op.uses_output or (node.out is not None and node.out.base is not None):
        arrays.append(("output", node.out))
    index = node.static.get("index")
    arrays += [("index", i) for i in (index if isinstance(index, tuple) else (index,))]
    for role, a in arrays:
        if isinstance(a, np.ndarray) and written.get(owner(a), 0) > node.time:
            raise RuntimeError(
                f"{node.op.name}: its {role}, of shape {a.shape}, was overwritten in place after "
                "it was recorded, so its gradient can no longer be computed. Write to a copy "
                "(x = x.clone()) or out of place (x = x + v), or call backward() before the write."
            )


# ---------------------------------------------------------------------------------- the two sweeps


def nodes_behind(roots: Iterable[Vertex]) -> list[Node]:
    """Every node that the roots depend on, oldest first."""
    stack = [root for root in roots if type(root) is Node]
    seen = set(stack)
    order = []
    while stack:
        node = stack.pop()
        order.append(node)
        for parent in node.parents:
            if type(parent) is Node and parent not in seen:
                seen.add(parent)
                stack.append(parent)
    order.sort(key=attrgetter("time"))
    return order


def leading_to(targets: Iterable[Vertex], order: Sequence[Node]) -> set[Vertex]:
    """The targets, and the nodes of `order` (oldest first) through which they are reached."""
    useful = set(targets)
    for node in order:
        if not useful.isdisjoint(node.parents):
            useful.add(node)
    return useful


def fit(g: Value, x: Any) -> Value:
    """Give a cotangent its input's shape and dtype: sum over the axes that broadcasting added."""
    if g.shape != x.shape:
        lead = g.ndim - x.ndim
        if lead == 1 and g.shape[1:] == x.shape:  # a bias, added to every row
            g = kernels.sum_of_rows(g) if type(g) is np.ndarray else np.add.reduce(g, axis=0)
        else:
            stretched = [lead + i for i, n in enumerate(x.shape) if n == 1 != g.shape[lead + i]]
            g = np.add.reduce(g, axis=(*range(lead), *stretched)).reshape(x.shape)
    if g.dtype != x.dtype:
        g = g.to(x.dtype) if hasattr(g, "to") else g.astype(x.dtype)
    return g


def refuse_lost(node: Node) -> None:
    """Raise if what `node`'s rules look at was freed, or overwritten since."""
    if node.arrays is None:
        raise RuntimeError(
            f"{node.op.name}: this graph was already swept and its saved values freed. To go "
            "through it twice, call backward(retain_graph=True) or grad(..., retain_graph=True) "
            "the first time; otherwise compute the loss anew."
        )
    if clock_of_last_write > node.time:
        refuse_stale(node)


def as_tensors(node: Node) -> tuple[Value, Sequence[Any]]:
    """The output and inputs of a node as tensors tied to the graph."""
    arrays: Any = node.arrays
    inputs = [
        a if parent is None else wrap(a, parent) if type(parent) is Node else parent
        for a, parent in zip(arrays, node.parents, strict=True)
    ]
    return wrap(node.out, node), inputs


def run_hooks(at: Vertex, g: Value) -> Value:
    """Pass a finished gradient through the hooks of a tensor; each may replace it."""
    for hook in tuple(at.hooks.values() if at.hooks else ()):
        tensor = g if isinstance(g, Traced) else wrap(g)
        replaced = hook(tensor)
        if replaced is not None:
            if replaced.shape != g.shape:
                raise RuntimeError(
                    f"a hook was given a gradient of shape {tuple(g.shape)} and returned one of "
                    f"shape {tuple(replaced.shape)}; return the same shape, or None to keep it."
                )
            g = replaced if isinstance(g, Traced) else raw(replaced)
    return g


def pull(
    cotangents: dict[Vertex, Value],
    targets: set[Vertex] | None = None,
    *,
    create_graph: bool = False,
    retain_graph: bool = False,
) -> tuple[dict[Vertex, Value], set[Vertex]]:
    """Sweep cotangents back from outputs: newest node first, one rule for each wanted input.

    Returns the cotangents of the targets (of every leaf where none are named) and which of them
    are arrays that nothing else holds, which a caller may therefore keep without a copy.
    """
    useful = None if targets is None else leading_to(targets, nodes_behind(cotangents))
    found: dict[Vertex, Value] = {}
    owned: set[Vertex] = set()
    waiting = [  # a heap: whoever uses a node is newer, so that its cotangent is whole by its turn
        (-v.time, v) for v in cotangents if type(v) is Node and (useful is None or v in useful)
    ]
    heapify(waiting)
    while waiting:
        node = heappop(waiting)[1]
        g = cotangents.pop(node)
        if node.hooks:
            g = run_hooks(node, g)
        if useful is not None:
            if targets is not None and node in targets:
                found[node] = g
            if useful.isdisjoint(node.parents):
                continue
        if node.arrays is None or clock_of_last_write > node.time:
            refuse_lost(node)
        y: Any = node.out
        inputs: Any = node.arrays
        if create_graph:
            y, inputs = as_tensors(node)
        static, rules = node.static, node.op.rules
        usual = len(inputs) if not static else 0
        for i, parent in enumerate(node.parents):
            if parent is None or (useful is not None and parent not in useful):
                continue
            rule, x = rules[i], inputs[i]
            if rule is None:
                continue
            if usual == 2:  # spelled out, for to unpack costs what a small rule does
                r = rule(g, y, inputs[0], inputs[1])
            elif usual == 1:
                r = rule(g, y, x)
            else:
                r = rule(g, y, *inputs, **static)
            if r is None:  # a function of the user's may say so
                continue
            if r.shape != x.shape or r.dtype is not x.dtype:
                r = fit(r, x)
            held = cotangents.get(parent)
            if held is None:
                if type(parent) is Node:
                    heappush(waiting, (-parent.time, parent))
                elif r is not g and not create_graph and r.base is None:
                    owned.add(parent)
            elif parent in owned:
                held += r
                r = held
            else:
                r = held + r
                if not create_graph:
                    owned.add(parent)
            cotangents[parent] = r
        if not retain_graph:
            node.arrays = node.out = None
    for leaf, g in cotangents.items():
        if type(leaf) is not Node and (targets is None or leaf in targets):
            if leaf.hooks:
                g = run_hooks(leaf, g)
                owned.discard(leaf)
            found[leaf] = g
    return found, owned


def push(
    tangents: dict[Vertex, Value], outputs: Sequence[Vertex], *, create_graph: bool = False
) -> list[Value | None]:
    """Sweep tangents forward through what was recorded: oldest node first. The tangent of each
    output, or None where it does not depend on what was moved."""
    for node in nodes_behind(outputs):
        moved = [tangents.get(p) if p is not None else None for p in node.parents]
        if any(t is not None for t in moved):
            refuse_lost(node)
            y, inputs = as_tensors(node) if create_graph else (node.out, node.arrays or ())
            tangents[node] = node.op.jvp(moved, y, inputs, node.static)
    return [tangents.get(output) for output in outputs]
