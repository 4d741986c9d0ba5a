"""`draw`: the graph behind a tensor as text (Mermaid, DOT) and, in a notebook, as a picture.

Data flows downward: from leaves and constants through ops to the tensor that is drawn. Ops carry
the shape and dtype of what they made, leaves the names of a model's parameters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

import numpy as np

from tinygrad_hw.autograd.anomaly_mode import places
from tinygrad_hw.tape import Array, Node, Traced, nodes_behind, raw, vertex

__all__ = ["Drawing", "draw"]


class Box(NamedTuple):
    """One thing that is drawn: its lines of text, and what sort it is."""

    lines: tuple[str, ...]
    sort: str  # "op", "leaf" or "constant"


class Drawing:
    """A graph as boxes and arrows: `str()` is Mermaid's text, `.dot` Graphviz's, `.svg` a picture,
    which notebooks show of themselves."""

    def __init__(self, boxes: Sequence[Box], arrows: Sequence[tuple[int, int]]) -> None:
        self.boxes, self.arrows = boxes, arrows

    @property
    def mermaid(self) -> str:
        """The graph in Mermaid's language, which GitHub and many editors draw."""
        brackets = {"op": ("[", "]"), "leaf": ("([", "])"), "constant": ("[/", "/]")}
        lines = ["flowchart TD"]
        for i, box in enumerate(self.boxes):
            left, right = brackets[box.sort]
            text = "<br/>".join(
                escape(part, quote=False).replace('"', "#quot;") for part in box.lines
            )
            lines.append(f'    n{i}{left}"{text}"{right}')
        return "\n".join([*lines, *(f"    n{a} --> n{b}" for a, b in self.arrows)])

    @property
    def dot(self) -> str:
        """The graph in Graphviz's language."""
        shapes = {"op": "box", "leaf": "ellipse", "constant": "parallelogram"}
        lines = ["digraph {"]
        for i, box in enumerate(self.boxes):
            text = "\\n".join(s.replace("\\", "\\\\").replace('"', '\\"') for s in box.lines)
            lines.append(f'    n{i} [shape={shapes[box.sort]}, label="{text}"];')
        return "\n".join([*lines, *(f"    n{a} -> n{b};" for a, b in self.arrows), "}"])

    @property
    def svg(self) -> str:
        """The graph as a picture."""
        from tinygrad_hw.autograd.picture import svg

        return svg(self.boxes, self.arrows)

    def __str__(self) -> str:
        return self.mermaid

    def __repr__(self) -> str:
        ops = sum(box.sort == "op" for box in self.boxes)
        return f"<Drawing of {ops} ops: print it, or look at .mermaid, .dot or .svg>"

    def _repr_svg_(self) -> str:
        return self.svg


def draw(outputs: Any, params: Any = None) -> Drawing:
    """Draw the graph behind a tensor (or several), as it is before `backward()` frees it.

    Args:
        outputs: a tensor that requires grad, or a list or tuple of them.
        params: names for leaves and constants: a dict of tensors by name, or a module, whose
            layers are then named at the ops that join their parameters with an input. Ops that
            were recorded under `detect_anomaly` all carry the name of their layer.

    Raises:
        ValueError: a tensor behind which there is no graph.

    >>> import tinygrad_hw as th
    >>> from tinygrad_hw.autograd import draw
    >>> w = th.ones(3, requires_grad=True)
    >>> print(draw((w * 2).sum(), params={"w": w}))
    flowchart TD
        n0(["w<br/>float32 (3,)"])
        n1["mul 2<br/>float32 (3,)"]
        n2["sum<br/>float32 ()"]
        n0 --> n1
        n1 --> n2
    """
    roots = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
    for y in roots:
        if not (isinstance(y, Traced) and y.tracked):
            raise ValueError("draw: this tensor does not require grad: there is no graph behind it")
    names, layers = named(params)
    boxes: list[Box] = []
    arrows: list[tuple[int, int]] = []
    numbers: dict[Any, int] = {}

    def add(key: Any, box: Box) -> int:
        if key not in numbers:
            numbers[key] = len(boxes)
            boxes.append(box)
        return numbers[key]

    for y in roots:
        if y.node is None:
            add(y, leaf_box(y, names))
    for node in nodes_behind([vertex(y) for y in roots]):
        if node.op.name == "part":  # one of several outputs: drawn with the node that made it
            numbers[node] = numbers[node.parents[0]]
            continue
        sources, written = [], []
        arrays = node.arrays if node.arrays is not None else (None,) * len(node.parents)
        for x, parent in zip(arrays, node.parents, strict=True):
            if isinstance(parent, Node):
                sources.append(numbers[parent])
            elif parent is not None:
                sources.append(add(parent, leaf_box(parent, names)))
            elif isinstance(x, np.ndarray) and x.ndim:
                box = Box((names.get(id(x), "constant"), described(x)), "constant")
                sources.append(add(id(x), box))
            elif x is not None:
                written.append(f"{x}")
        number = add(node, op_box(node, written, layers))
        arrows += [(source, number) for source in sources]
    return Drawing(boxes, arrows)


def named(params: Any) -> tuple[dict[int, str], dict[int, str]]:
    """Names of leaves and arrays, and of the layers that own them, by identity."""
    if params is None:
        return {}, {}
    if isinstance(params, Mapping):
        found, layers = dict(params), {}
    else:
        found = dict([*params.named_parameters(), *params.named_buffers()])
        layers = {
            id(p): f"{name}: {type(m).__name__}" if name else type(m).__name__
            for name, m in params.named_modules()
            for p in m.parameters(recurse=False)
        }
    names = {id(raw(t)): name for name, t in found.items()}
    return names | {id(t): name for name, t in found.items()}, layers


def described(array: Array) -> str:
    return f"{array.dtype.name} {array.shape}"


def leaf_box(leaf: Any, names: Mapping[int, str]) -> Box:
    return Box((names.get(id(leaf), "leaf"), described(leaf.array)), "leaf")


def op_box(node: Node, written: Sequence[str], layers: Mapping[int, str]) -> Box:
    own = getattr(node.op, "grad_fn_name", "").removesuffix("Backward")
    lines = [" ".join([own or node.op.name, *written])]
    if node.out is not None and node.out.dtype == object:
        lines.append(", ".join(described(a) for a in node.out if a is not None))
    elif node.out is not None:
        lines.append(described(node.out))
    layer = layer_of(node, layers)
    return Box((*lines, layer) if layer else tuple(lines), "op")


def layer_of(node: Node, layers: Mapping[int, str]) -> str:
    """The layer that an op ran in, where that was kept; else the layer whose parameters it joins
    with something that is none (a penalty on the weights is no part of the layer)."""
    place = places.get(node)
    if place is not None:
        return place.layer_name().partition("(")[0]
    owners = [layers.get(id(p)) for p in node.parents]
    found = [owner for owner in owners if owner]
    data = [
        p
        for p, x, owner in zip(node.parents, node.arrays or node.parents, owners, strict=False)
        if not owner and (p is not None or isinstance(x, np.ndarray))
    ]
    return found[0] if found and data else ""
