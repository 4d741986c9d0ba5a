"""`autograd.functional` beside PyTorch's: one text run on both libraries."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from parity import torch, values
from test_func import few, outcome, same, small

import tinygrad_hw as th

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")

FUNCTIONS = {
    "number": lambda L, x, y: (x**3 * y).sum() + (y**2 * x).sum(),
    "of one": lambda L, x, y: (x**3).sum(),
    "linear": lambda L, x, y: (2 * x - y).sum(),
    "constant": lambda L, x, y: L.ones(1, dtype=x.dtype).sum(),
    "tensor": lambda L, x, y: (x * y).sin() * y,
    "tuple": lambda L, x, y: (x * y, y.sum() * 2),
}
CALLS = {
    "jacobian": lambda F, f, xs, v, **k: F.jacobian(f, xs, **k),
    "hessian": lambda F, f, xs, v, **k: F.hessian(f, xs, **k),
    "vjp": lambda F, f, xs, v, **k: F.vjp(f, xs, v, **k),
    "jvp": lambda F, f, xs, v, **k: F.jvp(f, xs, v, **k),
    "hvp": lambda F, f, xs, v, **k: F.hvp(f, xs, v, **k),
    "vhp": lambda F, f, xs, v, **k: F.vhp(f, xs, v, **k),
}


def vectors(call: str, value: Any, xs: Any, g: Any) -> Any:
    """What v is for a call: of the outputs' or of the inputs' shape."""
    if call != "vjp":
        return tuple(x * 2 + 1 for x in xs)
    several = isinstance(value, tuple)
    vs = tuple(y.detach() * 0 + g for y in (value if several else (value,)))
    return vs if several else vs[0]


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("call", CALLS)
@few
@given(data=st.data())
def test_numbers_and_refusals(call: str, name: str, strict: bool, data: Any) -> None:
    shape = data.draw(small)
    x, y = (np.asarray(data.draw(values(shape))) for _ in "xy")

    def scenario(L, x, y):
        f = lambda *xs: FUNCTIONS[name](L, *xs)  # noqa: E731
        v = vectors(call, f(x, y), (x, y), 0.5)
        return outcome(lambda: CALLS[call](L.autograd.functional, f, (x, y), v, strict=strict))

    same(scenario, x, y)


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("name", ["number", "tensor", "linear"])
@pytest.mark.parametrize("call", CALLS)
def test_create_graph(call: str, name: str, strict: bool) -> None:
    def scenario(L, x, y):
        x.requires_grad_()
        f = lambda *xs: FUNCTIONS[name](L, *xs)  # noqa: E731
        v = vectors(call, f(x, y), (x, y), 0.5)
        v = tuple(t.detach() for t in v) if isinstance(v, tuple) else v

        def run():
            found = CALLS[call](
                L.autograd.functional, f, (x, y), v, create_graph=True, strict=strict
            )
            flat = [found]
            while any(isinstance(t, tuple) for t in flat):
                flat = [u for t in flat for u in (t if isinstance(t, tuple) else (t,))]
            total = sum((t * t).sum() for t in flat) + (x * 0).sum()
            return found, L.autograd.grad(total, x)[0]

        return outcome(run)

    same(scenario, np.array([1.0, 2.0, -1.0]), np.array([0.5, -2.0, 3.0]))


def test_one_tensor_in_and_out_and_v_left_out() -> None:
    def scenario(L, x, y):
        F = L.autograd.functional
        cube = lambda x: x**3  # noqa: E731
        return (
            F.jacobian(cube, y),
            F.jacobian(cube, y, vectorize=True, strategy="forward-mode"),
            F.hessian(lambda x: (x**3).sum(), y),
            F.hessian(cube, x, vectorize=True, outer_jacobian_strategy="forward-mode").detach(),
            F.vjp(cube, x),
            F.jvp(cube, x),
            F.hvp(cube, x),
            F.vhp(cube, x),
            *[outcome(lambda f=f: f(lambda x: (x**3).sum(), y)) for f in (F.jvp, F.hvp, F.vhp)],
            outcome(lambda: F.vjp(cube, y)),
            outcome(lambda: F.vjp(cube, y, x)),
            outcome(lambda: F.hvp(cube, y, y)),
            outcome(lambda: F.jacobian(cube, 3)),
            outcome(lambda: F.jacobian(cube, (y, 3))),
            outcome(lambda: F.jacobian(lambda x: 3, y)),
            outcome(lambda: F.jacobian(cube, y, strict=True, vectorize=True)),
        )

    same(scenario, np.array(2.0), np.array([1.0, 2.0]))


def test_a_graph_that_is_not_asked_for_is_not_there() -> None:
    x = torch.ones(2, requires_grad=True)
    y = th.ones(2, requires_grad=True)
    for L, t in ((th, y), (torch, x)):
        value, found = L.autograd.functional.vjp(lambda x: x * t, t, L.ones(2))  # noqa: B023
        assert not value.requires_grad
        assert not found.requires_grad
        assert t.grad is None
