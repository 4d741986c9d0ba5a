"""`Function`: an op whose forward and backward are the user's, as in PyTorch.

What the tape holds of it is in `call.py`. `backward` runs with ops that record exactly when
`create_graph` asks for it, on saved tensors that are tied to the graph, and so every order of
derivative comes out of it.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

from tinygrad_hw.autograd.call import among, record, refusing
from tinygrad_hw.autograd.grad_mode import no_grad
from tinygrad_hw.autograd.watch import through, watches
from tinygrad_hw.tape import Traced, grad_mode, wrap

__all__ = ["Function", "FunctionCtx", "once_differentiable"]


class FunctionCtx:
    """What `forward` leaves for `backward`: saved tensors, and any attribute that it sets."""

    needs_input_grad: tuple[bool, ...] = ()
    materialize_grads = True
    to_save: tuple[Any, ...] = ()
    non_differentiable: tuple[Any, ...] = ()
    dirty: tuple[Any, ...] = ()
    saved: tuple[Any, ...] | None = None  # while backward runs
    parents: tuple[Any, ...] = ()  # where the gradients of the arguments go

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep inputs, outputs, or what was computed on the way (or None), for `saved_tensors`.

        Raises:
            TypeError: anything else than a tensor or None: set it as an attribute instead.
        """
        for i, t in enumerate(tensors):
            if t is not None and not isinstance(t, Traced):
                raise TypeError(
                    f"save_for_backward keeps tensors, and argument {i} is a {type(t).__name__}: "
                    "set it as an attribute, ctx.name = value."
                )
        self.to_save = tensors

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        if self.saved is None:
            raise RuntimeError(
                "saved_tensors are there while backward runs, until the graph is freed by it; "
                "retain_graph=True keeps them for another sweep."
            )
        return self.saved

    def save_for_forward(self, *tensors: Any) -> None:
        """Accepted: `jvp` finds what it needs among the attributes of ctx, or is derived."""

    def mark_non_differentiable(self, *tensors: Any) -> None:
        """Declare outputs constant: no gradient comes back through them."""
        self.non_differentiable = tensors

    def mark_dirty(self, *tensors: Any) -> None:
        """Declare inputs that `forward` wrote to; refused where gradients are recorded."""
        self.dirty = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Whether an output that no gradient reached gives `backward` zeros (or None)."""
        self.materialize_grads = value


class Function(FunctionCtx):
    """The base of an op of your own: write `forward` and `backward`, call `apply`.

    `forward(ctx, *args)` computes the outputs, a tensor or a tuple; `backward(ctx, *grad_outputs)`
    is given one cotangent for each output and returns one gradient for each argument of forward,
    None for what is not a tensor. In the other style `forward(*args)` has no ctx, and
    `setup_context(ctx, inputs, output)` saves what backward needs.

    >>> import tinygrad_hw as th
    >>> class Cube(th.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x ** 3
    ...     @staticmethod
    ...     def backward(ctx, grad_output):
    ...         (x,) = ctx.saved_tensors
    ...         return 3 * x ** 2 * grad_output
    >>> x = th.tensor(2.0, requires_grad=True)
    >>> (slope,) = th.autograd.grad(Cube.apply(x), x, create_graph=True)
    >>> slope.item(), th.autograd.grad(slope, x)
    (12.0, (tensor(12.),))
    """

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError("a Function has a static method forward(ctx, *args)")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        raise NotImplementedError("setup_context is called where a subclass defines it")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(
            "this Function has no backward: define the static method backward(ctx, *grad_outputs), "
            "which returns a gradient for each argument of forward."
        )

    vjp = backward

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any, **kwargs: Any) -> Any:
        """The tangents of the outputs, of those of the inputs; where it is not defined, `backward`
        is differentiated for them."""
        raise NotImplementedError("jvp is called where a subclass defines it")

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise RuntimeError(
            f"{type(self).__name__} is not called by an instance: make forward and backward static "
            f"methods and write {type(self).__name__}.apply(...)."
        )

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run `forward` on the arguments, and record that it ran."""
        run = functools.partial(cls._run, args, kwargs)
        return through(Seen(cls.__name__), args, kwargs, run) if watches else run()

    @classmethod
    def _run(cls, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        apart = cls.setup_context is not Function.setup_context
        if apart or kwargs:
            args = bound(cls, apart, args, kwargs)
        ctx = FunctionCtx()
        ctx.needs_input_grad = tuple([isinstance(a, Traced) and a.tracked for a in args])
        recording = grad_mode.enabled and any(ctx.needs_input_grad)
        with no_grad():
            if apart:
                output = cls.forward(*args)
                cls.setup_context(ctx, args, output)
            else:
                output = cls.forward(ctx, *args)
        outputs = output if isinstance(output, tuple) else (output,)
        if recording:
            outputs = record(cls, ctx, args, outputs)
        else:
            outputs = tuple([wrap(o.array) if among(o, args) else o for o in outputs])
        return outputs if isinstance(output, tuple) else outputs[0]


class Seen(NamedTuple):
    """A Function as those see it who watch ops."""

    name: str
    kind: str = "general"


def bound(cls: type[Function], apart: bool, args: Any, kwargs: Any) -> tuple[Any, ...]:
    """All arguments of forward by position, with its defaults."""
    ctx = () if apart else (None,)
    found = inspect.signature(cls.forward).bind(*ctx, *args, **kwargs)
    found.apply_defaults()
    if found.kwargs:
        raise TypeError(
            f"{cls.__name__}.forward has arguments by keyword only ({', '.join(found.kwargs)}), "
            "for which backward could return nothing: let them be given by position."
        )
    return found.args[len(ctx) :]


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Declare that a `backward` computes with what no op records, NumPy say: it runs without
    recording, and a second derivative through it is refused rather than wrong.

    >>> import numpy as np, tinygrad_hw as th
    >>> class Sine(th.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return th.from_numpy(np.sin(x.detach().numpy()))
    ...     @staticmethod
    ...     @th.autograd.function.once_differentiable
    ...     def backward(ctx, g):
    ...         return g * np.cos(ctx.saved_tensors[0].detach().numpy())
    """

    @functools.wraps(backward)
    def once(ctx: Any, *grad_outputs: Any) -> Any:
        with no_grad():
            grads = backward(ctx, *grad_outputs)
        if not grad_mode.enabled:
            return grads
        behind = [parent for parent in ctx.parents if parent is not None]
        behind += [g for g in grad_outputs if isinstance(g, Traced) and g.tracked]
        if isinstance(grads, tuple):
            return tuple([refusing(g, behind) for g in grads])
        return refusing(grads, behind)

    return once
