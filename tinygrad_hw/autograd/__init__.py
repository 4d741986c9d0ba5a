"""Gradients of what was recorded: `backward` gathers them in `.grad`, `grad` returns them."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_hw import tape
from tinygrad_hw.autograd.grad_mode import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from tinygrad_hw.autograd.gradcheck import gradcheck, gradgradcheck
from tinygrad_hw.autograd.variable import Variable
from tinygrad_hw.autograd.watch import before_sweep, watches
from tinygrad_hw.grad_fn import AfterAccumulation
from tinygrad_hw.tape import Traced, Value, Vertex, note_write, pull, raw, vertex, wrap

if TYPE_CHECKING:
    from tinygrad_hw.autograd import anomaly_mode, function, functional, profiler
    from tinygrad_hw.autograd.anomaly_mode import (
        detect_anomaly,
        is_anomaly_check_nan_enabled,
        is_anomaly_enabled,
        set_detect_anomaly,
    )
    from tinygrad_hw.autograd.drawing import draw
    from tinygrad_hw.autograd.function import Function
    from tinygrad_hw.tensor import Tensor

__all__ = [
    "Function",
    "Variable",
    "anomaly_mode",
    "backward",
    "detect_anomaly",
    "draw",
    "enable_grad",
    "function",
    "functional",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "is_anomaly_check_nan_enabled",
    "is_anomaly_enabled",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "no_grad",
    "profiler",
    "set_detect_anomaly",
    "set_grad_enabled",
]

# Loaded on first use: rooms, and the names that they lend to this one.
LAZY = dict.fromkeys(["anomaly_mode", "function", "functional", "profiler"], "")
LAZY |= dict.fromkeys(["detect_anomaly", "set_detect_anomaly"], "anomaly_mode")
LAZY |= dict.fromkeys(["is_anomaly_enabled", "is_anomaly_check_nan_enabled"], "anomaly_mode")
LAZY |= {"Function": "function", "draw": "drawing"}


def __getattr__(name: str) -> object:
    if name not in LAZY:
        raise AttributeError(f"tinygrad_hw.autograd has no attribute {name!r}")
    found: object = import_module(f"tinygrad_hw.autograd.{LAZY[name] or name}")
    if LAZY[name]:
        found = globals()[name] = getattr(found, name)  # the next look finds it at once
    return found


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """Add the gradient of `tensors` to the `.grad` of every leaf they depend on (or of `inputs`).

    Args:
        tensors: one tensor or several; each a single number, or with a cotangent.
        grad_tensors: the cotangents, of the shapes of `tensors`.
        retain_graph: keep the graph for another sweep (default: only with `create_graph`).
        create_graph: record the sweep itself, so that the gradients can be differentiated.
        inputs: gather gradients only here.

    Raises:
        RuntimeError: where a tensor does not require grad, has several elements and no cotangent,
            or the graph was freed or its values overwritten.

    >>> import tinygrad_hw as th
    >>> w = th.tensor([1.0, 2.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> w.grad
    tensor([2., 4.])
    """
    targets = None if inputs is None else {vertex(t) for t in listed(inputs)}
    if targets is not None and not targets:
        raise RuntimeError("backward: inputs is empty; leave it out to gather at every leaf")
    cotangents = seeds(listed(tensors), grad_tensors, create_graph)
    found, owned = sweep(cotangents, targets, retain_graph, create_graph)
    tensor_at = {} if inputs is None else {vertex(t): t for t in listed(inputs)}
    for v, g in found.items():
        g = g if create_graph or v in owned else g.copy()
        accumulate(tensor_at.get(v, v), g, create_graph)
        if v.hooks:
            for hook in tuple(v.hooks.values()):
                if isinstance(hook, AfterAccumulation):
                    hook.run(v, g if create_graph else wrap(g.copy()))


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor, ...]:
    """The gradients of the sum of `outputs` with respect to each of `inputs`, as a tuple.

    Args:
        outputs, grad_outputs: as `tensors` and `grad_tensors` of `backward`.
        inputs: one tensor or several, leaves or not; their `.grad` is left alone.
        only_inputs: True; PyTorch has long refused anything else.
        allow_unused: give None for an input that the outputs do not depend on.
        is_grads_batched: each of `grad_outputs` is a batch of cotangents, and each result one of
            gradients; swept one after the other.
        materialize_grads: give zeros for such an input.

    Raises:
        RuntimeError: as `backward`, and for an unused input that was not allowed.

    >>> import tinygrad_hw as th
    >>> x = th.tensor(3.0, requires_grad=True)
    >>> (slope,) = th.autograd.grad(x ** 3, x, create_graph=True)
    >>> th.autograd.grad(slope, x)
    (tensor(18.),)
    """
    if materialize_grads and allow_unused is False:
        raise ValueError("materialize_grads=True gives zeros for unused inputs: drop allow_unused")
    if not only_inputs:
        raise ValueError("only_inputs=False is not to be had: gradients come of the inputs alone")
    wanted = listed(inputs)
    if is_grads_batched:
        batches = listed(grad_outputs)
        last = len(batches[0]) - 1
        rows = [
            grad(
                outputs,
                inputs,
                [g[k] for g in batches],
                retain_graph if k == last else True,
                create_graph,
                allow_unused=allow_unused,
                materialize_grads=materialize_grads,
            )
            for k in range(last + 1)
        ]
        return tuple([in_batch(column) for column in zip(*rows, strict=True)])
    for i, x in enumerate(wanted):
        if not x.tracked:
            raise RuntimeError(
                f"grad: input {i}, of shape {x.array.shape}, does not require grad. Make it with "
                "requires_grad=True, before it is used."
            )
    cotangents = seeds(listed(outputs), grad_outputs, create_graph)
    found, _ = sweep(cotangents, {vertex(x) for x in wanted}, retain_graph, create_graph)
    results: list[Any] = []
    for i, x in enumerate(wanted):
        g = found.get(vertex(x))
        if g is not None:
            results.append(g if create_graph else wrap(g.copy()))
        elif materialize_grads:
            results.append(wrap(np.zeros_like(x.array)))
        elif allow_unused:
            results.append(None)
        else:
            raise RuntimeError(
                f"grad: the outputs do not depend on input {i}, of shape {x.array.shape}. Pass "
                "allow_unused=True for None in its place, or materialize_grads=True for zeros."
            )
    return tuple(results)


def in_batch(rows: Sequence[Any]) -> Any:
    """The gradients of a batch of cotangents as one tensor."""
    from tinygrad_hw.func.derivatives import stacked  # which itself builds on this module

    return rows[0] if rows[0] is None else stacked(rows, (len(rows), *rows[0].shape))


def listed(tensors: Any) -> Sequence[Any]:
    return (tensors,) if isinstance(tensors, (Traced, np.ndarray)) else tuple(tensors)


def seeds(outputs: Sequence[Any], given: Any, create_graph: bool) -> dict[Vertex, Value]:
    """The cotangent that each output starts the sweep with."""
    cotangents: dict[Vertex, Value] = {}
    grads: Sequence[Any] = (None,) * len(outputs) if given is None else listed(given)
    if len(grads) != len(outputs):
        raise RuntimeError(f"backward: {len(outputs)} tensors, but {len(grads)} cotangents")
    for y, g in zip(outputs, grads, strict=True):
        if not y.tracked:
            raise RuntimeError(
                f"backward: a tensor of shape {y.array.shape} does not require grad and was not "
                "made from one that does. Was it computed under no_grad, detached, or made without "
                "requires_grad=True?"
            )
        if g is None:
            if y.array.size != 1:
                raise RuntimeError(
                    f"backward: the gradient of a tensor of shape {y.array.shape} needs a "
                    "cotangent of it: reduce it to one number first, as y.sum().backward(), or "
                    "pass y.backward(gradient)."
                )
            one = np.array(1, y.array.dtype)
            g = one if not y.array.ndim else one.reshape(y.array.shape)
            g = wrap(g) if create_graph else g
        else:
            g = seed(y, g, create_graph)
        at = vertex(y)
        cotangents[at] = cotangents[at] + g if at in cotangents else g
    return cotangents


def seed(y: Any, g: Any, create_graph: bool) -> Value:
    """The cotangent that was given for an output, in its dtype."""
    if not hasattr(g, "shape"):
        raise TypeError(f"backward: a cotangent is a tensor, not {type(g).__name__}")
    if tuple(g.shape) != y.shape:
        raise RuntimeError(
            f"backward: the cotangent has shape {tuple(g.shape)} and its tensor "
            f"{y.array.shape}; they must be the same."
        )
    if not create_graph:
        return np.asarray(raw(g), y.array.dtype)
    if isinstance(g, (np.ndarray, np.generic)):
        return wrap(g.astype(y.dtype, copy=False))
    return g.to(y.dtype)


def sweep(
    cotangents: dict[Vertex, Value], targets: Any, retain_graph: bool | None, create_graph: bool
) -> tuple[dict[Vertex, Value], set[Vertex]]:
    """Pull, recording exactly when `create_graph` asks for it, whatever the caller's mode."""
    mode, tape.grad_mode.enabled = tape.grad_mode.enabled, create_graph
    try:
        retain = create_graph if retain_graph is None else retain_graph
        if watches:
            before_sweep(cotangents)
        result = pull(cotangents, targets, create_graph=create_graph, retain_graph=retain)
        for watch in watches:
            watch.after(result[0])
        return result
    finally:
        tape.grad_mode.enabled = mode


def accumulate(leaf: Any, g: Value, create_graph: bool) -> None:
    """Add a gradient into `.grad`, which shares memory with nothing else."""
    if leaf.gradient is None:
        leaf.gradient = g.clone() if create_graph else wrap(g)
    elif create_graph or leaf.gradient.tracked:
        leaf.gradient = leaf.gradient + g
    else:
        np.add(leaf.gradient.array, g, out=leaf.gradient.array)
        note_write(leaf.gradient.array)
