"""`grad_fn`, hooks and grad modes beside PyTorch's: one text run on both libraries."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from parity import seeds, torch
from test_autograd_function import plain, same
from test_func import outcome

import tinygrad_hw as th


def leaf(L: Any, *values: float) -> Any:
    return L.tensor(values, requires_grad=True)


def name_of(fn: Any) -> str:
    return fn.name().removeprefix("torch::autograd::")


def walked(fn: Any) -> Any:
    """The graph behind a node as nested tuples of names."""
    return fn and (name_of(fn), tuple((walked(f), i) for f, i in fn.next_functions))


GRAPHS = {
    "sum": lambda L, x, y: (x * 2.0).sum(),
    "two": lambda L, x, y: (x * y + x).mean(),
    "functions": lambda L, x, y: (x.exp().log() - y.tanh() / x.sigmoid()).relu(),
    "constants": lambda L, x, y: L.ones(2) * x - L.ones(2) ** 2,
    "powers": lambda L, x, y: (x**2).sqrt().abs(),
    "reductions": lambda L, x, y: x.unsqueeze(0).sum(1) + y.log_softmax(0).amax(0),
    "products": lambda L, x, y: x.reshape(1, 2).mm(y.reshape(2, 1)),
    "dot": lambda L, x, y: x @ y,
    "shapes": lambda L, x, y: L.cat([x, y]).reshape(2, 2).expand(3, 2, 2).permute(1, 0, 2),
    "parts": lambda L, x, y: x[0] + y[1:] * x[[1, 0]][:1],
    "casts": lambda L, x, y: x.to(L.float64).clone(),
    "where": lambda L, x, y: L.where(x > 1, x, y).clamp(min=0.5),
}
# Where our op is another than PyTorch's, its name is ours; a power of a number has it as an input.
OURS = {"powers", "reductions", "parts", "where"}


@pytest.mark.parametrize("name", sorted(GRAPHS.keys() - OURS))
def test_graphs_have_pytorch_s_names_and_edges(name: str) -> None:
    graphs = [
        walked(GRAPHS[name](L, leaf(L, 1.0, 2.0), leaf(L, 3.0, 4.0)).grad_fn) for L in (th, torch)
    ]
    assert graphs[0] == graphs[1]


def test_layers_have_pytorch_s_names() -> None:
    x = th.ones(3, 2)
    with_bias, without = th.nn.Linear(2, 2), th.nn.Linear(2, 2, bias=False)
    assert with_bias(x).grad_fn.name() == "AddmmBackward0"
    assert without(x).grad_fn.name() == "MmBackward0"


def test_repr_and_str() -> None:
    for L in (th, torch):
        y = leaf(L, 1.0) * 2
        assert repr(y) == "tensor([2.], grad_fn=<MulBackward0>)"
        assert repr(y.grad_fn).startswith("<MulBackward0 object at 0x")
        assert repr(y.grad_fn.next_functions[0][0]).startswith("<AccumulateGrad object at 0x")
        assert leaf(L, 1.0).grad_fn is None


def test_leaves_are_reached_and_are_themselves() -> None:
    def scenario(L):
        x = leaf(L, 1.0, 2.0)
        y = x * x
        ends = [f for f, _ in y.grad_fn.next_functions]
        return ends[0].variable is x, ends[0] == ends[1], len(set(ends)), ends[0].next_functions

    assert same(scenario) == (True, True, 1, ())


def test_the_graph_can_be_walked_after_backward() -> None:
    def scenario(L):
        y = (leaf(L, 1.0) * 2).sum()
        y.backward()
        return walked(y.grad_fn)

    same(scenario)


def test_a_freed_graph_is_refused_from_above_too() -> None:
    def scenario(L):
        x = leaf(L, 1.0)
        h = x.exp()
        h.sum().backward()
        return outcome(lambda: L.autograd.grad((h * h).sum(), x, allow_unused=True))

    assert same(scenario) is RuntimeError


@pytest.mark.parametrize("create_graph", [False, True])
def test_a_batch_of_cotangents(create_graph: bool) -> None:
    def scenario(L):
        x, z = leaf(L, 1.0, 2.0), leaf(L, 1.0)
        y, g = x**3, L.tensor([[1.0, 0.0], [0.0, 1.0], [2.0, 3.0]])
        options = {"is_grads_batched": True, "create_graph": create_graph, "allow_unused": True}
        found, none = L.autograd.grad(y, (x, z), g, **options)
        again = outcome(lambda: plain(L.autograd.grad(y, x, g[0])))
        second = plain(L.autograd.grad(found.sum(), x)) if create_graph else None
        return plain(found), none, again, second

    same(scenario)


# ------------------------------------------------------------------------------------------- hooks


def test_hooks_of_a_grad_fn_see_and_replace() -> None:
    def scenario(L):
        x, seen = leaf(L, 1.0, 2.0), []
        y = x * leaf(L, 3.0, 4.0) * L.ones(2)
        mul = y.grad_fn.next_functions[0][0]
        mul.register_prehook(lambda gs: seen.append(("pre", plain(gs))))
        mul.register_prehook(lambda gs: (gs[0] * 10,))
        mul.register_hook(lambda gi, go: seen.append(("post", plain(gi), plain(go))))
        handle = mul.register_hook(lambda gi, go: (gi[0] * 2, gi[1]))
        y.grad_fn.register_hook(lambda gi, go: seen.append(("top", plain(gi), plain(go))))
        y.sum().backward(retain_graph=True)
        handle.remove()
        y.sum().backward()
        return seen, plain(x.grad)

    same(scenario)


def test_hooks_of_a_grad_fn_may_return_as_many_as_they_were_given() -> None:
    def scenario(L):
        y = leaf(L, 1.0) * leaf(L, 2.0)
        y.grad_fn.register_hook(lambda gi, go: gi[:1])
        return outcome(y.sum().backward)

    assert same(scenario) is RuntimeError


def test_hooks_of_a_grad_fn_are_differentiated_through() -> None:
    def scenario(L):
        x = leaf(L, 1.0, 2.0)
        y = x**3
        y.grad_fn.register_hook(lambda gi, go: (gi[0] * x,))
        y.grad_fn.register_prehook(lambda go: (go[0] * x,))
        (g,) = L.autograd.grad(y.sum(), x, create_graph=True)
        return plain(g), plain(L.autograd.grad(g.sum(), x))

    same(scenario)


def test_hooks_where_a_gradient_is_accumulated() -> None:
    def scenario(L):
        x, seen = leaf(L, 1.0, 2.0), []
        y = x * 2
        end = y.grad_fn.next_functions[0][0]
        after = end.register_hook(lambda gi, go: seen.append((plain(gi), plain(go), plain(x.grad))))
        end.register_prehook(lambda gs: (gs[0] * 10,))
        y.sum().backward(retain_graph=True)
        after.remove()
        y.sum().backward()
        return seen, plain(x.grad)

    same(scenario)


def test_hooks_after_accumulation() -> None:
    def scenario(L):
        x, seen = leaf(L, 1.0, 2.0), []
        x.register_hook(lambda g: g * 5)
        handle = x.register_post_accumulate_grad_hook(
            lambda p: seen.append((p is x, plain(p.grad)))
        )
        (x * 2).sum().backward()
        (x * x).sum().backward(inputs=[x])
        L.autograd.grad((x * 2).sum(), x)
        handle.remove()
        (x * 2).sum().backward()
        return (
            seen,
            outcome(lambda: (x * 2).register_post_accumulate_grad_hook(print)),
            outcome(lambda: L.ones(1).register_post_accumulate_grad_hook(print)),
            outcome(
                lambda: (x.register_post_accumulate_grad_hook(lambda p: 3), x.sum().backward())
            ),
        )

    assert same(scenario)[1:] == (RuntimeError, RuntimeError, TypeError)


def test_an_optimizer_s_step_may_run_in_the_hook() -> None:
    x = leaf(th, 1.0, 2.0)

    def step(p):
        with th.no_grad():
            p -= 0.1 * p.grad
        p.grad = None

    x.register_post_accumulate_grad_hook(step)
    for _ in range(2):
        (x * x).sum().backward()
    np.testing.assert_allclose(x.detach().array, [0.64, 1.28], rtol=1e-6)
    assert x.grad is None


# --------------------------------------------------------------------------------------- grad modes


@given(seed=seeds)
def test_modes_nest_as_pytorch_s_do(seed: int) -> None:
    def scenario(L):
        rng = np.random.default_rng(seed)
        kinds = [
            L.no_grad,
            L.enable_grad,
            lambda: L.set_grad_enabled(True),
            lambda: L.set_grad_enabled(False),
            L.autograd.inference_mode if L is th else L.inference_mode,
        ]
        x, seen = leaf(L, 1.0), []

        def enter(depth):
            seen.append((x * 2).requires_grad)
            if depth:
                with kinds[rng.integers(len(kinds))]():
                    enter(depth - 1)
                seen.append((x * 2).requires_grad)

        enter(5)
        return seen

    same(scenario)


@pytest.mark.parametrize("brackets", [True, False])
@pytest.mark.parametrize("mode", ["no_grad", "enable_grad", "inference_mode"])
def test_modes_decorate(mode: str, brackets: bool) -> None:
    def scenario(L):
        kind = getattr(L, mode, None) or getattr(L.autograd, mode)
        x = leaf(L, 1.0)

        def double(x):
            """Twice."""
            return (x * 2).requires_grad

        decorated = (kind() if brackets else kind)(double)
        with L.no_grad():
            inside = decorated(x)
        return inside, decorated(x), double(x), decorated.__name__, decorated.__doc__

    same(scenario)


def test_set_grad_enabled_decorates() -> None:
    def scenario(L):
        x = leaf(L, 1.0)

        @L.set_grad_enabled(False)
        def off(x):
            return (x * 2).requires_grad

        return off(x), L.is_grad_enabled()

    assert same(scenario) == (False, True)
