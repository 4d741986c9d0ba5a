"""Optimizers: worked figures, trajectories beside PyTorch's, and Newton's one step."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_hw as th
from tinygrad_hw import optim

SEEDS = st.integers(0, 2**32 - 1)


def square(optimizer, p, steps=3):
    """The path of p under the loss p²."""
    path = []
    for _ in range(steps):
        optimizer.zero_grad()
        (p * p).backward()
        optimizer.step()
        path.append(p.item())
    return path


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({}, [0.8, 0.64, 0.512]),
        ({"momentum": 0.9}, [0.8, 0.46, 0.062]),
        ({"momentum": 0.9, "nesterov": True}, [0.62, 0.2224, -0.1084]),
        ({"momentum": 0.9, "dampening": 0.5}, [0.8, 0.54, 0.252]),
        ({"maximize": True}, [1.2, 1.44, 1.728]),
        ({"weight_decay": 0.5}, [0.75, 0.5625, 0.421875]),
        ({"maximize": True, "weight_decay": 0.5}, [1.15, 1.3225, 1.520875]),
    ],
)
def test_worked_figures(options, path):
    p = th.tensor(1.0, dtype=th.float64, requires_grad=True)
    found = square(optim.SGD([p], lr=0.1, **options), p)
    np.testing.assert_allclose(found, path, rtol=1e-3 if "nesterov" in options else 1e-12)


OPTIONS = st.fixed_dictionaries(
    {
        "lr": st.sampled_from([0.0, 0.01, 0.1]),
        "momentum": st.sampled_from([0, 0.5, 0.9]),
        "dampening": st.sampled_from([0, 0.3]),
        "weight_decay": st.sampled_from([0, 0.1]),
        "nesterov": st.booleans(),
        "maximize": st.booleans(),
    }
).filter(lambda o: not o["nesterov"] or (o["momentum"] and not o["dampening"]))


def trajectory(library, options, start, target, reload_at=None):
    """50 steps on |p - t|⁴ + |q|², with a second group and a parameter that sometimes has no
    gradient."""
    p, q, idle = (library.tensor(v, requires_grad=True) for v in start)
    sign = -1 if options["maximize"] else 1
    groups = [{"params": [p, idle]}, {"params": q, "lr": 0.02}]
    sgd = library.optim.SGD(groups, **options)
    path = []
    for step in range(50):
        if step == reload_at:
            state = sgd.state_dict()
            sgd = library.optim.SGD([{"params": [p, idle]}, {"params": [q]}], lr=9.0)
            sgd.load_state_dict(state)
        sgd.zero_grad()
        loss = ((p - library.tensor(target)) ** 4).sum() * 0.1 + (q * q).sum()
        if step % 3 == 1:
            loss = loss + (idle**2).sum()
        (loss * sign).backward()
        sgd.step()
        path.append(np.concatenate([v.detach().numpy().ravel() for v in (p, q, idle)]))
    return np.array(path)


@given(SEEDS, OPTIONS, st.sampled_from([None, 1, 20]))
def test_trajectories_equal_pytorchs(seed, options, reload_at):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(seed)
    start = [rng.normal(size=s) for s in [(2, 3), (2,), ()]]
    target = rng.normal(size=(2, 3))
    ours = trajectory(th, options, start, target, reload_at)
    theirs = trajectory(torch, options, start, target)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-11)


@given(SEEDS, OPTIONS)
def test_a_step_writes_the_parameter_and_nothing_else(seed, options):
    rng = np.random.default_rng(seed)
    p = th.tensor(rng.normal(size=(3, 2)).astype(np.float32), requires_grad=True)
    array, mine = p.array, rng.normal(size=(3, 2)).astype(np.float32)
    sgd = optim.SGD([p], **options)
    for _ in range(3):
        before = mine.copy()
        p.grad = th.from_numpy(mine)
        sgd.step()
        np.testing.assert_array_equal(mine, before)
        assert p.array is array
        for state in sgd.state.values():
            assert not np.shares_memory(state["momentum_buffer"].array, mine)
            assert state["momentum_buffer"].dtype == th.float32


@pytest.mark.parametrize("kind", [optim.SGD, optim.Newton])
def test_a_step_makes_an_older_graph_stale(kind):
    p = th.tensor(1.0, requires_grad=True)
    p.grad = th.tensor(1.0)
    loss = p * p
    kind([p]).step(lambda: (p - 1) ** 2)
    with pytest.raises(RuntimeError, match="overwritten"):
        loss.backward()


def test_a_transposed_parameter_is_written_in_its_own_memory():
    base = np.ones((2, 3), np.float32)
    p = th.from_numpy(base.T).requires_grad_()
    (p * th.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])).sum().backward()
    optim.SGD([p], lr=1.0).step()
    assert base.tolist() == [[0, -2, -4], [-1, -3, -5]]


def test_zero_grad():
    p = th.tensor([1.0, 2.0], requires_grad=True)
    sgd = optim.SGD([p])
    p.sum().backward()
    kept = p.grad
    sgd.zero_grad(set_to_none=False)
    assert p.grad is kept
    assert kept.tolist() == [0, 0]
    sgd.zero_grad()
    assert p.grad is None
    (p * p).sum().backward(create_graph=True)
    sgd.zero_grad(set_to_none=False)
    assert not p.grad.requires_grad
    assert p.grad.tolist() == [0, 0]


def test_a_closure_runs_with_gradients_and_its_loss_comes_back():
    p = th.tensor(1.0, requires_grad=True)
    sgd = optim.SGD([p], lr=0.1)

    def closure():
        sgd.zero_grad()
        loss = p * p
        loss.backward()
        return loss

    with th.no_grad():
        assert sgd.step(closure).item() == 1
    assert p.item() == pytest.approx(0.8)
    assert sgd.step() is None


def test_state_dict_is_numbered_and_loads_as_a_copy():
    p, q = (th.tensor([1.0], requires_grad=True) for _ in range(2))
    sgd = optim.SGD([{"params": [p]}, {"params": [q], "momentum": 0.9}], lr=0.1)
    (p + q).sum().backward()
    sgd.step()
    state = sgd.state_dict()
    assert list(state["state"]) == [1]
    assert state["state"][1]["momentum_buffer"].tolist() == [1]
    assert [g["params"] for g in state["param_groups"]] == [[0], [1]]
    assert [g["momentum"] for g in state["param_groups"]] == [0, 0.9]
    other = optim.SGD([{"params": [p]}, {"params": [q]}], lr=7)
    other.load_state_dict(state)
    assert other.param_groups[1]["lr"] == 0.1
    assert other.param_groups[1]["params"][0] is q
    other.step()
    assert state["state"][1]["momentum_buffer"].tolist() == [1]
    for wrong in ([], [{"params": [0, 1]}, {"params": []}]):
        with pytest.raises(ValueError, match=r"\[1, 1\]"):
            other.load_state_dict({"state": {}, "param_groups": wrong})


def test_repr():
    p = th.zeros(1, requires_grad=True)
    assert repr(optim.SGD([p], lr=0.1)) == (
        "SGD (\nParameter Group 0\n    dampening: 0\n    differentiable: False\n"
        "    foreach: None\n    fused: None\n    lr: 0.1\n    maximize: False\n"
        "    momentum: 0\n    nesterov: False\n    weight_decay: 0\n)"
    )


def leaf():
    return th.zeros(2, requires_grad=True)


def moving():
    p = leaf()
    p.grad = th.ones(2)
    return p


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: optim.SGD([]), ValueError, "no parameters"),
        (lambda: optim.SGD(leaf()), TypeError, r"\[w\]"),
        (lambda: optim.SGD([leaf(), 3]), TypeError, "parameter 1 is int"),
        (lambda: optim.SGD([leaf() * 2]), ValueError, r"parameter 0, of shape \(2,\)"),
        (lambda: optim.SGD([(p := leaf()), p]), ValueError, "parameter 1, .* twice"),
        (lambda: optim.SGD([leaf()], lr=-1), ValueError, "lr .* -1"),
        (lambda: optim.SGD([leaf()], momentum=-1), ValueError, "momentum"),
        (lambda: optim.SGD([leaf()], weight_decay=-1), ValueError, "weight_decay"),
        (lambda: optim.SGD([leaf()], nesterov=True), ValueError, "nesterov"),
        (lambda: optim.SGD([leaf()], lr=float("nan")), ValueError, "lr"),
        (lambda: optim.Newton([leaf()], damping=-1), ValueError, "damping"),
        (lambda: optim.Newton([leaf()]).step(), RuntimeError, "closure"),
        (lambda: optim.Optimizer([moving()], {}).step(), NotImplementedError, "step"),
        (lambda: optim.SGD([{"params": {leaf()}}]), TypeError, "order"),
        (lambda: optim.SGD([("w", leaf()), leaf()]), ValueError, "name all"),
        (lambda: optim.SGD([leaf()], lr=th.ones(2)), ValueError, r"lr .* \(2,\)"),
        (lambda: optim.SGD([leaf()], differentiable=True), NotImplementedError, "differentiable"),
        (lambda: optim.Adam([leaf()], capturable=True), NotImplementedError, "capturable"),
        (lambda: optim.Adam([leaf()], betas=(0.9, 1.0)), ValueError, r"betas\[1\]"),
        (lambda: optim.AdamW([leaf()], eps=-1), ValueError, "eps"),
        (lambda: optim.RMSprop([leaf()], alpha=-1), ValueError, "alpha"),
        (lambda: optim.Adagrad([leaf()], lr_decay=-1), ValueError, "lr_decay"),
        (lambda: optim.Adadelta([leaf()], rho=1.5), ValueError, "rho"),
        (lambda: optim.NAdam([leaf()], momentum_decay=-1), ValueError, "momentum_decay"),
        (lambda: optim.Rprop([leaf()], etas=(1.1, 1.2)), ValueError, "etas"),
        (lambda: optim.SGD([leaf()]).add_param_group([leaf()]), TypeError, "dictionary"),
    ],
)
def test_refusals(make, kind, message):
    with pytest.raises(kind, match=message):
        make()


def test_named_parameters_and_later_groups():
    model = th.nn.Linear(2, 1)
    sgd = optim.SGD(model.named_parameters(), lr=0.1)
    assert sgd.param_groups[0]["params"] == [model.weight, model.bias]
    extra = leaf()
    sgd.add_param_group({"params": [("extra", extra)], "lr": 0.5})
    assert [g["lr"] for g in sgd.param_groups] == [0.1, 0.5]
    with pytest.raises(ValueError, match="twice"):
        sgd.add_param_group({"params": [("again", extra)]})


# ------------------------------------------------------------------------------------- Newton


@given(SEEDS, st.integers(1, 4), st.integers(0, 3), st.sampled_from([th.float32, th.float64]))
def test_one_newton_step_solves_least_squares_from_anywhere(seed, d, more, dtype):
    rng = np.random.default_rng(seed)
    X = np.linalg.qr(rng.normal(size=(d + more, d)))[0] * rng.uniform(1, 3, d)
    y = rng.normal(size=d + more)
    best = np.linalg.lstsq(X, y, rcond=None)[0]
    w = th.tensor(rng.normal(size=d) * 10, dtype=dtype, requires_grad=True)
    X, y = th.tensor(X, dtype=dtype), th.tensor(y, dtype=dtype)
    loss = optim.Newton([w]).step(lambda: ((X @ w - y) ** 2).mean())
    assert loss.dtype == w.dtype == dtype
    tolerance = 1e-10 if dtype == th.float64 else 1e-4
    np.testing.assert_allclose(w.array, best, rtol=tolerance, atol=tolerance)
    assert w.grad is None


@given(SEEDS)
def test_newton_sees_what_couples_parameters(seed):
    """Two parameters of one group, a full Hessian: against the formulas of softmax regression."""
    rng = np.random.default_rng(seed)
    n, d, c, damping = 6, 2, 3, 0.1
    x, labels = rng.normal(size=(n, d)), rng.integers(0, c, n)
    start, b = rng.normal(size=(c, d)), rng.normal(size=c)
    weight, bias = (th.tensor(v, requires_grad=True) for v in (start, b))
    newton = optim.Newton([weight, bias], lr=0.5, damping=damping)
    newton.step(lambda: th.nn.functional.cross_entropy(th.tensor(x) @ weight.T + bias, labels))

    x1 = np.hstack([x, np.ones((n, 1))])
    z = x1 @ np.column_stack([start, b]).T
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    g = (p - np.eye(c)[labels]).T @ x1 / n
    curvature = np.einsum("nk,kl->nkl", p, np.eye(c)) - np.einsum("nk,nl->nkl", p, p)
    h = np.einsum("nkl,ni,nj->kilj", curvature, x1, x1).reshape(c * (d + 1), -1) / n
    move = np.linalg.solve(h + damping * np.eye(len(h)), g.ravel()).reshape(c, d + 1)
    np.testing.assert_allclose(weight.array, start - 0.5 * move[:, :d], rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(bias.array, b - 0.5 * move[:, d], rtol=1e-9, atol=1e-10)


def test_newton_converges_quadratically_where_it_is_not_quadratic():
    p = th.tensor([1.2, 0.7], dtype=th.float64, requires_grad=True)
    newton = optim.Newton([p])
    errors = []
    for _ in range(6):
        newton.step(lambda: (p.exp() - 2 * p).sum())
        errors.append(np.abs(p.array - np.log(2)).max())
    assert errors[-1] < 1e-15
    assert errors[2] < errors[1] ** 2 < errors[0] ** 4


def test_newton_moves_groups_one_by_one():
    p, q = (th.tensor([3.0], requires_grad=True) for _ in range(2))
    newton = optim.Newton([{"params": [p]}, {"params": [q], "lr": 0.5}])
    newton.step(lambda: (p**2 + q**2).sum())
    assert (p.item(), q.item()) == (0, 1.5)


def test_a_singular_hessian_is_refused_and_nothing_moves():
    w = th.tensor([1.0, 2.0, 3.0], requires_grad=True)
    unused = th.tensor([5.0], requires_grad=True)
    x = th.tensor([[1.0, 2.0, 3.0], [2.0, 4.0, 6.1]])
    newton = optim.Newton([w, unused])
    with pytest.raises(np.linalg.LinAlgError, match=r"rank 2.*damping=.*regularizer"):
        newton.step(lambda: ((x @ w) ** 2).sum())
    assert w.tolist() == [1, 2, 3]
    newton.param_groups[0]["damping"] = 0.1
    newton.step(lambda: ((x @ w) ** 2).sum())
    assert w.tolist() != [1, 2, 3]
    assert unused.item() == 5
    with pytest.raises(np.linalg.LinAlgError, match="rank 0"):
        optim.Newton([w]).step(lambda: w.sum())
    with pytest.raises(np.linalg.LinAlgError, match="not finite"):
        optim.Newton([w]).step(lambda: (w * w * float("nan")).sum())
