"""Watching ops while they run: what anomaly detection and the profiler have in common.

Nothing of this costs anything until somebody watches. Then the call of an `Op` is exchanged for one
that tells the watchers, and each sweep gives its nodes ops that do.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from tinygrad_hw.op import Binary, Op, Unary
from tinygrad_hw.tape import Node, Traced, Value, Vertex, nodes_behind

Run = Callable[[], Any]


class Watch:
    """Somebody who is told of ops. Each method runs what it is given, and may look at it."""

    def forward(self, op: Any, inputs: Sequence[Any], static: dict[str, Any], run: Run) -> Any:
        """An op is called on tensors."""
        return run()

    def backward(
        self, node: Node, i: int, g: Value, y: Value, inputs: Sequence[Any], run: Run
    ) -> Any:
        """The gradient of a node's input is computed."""
        return run()

    def before(self, order: Sequence[Node], cotangents: dict[Vertex, Value]) -> None:
        """A sweep begins, over these nodes, oldest first."""

    def after(self, found: dict[Vertex, Value]) -> None:
        """A sweep ends, with these gradients."""


watches: list[Watch] = []
CALLS = {kind: kind.__call__ for kind in (Op, Unary, Binary)}  # unwatched


def start(watch: Watch) -> None:
    watches.append(watch)
    for kind in CALLS:
        kind.__call__ = watched  # type: ignore[method-assign, assignment]


def stop(watch: Watch) -> None:
    watches.remove(watch)
    if not watches:
        for kind, call in CALLS.items():
            kind.__call__ = call  # type: ignore[method-assign]


def watched(op: Op, *inputs: Any, **static: Any) -> Any:
    """`Op.__call__` while somebody watches."""
    run = partial(CALLS[type(op)], op, *inputs, **static)
    if not any(isinstance(x, Traced) for x in inputs):
        return run()
    return through(op, inputs, static, run)


def through(op: Any, inputs: Sequence[Any], static: dict[str, Any], run: Run) -> Any:
    for watch in watches:
        run = partial(watch.forward, op, inputs, static, run)
    return run()


def before_sweep(cotangents: dict[Vertex, Value]) -> None:
    """Tell that a sweep begins, and let its nodes be watched."""
    order = nodes_behind(cotangents)
    for watch in watches:
        watch.before(order, cotangents)
    for node in order:
        if not getattr(node.op, "watched", False):
            node.op = Watched(node)


class Watched:
    """A node's op, whose gradients are computed before the eyes of the watchers."""

    watched = True

    def __init__(self, node: Node) -> None:
        self.op = node.op
        self.node = weakref.ref(node)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.op, name)

    @property
    def rules(self) -> Any:
        node = self.node()
        return WatchedRules(node, self.op.rules) if watches and node else self.op.rules


class WatchedRules(Sequence[Any]):
    def __init__(self, node: Node, rules: Sequence[Any]) -> None:
        self.node, self.rules = node, rules

    def __len__(self) -> int:
        return len(self.rules)

    def __getitem__(self, i: Any) -> Any:
        rule = self.rules[i]
        return None if rule is None else partial(self.rule, i, rule)

    def rule(self, i: int, rule: Any, g: Value, y: Value, *inputs: Any, **static: Any) -> Any:
        run = partial(rule, g, y, *inputs, **static)
        for watch in watches:
            run = partial(watch.backward, self.node, i, g, y, inputs, run)
        return run()
