"""Anomaly detection: the op that first made a nan or an infinity, forward or backward.

While it is on, every op on tensors is checked when it runs, and every rule when it is swept. An op
is blamed for a nan that none of its inputs had where it is, and for an infinity that grew out of
finite numbers; one that only passes such a number on is not.
"""

from __future__ import annotations

import linecache
import os
import sys
import threading
import weakref
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tinygrad_hw.autograd.watch import Run, Watch, start, stop
from tinygrad_hw.tape import Array, Node, Traced, Value, Vertex, raw

__all__ = ["detect_anomaly", "is_anomaly_check_nan_enabled", "is_anomaly_enabled"]
__all__ += ["set_detect_anomaly"]

PACKAGE = os.path.dirname(os.path.dirname(__file__)) + os.sep


class Place(NamedTuple):
    """Where in the user's program an op ran: the line, and the innermost module."""

    file: str
    line: int
    function: str
    model: Any  # the outermost module that was being called, or None
    layer: Any  # the innermost

    def layer_name(self) -> str:
        """The layer as the model knows it: `Sequential.2: Linear(...)`."""
        if self.layer is None:
            return ""
        modules = self.model.named_modules()
        name = next((name for name, m in modules if m is self.layer), "")
        return f"{type(self.model).__name__}.{name}: {self.layer!r}" if name else repr(self.layer)

    def __str__(self) -> str:
        text = linecache.getline(self.file, self.line).strip()
        layer = self.layer_name()
        return (f"\n  in {layer}" if layer else "") + (
            f"\n  at {self.file}:{self.line}, in {self.function}" + (f": {text}" if text else "")
        )


places: weakref.WeakKeyDictionary[Node, Place] = weakref.WeakKeyDictionary()


def here() -> Place:
    """The first line outside the package, and the modules whose calls lead to it."""
    module: Any = sys.modules.get("tinygrad_hw.nn.module")
    kind = module.Module if module else ()
    frame: Any = sys._getframe(1)
    user, called = None, []
    while frame is not None:
        if user is None and not frame.f_code.co_filename.startswith(PACKAGE):
            user = frame
        if frame.f_code.co_name == "__call__" and isinstance(frame.f_locals.get("self"), kind):
            called.append(frame.f_locals["self"])
        frame = frame.f_back
    model, layer = (called[-1], called[0]) if called else (None, None)
    if user is None:
        return Place("?", 0, "?", model, layer)
    return Place(user.f_code.co_filename, user.f_lineno, user.f_code.co_name, model, layer)


# ------------------------------------------------------------------------------- who is to blame


def numbers(x: Any) -> Any:
    """What of an input can be nan: floating-point arrays and numbers."""
    x = raw(x)
    if isinstance(x, np.ndarray):
        return x if x.dtype.kind == "f" else None
    return x if isinstance(x, (float, np.floating)) else None


def made(kind: str, inputs: Sequence[Any], out: Any) -> tuple[int, ...] | None:
    """The first place where `out` has a nan or an infinity that its inputs do not account for."""
    if not isinstance(out, np.ndarray) or out.dtype.kind != "f" or np.isfinite(out).all():
        return None
    given = [x for x in map(numbers, inputs) if x is not None]
    was_nan = accounted([np.isnan(x) for x in given], out, kind)
    was_bad = accounted([~np.isfinite(x) for x in given], out, kind)
    new = (np.isnan(out) & ~was_nan) | (np.isinf(out) & ~was_bad)
    return tuple(map(int, np.argwhere(new)[0])) if new.any() else None


def accounted(masks: Sequence[Any], out: Array, kind: str) -> Any:
    """Where what inputs are accounts for what the output is: place by place in an elementwise op;
    elsewhere any input may have gone anywhere."""
    if kind == "elementwise":
        try:
            return np.any([np.broadcast_to(m, out.shape) for m in masks], axis=0)
        except ValueError:
            pass
    return any(m.any() for m in masks)


def described(x: Any) -> str:
    x = raw(x)
    return f"{x.dtype.name} {x.shape}" if isinstance(x, np.ndarray) else repr(x)


def value_at(x: Any, index: tuple[int, ...], shape: tuple[int, ...]) -> str:
    """An input's number where the output went wrong, if they can be laid side by side."""
    x = raw(x)
    if not isinstance(x, np.ndarray):
        return ""
    try:
        return f", {np.broadcast_to(x, shape)[index]!s} there"
    except ValueError:
        return ""


def report(out: Array, index: tuple[int, ...], inputs: Sequence[tuple[str, Any]]) -> str:
    count = int(np.count_nonzero(~np.isfinite(out)))
    lines = [
        f"\n  {name}: {described(x)}{value_at(x, index, out.shape)}"
        for name, x in inputs
        if x is not None
    ]
    return (
        f"{out[index]!s} in {described(out)}, first at {list(index)} ({count} of {out.size} "
        f"elements are not finite){''.join(lines)}"
    )


class Anomaly(Watch):
    """What `detect_anomaly` sets to work."""

    def __init__(self, check: bool) -> None:
        self.check = check
        self.sweeping = threading.local()
        self.source = ""  # where a number that is not finite came in

    def forward(self, op: Any, inputs: Sequence[Any], static: dict[str, Any], run: Run) -> Any:
        with np.errstate(all="ignore"):
            found = run()
        if getattr(self.sweeping, "node", None) is not None:  # a rule that is itself recorded
            place = places.get(self.sweeping.node)
        else:
            place = here()
        for out in found if isinstance(found, tuple) else (found,):
            if not isinstance(out, Traced):
                continue
            node: Any = out.node
            while node is not None and place is not None and node not in places:
                places[node] = place
                node = node.parents[0] if node.op.name == "part" else None
            if self.check and getattr(self.sweeping, "node", None) is None:
                index = made(op.kind, [*inputs, *static.values()], out.array)
                if index is not None:
                    given = [(f"input {i}", x) for i, x in enumerate(inputs)]
                    raise RuntimeError(
                        f"{op.name} made {report(out.array, index, given)}" + line(place)
                    )
        return found

    def backward(
        self, node: Node, i: int, g: Value, y: Value, inputs: Sequence[Any], run: Run
    ) -> Any:
        before = getattr(self.sweeping, "node", None)
        self.sweeping.node = node
        try:
            with np.errstate(all="ignore"):
                found = run()
        except Exception as error:
            error.add_note(f"while {node.name()} computed the gradient of its input {i}"
                           f"{places.get(node, '')!s}")  # fmt: skip
            raise
        finally:
            self.sweeping.node = before
        index = made(node.op.kind, [g, y, *inputs], raw(found)) if self.check else None
        if index is not None:
            given = [("cotangent", g), *((f"input {k}", x) for k, x in enumerate(inputs))]
            place = places.get(node)
            raise RuntimeError(
                f"{node.name()} returned, as the gradient of input {i} of {node.op.name}, "
                f"{report(raw(found), index, given)}"
                + (str(place) if place else "\n  (run the forward pass under detect_anomaly too, "
                   "and this names its line and layer)")
            )  # fmt: skip
        return found

    def before(self, order: Sequence[Node], cotangents: dict[Vertex, Value]) -> None:
        if not self.check:
            return
        self.source = ""
        for node in order:  # oldest first: what ran before anybody watched
            if not isinstance(node.out, np.ndarray) or node.arrays is None:
                continue
            for k, (x, parent) in enumerate(zip(node.arrays, node.parents, strict=True)):
                bad = numbers(x)
                if not self.source and not isinstance(parent, Node) and bad is not None:
                    self.source = entered(node, k, bad, parent)
            if node in places:
                continue
            index = made(node.op.kind, [*node.arrays, *node.static.values()], node.out)
            if index is not None:
                given = [(f"input {k}", x) for k, x in enumerate(node.arrays)]
                raise RuntimeError(
                    f"{node.op.name} made, in the forward pass, {report(node.out, index, given)}"
                    "\n  (run the forward pass under detect_anomaly too, and this names its line "
                    "and layer)"
                )
        for root in cotangents:
            y = root.out if isinstance(root, Node) else root.array
            if self.source and isinstance(y, np.ndarray) and y.size == 1 and not np.isfinite(y):
                raise RuntimeError(f"what backward starts from is {y.item()}: {self.source}")

    def after(self, found: dict[Vertex, Value]) -> None:
        for at, g in found.items() if self.check else ():
            array = raw(g)
            if isinstance(array, np.ndarray) and not np.isfinite(array).all():
                index = tuple(map(int, np.argwhere(~np.isfinite(array))[0]))
                what = at.name() if isinstance(at, Node) else "a leaf"
                raise RuntimeError(
                    f"the gradient of {what} has {report(array, index, [])}, and no op made it out "
                    f"of finite numbers: {self.source or 'its cotangent, or a sum, was not finite'}"
                )


def line(place: Place | None) -> str:
    """The line alone: the module says its own name as the error passes."""
    return "" if place is None else str(place._replace(model=None, layer=None))


def entered(node: Node, k: int, x: Any, parent: Any) -> str:
    """A sentence on a number that was not finite before any op ran, or none."""
    array = np.asarray(x)
    if np.isfinite(array).all():
        return ""
    index = tuple(map(int, np.argwhere(~np.isfinite(array))[0]))
    place = places.get(node)
    layer = place.layer if place else None
    names = [n for n, p in layer.named_parameters() if p is parent] if layer is not None else []
    what = (
        f"the parameter {names[0]}" if names else "a leaf" if parent is not None else "a constant"
    )
    where = f", first at {list(index)}" if index else ""
    return (
        f"{what}, input {k} of {node.op.name}, {described(array)}, was {array[index]!s} already"
        f"{where}{place or ''}"
    )


# ----------------------------------------------------------------------------------- on and off

state: list[Anomaly | None] = [None]


def switch(mode: bool, check_nan: bool) -> None:
    if state[0] is not None:
        stop(state[0])
    state[0] = Anomaly(bool(check_nan)) if mode else None
    if state[0] is not None:
        start(state[0])


class set_detect_anomaly:
    """Turn anomaly detection on or off from here on; as a context manager, until the block ends.

    Args:
        mode: on or off.
        check_nan: with False only the lines and layers of ops are kept, for errors in backward.

    Raises:
        RuntimeError: from the op, or from backward, that first makes a nan or an infinity: with
            the op, the shapes, the first place, the layer and the line of the program.

    >>> import tinygrad_hw as th
    >>> with th.autograd.set_detect_anomaly(True):
    ...     th.tensor([1.0, 0.0], requires_grad=True).log()
    Traceback (most recent call last):
    RuntimeError: log made -inf in float32 (2,), first at [1] (1 of 2 elements are not finite)
      input 0: float32 (2,), 0.0 there
      at <doctest ...
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self.before = (is_anomaly_enabled(), is_anomaly_check_nan_enabled())
        switch(mode, check_nan)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        switch(*self.before)


class detect_anomaly:
    """Anomaly detection for a block: see `set_detect_anomaly`."""

    def __init__(self, check_nan: bool = True) -> None:
        self.check_nan = check_nan

    def __enter__(self) -> None:
        self.before = (is_anomaly_enabled(), is_anomaly_check_nan_enabled())
        switch(True, self.check_nan)

    def __exit__(self, *exception: object) -> None:
        switch(*self.before)


def is_anomaly_enabled() -> bool:
    """Whether anomaly detection is on."""
    return state[0] is not None


def is_anomaly_check_nan_enabled() -> bool:
    """Whether anomaly detection, where it is on, checks numbers."""
    return state[0] is None or state[0].check
