"""The homework's equations against two oracles: the complex step in float64, and our own autodiff.

Every drawn array holds multiples of a power of two, few enough bits that the logits X @ W + b are
exact in float32 as in float64. So the logits' rounding, which at 1e4 would cost a float32
probability three digits, is out of the question, and one tolerance serves every size and scale.

An error is taken relative to the result's terms before they cancel: to (1/n)|X|ᵀ(ŷ + y) for the
gradient (1/n)Xᵀ(ŷ - y). Where the gradient vanishes (saturated logits, the optimum) rounding leaves
that much, in the oracles too. It is asked of every entry by itself, which is more than of a norm.
"""

import inspect
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_hw as th
from tinygrad_hw import closed_form as cf

ULPS = 64  # 1.4e-14 in float64, where 1e-10 is asked for; 7.6e-6 in float32


def assert_close(got, want, terms):
    """|got - want| is at most ULPS eps of got's type, times the terms that made the entry."""
    assert got.shape == want.shape
    error, info = abs(got - want), np.finfo(got.dtype)
    floor = max(16 * info.tiny, 1e-287)  # where the result, or 1e-20 of it, is subnormal
    assert np.all(error <= ULPS * info.eps * terms + floor), f"{got} is not {want}: {error}"


# The first oracle: the complex step, on functions written here and in another way


def complex_step(f, x):
    """The Jacobian of f at x, its shape that of f(x) followed by that of x."""
    columns = []
    for i in np.ndindex(x.shape):
        z = x.astype(complex)
        z[i] += 1e-20j
        columns.append(np.imag(f(z)) / 1e-20)
    return np.stack(columns, axis=-1).reshape(columns[0].shape + x.shape)


def probabilities(z):
    """1 / Σ_j exp(z_j - z_k), which loses no digit where a probability is close to one."""
    return 1 / np.exp(np.minimum(z[..., None, :] - z[..., None], 700)).sum(axis=-1)


def mean_squared(X, t, w):
    return ((X @ w - t) ** 2).mean() / 2


@dataclass
class Problem:
    """A batch for softmax regression, and with ``t`` and ``w = W[:, 0]`` for least squares."""

    n: int
    d: int
    c: int
    dtype: str
    scale: float  # of W and b; 2048 takes the logits past 1e4
    votes: int  # y is the mean of so many one-hot rows, so exactly a distribution
    decay: float
    seed: int

    def __post_init__(self):
        self.rng = rng = np.random.default_rng(self.seed)
        n, d, c = self.n, self.d, self.c
        self.labels = rng.integers(0, c, (n, self.votes))
        self.X = self.own(rng.integers(-8, 9, (d, n)).T / 8)  # not C-contiguous
        self.W = self.own(rng.integers(-16, 17, (d, c)) / 16 * self.scale)
        self.b = self.own(rng.integers(-16, 17, c) / 16 * self.scale)
        self.y = self.own(np.eye(c)[self.labels].mean(axis=1))
        self.t, self.w = self.own(rng.integers(-16, 17, n) / 8), self.W[:, 0]
        # The same in float64, W above b, for the oracle; and the terms behind each derivative.
        self.A = np.hstack([self.X, np.ones((n, 1))]).astype(np.float64)
        self.theta = np.vstack([self.W, self.b]).astype(np.float64)
        self.z = self.A @ self.theta
        self.penalty = np.full((d + 1, c), self.decay)
        self.penalty[d] = 0
        y_hat, A = probabilities(self.z), abs(self.A)
        self.gradient_terms = A.T @ (y_hat + self.y) / n + self.penalty * abs(self.theta)
        self.jacobian_terms = y_hat[:, :, None] * (np.eye(c) + y_hat[:, None, :])
        self.hessian_terms = np.einsum("ij,ikl,im->jkml", A, self.jacobian_terms, A) / n
        self.hessian_terms += np.diag(self.penalty.ravel()).reshape(d + 1, c, d + 1, c)

    def own(self, a):
        a = a.astype(self.dtype)
        a.flags.writeable = False  # to write into an input is an error
        return a

    def cotangent(self, *shape):
        return self.own(self.rng.integers(1, 17, shape) / 16 * self.rng.choice([-1, 1], shape))

    def losses(self, theta):
        """log Σ_k exp z_k - Σ_k y_k z_k for each sample."""
        z = self.A @ theta
        z = z - z.real.max(axis=1, keepdims=True)
        return np.log(np.exp(z).sum(axis=1)) - (self.y * z).sum(axis=1)

    def loss(self, theta):
        return self.losses(theta).mean() + (self.penalty * theta**2).sum() / 2

    def gradient(self, theta):
        """What the complex step of ``loss`` is, in test_cross_entropy_derivatives."""
        residual = probabilities(self.A @ theta) - self.y
        return self.A.T @ residual / self.n + self.penalty * theta


problems = st.builds(
    Problem,
    n=st.integers(1, 7),
    d=st.integers(1, 5),
    c=st.integers(1, 5),
    dtype=st.sampled_from(["float32", "float64"]),
    scale=st.sampled_from([1.0, 0.125, 16.0, 2048.0]),
    votes=st.sampled_from([1, 8]),
    decay=st.sampled_from([0.0, 0.3]),
    seed=st.integers(0, 2**32 - 1),
)


@given(problems)
def test_mse_derivatives(p):
    X, t, w = (a.astype(np.float64) for a in (p.X, p.t, p.w))
    terms = mean_squared(abs(X), -abs(t), abs(w))
    assert_close(cf.mse(p.X, p.t, p.w), mean_squared(X, t, w), terms)
    step, terms = complex_step(lambda w: mean_squared(X, t, w), w), abs(X) @ abs(w) + abs(t)
    assert_close(cf.mse_grad(p.X, p.t, p.w), step, abs(X).T @ terms / p.n)
    assert_close(complex_step(lambda w: cf.mse(X, t, w), w), step, abs(X).T @ terms / p.n)
    step = complex_step(lambda w: X.T @ (X @ w - t) / p.n, w)
    assert_close(cf.mse_hessian(p.X), step, abs(X).T @ abs(X) / p.n)


@given(problems)
def test_softmax_and_its_jacobians(p):
    z = p.X @ p.W + p.b
    assert np.array_equal(z, p.z)  # what the tolerance stands on
    assert_close(cf.softmax(z), probabilities(p.z), probabilities(p.z))
    assert_close(np.exp(cf.log_softmax(z)), probabilities(p.z), 1 + abs(z))
    J = np.stack([complex_step(probabilities, row) for row in p.z])
    assert_close(cf.softmax_jacobian_z(z), J, abs(J))  # relative to the Jacobian itself
    assert_close(cf.cross_entropy_hessian_z(z), J / p.n, abs(J) / p.n)
    J = complex_step(lambda theta: probabilities(p.A @ theta), p.theta)[:, :, :-1]
    assert_close(cf.softmax_jacobian_W(p.X, p.W, p.b), J, p.jacobian_terms[:, :, None, :])


@given(problems)
def test_cross_entropy_derivatives(p):
    arrays, decay = (p.X, p.y, p.W, p.b), p.decay
    terms = (abs(p.z).sum() + p.n) / p.n + decay * (p.theta**2).sum()
    assert_close(cf.cross_entropy(*arrays, weight_decay=decay), p.loss(p.theta), terms)
    step = complex_step(p.loss, p.theta)
    W, b = cf.cross_entropy_grad_W(*arrays, weight_decay=decay), cf.cross_entropy_grad_b(*arrays)
    assert_close(np.vstack([W, b]), step, p.gradient_terms)

    def theirs(theta):
        return cf.cross_entropy(p.A[:, :-1], p.y, theta[:-1], theta[-1], weight_decay=decay)

    assert_close(complex_step(theirs, p.theta), step, p.gradient_terms)
    H = cf.cross_entropy_hessian(p.X, p.W, p.b, weight_decay=decay)
    assert_close(H, complex_step(p.gradient, p.theta), p.hessian_terms)


@given(problems)
def test_negative_log_likelihood(p):
    total, terms = cf.negative_log_likelihood(p.X, p.y, p.W, p.b), abs(p.z).sum() + p.n
    assert_close(total, p.losses(p.theta).sum(), terms)
    if p.scale <= 1:  # else the product underflows: why one takes logarithms
        assert_close(total, -np.log(np.prod(probabilities(p.z) ** p.y)), terms)


@given(st.lists(st.integers(0, 6)), st.integers(7, 9))
def test_one_hot(labels, classes):
    rows = cf.one_hot(np.array(labels, dtype=np.uint8), classes)
    assert rows.dtype == np.float32
    assert rows.tolist() == [[float(k == label) for k in range(classes)] for label in labels]


# The second oracle: our own autodiff, second derivatives and Jacobians by random cotangents


def engine(p):
    """X, y as the engine takes it (labels or distributions), and W, b that require gradients."""
    y = p.labels[:, 0] if p.votes == 1 else p.y
    W, b = (th.tensor(a, requires_grad=True) for a in (p.W, p.b))
    return th.tensor(p.X), th.tensor(y), W, b


@given(problems)
def test_mse_derivatives_by_autodiff(p):
    X, t, w = th.tensor(p.X), th.tensor(p.t), th.tensor(p.w, requires_grad=True)
    value = ((X @ w - t) ** 2).mean() / 2
    (gradient,) = th.autograd.grad(value, w, create_graph=True)
    terms = abs(p.X).T @ (abs(p.X) @ abs(p.w) + abs(p.t)) / p.n
    assert_close(cf.mse_grad(p.X, p.t, p.w), gradient.detach().numpy(), terms)
    v = p.cotangent(p.d)
    (product,) = th.autograd.grad(gradient, w, th.tensor(v))
    assert_close(cf.mse_hessian(p.X) @ v, product.numpy(), abs(p.X).T @ abs(p.X) / p.n @ abs(v))


@given(problems)
def test_logits_by_autodiff(p):
    X, y, W, b = engine(p)
    z, v = (X @ W + b).detach().requires_grad_(), p.cotangent(p.n, p.c)
    terms = np.einsum("ik,ikl->il", abs(v), p.jacobian_terms)
    (product,) = th.autograd.grad(th.softmax(z, dim=1), z, th.tensor(v))
    J = cf.softmax_jacobian_z(z.detach().numpy())
    assert_close(np.einsum("ik,ikl->il", v, J), product.numpy(), terms)

    value = th.nn.functional.cross_entropy(z, y)
    (gradient,) = th.autograd.grad(value, z, create_graph=True)
    (product,) = th.autograd.grad(gradient, z, th.tensor(v))
    H = cf.cross_entropy_hessian_z(z.detach().numpy())
    assert_close(np.einsum("ik,ikl->il", v, H), product.numpy(), terms / p.n)

    (product,) = th.autograd.grad(th.softmax(X @ W + b, dim=1), W, th.tensor(v))
    J = cf.softmax_jacobian_W(p.X, p.W, p.b)
    assert_close(np.einsum("ik,ikjl->jl", v, J), product.numpy(), abs(p.X).T @ terms)


@given(problems)
def test_cross_entropy_by_autodiff(p):
    X, y, W, b = engine(p)
    arrays, decay = (p.X, p.y, p.W, p.b), {"weight_decay": p.decay}
    value = th.nn.functional.cross_entropy(X @ W + b, y) + p.decay / 2 * (W * W).sum()
    found = th.autograd.grad(value, (W, b), create_graph=True)
    gradient = np.vstack([a.detach().numpy() for a in found])
    ours = cf.cross_entropy_grad_W(*arrays, **decay), cf.cross_entropy_grad_b(*arrays)
    assert_close(np.vstack(ours), gradient, p.gradient_terms)

    V = p.cotangent(p.d + 1, p.c)
    products = th.autograd.grad(found, (W, b), (th.tensor(V[:-1]), th.tensor(V[-1])))
    product = np.vstack([a.numpy() for a in products])
    H = cf.cross_entropy_hessian(p.X, p.W, p.b, **decay)
    assert_close(np.tensordot(H, V), product, np.tensordot(p.hessian_terms, abs(V)))


# Newton's step


def matrix(rng, n, d, rank):
    """A small integer matrix of exactly this rank: unit lower times unit upper triangles."""
    lower = np.tril(rng.integers(-2, 3, (n, rank)), -1) + np.eye(n, rank)
    upper = np.triu(rng.integers(-2, 3, (rank, d)), 1) + np.eye(rank, d)
    return rng.permutation(lower @ upper)


@dataclass
class Regression:
    """Targets whose optimum is known: X @ w_star plus a part at right angles to X's columns."""

    d: int
    extra: int
    start: float
    dtype: str
    seed: int

    def __post_init__(self):
        rng = np.random.default_rng(self.seed)
        X = matrix(rng, self.d + self.extra, self.d, rank=self.d)
        self.w_star = rng.integers(-9, 10, self.d) / 4
        Q, noise = np.linalg.qr(X)[0], rng.standard_normal(len(X))
        noise -= Q @ (Q.T @ noise)
        y, w = X @ self.w_star + noise, self.start * rng.standard_normal(self.d)
        self.X, self.y, self.w = (a.astype(self.dtype) for a in (X, y, w))
        # A solution of least squares moves by eps times at most this (Wedin; Higham, chapter 20).
        sizes = np.linalg.svd(X, compute_uv=False)
        kappa, off = sizes[0] / sizes[-1], np.linalg.norm(noise) / sizes[0]
        lengths = np.linalg.norm(self.w_star) + np.linalg.norm(self.w) + off
        self.condition = kappa * lengths + kappa**2 * off


regressions = st.builds(
    Regression,
    d=st.integers(1, 4),
    extra=st.integers(0, 4),
    start=st.sampled_from([1.0, 1e-3, 1e6]),
    dtype=st.sampled_from(["float32", "float64"]),
    seed=st.integers(0, 2**32 - 1),
)


@given(regressions)
def test_newton_reaches_the_optimum_from_any_start(r):
    assert_close(cf.newton_step(r.X, r.y, r.w), r.w_star, r.condition)
    assert_close(cf.newton_step(r.X, r.y, 0 * r.w), r.w_star, r.condition)
    assert_close(cf.mse_optimum(r.X, r.y), r.w_star, r.condition)


@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 4), st.integers(0, 99))
def test_newton_refuses_a_matrix_of_low_rank(n, d, rank, seed):
    rank = min(rank, n, d - 1)
    X = matrix(np.random.default_rng(seed), n, d, rank)
    said = rf"X of shape \({n}, {d}\) has rank {rank}, .* only if X has rank d = {d}:.*ridge.*pinv"
    for X_typed in (X.astype(np.float32), X):
        with pytest.raises(np.linalg.LinAlgError, match=said):
            cf.newton_step(X_typed, np.ones(n), np.ones(d))
        with pytest.raises(np.linalg.LinAlgError, match=said):
            cf.mse_optimum(X_typed, np.ones(n))


def test_a_saturated_jacobian_keeps_its_digits():
    e = np.exp(-60) / (1 + np.exp(-60)) ** 2
    J = cf.softmax_jacobian_z(np.array([0.0, -60.0]))
    np.testing.assert_allclose(J, [[e, -e], [-e, e]], rtol=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_logits_at_the_ends_of_the_range(dtype):
    top = np.finfo(dtype).max
    X, W, b = np.ones((1, 1), dtype), np.array([[top, -top, 0]], dtype), np.zeros(3, dtype)
    y = np.array([[1, 0, 0]])
    assert cf.softmax(W[0]).tolist() == [1, 0, 0]
    assert not cf.softmax_jacobian_z(W[0]).any()
    assert cf.negative_log_likelihood(X, y, W, b) == 0
    assert not cf.cross_entropy_grad_W(X, y, W, b).any()
    assert cf.negative_log_likelihood(X, y[:, [1, 2, 0]], W, b) == top


def test_types_are_kept():
    X, W, b = np.ones((2, 3), "f4"), np.ones((3, 4), "f4"), np.ones(4, "f4")
    E, w, t, decay = np.eye(3, dtype="f4"), W[:, 0], X[:, 0], {"weight_decay": np.float64(1)}
    results = [cf.mse(X, t, w), cf.mse_grad(X, t, w), cf.mse_hessian(X)]
    results += [cf.newton_step(E, w, w), cf.mse_optimum(E, w)]
    results += [cf.softmax(X), cf.log_softmax(X), cf.softmax_jacobian_z(X)]
    results += [cf.softmax_jacobian_W(X, W, b), cf.cross_entropy_hessian_z(X)]
    results += [cf.cross_entropy_hessian(X, W, b, **decay)]
    for pixels in (X, X.astype(np.uint8)):  # raw images and float64 labels widen nothing
        batch = pixels, np.full((2, 4), 0.25), W, b
        results += [cf.cross_entropy(*batch, **decay), cf.negative_log_likelihood(*batch)]
        results += [cf.cross_entropy_grad_W(*batch, **decay), cf.cross_entropy_grad_b(*batch)]
    assert {result.dtype for result in results} == {np.dtype("f4")}
    assert cf.softmax([1, 2]).dtype == cf.mse_hessian([[1]]).dtype == np.float64


X, Y, W, B = np.ones((2, 3)), np.full((2, 4), 0.25), np.ones((3, 4)), np.ones(4)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: cf.newton_step(X, [1], [1, 1, 1]), ValueError, r"X \(2, 3\), y \(1,\), w \(3,\)"),
        (lambda: cf.newton_step(X.T, [1, 1], [1, 1, 1]), ValueError, "write X.T"),
        (lambda: cf.mse_hessian(np.ones((0, 3))), ValueError, r"no size zero; got X \(0, 3\)"),
        (lambda: cf.cross_entropy_grad_W(X, [0, 1], W, B), ValueError, r"one_hot\(labels, 4\)"),
        (lambda: cf.cross_entropy(X, 2 * Y, W, B), ValueError, "row 0 sums to 2.0"),
        (lambda: cf.cross_entropy(X, Y * np.nan, W, B), ValueError, "row 0 sums to nan"),
        (lambda: cf.cross_entropy(X, [[2, -1, 0, 0]] * 2, W, B), ValueError, "least entry is -1"),
        (lambda: cf.cross_entropy_hessian_z(B), ValueError, r"z \(n, c\).*got z \(4,\)"),
        (lambda: cf.softmax(1.0), ValueError, r"shape \(\)"),
        (lambda: cf.one_hot([0, 3, -1], 3), ValueError, "2 of 3 are not, the first of them 3"),
        (lambda: cf.one_hot([0.0], 3), TypeError, "astype"),
        (lambda: cf.one_hot([[0]], 3), ValueError, "ravel"),
    ],
)
def test_errors_say_what_was_given(call, error, message):
    with pytest.raises(error, match=message):
        call()


# Mutants: a hundredth too much in any function must be seen

EXAMPLE = Problem(4, 3, 3, "float64", scale=1.0, votes=8, decay=0.3, seed=0)
BY_AUTODIFF = {
    test_mse_derivatives_by_autodiff: [EXAMPLE],
    test_logits_by_autodiff: [EXAMPLE],
    test_cross_entropy_by_autodiff: [EXAMPLE],
}
BY_COMPLEX_STEP = {
    test_mse_derivatives: [EXAMPLE],
    test_softmax_and_its_jacobians: [EXAMPLE],
    test_cross_entropy_derivatives: [EXAMPLE],
    test_negative_log_likelihood: [EXAMPLE],
    test_newton_reaches_the_optimum_from_any_start: [Regression(3, 2, 1e6, "float64", seed=0)],
    test_one_hot: [[2, 0, 2], 7],
}
PUBLIC = [name for name, f in vars(cf).items() if inspect.isfunction(f) and name[0] != "_"]
DERIVATIVES = [name for name in PUBLIC if {"grad", "hessian", "jacobian"} & {*name.split("_")}]


@pytest.mark.parametrize(
    ("name", "tests"),
    [(name, BY_COMPLEX_STEP) for name in PUBLIC] + [(name, BY_AUTODIFF) for name in DERIVATIVES],
)
def test_mutants_die(name, tests, monkeypatch):
    def run():
        for test, arguments in tests.items():
            test.hypothesis.inner_test(*arguments)

    right = getattr(cf, name)
    run()
    monkeypatch.setattr(cf, name, lambda *args, **kwargs: 1.01 * right(*args, **kwargs))
    with pytest.raises(AssertionError, match=r"is not|=="):
        run()
