"""The gradients of all of a node's inputs at once, where its op's rules give them one by one.

The sweep asks a node for one rule for each wanted input. Where one call finds all gradients, as
does a user's `Function.backward`, or where somebody wants to see all of them, as does a hook of a
`grad_fn`, the rules of that sweep share what the first of them found.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from tinygrad_hw.grad_fn import Grads
from tinygrad_hw.tape import Node, Traced, fit, wrap

Together = Callable[..., Sequence[Any]]  # (g, y, inputs, static) -> one gradient for each input


class Joint(Sequence[Any]):
    """One rule for each input of a node, for one sweep; `together` is called at most once."""

    def __init__(self, together: Together) -> None:
        self.together = together
        self.found: Sequence[Any] | None = None

    def __len__(self) -> int:
        return sys.maxsize

    def __getitem__(self, i: Any) -> Any:
        return partial(self.rule, i)

    def rule(self, i: int, g: Any, y: Any, *inputs: Any, **static: Any) -> Any:
        if self.found is None:
            self.found = self.together(g, y, inputs, static)
        return self.found[i]


class Hooked:
    """A node's op, with hooks that see and may replace the gradients of all its inputs."""

    def __init__(self, node: Node) -> None:
        self.op = node.op
        self.wanted = [parent is not None for parent in node.parents]
        self.hooks: dict[int, Callable[[Grads, Grads], Any]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.op, name)

    @property
    def rules(self) -> Sequence[Any]:
        return Joint(self.together) if self.hooks else self.op.rules

    def together(self, g: Any, y: Any, inputs: Sequence[Any], static: dict[str, Any]) -> Grads:
        rules = self.op.rules
        found: list[Any] = [None] * len(inputs)
        for i, x in enumerate(inputs):
            rule = rules[i] if self.wanted[i] else None
            r = None if rule is None else rule(g, y, *inputs, **static)
            found[i] = None if r is None else fit(r, x)
        as_tensors = isinstance(g, Traced)
        for hook in tuple(self.hooks.values()):
            seen = tuple(shown(r) for r in found)
            changed = hook(seen, (shown(g),))
            if changed is None:
                continue
            missing = len(found) - len(changed)
            if missing < 0 or any(self.wanted[len(changed) :]):
                raise RuntimeError(
                    f"a hook of {self.op.name}'s grad_fn was given {len(found)} gradients and "
                    f"returned {len(changed)}: return one for each input, or None to keep them."
                )
            found = [r if as_tensors or r is None else r.array for r in changed] + [None] * missing
        return tuple(found)


def shown(g: Any) -> Any:
    """A gradient as a tensor, for whoever is handed it."""
    return g if g is None or isinstance(g, Traced) else wrap(g)


def hooked(node: Node) -> dict[int, Any]:
    """The dictionary of a node's hooks on the gradients of its inputs."""
    if not isinstance(node.op, Hooked):
        node.op = Hooked(node)
    return node.op.hooks
