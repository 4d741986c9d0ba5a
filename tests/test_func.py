"""`th.func` beside `torch.func`: one text run on both libraries."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from parity import numpy, seeds, torch, values

import tinygrad_hw as th
from tinygrad_hw import nn
from tinygrad_hw.func.trees import leaves, like

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")  # in its jvp
few = settings(max_examples=max(4, settings().max_examples // 6))
small = hnp.array_shapes(min_dims=0, max_dims=2, min_side=1, max_side=3)
BOTH = [th, torch]
Pair = namedtuple("Pair", "first second")


def close(ours: Any, theirs: Any) -> None:
    """Two trees of the same structure, whose numbers agree to the last digits."""
    assert type(ours).__name__ == type(theirs).__name__, (ours, theirs)
    if isinstance(ours, dict):
        assert list(ours) == list(theirs)
        ours, theirs = list(ours.values()), list(theirs.values())
    if isinstance(ours, (tuple, list)):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            close(a, b)
    elif isinstance(ours, th.Tensor):
        assert ours.shape == tuple(theirs.shape)
        assert ours.requires_grad == theirs.requires_grad
        np.testing.assert_allclose(numpy(ours), numpy(theirs), rtol=1e-10, atol=1e-12)
    else:
        assert ours == theirs


def outcome(f: Any) -> Any:
    try:
        return f()
    except Exception as error:
        return type(error)


def same(scenario: Any, *arrays: Any) -> Any:
    ours, theirs = (scenario(L, *[L.from_numpy(a.copy()) for a in arrays]) for L in BOTH)
    close(ours, theirs)
    return ours


def smooth(L: Any, x: Any, y: Any) -> Any:
    """From two tensors of one shape to one of it."""
    return (x * y).sin() * y + x**3 * y.sum()


SCALARS = {
    "cubes": lambda L, x, y: (x**3 * y).sum(),
    "smooth": lambda L, x, y: smooth(L, x, y).sum(),
    "quadratic": lambda L, x, y: ((x - y) ** 2).mean(),
    "of one": lambda L, x, y: (x.exp() * x).sum(),
}
TRANSFORMS = {
    "grad": lambda L, f, x, y: L.func.grad(f)(x, y),
    "grad of the second": lambda L, f, x, y: L.func.grad(f, -1)(x, y),
    "grad of both": lambda L, f, x, y: L.func.grad(f, (0, 1))(x, y),
    "grad_and_value": lambda L, f, x, y: L.func.grad_and_value(f, (1, 0))(x, y),
    "grad of grad": lambda L, f, x, y: L.func.grad(
        lambda x, y: (L.func.grad(f)(x, y) * y).sum(), (0, 1)
    )(x, y),
    "jacrev": lambda L, f, x, y: L.func.jacrev(f, (0, 1))(x, y),
    "jacfwd": lambda L, f, x, y: L.func.jacfwd(f, (0, 1))(x, y),
    "hessian": lambda L, f, x, y: L.func.hessian(f, (0, 1))(x, y),
    "hessian of the second": lambda L, f, x, y: L.func.hessian(f, 1)(x, y),
    "forward over reverse": lambda L, f, x, y: L.func.jacfwd(L.func.jacrev(f), 1)(x, y),
    "forward over forward": lambda L, f, x, y: L.func.jacfwd(L.func.jacfwd(f), 1)(x, y),
    "reverse over forward": lambda L, f, x, y: L.func.jacrev(L.func.jacfwd(f, 1))(x, y),
    "jvp": lambda L, f, x, y: L.func.jvp(f, (x, y), (y, x * 2)),
    "vjp": lambda L, f, x, y: L.func.vjp(f, x, y)[1](L.tensor(3.0, dtype=x.dtype)),
    "of a closure": lambda L, f, x, y: L.func.jacrev(lambda y: L.func.grad(lambda x: f(x, y))(x))(
        y
    ),
    "hvp": lambda L, f, x, y: L.func.jvp(L.func.grad(f, (0, 1)), (x, y), (y, x))[1],
    "three deep": lambda L, f, x, y: L.func.grad(
        lambda x: L.func.grad(lambda x: (L.func.grad(f)(x, y) ** 2).sum())(x).sum()
    )(x),
}


@pytest.mark.parametrize("kind", TRANSFORMS)
@pytest.mark.parametrize("name", SCALARS)
@few
@given(data=st.data())
def test_of_scalar_functions(name: str, kind: str, data: Any) -> None:
    shape = data.draw(small)
    x, y = (np.asarray(data.draw(values(shape)) / 2) for _ in "xy")
    same(lambda L, x, y: TRANSFORMS[kind](L, lambda x, y: SCALARS[name](L, x, y), x, y), x, y)


@few
@given(data=st.data(), seed=seeds)
def test_of_functions_of_several_outputs(data: Any, seed: int) -> None:
    shape = data.draw(small)
    x, y = (np.asarray(data.draw(values(shape)) / 2) for _ in "xy")
    g = np.asarray(np.random.default_rng(seed).standard_normal(shape))

    def f(L):
        return lambda x, y: {"a": smooth(L, x, y), "b": (x.sum(), [y * 2])}

    same(lambda L, x, y: L.func.jacrev(f(L), (0, 1))(x, y), x, y)
    same(lambda L, x, y: L.func.jacfwd(f(L), 1)(x, y), x, y)
    same(lambda L, x, y, g: L.func.jvp(f(L), (x, y), (g, y)), x, y, g)
    same(lambda L, x, y, g: (
        lambda value, pull: (value, pull({"a": g, "b": (g.sum(), [x])}))
    )(*L.func.vjp(f(L), x, y)), x, y, g)  # fmt: skip


@few
@given(data=st.data())
def test_trees_of_inputs_and_aux(data: Any) -> None:
    x, y = data.draw(values((2,))), data.draw(values((3,)))

    def f(p, k):
        (a, [b]), c = p["ab"], p["c"]
        return (a * b * k).sum() + c.first.sum() ** 2 + (c.second**3).sum(), {"twice": a * 2}

    def scenario(L, x, y):
        p = OrderedDict(ab=(x, [x * 2]), c=Pair(y, y + 1))
        k = L.tensor(2.0, dtype=x.dtype)
        value = lambda p, k: f(p, k)[0]  # noqa: E731
        return (
            L.func.grad(f, has_aux=True)(p, k),
            L.func.grad_and_value(f, (0, 1), has_aux=True)(p, k),
            L.func.jacrev(f, (0, 1), has_aux=True)(p, k),
            L.func.jacfwd(f, 1, has_aux=True)(p, k),
            L.func.hessian(value)(p, k),
            L.func.jvp(f, (p, k), (p, k), has_aux=True),
            (lambda v, pull, aux: (v, pull(v * 2), aux))(*L.func.vjp(f, p, k, has_aux=True)),
        )

    same(scenario, x, y)


def test_leaves_and_like_are_each_other_s_inverse() -> None:
    tree = {"a": 1, "b": [2, (3, {"c": 4})], "p": Pair(5, 6), "e": ()}
    assert leaves(tree) == [1, 2, 3, 4, 5, 6]
    assert like(tree, leaves(tree)) == tree


# ---------------------------------------------------------------- what is followed, and by whom


def test_results_are_recorded_where_something_outside_is() -> None:
    def scenario(L, w):
        w.requires_grad_()
        x = L.ones(3, dtype=L.float64)
        by_closure = L.func.grad(lambda x: (w * x * x).sum())(x)
        by_primal = L.func.grad(lambda w: (w**3).sum())(w)
        independent = L.func.grad(lambda x: (x * x).sum())(x)
        y, pull = L.func.vjp(lambda x: w * x, x)
        pulled = pull(x)
        moved = L.func.jvp(lambda x: w * x, (x,), (x,))[1]
        with L.no_grad():
            unrecorded = L.func.grad(lambda x: (w * x * x).sum())(x)
        total = by_closure.sum() + by_primal.sum() + y.sum() + pulled[0].sum() + moved.sum()
        total.backward()
        return by_closure, by_primal, independent, y, pulled, moved, unrecorded, w.grad

    same(scenario, np.array([1.0, 2.0, 3.0]))


def test_a_finished_derivative_leaves_nothing_recorded() -> None:
    def scenario(L, x):
        inner = lambda w: L.func.grad(lambda x: (w * x * x).sum())(x)  # noqa: E731
        return (
            L.func.jacrev(inner)(x),
            L.func.jacfwd(inner)(x),
            L.func.grad(lambda w: inner(w).sum())(x),
        )

    results = same(scenario, np.array([1.0, 2.0, 3.0]))
    assert not any(r.requires_grad for r in results)


def test_perturbations_are_not_confused() -> None:
    """d/dx (x * d/dy (x + y)) is 1: the classic trap of nested forward mode."""

    def scenario(L, x):
        forward = L.func.jacfwd(lambda x: x * L.func.jacfwd(lambda y: x + y)(x))
        reverse = L.func.grad(lambda x: x * L.func.grad(lambda y: x + y)(x))
        return forward(x), reverse(x)

    assert [r.item() for r in same(scenario, np.array(2.0))] == [1, 1]


def test_gradients_of_the_user_are_left_alone() -> None:
    w = th.ones(2, requires_grad=True)
    th.func.hessian(lambda x: (w * x**3).sum())(th.ones(2))
    th.func.grad(lambda w: (w**3).sum())(w)
    assert w.grad is None


# -------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    "attempt",
    {
        "no number": lambda L, x: L.func.grad(lambda x: x)(x),
        "not a tensor": lambda L, x: L.func.grad(lambda x: 2.0)(x),
        "no such argument": lambda L, x: L.func.grad(lambda x: x.sum(), 2)(x),
        "no argument": lambda L, x: L.func.grad(lambda x: x.sum(), ())(x),
        "an argument twice": lambda L, x: L.func.grad(lambda x, y: x.sum(), (0, 0))(x, x),
        "aux missing": lambda L, x: L.func.grad(lambda x: x.sum(), has_aux=True)(x),
        "a string": lambda L, x: L.func.grad(lambda x: x.sum())("x"),
        "integers": lambda L, x: L.func.grad(lambda x: x.sum())(L.tensor([1, 2])),
        "constant": lambda L, x: L.func.grad(lambda x: L.tensor(1.0))(x),
        "primals no tuple": lambda L, x: L.func.jvp(lambda x: x, x, x),
        "tangent's shape": lambda L, x: L.func.jvp(lambda x: x, (x,), (L.ones(7),)),
        "tangents' number": lambda L, x: L.func.jvp(lambda x: x, (x,), (x, x)),
        "strict": lambda L, x: L.func.jvp(lambda x: L.ones(2), (x,), (x,), strict=True),
        "cotangents' structure": lambda L, x: L.func.vjp(lambda x: (x, x), x)[1](x),
        "cotangent's shape": lambda L, x: L.func.vjp(lambda x: x, x)[1](L.ones(7)),
        "chunk_size": lambda L, x: L.func.jacrev(lambda x: x, chunk_size=0)(x),
    }.items(),
    ids=lambda item: item[0],
)
def test_refusals_are_of_the_same_type(attempt: Any) -> None:
    same(lambda L, x: outcome(lambda: attempt[1](L, x)), np.array([1.0, 2.0]))


def test_vmap_is_refused() -> None:
    with pytest.raises(NotImplementedError, match="batch"):
        th.func.vmap(lambda x: x)(th.ones(2))


# ----------------------------------------------------------------------------- functional_call


def perceptron(L: Any, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    model = L.nn.Sequential(L.nn.Linear(3, 4), L.nn.Tanh(), L.nn.Linear(4, 2))
    for p in model.parameters():
        p.data = L.from_numpy(rng.standard_normal(tuple(p.shape)))
    return model


@few
@given(seed=seeds)
def test_the_hessian_of_a_two_layer_perceptron_is_one_line(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((5, 3)), rng.integers(0, 2, 5)

    def scenario(L, x, y):
        model, loss = perceptron(L, seed), L.nn.functional.cross_entropy
        params = {name: p.detach() for name, p in model.named_parameters()}
        H = L.func.hessian(lambda p: loss(L.func.functional_call(model, p, (x,)), y))(params)
        return H, dict(model.named_parameters())["0.weight"].grad

    same(scenario, x, y)


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False)
        self.b.weight = self.a.weight
        self.register_buffer("shift", th.zeros(2))

    def forward(self, x: Any, *, scale: float = 1.0) -> Any:
        return self.b(self.a(x)) * scale + self.shift


def test_functional_call_replaces_and_puts_back() -> None:
    model, x = Tied(), th.ones(1, 2)
    before = dict(model.state_dict(keep_vars=True))
    call = th.func.functional_call
    w = th.eye(2) * 2
    assert call(model, {"a.weight": w}, x).tolist() == [[4, 4]]
    assert call(model, {"b.weight": w}, (x,), {"scale": 10.0}).tolist() == [[40, 40]]
    assert call(model, ({"a.weight": w}, {"shift": th.ones(2)}), x).tolist() == [[5, 5]]
    untied = call(model, {"b.weight": w}, x, tie_weights=False)
    np.testing.assert_allclose(numpy(untied), numpy(model.a(x) * 2))
    with pytest.raises(ZeroDivisionError):
        call(model, {"a.weight": w}, (x,), {"scale": 1 / 0})
    with pytest.raises(RuntimeError, match="Tied"):
        call(model, {"a.weight": w, "extra": w}, th.ones(1, 3))
    after = dict(model.state_dict(keep_vars=True))
    assert all(before[name] is after[name] for name in before)
    assert not hasattr(model, "extra")


@pytest.mark.parametrize(
    ("error", "words", "given", "options"),
    [
        (ValueError, "one tensor", {"a.weight": 1, "b.weight": 2}, {}),
        (ValueError, "more than one", ({"shift": 1}, {"shift": 2}), {}),
        (ValueError, "not a int", 3, {}),
        (AttributeError, "no module 'c'", {"c.weight": 1}, {}),
        (RuntimeError, "missing: shift; unexpected: x", {"a.weight": 1, "x": 2}, {"strict": True}),
    ],
)
def test_functional_call_refuses(error: Any, words: str, given: Any, options: Any) -> None:
    with pytest.raises(error, match=words):
        th.func.functional_call(Tied(), given, th.ones(1, 2), **options)


def test_a_replaced_parameter_is_differentiated_and_not_the_module_s() -> None:
    model = nn.Linear(2, 1)
    w = th.ones(1, 2, requires_grad=True)
    th.func.functional_call(model, {"weight": w}, th.tensor([3.0, 4.0])).sum().backward()
    assert w.grad.tolist() == [[3, 4]]
    assert model.weight.grad is None
    assert model.bias.grad.tolist() == [1]
