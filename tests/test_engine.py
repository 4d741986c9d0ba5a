"""The tape: order, ownership, refusals, in-place writes, grad modes, hooks, and random graphs."""

import gc
import threading
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import assert_close, complex_step

import tinygrad_hw as th
from tinygrad_hw.rules import elementwise as ew
from tinygrad_hw.rules import shapes


def leaf(*values):
    return th.tensor(np.array(values, float), requires_grad=True)


# ------------------------------------------------------------------------------------- the graph


def test_diamond_sweeps_each_node_once_and_in_order():
    """b feeds both c and d: it must be swept after both, not after the first."""
    a = leaf(2.0)
    b = a * a
    calls = []
    b.register_hook(lambda g: calls.append(g.item()))
    c, d = b * 3, b.exp()
    (c + d).sum().backward()
    assert calls == [pytest.approx(3 + np.exp(4.0))]
    assert_close(a.grad.array, [2 * 2 * (3 + np.exp(4.0))])


def test_a_chain_of_a_hundred_thousand_ops():
    x = th.tensor([1.5], requires_grad=True)
    y = x
    for _ in range(100_000):
        y = -y
    y.sum().backward()
    assert x.grad.item() == 1
    del y  # letting go of the graph must not recurse either
    gc.collect()


def test_a_deep_graph_that_was_never_swept_is_let_go():
    x = th.tensor([1.5], requires_grad=True)
    y = x
    for _ in range(100_000):
        y = -y
    node = weakref.ref(y.grad_fn)
    del y
    gc.collect()
    assert node() is None


def test_no_reference_cycles_keep_a_graph_alive():
    gc.collect()
    gc.disable()
    try:
        x = leaf(1.0, 2.0)
        y = (x.exp() * x).sum()
        node = weakref.ref(y.grad_fn)
        y.backward()
        del y
        assert node() is None
    finally:
        gc.enable()


OPS = [
    (2, lambda m, a, b: a + b),
    (2, lambda m, a, b: a * b),
    (2, lambda m, a, b: a - 2 * b),
    (2, lambda m, a, b: a / (b * b + 1.5)),
    (1, lambda m, a: m.tanh(a)),
    (1, lambda m, a: m.sin(a) + a),
    (1, lambda m, a: m.exp(-a * a)),
    (1, lambda m, a: a.sum(0)),
    (1, lambda m, a: a.T),
    (2, lambda m, a, b: a @ b),
]


@st.composite
def programs(draw):
    """A random straight-line program: each line an op and the values that it uses."""
    steps = []
    for line in range(draw(st.integers(1, 12))):
        arity, f = OPS[draw(st.integers(0, len(OPS) - 1))]
        steps.append((f, [draw(st.integers(0, line + 1)) for _ in range(arity)]))
    return steps


def run(steps, m, *inputs):
    values = list(inputs)
    for f, uses in steps:
        y = f(m, *(values[i] for i in uses))
        if y.ndim < 2:  # sums over rows broadcast back to the square shape that all values have
            y = y + values[0] * 0
        values.append(m.tanh(y))
    return (values[-1] * np.array([[0.3, -1.2], [0.7, 2.0]])).sum()


@given(steps=programs(), seed=st.integers(0, 2**32 - 1))
def test_random_graphs_against_the_values_alone(steps, seed):
    rng = np.random.default_rng(seed)
    arrays = [rng.normal(size=(2, 2)) for _ in range(2)]
    leaves = [th.tensor(a, requires_grad=True) for a in arrays]
    found = th.autograd.grad(run(steps, th, *leaves), leaves, materialize_grads=True)
    for i, got in enumerate(found):
        assert_close(got.array, complex_step(lambda *z: run(steps, np, *z), arrays, i))


def test_derivatives_of_every_order():
    x = leaf(0.7)
    y = (x * x).sin()
    (first,) = th.autograd.grad(y, x, create_graph=True)
    (second,) = th.autograd.grad(first, x, create_graph=True)
    (third,) = th.autograd.grad(second, x)
    t = 0.7
    assert_close(first.detach(), [2 * t * np.cos(t**2)])
    assert_close(second.detach(), [2 * np.cos(t**2) - 4 * t**2 * np.sin(t**2)])
    assert_close(third, [-12 * t * np.sin(t**2) - 8 * t**3 * np.cos(t**2)])


# ----------------------------------------------------------------------- what gradients are made of


def test_gradients_accumulate_and_share_memory_with_nothing():
    a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
    seed = np.ones(2)
    (a + b).backward(seed)
    memory = [a.grad.array, b.grad.array, seed, a.array, b.array]
    for i, x in enumerate(memory):
        assert not any(np.shares_memory(x, y) for y in memory[:i])
    kept = a.grad
    (a * b).backward(seed)
    assert a.grad is kept
    assert_close(a.grad, [4, 5])
    assert_close(seed, [1, 1])


def test_a_gradient_that_a_hook_kept_is_not_added_to():
    x = leaf(1.0, 2.0)
    kept = []
    x.register_hook(kept.append)
    for _ in range(2):
        (x * 3).sum().backward()
    assert_close(kept[0], [3, 3])
    assert_close(x.grad, [6, 6])


def test_a_gradient_that_is_used_and_then_added_to_is_stale():
    w, v = leaf(1.0), leaf(2.0)
    (w * w).sum().backward()
    loss = (w.grad * v).sum()
    (w * w).sum().backward()
    with pytest.raises(RuntimeError, match="overwritten in place"):
        loss.backward()


def test_a_retained_gradient_shares_no_memory():
    x = leaf(1.0, 2.0)
    h = x + 1
    h.retain_grad()
    seed = np.ones(2)
    h.backward(seed)
    h.grad.fill_(7)
    assert_close(seed, [1, 1])
    assert_close(x.grad, [1, 1])


def test_grad_takes_only_what_fits():
    x = leaf(1.0, 2.0)
    x.grad = th.zeros(2, dtype=th.float64)
    x.grad = None
    with pytest.raises(RuntimeError, match=r"float64 tensor of shape .* cannot be float64 \(3,\)"):
        x.grad = th.zeros(3, dtype=th.float64)
    with pytest.raises(RuntimeError, match="cannot be float32"):
        x.grad = th.zeros(2)
    with pytest.raises(TypeError):
        x.grad = 1.0


def test_reshaped_cotangents_are_copied_too():
    a = leaf(1.0, 2.0, 3.0, 4.0)
    seed = np.arange(4.0).reshape(2, 2)
    a.reshape(2, 2).T.backward(seed)
    assert not np.shares_memory(a.grad.array, seed)
    assert_close(a.grad, [0, 2, 1, 3])


def test_the_same_leaf_used_many_times():
    a = leaf(2.0)
    (a + a * a + a).sum().backward()
    assert_close(a.grad, [6])


def test_a_users_array_is_never_locked_or_written():
    source = np.array([1.0, 2.0])
    x = th.from_numpy(source).requires_grad_()
    (x * x).sum().backward()
    source[0] = 5
    assert source.flags.writeable
    assert x[0].item() == 5


def test_gradients_take_their_inputs_dtype():
    x = th.ones(2, requires_grad=True)
    y = th.ones(2, dtype=th.float64, requires_grad=True)
    (x * y).sum().backward()
    assert (x.grad.dtype, y.grad.dtype) == (th.float32, th.float64)


def test_grad_leaves_dot_grad_alone():
    x = leaf(3.0)
    (g,) = th.autograd.grad((x * x).sum(), x)
    assert x.grad is None
    assert_close(g, [6])


def test_backward_into_chosen_inputs_only():
    x, y = leaf(3.0), leaf(4.0)
    h = x * y
    (h * x).sum().backward(inputs=[y])
    assert x.grad is None
    assert_close(y.grad, [9])


def test_grad_of_an_intermediate_does_not_spend_its_graph():
    x = leaf(3.0)
    h = x * x
    (outer,) = th.autograd.grad((h * h).sum(), h)
    (inner,) = th.autograd.grad(h.sum(), x)
    assert_close(outer.array * inner.array, [4 * 27])


def test_unused_inputs():
    x, y = leaf(1.0), leaf(2.0)
    with pytest.raises(RuntimeError, match="do not depend on input 1"):
        th.autograd.grad(x.sum(), (x, y))
    assert th.autograd.grad(x.sum(), (x, y), allow_unused=True)[1] is None
    assert_close(th.autograd.grad(x.sum(), (x, y), materialize_grads=True)[1], [0])


# ------------------------------------------------------------------------------------- refusals


def test_second_backward_is_refused():
    x = leaf(1.0)
    y = x.exp().sum()
    y.backward()
    with pytest.raises(RuntimeError, match=r"already swept.*retain_graph=True"):
        y.backward()


def test_retain_graph_allows_it():
    x = leaf(1.0)
    y = x.exp().sum()
    y.backward(retain_graph=True)
    y.backward()
    assert_close(x.grad, [2 * np.e])


def test_backward_of_several_numbers_needs_a_cotangent():
    with pytest.raises(RuntimeError, match=r"shape \(2,\) needs a cotangent"):
        (leaf(1.0, 2.0) * 2).backward()


def test_a_cotangent_of_another_shape_is_refused():
    with pytest.raises(RuntimeError, match=r"shape \(3,\) and its tensor \(2,\)"):
        (leaf(1.0, 2.0) * 2).backward(th.ones(3))


def test_backward_without_history_is_refused():
    with pytest.raises(RuntimeError, match="does not require grad"):
        th.ones(1).sum().backward()


@pytest.mark.parametrize("dtype", [th.int64, th.uint8, th.bool])
def test_integers_cannot_require_grad(dtype):
    with pytest.raises(RuntimeError, match="only floating point"):
        th.zeros(2, dtype=dtype).requires_grad_()


def test_shapes_that_do_not_broadcast():
    message = r"add\(float64 \(2,\), float32 \(3,\)\).*compared from the right.*unsqueeze"
    with pytest.raises(RuntimeError, match=message):
        leaf(1.0, 2.0) + th.ones(3)


def test_matmul_of_the_wrong_sizes():
    with pytest.raises(RuntimeError, match=r"matmul\(float32 \(2, 3\), float32 \(2, 3\)\)"):
        th.ones(2, 3) @ th.ones(2, 3)


def test_a_tensor_that_an_op_made_keeps_its_history():
    y = leaf(1.0) * 2
    with pytest.raises(RuntimeError, match="detach"):
        y.requires_grad = False


def test_what_is_no_number_is_refused():
    with pytest.raises(TypeError):
        leaf(1.0) + None
    with pytest.raises(TypeError):
        leaf(1.0) * "3"
    for x in (th.ones(2), leaf(1.0, 2.0)):
        for other in ([True, False], [1, 2], (1.0, 2.0), 2j):
            with pytest.raises(TypeError, match="tensors, arrays and numbers"):
                x + other
            with pytest.raises(TypeError, match="tensors, arrays and numbers"):
                other * x
    from fractions import Fraction

    with pytest.raises(TypeError, match="tensors, arrays and numbers"):
        leaf(1.0) * Fraction(1, 2)


# ------------------------------------------------------------------------------- in-place writes


def test_the_classic_update():
    w = leaf(1.0, 2.0)
    (w * w).sum().backward()
    memory = w.array
    with th.no_grad():
        w -= 0.1 * w.grad
        w.grad.zero_()
    assert w.array is memory
    assert w.is_leaf
    assert w.requires_grad
    assert_close(w.detach(), [0.8, 1.6])
    assert_close(w.grad, [0, 0])


@pytest.mark.parametrize(
    "write",
    [
        lambda w: w.add_(1),
        lambda w: w.__isub__(1),
        lambda w: w.zero_(),
        lambda w: w.__setitem__(0, 1.0),
        lambda w: w.copy_(th.ones(2)),
    ],
)
def test_a_leaf_is_not_written_while_gradients_are_recorded(write):
    with pytest.raises(RuntimeError, match=r"leaf that requires grad.*no_grad"):
        write(leaf(1.0, 2.0))


@pytest.mark.parametrize(
    ("write", "role"),
    [
        (lambda x, y: x.mul_(2), "mul: its input 1"),
        (lambda x, y: x.detach().zero_(), "mul: its input 1"),
        (lambda x, y: x.T[1:].fill_(0), "mul: its input 1"),
        (lambda x, y: x.__setitem__((0, 1), 3.0), "mul: its input 1"),
        (lambda x, y: y.zero_(), "mul: its input 0"),
    ],
)
def test_a_stale_value_is_found_and_named(write, role):
    """Through the tensor, its memory, a view of it, or an intermediate."""
    x = th.ones(2, 2, requires_grad=True)
    y = x.exp()
    z = y * x
    with th.no_grad():
        write(x, y)
    with pytest.raises(RuntimeError, match=rf"{role}.*overwritten in place"):
        z.sum().backward()


def test_an_output_that_its_rule_needs_is_not_overwritten():
    y = th.ones(2, requires_grad=True).exp()
    with th.no_grad():
        y.zero_()
    with pytest.raises(RuntimeError, match=r"exp: its output.*overwritten in place"):
        y.sum().backward()


def test_a_write_after_the_sweep_is_fine():
    x = th.ones(2, requires_grad=True)
    (x * x).sum().backward()
    with th.no_grad():
        x.zero_()
    (x * x).sum().backward()
    assert_close(x.grad.array, np.array([2, 2], np.float32))


def test_a_write_to_what_no_rule_looks_at_is_fine():
    x = leaf(1.0, 2.0)
    y = x + 1
    y[0] = 5.0
    y.sum().backward()
    assert_close(x.grad, [0, 1])


def test_writes_into_what_an_op_made_are_differentiated():
    w = leaf(2.0, 3.0)
    x = th.zeros(3, dtype=th.float64)
    x[1:] = w * w
    y = x * 2
    y *= w.sum()
    y.sum().backward()
    assert_close(w.grad, [2 * (2 * 2 * 5 + 13), 2 * (2 * 3 * 5 + 13)])


def test_a_list_is_written_alike_whether_recorded_or_not():
    w = leaf(1.0, 2.0)
    y = w * 3
    y[:] = [5.0, 7.0]
    assert_close(y.detach(), [5, 7])
    (y * w).sum().backward()
    assert_close(w.grad, [5, 7])


def test_a_recorded_write_to_a_view_is_refused():
    x = leaf(1.0, 2.0) * 2
    with pytest.raises(RuntimeError, match="shares its memory"):
        x[0].add_(1)


@pytest.mark.parametrize("look", [lambda x: x.reshape(2), lambda x: x[:1], lambda x: x.detach()])
def test_a_recorded_write_under_a_view_is_refused(look):
    """The view would change too, and nobody would differentiate it."""
    x, w = th.zeros(2, dtype=th.float64), leaf(1.0, 2.0)
    view = look(x)
    with pytest.raises(RuntimeError, match="shares its memory"):
        x += w
    assert not view.array.any()


def test_a_recorded_write_would_leave_a_hook_behind():
    x = leaf(1.0, 2.0) * 2
    x.retain_grad()
    with pytest.raises(RuntimeError, match="set it after the write"):
        x *= 3


@given(seed=st.integers(0, 2**32 - 1), op=st.sampled_from(["add", "sub", "mul", "div"]))
def test_in_place_arithmetic_has_the_gradients_of_its_twin(seed, op):
    rng = np.random.default_rng(seed)
    a, b, g = rng.uniform(1, 2, (3, 2, 3))
    results = []
    for in_place in (False, True):
        x, y = th.tensor(a, requires_grad=True), th.tensor(b, requires_grad=True)
        h = x * 1.5
        if in_place:
            getattr(h, op + "_")(y)
        else:
            h = getattr(h, op)(y)
        (h * h).backward(g)
        results.append((h.detach(), x.grad, y.grad))
    for plain, written in zip(*results, strict=True):
        assert_close(written, plain)


def test_in_place_keeps_dtype_and_shape():
    with pytest.raises(RuntimeError, match="shape and dtype cannot change"):
        th.arange(3).add_(1.5)
    with pytest.raises(RuntimeError, match="shape and dtype cannot change"):
        th.ones(3).add_(th.ones(2, 3))


# --------------------------------------------------------------------- modes, hooks, and threads


def test_no_grad_records_nothing_and_ends_with_its_block():
    x = leaf(1.0)
    with th.no_grad():
        assert not (x * 2).requires_grad
        with th.enable_grad():
            assert (x * 2).requires_grad
    assert (x * 2).requires_grad
    with pytest.raises(KeyError), th.no_grad():
        raise KeyError
    assert (x * 2).requires_grad


def test_modes_decorate_functions_but_not_generators():
    x = leaf(1.0)

    @th.no_grad()
    def double(x):
        return x * 2

    assert not double(x).requires_grad
    def numbers():
        yield 1

    with pytest.raises(RuntimeError, match="generator"):
        th.no_grad()(numbers)


def test_set_grad_enabled_as_a_switch_and_as_a_block():
    with th.set_grad_enabled(False):
        assert not th.is_grad_enabled()
    assert th.is_grad_enabled()
    th.set_grad_enabled(False)
    assert not th.is_grad_enabled()
    th.set_grad_enabled(True)


def test_grad_mode_is_per_thread_and_two_threads_train_two_models():
    failures = []

    def train(start):
        try:
            x = leaf(start)
            for _ in range(300):
                ((x - 3) ** 2).sum().backward()
                with th.no_grad():
                    x -= 0.1 * x.grad
                    x.grad.zero_()
            assert_close(x.detach(), [3])
        except BaseException as error:
            failures.append(error)

    with th.no_grad():
        threads = [threading.Thread(target=train, args=(float(s),)) for s in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    assert not failures


def test_hooks_see_and_replace_gradients_and_can_be_removed():
    x = leaf(1.0, 2.0)
    y = x * 3
    seen = []
    handle = x.register_hook(lambda g: seen.append(g.tolist()))
    y.register_hook(lambda g: g * 10)
    y.sum().backward(retain_graph=True)
    assert seen == [[30, 30]]
    assert_close(x.grad, [30, 30])
    handle.remove()
    y.sum().backward()
    assert len(seen) == 1


def test_a_hook_of_the_wrong_shape_is_refused():
    x = leaf(1.0, 2.0)
    x.register_hook(lambda g: g.sum())
    with pytest.raises(RuntimeError, match=r"shape \(2,\) and returned one of shape \(\)"):
        x.sum().backward()


def test_retain_grad():
    x = leaf(2.0)
    h = x * x
    h.retain_grad()
    (h * 3).sum().backward()
    assert_close(h.grad, [3])


def test_hooks_need_a_gradient_to_come_by():
    with pytest.raises(RuntimeError, match="does not require grad"):
        th.ones(1).register_hook(print)


# --------------------------------------------------------------------------------------- func


def test_func_jvp_vjp_jacobian_and_hvp_agree():
    rng = np.random.default_rng(0)
    A, x, t, u = rng.normal(size=(3, 4)), rng.normal(size=4), rng.normal(size=4), rng.normal(size=3)

    def f(x):
        return (th.tensor(A) @ x).tanh() * x.sum()

    J = th.func.jacobian(f)(th.tensor(x)).array
    true = complex_step(lambda x: np.tanh(A @ x) * x.sum(), [x], 0)
    assert_close(J, true)
    _, moved = th.func.jvp(f, (th.tensor(x),), (th.tensor(t),))
    assert_close(moved, true @ t)
    _, pullback = th.func.vjp(f, th.tensor(x))
    assert_close(pullback(u)[0], u @ true)

    def scalar(x):
        return (f(x) * u).sum()

    H = th.func.hessian(scalar)(th.tensor(x)).array
    (hv,) = th.func.hvp(scalar, (th.tensor(x),), (th.tensor(t),))
    assert_close(hv, H @ t)
    assert_close(H, H.T)


def test_an_op_handed_arrays_is_its_numpy_function():
    x = np.array([1.0, 2.0])
    assert type(ew.exp(x)) is np.ndarray
    assert_close(ew.exp(x), np.exp(x))


@pytest.mark.parametrize("size", [1, 3])
def test_what_was_expanded_is_a_view_that_cannot_be_written(size):
    """Its elements share memory: to write one would write all."""
    x = th.ones(1, size)
    spread = x.expand(4, size)
    assert np.shares_memory(spread.array, x.array)
    assert not spread.array.flags.writeable
    assert x.array.flags.writeable
    np.testing.assert_array_equal(spread.array, np.ones((4, size)))


@pytest.mark.parametrize("size", [1, 3])
def test_to_expand_takes_no_axis_away(size):
    with pytest.raises(RuntimeError, match="expand"):
        shapes.expand(th.ones(1, size), shape=(size,))


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("kind", [th.tensor, np.asarray], ids=["tensor", "array"])
def test_a_cotangent_of_another_dtype_is_taken_in_the_tensors_own(kind, create_graph):
    x = th.tensor([1.0, 2.0], requires_grad=True)
    g = kind(np.array([0.1, 0.2]))
    x.backward(g, create_graph=create_graph)
    assert x.grad.dtype == th.float32
    np.testing.assert_array_equal(x.grad.detach().numpy(), np.float32([0.1, 0.2]))
