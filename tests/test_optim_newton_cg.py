"""NewtonCG: optima beside other solvers', conjugate gradients beside linear algebra, safeguards."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_hw as th
from tinygrad_hw import optim
from tinygrad_hw.nn import functional as F
from tinygrad_hw.optim.newton_cg import newton_direction
from tinygrad_hw.optim.vectors import flat, hessian_product, put, split

SEEDS = st.integers(0, 2**32 - 1)


def spd(rng, n):
    """A positive definite matrix of condition 100."""
    q, _ = np.linalg.qr(rng.normal(size=(n, n)))
    return q * np.geomspace(0.1, 10, n) @ q.T


@given(SEEDS, st.integers(1, 12))
def test_conjugate_gradients_solve_in_n_products(seed, n):
    rng = np.random.default_rng(seed)
    h, g = spd(rng, n), rng.normal(size=n)
    found = newton_direction(lambda v: h @ v, g, 1e-9 * np.linalg.norm(g), 2 * n)
    assert found.products <= n + 2
    np.testing.assert_allclose(found.direction, -np.linalg.solve(h, g), rtol=1e-6, atol=1e-8)


@given(SEEDS, st.floats(1e-6, 0.5))
def test_conjugate_gradients_stop_at_the_residual_that_is_asked(seed, forcing):
    rng = np.random.default_rng(seed)
    h, g = spd(rng, 10), rng.normal(size=10)
    found = newton_direction(lambda v: h @ v, g, forcing * np.linalg.norm(g), 20)
    assert np.linalg.norm(h @ found.direction + g) <= forcing * np.linalg.norm(g) * (1 + 1e-9)
    if found.products > 1:
        shorter = newton_direction(lambda v: h @ v, g, 0.0, found.products - 1).direction
        assert np.linalg.norm(h @ shorter + g) > forcing * np.linalg.norm(g)


@given(SEEDS)
def test_a_direction_leads_downhill_whatever_the_curvature(seed):
    rng = np.random.default_rng(seed)
    h = rng.normal(size=(6, 6))
    h, g = h + h.T, rng.normal(size=6)
    direction = newton_direction(lambda v: h @ v, g, 1e-6, 30).direction
    assert direction @ g < 0


def test_the_gradient_is_the_direction_where_nothing_better_is_known():
    g = np.array([1.0, -2.0])
    for times in (lambda v: -v, lambda v: 0 * v, lambda v: v * np.nan):
        np.testing.assert_array_equal(newton_direction(times, g, 1e-9, 5).direction, -g)


@given(SEEDS)
def test_products_with_the_hessian(seed):
    """Of a loss of several parameters, one of them linear and one unused, in two dtypes."""
    rng = np.random.default_rng(seed)
    a = th.tensor(rng.normal(size=(2, 3)), requires_grad=True)
    b = th.tensor(rng.normal(size=3).astype(np.float32), requires_grad=True)
    c, unused = (th.tensor(rng.normal(size=2), requires_grad=True) for _ in range(2))
    loss = ((a @ b.double()) ** 4).sum() + (b**3).sum() + c.sum()
    params = [a, b, c, unused]
    slopes = th.autograd.grad(loss, params, create_graph=True, materialize_grads=True)
    rows = np.stack([hessian_product(slopes, params, unit) for unit in np.eye(13)])
    np.testing.assert_allclose(rows, rows.T, rtol=1e-5, atol=1e-5)
    A, B = a.detach().numpy(), b.detach().numpy().astype(float)
    outer = np.einsum("i,j,k->ijk", 12 * (A @ B) ** 2, B, B)
    for i in range(2):
        block = rows[3 * i : 3 * i + 3, 3 * i : 3 * i + 3]
        np.testing.assert_allclose(block, outer[i], rtol=1e-5, atol=1e-5)
    by_b = np.diag(6 * B) + 12 * (A.T * (A @ B) ** 2) @ A
    np.testing.assert_allclose(rows[6:9, 6:9], by_b, rtol=1e-4, atol=1e-4)
    assert not rows[9:].any()


def test_parameters_as_a_vector():
    p, q = th.zeros(2, 2), th.from_numpy(np.zeros((2, 3), np.float32).T)
    vector = np.arange(10.0)
    put(vector, [p, q])
    assert p.tolist() == [[0, 1], [2, 3]]
    assert q.tolist() == [[4, 5], [6, 7], [8, 9]]
    np.testing.assert_array_equal(flat([p, q]), vector)
    np.testing.assert_array_equal(split(vector, [p, q])[1], q.array)


def softmax_regression(seed, dtype, n=300, d=5, c=4, l2=1e-2):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d)) * np.geomspace(0.1, 3, d)
    labels = (x @ rng.normal(size=(d, c)) + rng.gumbel(size=(n, c))).argmax(1)
    X, y = th.tensor(x, dtype=dtype), th.tensor(labels)
    W, b = (th.tensor(v, dtype=dtype, requires_grad=True) for v in (np.zeros((c, d)), np.zeros(c)))

    def loss():
        return F.cross_entropy(F.linear(X, W, b), y) + l2 / 2 * (W * W).sum()

    return loss, [W, b], x, labels


@given(SEEDS, st.sampled_from([th.float32, th.float64]))
def test_softmax_regression_reaches_its_optimum(seed, dtype):
    loss, params, *_ = softmax_regression(seed, dtype)
    tolerance = 1e-5 if dtype == th.float32 else 1e-10
    newton = optim.NewtonCG(params, tolerance_grad=tolerance)
    state = newton.state[params[0]]
    path = []
    for _ in range(25):
        path.append(newton.step(loss).item())
        if not state["step_size"]:
            break
    assert state["n_iter"] == len(path) - 1 < 20
    slopes = th.autograd.grad(loss(), params)
    assert np.linalg.norm(flat(slopes)) <= tolerance
    assert state["grad_norm"] <= tolerance
    assert state["loss"] == path[-1] == loss().item()
    assert (np.diff(path) < 1e-6).all()
    assert state["func_evals"] >= 2 * len(path) - 1
    assert params[0].grad is None


def test_softmax_regression_as_scikit_learn_has_it():
    linear_model = pytest.importorskip("sklearn.linear_model")
    loss, params, x, labels = softmax_regression(1, th.float64)
    newton = optim.NewtonCG(params, tolerance_grad=1e-10)
    for _ in range(20):
        newton.step(loss)
    theirs = linear_model.LogisticRegression(C=1 / (1e-2 * len(x)), tol=1e-10, max_iter=1000)
    theirs.fit(x, labels)
    np.testing.assert_allclose(params[0].detach().numpy(), theirs.coef_, atol=1e-6)
    bias = params[1].detach().numpy()
    np.testing.assert_allclose(bias - bias.mean(), theirs.intercept_, atol=1e-6)


def test_steps_converge_superlinearly():
    loss, params, *_ = softmax_regression(2, th.float64)
    newton = optim.NewtonCG(params, tolerance_grad=1e-13)
    norms = []
    for _ in range(14):
        newton.step(loss)
        norms.append(newton.state[params[0]]["grad_norm"])
    ratios = np.array(norms[1:]) / norms[:-1]
    near = np.flatnonzero((np.array(norms[:-1]) < 1e-2) & (np.array(norms[:-1]) > 1e-9))
    assert len(near) >= 3
    assert ratios[near[-1]] < 0.1 * ratios[near[0]]


@pytest.mark.parametrize("n", [2, 20])
def test_a_loss_that_is_not_convex(n):
    w = th.tensor(np.tile([-1.2, 1.0], n // 2), requires_grad=True)

    def rosenbrock():
        a, b = w[:-1], w[1:]
        return (100 * (b - a**2) ** 2 + (1 - a) ** 2).sum()

    newton = optim.NewtonCG([w], tolerance_grad=1e-9)
    losses = []
    while len(losses) < 300:
        losses.append(newton.step(rosenbrock).item())
        if not newton.state[w]["step_size"]:
            break
    assert np.diff(losses).max() <= 0
    np.testing.assert_allclose(w.detach().numpy(), 1, atol=1e-7)


def test_a_point_of_negative_curvature_is_left_downhill():
    w = th.tensor([0.1, 0.0], dtype=th.float64, requires_grad=True)
    newton = optim.NewtonCG([w])
    for _ in range(30):
        newton.step(lambda: (w[0] ** 2 - 1) ** 2 + w[1] ** 2)
    np.testing.assert_allclose(w.tolist(), [1, 0], atol=1e-5)


def test_a_length_that_leaves_the_domain_is_shortened():
    w = th.tensor([0.9], dtype=th.float64, requires_grad=True)
    newton = optim.NewtonCG([w], lr=100.0)
    with np.errstate(invalid="ignore"):
        newton.step(lambda: -w.log().sum() - (1 - w).log().sum() / 10)
    assert 0 < newton.state[w]["step_size"] < 100
    assert 0 < w.item() < 1


def test_a_linear_loss_is_descended():
    w = th.tensor([1.0, 2.0], requires_grad=True)
    newton = optim.NewtonCG([w])
    newton.step(lambda: w.sum())
    assert w.tolist() == [0, 1]
    assert newton.state[w]["n_cg"] == 1


def test_state_goes_with_the_optimizer():
    loss, params, *_ = softmax_regression(3, th.float64)
    newton = optim.NewtonCG(params)
    newton.step(loss)
    other = optim.NewtonCG(params, lr=0.5)
    other.load_state_dict(newton.state_dict())
    assert other.param_groups[0]["lr"] == 1
    other.step(loss)
    assert other.state[params[0]]["n_iter"] == 2
    assert newton.state[params[0]]["n_iter"] == 1


def refused(loss, match, **options):
    w = th.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(RuntimeError, match=match):
        optim.NewtonCG([w], **options).step(lambda: loss(w))
    assert w.tolist() == [1, 2]


def test_what_is_refused_moves_nothing():
    refused(lambda w: (w * float("nan")).sum(), "norm of its gradient nan")
    refused(lambda w: 3.0, "returned 3.0")
    calls = iter(range(100))
    refused(lambda w: (w * w).sum() + 10 * next(calls), "when it is called twice", max_ls=4)
    with pytest.raises(RuntimeError, match="closure"):
        optim.NewtonCG([th.zeros(1, requires_grad=True)]).step()


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"lr": -1}, "lr"),
        ({"tolerance_grad": -1}, "tolerance_grad"),
        ({"max_cg": 0}, "max_cg"),
        ({"max_ls": 0}, "max_ls"),
        ({"forcing": 1}, "forcing"),
    ],
)
def test_bad_options(options, match):
    with pytest.raises(ValueError, match=match):
        optim.NewtonCG([th.zeros(1, requires_grad=True)], **options)


def test_groups_are_refused():
    groups = [{"params": [th.zeros(1, requires_grad=True)]} for _ in range(2)]
    with pytest.raises(ValueError, match="one group"):
        optim.NewtonCG(groups)
