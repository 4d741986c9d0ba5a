"""Shapes, views and indexing beside the installed PyTorch; NumPy where indexing goes further."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from parity import Function, agree, numpy, seeds, shapes, torch, values

import tinygrad_hw as th

# ---------------------------------------------------------------------------------- shapes, views

SHAPES: dict[str, Function] = {
    "reshape": lambda L, x: x.reshape(3, -1, 2),
    "reshape sequence": lambda L, x: L.reshape(x, (6, 4)),
    "view": lambda L, x: x.view([4, -1]),
    "reshape of transposed": lambda L, x: x.transpose(0, 1).reshape(-1),
    "view that splits": lambda L, x: x.transpose(0, 2).view(2, 2, 3, 2),
    "permute": lambda L, x: x.permute(-1, 0, 1),
    "permute sequence": lambda L, x: L.permute(x, (2, 0, -2)),
    "transpose": lambda L, x: x.transpose(-1, 0),
    "swapaxes": lambda L, x: x.swapaxes(1, 1),
    "T": lambda L, x: x[0].T,
    "t": lambda L, x: x[0].t() @ x[1],
    "expand": lambda L, x: x[:, :1].expand(5, 2, -1, 3, 4)[0, :, 0],
    "expand new axes": lambda L, x: x.expand(2, -1, -1, -1),
    "squeeze": lambda L, x: x[:1, :, :1].squeeze(),
    "squeeze dim": lambda L, x: x[:1, :, :1].squeeze(-1),
    "squeeze dims": lambda L, x: x[:1, :, :1].squeeze((0, 1, -1)),
    "unsqueeze": lambda L, x: L.unsqueeze(x, -2),
    "flatten": lambda L, x: x.flatten(),
    "flatten range": lambda L, x: x.flatten(-2, 2),
    "flatten front": lambda L, x: L.flatten(x, 0, 1),
    "flatten one": lambda L, x: x.flatten(1, 1),
    "ravel": lambda L, x: x.ravel(),
    "clone": lambda L, x: x.clone(),
    "contiguous": lambda L, x: x.contiguous(),
    "contiguous of transposed": lambda L, x: x[0].T.contiguous(),
    "detach": lambda L, x: x.detach(),
    "data": lambda L, x: x.data,
    "to itself": lambda L, x: x.to(L.float64),
    "to the CPU": lambda L, x: x.to("cpu", L.float32).to(dtype=L.float64),
    "float": lambda L, x: x.float(),
    "half": lambda L, x: x.half(),
    "long": lambda L, x: x.long(),
    "bool": lambda L, x: (x > 0).bool(),
    "plus": lambda L, x: +x,
    "cat": lambda L, x: L.cat([x, x[:, :2] * 2], 1),
    "cat from the back": lambda L, x: L.cat((x, x[..., :1], x), dim=-1),
    "cat of dtypes": lambda L, x: L.cat([x[0].float(), x[1], x[0].long()]),
    "stack": lambda L, x: L.stack([x, x * x, x], 1),
    "stack from the back": lambda L, x: L.stack(tuple(x), dim=-1),
    "stack of numbers": lambda L, x: L.stack([x[0, 0, 0], x.sum()]),
    "unpacked": lambda L, x: (lambda a, b: a * b)(*x),
    "rows": lambda L, x: sum(row @ row.T for row in x),
}


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_and_views(name: str) -> None:
    x = np.random.default_rng(0).standard_normal((2, 3, 4))
    agree(SHAPES[name], x, seed=1)
    shared = []
    for L in (th, torch):
        tensor = L.from_numpy(x)
        shared.append(np.shares_memory(x, numpy(SHAPES[name](L, tensor))))
    assert shared[0] == shared[1]


@given(data=st.data(), seed=seeds)
def test_chains_of_shapes(data: Any, seed: int) -> None:
    x = data.draw(values(shapes(least=0)))
    steps = data.draw(st.lists(st.sampled_from(["permute", "reshape", "unsqueeze", "flatten"])))
    order, at = data.draw(st.permutations(range(9))), data.draw(st.integers(0, 7))

    def f(L: Any, x: Any) -> Any:
        for step in steps:
            n = len(x.shape)
            if step == "permute" and n:
                x = x.permute(*[d - n * (d % 2) for d in order if d < n]) * 2
            elif step == "reshape":
                x = x.reshape(tuple(x.shape)[::-1])
            elif step == "flatten":
                x = x.flatten(min(at, max(n - 2, 0)), -1)
            elif step == "unsqueeze" and n < 6:
                x = x.unsqueeze(at % (2 * n + 2) - n - 1)
        return x * x

    agree(f, x, seed=seed)


# -------------------------------------------------------------------------------------- indexing


@given(data=st.data(), seed=seeds)
def test_basic_indexing(data: Any, seed: int) -> None:
    x = data.draw(values(shapes()))
    index = data.draw(hnp.basic_indices(x.shape, allow_newaxis=True))
    parts = index if isinstance(index, tuple) else (index,)
    if all(p.step is None or p.step > 0 for p in parts if isinstance(p, slice)):
        agree(lambda L, x: x[index] * x[index], x, seed=seed)
    check_against_numpy(x, index, seed)  # negative steps too


@given(data=st.data(), seed=seeds)
def test_indexing_with_arrays_and_masks(data: Any, seed: int) -> None:
    x = data.draw(values(shapes(least=1, min_dims=1)))
    index = data.draw(hnp.integer_array_indices(x.shape, result_shape=hnp.array_shapes(max_dims=2)))
    agree(lambda L, x: x[tuple(L.from_numpy(i) for i in index)] * 2, x, seed=seed)
    agree(lambda L, x: x[index[0].tolist(), ...] if index[0].ndim == 1 else x[index], x, seed=seed)
    mask = data.draw(hnp.arrays(bool, x.shape[: data.draw(st.integers(1, x.ndim))]))
    agree(lambda L, x: x[L.from_numpy(mask)] * 3, x, seed=seed)
    check_against_numpy(x, index, seed)
    check_against_numpy(x, mask, seed)


# With a number apart from an array NumPy's order of axes differs from PyTorch's, which is kept.
NUMBERED = ["0, :, [0, 1]", "[0, 1], None, 0", "None, [0, 0], 1, ..., [1, 1, 3][0]"]
MIXED = ["::-1, [2, 0, 2]"]  # which PyTorch refuses
MIXTURES = [
    "..., 0",
    ":, None, 1",
    "[0, 1], 1",
    "1, [0, 2, 2]",
    ":, [0, 2, 2]",
    ":, [[0], [2]], 1:3",
    "[[0], [1]], :, [0, 3]",
    "None, [0, 1], :, [0, 1]",
    "..., [0, 0]",
    "[0, 0], ...",
    "range(2)",
    "[True, False]",
    "[True, False], :, [0]",
    "True",
    "None, None",
    "[], 0",
    "-1",
    "0, 0, 0",
    "np.int64(1)",
    "np.array([0, 1, 0]), :, np.array([0, 1, 0])",
    "slice(0, 1), Ellipsis, -1",
    "0:0",
    "..., ::3",
]


@pytest.mark.parametrize("index", MIXTURES + MIXED + NUMBERED)
def test_mixed_indexing(index: str) -> None:
    x = np.random.default_rng(0).standard_normal((2, 3, 4))
    f = eval(f"lambda L, x: x[{index}]", {"np": np})
    if index not in MIXED:
        agree(f, x)
        agree(lambda L, x: f(L, x * x), x)
    if index in NUMBERED:
        return
    index = index.replace("range(2)", "[0, 1]")
    check_against_numpy(x, eval(f"np.s_[{index}]", {"np": np}), 0)


def check_against_numpy(x: np.ndarray, index: Any, seed: int) -> None:
    """The value, and the gradient as a histogram of where each element was taken from."""
    t = th.tensor(x, requires_grad=True)
    y = t[index]
    np.testing.assert_array_equal(y.detach().numpy(), x[index])
    g = np.random.default_rng(seed).standard_normal(y.shape)
    y.backward(th.tensor(g))
    taken = np.arange(x.size).reshape(x.shape)[index]
    expected = np.bincount(np.ravel(taken), np.ravel(g), minlength=x.size).reshape(x.shape)
    np.testing.assert_allclose(t.grad.numpy(), expected, rtol=1e-12, atol=1e-12)
