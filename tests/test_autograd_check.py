"""`gradcheck`, `gradgradcheck` and `Variable`, beside PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parity import seeds, torch
from test_autograd_function import made
from test_func import outcome, same

import tinygrad_hw as th
from tinygrad_hw.autograd.gradcheck import GradcheckError

X = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])


def verdict(L: Any, check: str, f: Any, *xs: Any, **options: Any) -> Any:
    """What a check says: True, False, or the name of what it raises."""
    xs = tuple(x.requires_grad_() if x.dtype == L.float64 else x for x in xs)
    found = outcome(lambda: getattr(L.autograd, check)(lambda *xs: f(L, *xs), xs, **options))
    return found.__name__ if isinstance(found, type) else found


def square(L: Any, slope: float = 2.0, curve: float = 0.0) -> Any:
    """x² by hand, its slope off by a factor or its second derivative off by an amount."""

    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return slope * x * g + curve * (x - x.detach()) * g

    return made(L, forward, backward)


CASES = {
    "right": lambda L, x: x * x.exp(),
    "two outputs": lambda L, x: (x.sin(), (x**2).sum()),
    "an output that is constant": lambda L, x: (x.sin(), x.detach() * 0),
    "an output of integers": lambda L, x: (x.sin(), x.detach().long()),
    "lost": lambda L, x: x.detach() * 2 + x,
    "lost whole": lambda L, x: x.detach() * 2,
    "linear": lambda L, x: x * 2,
    "right by hand": lambda L, x: square(L).apply(x),
    "wrong slope": lambda L, x: square(L, 2.01).apply(x),
    "wrong second derivative": lambda L, x: square(L, 2.0, 1.0).apply(x),
    "not multiplied": lambda L, x: made(L, lambda ctx, x: x * 1, lambda ctx, g: g * 0 + 1).apply(x),
}


@pytest.mark.parametrize("options", [{}, {"fast_mode": True}, {"raise_exception": False}])
@pytest.mark.parametrize("check", ["gradcheck", "gradgradcheck"])
@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
def test_verdicts(name: str, check: str, options: Any) -> None:
    if name == "not multiplied":
        options = options | {"check_undefined_grad": False}  # PyTorch's own check of None
    if (name, check) == ("lost whole", "gradgradcheck"):  # a TypeError there
        return
    same(lambda L, x: verdict(L, check, CASES[name], x, **options), X)


def test_verdicts_are_not_all_alike() -> None:
    def both(name):
        return [
            verdict(th, c, CASES[name], th.from_numpy(X)) for c in ("gradcheck", "gradgradcheck")
        ]

    assert both("right") == [True, True]
    assert both("wrong slope") == ["GradcheckError", True]
    assert both("wrong second derivative") == [True, "GradcheckError"]


@settings(max_examples=10)
@given(seed=seeds, off=st.sampled_from([0.0, 0.02, -0.02]))
def test_several_inputs_of_which_some_are_fixed(seed: int, off: float) -> None:
    rng = np.random.default_rng(seed)
    x, w, labels = rng.uniform(1, 2, (2, 3)), rng.uniform(1, 2, (4, 3)), rng.integers(0, 4, 2)

    def f(L, x, w, labels):
        z = x @ w.t() + off * (x.sum() + w.detach().sum() * w.sum())
        return L.nn.functional.cross_entropy(z.tanh() + z.detach() * off, labels)

    assert same(lambda L, *xs: verdict(L, "gradcheck", f, *xs), x, w, labels) is (off == 0) or off


def test_forward_mode_is_checked_where_asked() -> None:
    def jvp(ctx, moved):
        return moved * 3

    F = made(th, lambda ctx, x: x * 2, lambda ctx, g: g * 2, jvp=jvp)
    x = th.from_numpy(X).requires_grad_()
    assert th.autograd.gradcheck(F.apply, x)
    with pytest.raises(GradcheckError, match="forward mode"):
        th.autograd.gradcheck(F.apply, x, check_forward_ad=True)
    assert th.autograd.gradcheck(th.tanh, x, check_forward_ad=True)
    assert th.autograd.gradgradcheck(th.tanh, x, check_fwd_over_rev=True)


def test_the_message_shows_both_jacobians_and_the_worst_entry() -> None:
    x = th.tensor([1.0, 2.0], dtype=th.float64, requires_grad=True)
    with pytest.raises(GradcheckError) as caught:
        th.autograd.gradcheck(lambda x: x.detach() * x, x)
    message = str(caught.value)
    assert "numerical: tensor([[2.0000, 0.0000],\n        [0.0000, 4.0000]]" in message
    assert "analytical: tensor([[1., 0.],\n        [0., 2.]]" in message
    assert "output[1] by input[1]: numerical 4, analytical 2" in message
    assert "2 of 4 entries" in message
    assert "th.check" in message
    assert isinstance(caught.value, RuntimeError)
    assert x.tolist() == [1, 2]


def test_what_is_given_is_left_as_it_was() -> None:
    array = X.copy()
    array.flags.writeable = False
    x = th.from_numpy(array) if array.flags.writeable else th.tensor(array)
    x.requires_grad_()
    y = x * 2
    assert th.autograd.gradcheck(lambda a: a * a.sin(), (x,))
    assert th.autograd.gradcheck(lambda b: b * x, (y,))  # which an op made
    assert x.grad is None
    np.testing.assert_array_equal(x.detach().numpy(), X)


def test_float32_is_warned_about() -> None:
    for L in (th, torch):
        with pytest.warns(UserWarning, match="precision|float64"):
            L.autograd.gradcheck(
                lambda x: x * 2, (L.ones(2, requires_grad=True),), raise_exception=False
            )


def test_refusals() -> None:
    same(lambda L, x: outcome(lambda: L.autograd.gradcheck(L.sin, (x,))), X)
    with pytest.raises(NotImplementedError, match="vmap"):
        th.autograd.gradcheck(th.sin, th.from_numpy(X).requires_grad_(), check_batched_grad=True)

    state = iter(range(100))
    F = made(th, lambda ctx, x: x * 1, lambda ctx, g: g * (1 + 1e-9 * next(state)))
    x = th.from_numpy(X).requires_grad_()
    with pytest.raises(GradcheckError, match="nondet_tol"):
        th.autograd.gradcheck(F.apply, x)
    assert th.autograd.gradcheck(F.apply, x, nondet_tol=1e-6)


def test_variable_is_a_tensor() -> None:
    def scenario(L, x):
        Variable = L.autograd.Variable
        x.requires_grad_()
        made = Variable(x), Variable(x * 2), Variable(x, requires_grad=True), Variable(x, True)
        return (
            *made,
            [v.is_leaf for v in made],
            [type(v) is L.Tensor for v in made],
            isinstance(x, Variable),
            isinstance(3, Variable),
            outcome(lambda: Variable([1.0])),
        )

    same(scenario, X)
