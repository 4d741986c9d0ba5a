"""What the parity tests share: one text run on both libraries, the installed PyTorch the oracle.

A function is given the library (`th` or `torch`) and tensors of it. Its value, its gradient at a
random cotangent, and the gradient of a random sum of that must agree in dtype, shape and number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import tinygrad_hw as th

torch = pytest.importorskip("torch")

Function = Callable[..., Any]
FLOATS = ("float32", "float64")
RTOL = {"float32": 2e-5, "float64": 1e-10}
seeds = st.integers(0, 2**32 - 1)


def numpy(x: Any) -> Any:
    return x.numpy(force=True) if isinstance(x, torch.Tensor) else x.detach().numpy()


def found(L: Any, f: Function, arrays: Any, seed: int, orders: int) -> list[Any]:
    """f's value, its gradients at a random cotangent, and the gradients of their random sum."""
    rng = np.random.default_rng(seed)
    xs = [L.from_numpy(a.copy()) for a in arrays]
    wanted = [x.requires_grad_() for x, a in zip(xs, arrays, strict=True) if a.dtype.kind == "f"]
    y = f(L, *xs)
    results = [numpy(y)]
    for _ in range(orders if y.requires_grad else 0):
        g = np.asarray(rng.standard_normal(tuple(y.shape)), numpy(y).dtype)
        if y.requires_grad:
            grads = L.autograd.grad(
                y, wanted, L.from_numpy(g), create_graph=True, materialize_grads=True
            )
        else:  # the first derivative was constant
            grads = [x.detach() * 0 for x in wanted]
        results += map(numpy, grads)
        weights = [L.from_numpy(np.asarray(rng.standard_normal(h.shape))) for h in wanted]
        y = sum((h * w).sum() for h, w in zip(grads, weights, strict=True))
    return results


def agree(f: Function, *arrays: Any, seed: int = 0, orders: int = 2) -> None:
    arrays = [np.asarray(a) for a in arrays]
    with np.errstate(all="ignore"):
        ours = found(th, f, arrays, seed, orders)
    theirs = found(torch, f, arrays, seed, orders)
    for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        assert (a.dtype, a.shape) == (b.dtype, b.shape), i
        if a.dtype.kind == "f":
            size = np.abs(b[np.isfinite(b)]).max(initial=1)
            rtol = RTOL[
                "float32" if "float32" in {str(x.dtype) for x in (*arrays, b)} else "float64"
            ]
            np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * size, err_msg=str(i))
        else:
            np.testing.assert_array_equal(a, b)


def shapes(least: int = 0, **kw: Any) -> Any:
    return hnp.array_shapes(min_dims=kw.pop("min_dims", 0), max_dims=3, min_side=least, max_side=4)


def values(shape: Any, dtype: str = "float64", kinks: bool = True) -> Any:
    """Numbers of ordinary size, with ties, zeros of both signs and halves among them."""
    numbers = st.integers(1, 12).map(lambda n: n / 4) | st.floats(0.125, 3, width=32)
    signed = st.tuples(numbers, st.sampled_from([1, -1])).map(lambda p: p[0] * p[1])
    elements = signed | st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5]) if kinks else signed
    return hnp.arrays(dtype, shape, elements=elements)
