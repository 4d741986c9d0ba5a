"""`autograd.Function` beside the installed PyTorch: one text run on both libraries."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from parity import agree, numpy, seeds, shapes, torch, values

import tinygrad_hw as th

BOTH = [th, torch]


def made(L: Any, forward: Any, backward: Any, name: str = "Mine", **more: Any) -> Any:
    """A Function of library `L`."""
    body = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    body |= {key: staticmethod(value) for key, value in more.items()}
    return type(name, (L.autograd.Function,), body)


def leaf(L: Any, *values: float) -> Any:
    return L.tensor(values, dtype=L.float64, requires_grad=True)


def keep(ctx: Any, *tensors: Any) -> None:
    ctx.save_for_backward(*tensors)


# ------------------------------------------------------------------------------ values, all orders


def cube(L: Any) -> Any:
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 3 * x**2 * g

    return made(L, forward, backward)


def by_output(L: Any) -> Any:
    """An exponential that remembers its output."""

    def forward(ctx, x):
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    def backward(ctx, g):
        (y,) = ctx.saved_tensors
        return g * y

    return made(L, forward, backward)


def product(L: Any) -> Any:
    """Two inputs and a number, of which the gradient is returned in the broadcast shape."""

    def forward(ctx, a, b, scale):
        ctx.save_for_backward(a, b)
        ctx.scale = scale
        return a * b * scale

    def backward(ctx, g):
        a, b = ctx.saved_tensors
        return g * b * ctx.scale, g * a * ctx.scale, None

    return made(L, forward, backward)


def rotated(L: Any) -> Any:
    """Two outputs, of which the first is remembered."""

    def forward(ctx, a, b):
        p, q = a * b, a.sin() + b
        ctx.save_for_backward(a, b, p)
        return p, q

    def backward(ctx, gp, gq):
        a, b, p = ctx.saved_tensors
        return gp * b + gq * a.cos() + 0 * p, gp * a + gq + 0 * p

    return made(L, forward, backward)


ONE = {
    "cube": lambda L, x: cube(L).apply(x),
    "twice": lambda L, x: cube(L).apply(cube(L).apply(x) * x),
    "exponential": lambda L, x: by_output(L).apply(x * 0.5),
    "exponential of itself": lambda L, x: by_output(L).apply(by_output(L).apply(x * 0.25)),
}
TWO = {
    "product": lambda L, a, b: product(L).apply(a, b, 3.0),
    "both outputs": lambda L, a, b: (lambda p, q: p * q + p)(*rotated(L).apply(a, b)),
    "first output": lambda L, a, b: rotated(L).apply(a, b)[0] * 2,
    "second output": lambda L, a, b: rotated(L).apply(a * b, b)[1].exp(),
}


@pytest.mark.parametrize("name", ONE)
@given(data=st.data(), seed=seeds)
def test_one_input(name: str, data: Any, seed: int) -> None:
    agree(ONE[name], data.draw(values(shapes(1))) / 2, seed=seed, orders=3)


@pytest.mark.parametrize("name", TWO)
@given(data=st.data(), seed=seeds)
def test_two_inputs(name: str, data: Any, seed: int) -> None:
    shape = data.draw(shapes(1))
    agree(TWO[name], *(data.draw(values(shape)) for _ in "ab"), seed=seed)


@given(data=st.data(), seed=seeds)
def test_a_gradient_of_the_broadcast_shape_is_summed(data: Any, seed: int) -> None:
    a, b = data.draw(values((2, 3))), data.draw(values((3,)))
    agree(TWO["product"], a, b, seed=seed)


def test_gradients_take_the_dtype_of_their_argument() -> None:
    def wide(L):
        return made(L, lambda ctx, x: x * 2, lambda ctx, g: g.to(L.float64) * 2)

    agree(lambda L, x: wide(L).apply(x), np.float32([1, 2]), orders=1)


@given(seed=seeds)
def test_forward_mode_and_hessians_go_through(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b, s, t = (th.from_numpy(rng.standard_normal(3)) for _ in range(4))
    for by_hand, plain in [
        (lambda a, b: TWO["both outputs"](th, a, b), lambda a, b: (a * b) * (a.sin() + b) + a * b),
        (lambda a, b: cube(th).apply(a) * b, lambda a, b: a**3 * b),
        (lambda a, b: by_output(th).apply(a * b), lambda a, b: (a * b).exp()),
    ]:
        for f, g in [
            (by_hand, plain),
            (lambda *x, f=by_hand: f(*x).sum(), lambda *x, f=plain: f(*x).sum()),
        ]:
            moved = [th.func.jvp(h, (a, b), (s, t))[1].array for h in (f, g)]
            np.testing.assert_allclose(*moved, rtol=1e-12)
        hv = [th.func.hvp(h, (a, b), (s, t)) for h in (f, g)]
        for mine, true in zip(*hv, strict=True):
            np.testing.assert_allclose(mine.array, true.array, rtol=1e-10, atol=1e-12)


def test_a_jvp_of_ones_own_is_used() -> None:
    def jvp(ctx, moved, factor):
        assert factor is None
        return moved * 100

    F = made(th, lambda ctx, x, k: x * k, lambda ctx, g: (g, None), jvp=jvp)
    _, moved = th.func.jvp(lambda x: F.apply(x, 2.0), (th.ones(2),), (th.tensor([1.0, 2.0]),))
    assert moved.tolist() == [100, 200]


# --------------------------------------------------------------- what ctx offers, as in PyTorch


def outcome(f: Any) -> Any:
    """What `f` returns, or the type of what it raises."""
    try:
        return f()
    except Exception as error:
        return type(error)


def same(scenario: Any) -> Any:
    """What a scenario sees must be the same in both libraries."""
    ours, theirs = (scenario(L) for L in BOTH)
    assert ours == theirs
    return ours


def plain(x: Any) -> Any:
    """Tensors as lists, through tuples and lists."""
    if isinstance(x, (tuple, list)):
        return tuple(plain(v) for v in x)
    return numpy(x).tolist() if isinstance(x, (th.Tensor, torch.Tensor)) else x


def swept(L: Any, forward: Any, backward: Any, *args: Any, pick: Any = lambda y: y) -> Any:
    """The gradient of a leaf through a Function of these, or the type of the refusal."""
    x = leaf(L, 1, 2)

    def run():
        pick(made(L, forward, backward).apply(x, *args)).sum().backward()
        return plain(x.grad)

    return outcome(run)


@pytest.mark.parametrize(
    "returned",
    [
        lambda L, g: (g, None, None, None),
        lambda L, g: g,
        lambda L, g: (g,),
        lambda L, g: (g, None, g),
        lambda L, g: (g, g),
        lambda L, g: (None, None),
        lambda L, g: [g, None],
        lambda L, g: (1.0, None),
        lambda L, g: (L.ones(3), None),
        lambda L, g: (L.ones(3, 2), None),
        lambda L, g: (L.tensor(1.0), None),
        lambda L, g: (g.sum(), None),
        lambda L, g: (L.ones(2, 1), None),
    ],
)
def test_what_backward_may_return(returned: Any) -> None:
    same(lambda L: swept(L, lambda ctx, x, k: x * k, lambda ctx, g: returned(L, g), 2.0))


def test_needs_input_grad_and_the_mode_inside() -> None:
    def scenario(L):
        seen = []

        def forward(ctx, *args):
            seen.append((ctx.needs_input_grad, L.is_grad_enabled(), args[0].requires_grad))
            return args[0] * args[1]

        def backward(ctx, g):
            seen.append((ctx.needs_input_grad, L.is_grad_enabled()))
            return g, g, None

        F = made(L, forward, backward)
        x, y = leaf(L, 1, 2), L.tensor([3.0, 4.0], dtype=L.float64)
        F.apply(x, y, 5).sum().backward()
        L.autograd.grad(F.apply(y, x, 5).sum(), x, create_graph=True)
        with L.no_grad():
            seen.append(F.apply(x, y, 5).requires_grad)
        seen.append(F.apply(y, y, None).requires_grad)
        return seen

    same(scenario)


@pytest.mark.parametrize("materialize", [True, False])
@pytest.mark.parametrize("chosen", [0, 1, 2])
def test_outputs_that_no_gradient_reached(materialize: bool, chosen: int) -> None:
    def scenario(L):
        seen = []

        def forward(ctx, x):
            ctx.set_materialize_grads(materialize)
            return x * 2, (x * 3).sum(), x[:1], "text", None, (x > 1)

        def backward(ctx, *grads):
            seen.append(plain(grads))
            return sum(g.sum() for g in grads if g is not None) * L.ones(2, dtype=L.float64)

        return seen, swept(L, forward, backward, pick=lambda y: y[chosen])

    same(scenario)


def test_what_is_marked_constant_and_what_is_no_float() -> None:
    def scenario(L):
        seen = []

        def forward(ctx, x):
            a, b = x * 2, x * 3
            ctx.mark_non_differentiable(b)
            return a, b, x > 1

        def backward(ctx, *grads):
            seen.append(plain(grads))
            return grads[0] * 2

        x = leaf(L, 1, 2)
        outputs = made(L, forward, backward).apply(x)
        outputs[0].sum().backward()
        return seen, plain(outputs), [y.requires_grad for y in outputs], plain(x.grad)

    same(scenario)


def test_an_argument_that_is_returned_is_a_new_tensor_of_the_same_memory() -> None:
    def scenario(L):
        x = leaf(L, 1, 2)
        y = made(L, lambda ctx, x: x, lambda ctx, g: g * 3).apply(x)
        y.sum().backward()
        return (
            y is x,
            y.data_ptr() == x.data_ptr() if L is torch else y.array is x.array,
            plain(x.grad),
        )

    same(scenario)


@pytest.mark.parametrize("saved", [3, "x", [1]])
def test_only_tensors_are_saved(saved: Any) -> None:
    def scenario(L):
        return swept(L, lambda ctx, x: (keep(ctx, x, saved), x)[1], lambda ctx, g: g)

    assert same(scenario) is TypeError


def test_saved_tensors_are_tied_to_the_graph() -> None:
    def scenario(L):
        seen = []

        def forward(ctx, x, y, z):
            half = z / 2
            out = x * y
            ctx.save_for_backward(x, y, None, half, out)
            return out

        def backward(ctx, g):
            for t in ctx.saved_tensors:
                seen.append(t if t is None else (plain(t), t.requires_grad, t.is_leaf))
            return g, g, None

        x, z = leaf(L, 1, 2), L.ones(2)
        y = x * 3
        made(L, forward, backward).apply(x, y, z).sum().backward()
        return seen

    same(scenario)


@pytest.mark.parametrize("saves", [True, False])
@pytest.mark.parametrize("what", ["argument", "output"])
def test_a_saved_tensor_that_was_overwritten_is_refused(saves: bool, what: str) -> None:
    def scenario(L):
        def forward(ctx, x):
            y = x * 2
            if saves:
                ctx.save_for_backward(x if what == "argument" else y)
            return y

        def backward(ctx, g):
            assert len(ctx.saved_tensors) == saves
            return g * 2

        x = leaf(L, 1, 2)
        h = x * 1
        y = made(L, forward, backward).apply(h)
        with L.no_grad():
            (h if what == "argument" else y).add_(1)
        return outcome(lambda: plain(L.autograd.grad(y.sum(), x)))

    assert same(scenario) == (RuntimeError if saves else ([2.0, 2.0],))


def test_a_graph_is_swept_once_unless_retained() -> None:
    def scenario(L):
        x = leaf(L, 1, 2)
        y = cube(L).apply(x).sum()
        y.backward(retain_graph=True)
        y.backward()
        return plain(x.grad), outcome(y.backward)

    assert same(scenario)[1] is RuntimeError


def test_the_other_style_has_defaults_and_keywords() -> None:
    def scenario(L):
        seen = []

        def forward(x, k=3):
            return x * k

        def setup_context(ctx, inputs, output):
            seen.append((plain(inputs), plain(output), ctx.needs_input_grad))
            ctx.k = inputs[1]

        F = made(L, forward, lambda ctx, g: (g * ctx.k, None), setup_context=setup_context)
        x = leaf(L, 1, 2)
        results = [F.apply(x), F.apply(x, 5), F.apply(x, k=7)]
        sum(y.sum() for y in results).backward()
        return seen, plain(results), plain(x.grad), outcome(lambda: F.apply(x, j=1))

    assert same(scenario)[-1] is TypeError


def test_vjp_is_another_name_of_backward() -> None:
    def scenario(L):
        body = {"forward": lambda ctx, x: x * 2, "vjp": lambda ctx, g: g * 5}
        F = type("F", (L.autograd.Function,), {k: staticmethod(v) for k, v in body.items()})
        x = leaf(L, 1, 2)
        F.apply(x).sum().backward()
        return plain(x.grad)

    same(scenario)


def test_what_is_missing_is_said() -> None:
    def scenario(L):
        x = leaf(L, 1, 2)
        empty = type("F", (L.autograd.Function,), {})
        half = type("F", (L.autograd.Function,), {"forward": staticmethod(lambda ctx, x: x * 2)})
        return outcome(lambda: empty.apply(x)), outcome(lambda: half.apply(x).sum().backward())

    assert same(scenario) == (NotImplementedError, NotImplementedError)
    with pytest.raises(RuntimeError, match=r"cube.*apply|Mine\.apply"):
        cube(th)()(leaf(th, 1))


def test_the_name_in_print_is_the_function_s() -> None:
    same(lambda L: repr(cube(L).apply(L.ones(2, requires_grad=True))))
    same(lambda L: repr(rotated(L).apply(L.ones(2, requires_grad=True), L.ones(2))[1]))


def test_once_differentiable() -> None:
    def scenario(L):
        once = L.autograd.function.once_differentiable

        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**2

        F = made(L, forward, once(lambda ctx, g: 2 * g * ctx.saved_tensors[0]))
        x, g = leaf(L, 1, 2), leaf(L, 3, 4)
        (first,) = L.autograd.grad(F.apply(x), x, g, create_graph=True)
        (plainly,) = L.autograd.grad(F.apply(x), x, g.detach(), create_graph=True)
        return (
            plain(first),
            first.requires_grad,
            outcome(lambda: first.sum().backward()),
            outcome(lambda: plainly.sum().backward()),
        )

    assert same(scenario)[1:] == (True, RuntimeError, RuntimeError)


# ------------------------------------------------------------------------------ where we go further


def test_gradients_alias_nothing() -> None:
    shared = th.ones(2, dtype=th.float64)
    F = made(th, lambda ctx, a, b: a + b, lambda ctx, g: (shared, shared))
    a, b = leaf(th, 1, 2), leaf(th, 1, 2)
    (F.apply(a, b) + a * 5 + F.apply(a, b)).sum().backward()
    assert shared.tolist() == [1, 1]
    assert (a.grad.tolist(), b.grad.tolist()) == ([7, 7], [2, 2])
    a.grad.zero_()
    assert (shared.tolist(), b.grad.tolist()) == ([1, 1], [2, 2])


def test_unsaved_arrays_are_let_go_and_saved_ones_with_the_sweep() -> None:
    def alive(saves):
        array = np.ones(1000)
        gone = weakref.ref(array)
        x = leaf(th, 1)
        kept = th.from_numpy(array)
        F = made(
            th,
            lambda ctx, x, big: (keep(ctx, big) if saves else None, x * 2)[1],
            lambda ctx, g: (g, None),
        )
        y = F.apply(x, kept).sum()
        del array, kept
        gc.collect()
        before = gone() is not None
        y.backward()
        gc.collect()
        return before, gone() is not None

    assert alive(False) == (False, False)
    assert alive(True) == (True, False)


def test_no_reference_cycle_keeps_a_graph() -> None:
    gc.collect()
    gc.disable()
    try:
        x = leaf(th, 1, 2)
        p, q = rotated(th).apply(x, x * 2)
        node = weakref.ref(q.grad_fn.next_functions[0][0])
        del p, q
        assert node() is None
    finally:
        gc.enable()


def test_second_order_through_an_output_that_was_thrown_away() -> None:
    a, b = leaf(th, 0.5, 1), leaf(th, 2, 3)
    _, q = rotated(th).apply(a, b)
    del _
    (g,) = th.autograd.grad(q.sum(), a, create_graph=True)
    (h,) = th.autograd.grad(g.sum(), a)
    np.testing.assert_allclose(h.array, -np.sin(a.detach().array), rtol=1e-12)


def test_what_would_lose_gradients_is_refused() -> None:
    x = leaf(th, 1, 2)
    with pytest.raises(TypeError, match=r"list of tensors.*tuple"):
        made(th, lambda ctx, x: [x], lambda ctx, g: g).apply(x)

    def dirty(ctx, x):
        ctx.mark_dirty(x)
        return x.add_(1)

    with pytest.raises(NotImplementedError, match=r"mark_dirty.*new tensor"):
        made(th, dirty, lambda ctx, g: g).apply(x * 1)
    assert made(th, dirty, lambda ctx, g: g).apply(th.zeros(1)).tolist() == [1]
    y = cube(th).apply(x)
    x.data = th.ones(2, dtype=th.float64)
    with pytest.raises(RuntimeError, match="replaced"):
        y.sum().backward()
