"""The hooks of a module: before forward, after it, and when its backward is complete."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tinygrad_hw.hooks import RemovableHandle
from tinygrad_hw.rules import shapes
from tinygrad_hw.tape import Traced, Value, grad_mode


class Hook(NamedTuple):
    call: Callable[..., Any]
    with_kwargs: bool
    always: bool


class ModuleHooks:
    """A module's hooks, each kind in the order in which it runs."""

    def __init__(self) -> None:
        self.before: dict[int, Hook] = {}
        self.after: dict[int, Hook] = {}
        self.backward: dict[int, Hook] = {}

    def add(
        self,
        kind: str,
        hook: Callable[..., Any],
        prepend: bool,
        *,
        with_kwargs: bool = False,
        always: bool = False,
    ) -> RemovableHandle:
        return RemovableHandle(
            getattr(self, kind), Hook(hook, with_kwargs, always), prepend=prepend
        )

    def call(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The module's forward, between its hooks."""
        for hook in tuple(self.before.values()):
            if hook.with_kwargs:
                changed = hook.call(module, args, kwargs)
                if changed is not None:
                    args, kwargs = changed
            else:
                changed = hook.call(module, args)
                if changed is not None:
                    args = changed if isinstance(changed, tuple) else (changed,)
        called: set[int] = set()
        try:
            sweep = Sweep(self, module) if self.backward and grad_mode.enabled else None
            inner = sweep.enter(args) if sweep else args
            output = module.forward(*inner, **kwargs)
            for key, hook in tuple(self.after.items()):
                called.add(key)
                changed = self.finish(hook, module, args, kwargs, output)
                output = output if changed is None else changed
        except Exception:
            for key, hook in tuple(self.after.items()):
                if hook.always and key not in called:
                    self.finish(hook, module, args, kwargs, None)
            raise
        return sweep.leave(output) if sweep else output

    @staticmethod
    def finish(hook: Hook, module: Any, args: Any, kwargs: Any, output: Any) -> Any:
        extra = (kwargs,) if hook.with_kwargs else ()
        return hook.call(module, args, *extra, output)


class Sweep:
    """One call of a module with backward hooks: gathers the gradients at both of its ends."""

    def __init__(self, hooks: ModuleHooks, module: Any) -> None:
        self.hooks, self.module = hooks, module
        self.inputs = 0
        self.reaches_inputs = False
        self.grad_output: tuple[Value, ...] = ()

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        self.inputs = len(args)
        watched, self.reaches_inputs = gate(args, self.arrive)
        return watched

    def leave(self, output: Any) -> Any:
        if isinstance(output, tuple):
            return gate(output, self.start)[0]
        return gate((output,), self.start)[0][0]

    def start(self, grads: tuple[Value, ...]) -> None:
        """The backward of the module begins; with no input to reach it also ends here."""
        self.grad_output = grads
        if not self.reaches_inputs and self.arrive((None,) * self.inputs):
            raise RuntimeError(
                f"a backward hook of {type(self.module).__name__} returned a gradient, but none of "
                "the module's inputs requires grad: return None."
            )

    def arrive(self, grads: tuple[Value, ...]) -> tuple[Value, ...] | None:
        """The gradients of the inputs are complete."""
        final = None
        for hook in tuple(self.hooks.backward.values()):
            changed = hook.call(self.module, grads, self.grad_output)
            if changed is not None:
                final = grads = changed if isinstance(changed, tuple) else (changed,)
        return final


def gate(
    values: Sequence[Any], passing: Callable[[tuple[Value, ...]], tuple[Value, ...] | None]
) -> tuple[tuple[Any, ...], bool]:
    """The values again, joined for a moment into one vector, so that one hook sees the gradients
    of all of them at once. Tells also whether there was any gradient to see."""
    watched = [i for i, v in enumerate(values) if isinstance(v, Traced) and v.tracked]
    if not watched:
        return tuple(values), False
    tensors: list[Any] = [values[i] for i in watched]
    ends = list(itertools.accumulate(t.array.size for t in tensors))
    joint = shapes.cat(*[t.reshape(-1) for t in tensors], dim=0)
    spans = [slice(end - t.array.size, end) for t, end in zip(tensors, ends, strict=True)]

    def part(vector: Any, k: int) -> Any:
        return vector[spans[k]].reshape(tensors[k].shape).to(tensors[k].dtype)

    def see(g: Any) -> Any:
        grads: list[Value] = [None] * len(values)
        for k, i in enumerate(watched):
            grads[i] = part(g, k)
        changed = passing(tuple(grads))
        if changed is None:
            return None
        return shapes.cat(*[changed[i].reshape(-1) for i in watched], dim=0).to(g.dtype)

    joint.register_hook(see)
    result = list(values)
    for k, i in enumerate(watched):
        result[i] = part(joint, k)
    return tuple(result), True
