"""NumPy both ways: its functions on tensors, arrays and scalars beside them, and closed dtypes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import tinygrad_hw as th
from tinygrad_hw.op import Op
from tinygrad_hw.rules import (
    elementwise,
    indexing,
    linalg,
    losses,
    normalization,
    reductions,
    shapes,
    softmax,
)

positive = st.floats(0.125, 3, width=32)
matrices = hnp.arrays(np.float64, (2, 3), elements=positive)
seeds = st.integers(0, 2**32 - 1)
Function = Callable[..., Any]


def leaf(x: np.ndarray) -> th.Tensor:
    return th.tensor(x, requires_grad=True)


def slope(f: Function, x: np.ndarray, g: np.ndarray) -> np.ndarray:
    """The gradient of sum(f(x) * g) by central differences, for float64 inputs of size one."""
    h = 1e-5
    steps = np.eye(x.size).reshape(-1, *x.shape) * h
    return np.array([((f(x + d) - f(x - d)) * g).sum() / (2 * h) for d in steps]).reshape(x.shape)


# One text each: NumPy's value for an array is what a tensor must give, and be differentiated by.
COVERED: dict[str, Function] = {
    name: getattr(np, name)
    for name in [
        "exp",
        "log",
        "expm1",
        "log1p",
        "sqrt",
        "sin",
        "cos",
        "tanh",
        "negative",
        "absolute",
        "transpose",
        "ravel",
        "copy",
    ]
} | {
    "sum": lambda x: np.sum(x, axis=0),
    "sum of all": np.sum,
    "mean": lambda x: np.mean(x, axis=-1, keepdims=True),
    "max": lambda x: np.max(x, axis=1),
    "amax": np.amax,
    "min": lambda x: np.min(x, axis=(0, 1)),
    "add.reduce": lambda x: np.add.reduce(x, axis=1),
    "concatenate": lambda x: np.concatenate([x, x * 2], axis=1),
    "concatenate with an array": lambda x: np.concatenate([np.ones((2, 1)), x], axis=-1),
    "stack": lambda x: np.stack([x, x * x], axis=1),
    "where": lambda x: np.where(x > 1, x * x, 3.0),
    "where of arrays": lambda x: np.where(np.eye(2, 3) > 0, x, np.ones(3)),
    "clip": lambda x: np.clip(x, 0.5, 2),
    "clip method": lambda x: np.clip(x, np.full(3, 0.5), None),
    "reshape": lambda x: np.reshape(x, (3, -1)),
    "transpose with axes": lambda x: np.transpose(x, (1, 0)),
    "swapaxes": lambda x: np.swapaxes(x, 0, -1),
    "expand_dims": lambda x: np.expand_dims(x, 1),
    "squeeze": lambda x: np.squeeze(np.expand_dims(x, 1), 1),
    "broadcast_to": lambda x: np.broadcast_to(x, (4, 2, 3)),
    "prod": lambda x: np.prod(x, axis=1),
    "var": lambda x: np.var(x, axis=1),
    "std": lambda x: np.std(x, ddof=1),
    "cumsum": lambda x: np.cumsum(x, axis=1),
    "cumsum of all": np.cumsum,
    "sort": np.sort,
    "round trip": lambda x: np.flip(np.roll(x, 1, axis=1), 0),
    "tril and triu": lambda x: np.tril(x) + np.triu(x, 1) * 2,
    "dot": lambda x: np.dot(x, np.arange(6.0).reshape(3, 2)),
    "outer": lambda x: np.outer(x, x),
    "einsum": lambda x: np.einsum("ij,kj->ik", x, x),
    "trace": lambda x: np.trace(np.matmul(x, np.arange(6.0).reshape(3, 2))),
    "take_along_axis": lambda x: np.take_along_axis(x, np.array([[0, 0], [2, 1]]), 1),
    "moveaxis": lambda x: np.moveaxis(x, 0, -1),
    "array + tensor": lambda x: np.arange(3.0) + x,
    "array - tensor": lambda x: np.ones((4, 1, 3)) - x,
    "array * tensor": lambda x: np.arange(6.0).reshape(2, 3) * x,
    "array / tensor": lambda x: np.arange(3.0) / x,
    "tensor / array": lambda x: x / np.arange(1.0, 4),
    "array ** tensor": lambda x: np.array([0.5, 2.0, 3.0]) ** x,
    "tensor ** array": lambda x: x ** np.array([0.5, 2.0, -1.0]),
    "array @ tensor": lambda x: np.arange(8.0).reshape(4, 2) @ x,
    "tensor @ array": lambda x: x @ np.arange(3.0),
    "np.matmul": lambda x: np.matmul(x, np.arange(12.0).reshape(3, 4)),
    "np.float64 * tensor": lambda x: np.float64(2.5) * x,
    "np.int64 - tensor": lambda x: np.int64(2) - x,
    "0-d array / tensor": lambda x: np.array(2.0) / x,
    "tensor ** np.float64": lambda x: x ** np.float64(1.5),
    "maximum": lambda x: np.maximum(x, np.array([0.3, 1.1, 2.2])),
    "minimum": lambda x: np.minimum(np.full((2, 3), 1.05), x),
}


@pytest.mark.parametrize("name", COVERED)
@given(data=st.data(), seed=seeds)
def test_numpy_functions_record_and_differentiate(name: str, data: Any, seed: int) -> None:
    f = COVERED[name]
    distinct = st.lists(st.integers(4, 60), min_size=6, max_size=6, unique=True)
    x = np.array(data.draw(distinct)).reshape(2, 3) / 20 + 0.013  # off every kink
    y = f(leaf(x))
    assert isinstance(y, th.Tensor)
    assert y.requires_grad
    np.testing.assert_allclose(y.detach().numpy(), f(x), rtol=1e-14)
    t = leaf(x)
    g = np.random.default_rng(seed).standard_normal(y.shape)
    f(t).backward(th.tensor(g))
    np.testing.assert_allclose(t.grad.numpy(), slope(f, x, g), rtol=1e-6, atol=1e-6)


ASKED: dict[str, Function] = {
    "argmax": lambda x: np.argmax(x, axis=1),
    "argmin": np.argmin,
    "any": lambda x: np.any(x > 1, axis=0),
    "all": lambda x: np.all(x > 0),
    "isnan": np.isnan,
    "isfinite": np.isfinite,
    "sign": np.sign,
    "array > tensor": lambda x: np.ones(3) > x,
    "array == tensor": lambda x: np.ones(3) == x,
    "array & mask": lambda x: np.array([True, False, True]) & (x > 1),
}


@pytest.mark.parametrize("name", ASKED)
@given(x=matrices)
def test_numpy_questions_are_answered_by_tensors(name: str, x: np.ndarray) -> None:
    y = ASKED[name](leaf(x))
    assert isinstance(y, th.Tensor)
    assert y.dtype == np.asarray(ASKED[name](x)).dtype
    np.testing.assert_array_equal(y.detach().numpy(), ASKED[name](x))


def test_numpy_reads_what_a_tensor_is() -> None:
    t = leaf(np.ones((2, 3)))
    assert (np.shape(t), np.ndim(t), np.size(t)) == ((2, 3), 2, 6)


UNCOVERED: dict[str, Function] = {
    "logaddexp": lambda x: np.logaddexp(x, x),
    "cbrt": np.cbrt,
    "multiply.reduce": np.multiply.reduce,
    "add.accumulate": np.add.accumulate,
    "add.outer": lambda x: np.add.outer(x, x),
    "exp": lambda x: np.exp(x, out=np.empty((2, 3))),
    "add": lambda x: np.add(x, 1, where=np.eye(2, 3) > 0),
    "median": np.median,
    "linalg.norm": np.linalg.norm,
    "vdot": lambda x: np.vdot(x, x),
    "inner": lambda x: np.inner(x, x),
    "ptp": np.ptp,
    "cumprod": np.cumprod,
    "vstack": lambda x: np.vstack([x, x]),
    "partition": lambda x: np.partition(x, 1),
}


@pytest.mark.parametrize("requires_grad", [True, False])
@pytest.mark.parametrize("name", UNCOVERED)
def test_uncovered_functions_are_refused_by_name(name: str, requires_grad: bool) -> None:
    t = th.tensor(np.ones((2, 3)), requires_grad=requires_grad)
    with pytest.raises(TypeError, match=re.escape(name.rsplit(".")[-1])):
        UNCOVERED[name](t)


def test_an_array_written_in_place_refuses_a_tensor() -> None:
    a = np.ones(3)
    with pytest.raises(TypeError, match="add"):
        a += leaf(np.ones(3))
    np.testing.assert_array_equal(a, 1)


@pytest.mark.parametrize("convert", [np.asarray, np.array, np.asanyarray, np.float64])
def test_arrays_of_what_requires_grad_are_refused(convert: Function) -> None:
    with pytest.raises(RuntimeError, match=r"detach\(\)\.numpy\(\)"):
        convert(leaf(np.ones(3)))


def test_arrays_of_plain_tensors_share_or_copy_as_asked() -> None:
    t = th.tensor([1.0, 2.0])
    assert np.shares_memory(np.asarray(t), t.numpy())
    assert not np.shares_memory(np.array(t), t.numpy())
    assert np.asarray(t, np.float64).dtype == np.float64


NOT_NUMBERS = [None, "a", [1, [2]], object(), {1}, 2j, np.array([None]), np.array(["a"])]


@pytest.mark.parametrize("odd", NOT_NUMBERS, ids=lambda odd: type(odd).__name__)
@pytest.mark.parametrize("op", ["add", "mul", "maximum", "pow", "matmul"])
def test_nothing_becomes_an_object_array(op: str, odd: Any) -> None:
    t = leaf(np.ones(2))
    called = linalg.matmul if op == "matmul" else getattr(elementwise, op)
    for inputs in ((t, odd), (odd, t)):
        with pytest.raises((TypeError, RuntimeError)):
            called(*inputs)


# --------------------------------------------------------------------------------- closed dtypes

X = np.array([[0.5, 1.25, 2.0], [1.5, 0.75, 1.0]])
W = np.array([[2.0, 0.25], [0.5, 1.5], [1.0, 3.0]])
INDEX = np.array([[0, 1, 1]])
SQUARE = np.array([[2.0, 0.5], [0.5, 1.0]])
MASK = X > 1
MEAN = {"reduction": "mean", "ignore_index": -100}
OVER = ["sum", "mean", "amax", "amin", "softmax", "log_softmax", "logsumexp"]
CALLS: dict[
    str, tuple[Any, ...]
] = {  # an op of several inputs, or with metadata, and how to call it
    **dict.fromkeys(["add", "sub", "mul", "div", "pow", "maximum", "minimum"], (X, X[:1] + 0.1)),
    "where": (MASK, X, X[:1]),
    "clamp": (X, {"min": 0.6, "max": 1.4}),
    "cast": (X, {"dtype": np.float32}),
    "matmul": (X, W),
    "affine": (X, W.T, W[0]),
    "outer": (X, X[:, :2]),
    "reshape": (X, {"shape": (3, 2)}),
    "view": (X, {"shape": (3, 2)}),
    "permute": (X, {"dims": (1, 0)}),
    "expand": (X, {"shape": (4, 2, 3)}),
    "cat": (X, X, {"dim": 1}),
    "getitem": (X, {"index": INDEX[0][:2]}),
    "put": (X[0], {"index": np.array([0, 1, 1]), "shape": (4,)}),
    "gather": (X, {"index": INDEX, "dim": 0}),
    "put_along": (X[:1], {"index": INDEX, "dim": 0, "shape": (2, 3)}),
    "diagonal": (X, {"offset": 1}),
    "setitem": (X, X[0], {"index": 1}),
    **dict.fromkeys([*OVER, "cumsum"], (X, {"dim": 1})),
    **dict.fromkeys(["remainder", "fmod", "floor_divide", "xlogy", "atan2"], (X, X[:1] + 0.1)),
    **dict.fromkeys(["asin", "acos", "atanh"], (X / 3,)),
    "acosh": (X + 1,),
    **dict.fromkeys(["inv", "det", "logabsdet", "cholesky"], (SQUARE,)),
    "solve": (SQUARE, X),
    "binary_cross_entropy": (X / 3, X[:1] / 4),
    "standardize": (X, {"dim": (1,), "eps": 1e-5}),
    "cross_entropy": (X, np.array([2, 0]), MEAN),
    "cross_entropy_grad": (np.array(1.5), X, np.array([2, 0]), MEAN),
}


def table() -> Iterator[tuple[str, Op]]:
    modules = (elementwise, indexing, linalg, losses, normalization, reductions, shapes, softmax)
    for module in modules:
        for name, op in vars(module).items():
            if isinstance(op, Op) and len(op.rules):
                yield name, op


@pytest.mark.parametrize("name", dict(table()))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_op_keeps_its_dtype_through_two_backward_sweeps(name: str, dtype: Any) -> None:
    op, call = dict(table())[name], CALLS.get(name, (X,))
    *inputs, static = call if isinstance(call[-1], dict) else (*call, {})
    if name == "cast":
        static = {"dtype": dtype}
    xs = [leaf(a.astype(dtype)) if a.dtype.kind == "f" else a for a in inputs]
    leaves = [x for x in xs if isinstance(x, th.Tensor)]
    y = op(*xs, **static)
    rng = np.random.default_rng(0)
    for _ in range(2):
        assert y.dtype == dtype
        if not y.requires_grad:
            break
        g = th.tensor(rng.standard_normal(y.shape))
        grads = th.autograd.grad(y, leaves, g, create_graph=True, materialize_grads=True)
        assert [h.dtype for h in grads] == [dtype] * len(leaves)
        y = sum((h * th.tensor(rng.standard_normal(h.shape).astype(dtype))).sum() for h in grads)


OTHERS = {
    "int": 2,
    "float": 2.5,
    "bool": True,
    "np.float64": np.float64(2.5),
    "np.int64": np.int64(2),
    "0-d float64": np.array(2.5),
    "0-d tensor": th.tensor(2.5, dtype=th.float64),
    "int tensor": th.tensor([1, 2, 3]),
    "int array": np.array([1, 2, 3]),
    "bool tensor": th.tensor([True] * 3),
}
ARITHMETIC: dict[str, Function] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "**": lambda a, b: a**b,
    "maximum": elementwise.maximum,
    "where": lambda a, b: th.where(MASK, a, b),
}


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("op", ARITHMETIC)
def test_float32_is_closed_beside_numbers_and_whole_numbers(op: str, other: str) -> None:
    for swapped in (False, True):
        x = leaf(X.astype(np.float32))
        a, b = (OTHERS[other], x) if swapped else (x, OTHERS[other])
        if op == "**" and not swapped and other == "bool tensor":
            continue  # neither NumPy nor PyTorch subtracts booleans, which its slope would need
        y = ARITHMETIC[op](a, b)
        assert y.dtype == np.float32
        (g,) = th.autograd.grad(y.sum() * 1.5, x, create_graph=True)
        assert g.dtype == np.float32
        if g.requires_grad:
            (h,) = th.autograd.grad((g * g).sum(), x)
            assert h.dtype == np.float32


def test_float64_with_axes_is_believed() -> None:
    y = th.ones(3) * np.ones(3)
    assert y.dtype == np.float64
    x = th.ones(3, requires_grad=True)
    (x * np.arange(3.0)).sum().backward()
    assert x.grad.dtype == np.float32
