"""`draw`: Mermaid, DOT and SVG of the graph behind a tensor."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from parity import seeds

import tinygrad_hw as th
from tinygrad_hw import nn
from tinygrad_hw.autograd import detect_anomaly, draw
from tinygrad_hw.autograd.picture import layout, rows_of


def perceptron() -> Any:
    return nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))


def test_a_small_graph_whole() -> None:
    w, x = th.ones(2, 3, requires_grad=True), th.ones(5, 3)
    y = (x @ w.t() * 2.0).sum()
    drawing = draw(y, {"w": w, "x": x})
    assert str(drawing) == drawing.mermaid
    labels = re.findall(r'n\d+\S+?"(.*)"', drawing.mermaid)
    assert "w<br/>float32 (2, 3)" in labels
    assert "x<br/>float32 (5, 3)" in labels
    assert "mul 2.0<br/>float32 (5, 2)" in labels
    assert labels[-1] == "sum<br/>float32 ()"
    assert drawing.mermaid.startswith("flowchart TD\n")


def test_parameters_and_layers_of_a_module_are_named() -> None:
    model = perceptron()
    text = draw(model(th.ones(7, 4)).sum(), params=model).mermaid
    for name, p in model.named_parameters():
        assert f"{name}<br/>float32 {p.array.shape}" in text
    assert "linear<br/>float32 (7, 3)<br/>0: Linear" in text
    assert "linear<br/>float32 (7, 2)<br/>2: Linear" in text
    assert "constant<br/>float32 (7, 4)" in text
    penalty = draw(sum((p**2).sum() for p in model.parameters()), params=model).mermaid
    assert "Linear" not in penalty


def test_what_was_recorded_under_detect_anomaly_has_its_layer_s_name() -> None:
    model = perceptron()
    with detect_anomaly():
        text = draw(model(th.ones(7, 4)).sum()).mermaid
    assert "tanh<br/>float32 (7, 3)<br/>Sequential.1: Tanh" in text


def test_functions_are_drawn_once_under_their_name() -> None:
    class Split(th.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2, x.sum()

        @staticmethod
        def backward(ctx, g, h):
            return g * 2 + h

    a, b = Split.apply(th.ones(3, requires_grad=True))
    text = draw(a * b).mermaid
    assert text.count("Split<br/>float32 (3,), float32 ()") == 1
    assert text.count("-->") == 3


@given(seed=seeds, n=st.integers(1, 12))
def test_every_text_has_every_box_and_arrow_of_a_random_graph(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    made = [th.ones(2, requires_grad=True) for _ in range(3)]
    for _ in range(n):
        i, j = rng.integers(0, len(made), 2)
        made.append(made[i] * made[j] if rng.random() < 0.5 else made[i].tanh())
    drawing = draw(made[-1])
    boxes, arrows = drawing.boxes, drawing.arrows
    seen, stack, edges = set(), [made[-1].grad_fn], 0
    while stack:
        fn = stack.pop()
        if fn not in seen:
            seen.add(fn)
            edges += len(fn.next_functions)
            stack += [f for f, _ in fn.next_functions if f is not None]
    assert (len(boxes), len(arrows)) == (len(seen), edges)
    assert drawing.mermaid.count("-->") == drawing.dot.count("->") == len(arrows)
    picture = ElementTree.fromstring(drawing.svg)
    assert sum(e.tag.endswith("rect") for e in picture.iter()) == len(boxes)
    assert all(a < b for a, b in arrows)

    row = rows_of(len(boxes), arrows)
    assert all(row[a] < row[b] for a, b in arrows)
    at = layout(boxes, arrows)
    for a, (x, y, w, h) in enumerate(at.boxes):
        assert 0 <= x <= x + w <= at.width
        assert 0 <= y <= y + h <= at.height
        for u, v, s, t in at.boxes[:a]:
            assert u + s <= x or x + w <= u or v + t <= y or y + h <= v, "boxes overlap"
    for (a, b), points in zip(arrows, at.arrows, strict=True):
        assert points[0][1] == pytest.approx(at.boxes[a][1] + at.boxes[a][3])
        assert points[-1][1] == pytest.approx(at.boxes[b][1])
        assert all(p[1] < q[1] for p, q in pairwise(points))
        inner = [
            p
            for p in points[1:-1]
            for x, y, w, h in at.boxes
            if x < p[0] < x + w and y < p[1] < y + h
        ]
        assert not inner, "an arrow's joint is inside a box"


def test_names_are_escaped() -> None:
    w = th.ones(2, requires_grad=True)
    drawing = draw(w.sum(), {'a"<b>&\\': w})
    assert "a#quot;&lt;b&gt;&amp;" in drawing.mermaid
    assert r'label="a\"<b>&\\\nfloat32' in drawing.dot
    assert ElementTree.fromstring(drawing._repr_svg_()) is not None


def test_after_backward_shapes_are_gone_and_the_graph_is_not() -> None:
    w = th.ones(2, requires_grad=True)
    y = (w * 2).sum()
    y.backward()
    assert draw(y).mermaid.count("-->") == 2


def test_several_outputs_and_a_leaf() -> None:
    w = th.ones(2, requires_grad=True)
    h = w.exp()
    assert draw([h.sum(), h * 2]).mermaid.count("exp") == 1
    assert len(draw(w).boxes) == 1
    assert "ops" in repr(draw(h))


def test_a_constant_is_refused() -> None:
    with pytest.raises(ValueError, match="no graph"):
        draw(th.ones(2))
