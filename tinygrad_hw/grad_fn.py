"""What `tensor.grad_fn` is to those who walk the graph: its name, its edges, and its hooks.

The tape needs none of this: a node of it inherits `GradFn` and looks, from outside, as PyTorch's.
Edges end at an `AccumulateGrad` where a leaf gathers its gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_hw.hooks import RemovableHandle

Grads = tuple[Any, ...]


class GradFn:
    """The op that made a tensor, seen from the tensor: what gradients will pass on their way back.

    >>> import tinygrad_hw as th
    >>> x = th.ones(2, requires_grad=True)
    >>> loss = (x * 2).sum()
    >>> mul = loss.grad_fn.next_functions[0][0]
    >>> loss.grad_fn.name(), mul.name(), mul.next_functions[0][0].variable is x
    ('SumBackward0', 'MulBackward0', True)
    """

    __slots__ = ()

    op: Any
    arrays: Any
    static: dict[str, Any]
    parents: tuple[Any, ...]
    hooks: dict[int, Any] | None

    def name(self) -> str:
        """The op's name as PyTorch would give it where the op is the same: `MulBackward0`."""
        own: str | None = getattr(self.op, "grad_fn_name", None)  # of a function of the user's
        return own or backward_name(self.op.name, self.static, self.arrays, len(self.parents))

    def __repr__(self) -> str:
        return f"<{self.name()} object at {id(self):#x}>"

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """For each input, what its gradient goes to (None where it needs none), and which output
        of that it was: every op here has one."""
        return tuple(
            (p if p is None or isinstance(p, GradFn) else AccumulateGrad(p), 0)
            for p in self.parents
        )

    @property
    def metadata(self) -> dict[str, Any]:
        return {}

    def register_prehook(self, hook: Callable[[Grads], Any]) -> RemovableHandle:
        """Call `hook((grad_output,))` before this op's gradients are computed; a tuple that it
        returns takes the place of what it was given."""
        return add_hook(self, before(hook))

    def register_hook(self, hook: Callable[[Grads, Grads], Any]) -> RemovableHandle:
        """Call `hook(grad_inputs, (grad_output,))` when this op's gradients are computed; a tuple
        that it returns takes the place of `grad_inputs`.

        Raises:
            RuntimeError: during backward, where it returns another number of gradients.
        """
        from tinygrad_hw.autograd.joint import hooked  # the tape knows nothing of it

        return RemovableHandle(hooked(self), hook)  # type: ignore[arg-type]  # it is a Node


def before(hook: Callable[[Grads], Any]) -> Callable[[Any], Any]:
    """A hook of a tuple of one gradient as a hook of a tensor."""

    def see(g: Any) -> Any:
        changed = hook((g,))
        return changed[0] if isinstance(changed, tuple) else changed

    return see


class AccumulateGrad:
    """Where an edge of the graph ends: the leaf whose `.grad` gathers what arrives."""

    __slots__ = ("variable",)

    def __init__(self, variable: Any) -> None:
        self.variable = variable

    def name(self) -> str:
        return "AccumulateGrad"

    def __repr__(self) -> str:
        return f"<AccumulateGrad object at {id(self.variable):#x}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AccumulateGrad) and other.variable is self.variable

    def __hash__(self) -> int:
        return hash((AccumulateGrad, id(self.variable)))

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        return ()

    def register_prehook(self, hook: Callable[[Grads], Any]) -> RemovableHandle:
        """Call `hook((grad,))` before the gradient is added to `.grad`."""
        return add_hook(self.variable, before(hook))

    def register_hook(self, hook: Callable[[Grads, Grads], Any]) -> RemovableHandle:
        """Call `hook((), (grad,))` after the gradient was added to `.grad`."""
        return add_hook(self.variable, AfterAccumulation(lambda leaf, g: hook((), (g,))))


class AfterAccumulation:
    """A hook of a leaf that waits until the leaf's `.grad` is written. To the sweep, which calls
    all hooks of a leaf with its gradient, it is a hook that does nothing."""

    def __init__(self, hook: Callable[[Any, Any], Any]) -> None:
        self.hook = hook  # of the leaf, and of what was added to its gradient

    def __call__(self, g: Any) -> None:
        pass

    def run(self, leaf: Any, g: Any) -> None:
        returned = self.hook(leaf, g)
        if returned is not None:
            raise TypeError(
                "a hook after accumulation has nothing to replace: it returns None, not a "
                f"{type(returned).__name__}. Change leaf.grad in it instead."
            )


def add_hook(at: Any, hook: Any) -> RemovableHandle:
    """A hook on the gradient that gathers at a node or a leaf."""
    if at.hooks is None:
        at.hooks = {}
    return RemovableHandle(at.hooks, hook)


def register_post_accumulate_grad_hook(tensor: Any, hook: Callable[[Any], Any]) -> RemovableHandle:
    """Call `hook(tensor)` each time `backward` has added to this leaf's `.grad`: an optimizer's
    step in it frees each gradient as soon as it is used.

    Raises:
        RuntimeError: on a tensor that requires no grad, or that an op made.
        TypeError: during backward, where the hook returns something.

    >>> import tinygrad_hw as th
    >>> w = th.ones(2, requires_grad=True)
    >>> handle = w.register_post_accumulate_grad_hook(lambda w: print(w.grad))
    >>> (w * 3).sum().backward()
    tensor([3., 3.])
    """
    if not tensor.tracked:
        raise RuntimeError("this tensor does not require grad, so no gradient is added to it")
    if tensor.node is not None:
        raise RuntimeError(
            f"only a leaf gathers its gradient, and this tensor was made by {tensor.node.name()}: "
            "see its gradient with register_hook, or call retain_grad() first."
        )
    return add_hook(tensor, AfterAccumulation(lambda leaf, _: hook(leaf)))


# ------------------------------------------------------------------------------------------ names

RENAMED = {"to": "ToCopy", "reshape": "View", "linear": "Mm"}
PRODUCTS = {(1, 1): "Dot", (2, 1): "Mv", (2, 2): "Mm"}


def backward_name(name: str, static: dict[str, Any], arrays: Any, inputs: int) -> str:
    """PyTorch's name of the backward of one of our ops."""
    if name == "setitem":
        return "CopySlices"
    if name == "linear" and inputs == 3:
        return "AddmmBackward0"
    if name in ("sum", "mean") and static.get("dim") is not None:
        return f"{name.title()}Backward1"
    if name == "matmul" and arrays is not None:
        kind = PRODUCTS.get(tuple(a.ndim for a in arrays), "Matmul")
    elif name == "getitem":
        kind = kind_of_index(static["index"])
    else:
        kind = RENAMED.get(name) or name.title().replace("_", "")
    return f"{kind}Backward0"


def kind_of_index(index: Any) -> str:
    parts = index if isinstance(index, tuple) else (index,)
    if any(isinstance(p, (list, np.ndarray)) for p in parts):
        return "Index"
    return "Select" if any(isinstance(p, int) for p in parts) else "Slice"
