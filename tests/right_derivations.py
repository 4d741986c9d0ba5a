"""The board of right derivations, first part: regressions, softmax and layers in other forms than
the loss's. None of them may be called wrong.
"""

import math

import numpy as np
from board import (
    ATTENTION,
    BINARY,
    CLASSES,
    LINEAR,
    LOGITS,
    MATRIX,
    PERCEPTRON,
    Entry,
    attention,
    bilinear,
    board,
    center,
    cross_entropy,
    embedding,
    entropy,
    gaussian,
    layer_norm,
    linear,
    linear_sum,
    logistic,
    matrix_mse,
    perceptron,
    poisson,
    quadratic,
    residual,
    ridge_lam,
    rms_norm,
    sigmoid,
    softmax,
    softmax_decay,
    softmax_regression,
    softplus,
)

import tinygrad_hw as th
from tinygrad_hw.check import array, labels, one_hot, scalar
from tinygrad_hw.nn import functional as F

RIGHT: list[Entry] = []


def right(loss, *names, **rest):
    return board(RIGHT)(loss, dict.fromkeys(names, "ok"), **rest)


# Regressions


@right(linear, "w", **LINEAR)
def linear_einsum(X, w, y):
    return np.einsum("ni,nj,j->i", X, X, w) / len(y) - np.einsum("ni,n->i", X, y) / len(y)


@right(linear, "w", "y", "X", **LINEAR)
def linear_loops_returning_lists(X, w, y):
    n, d = X.shape
    dw, dy, dX = [0.0] * d, [0.0] * n, [[0.0] * d for _ in range(n)]
    for i in range(n):
        r = sum(float(X[i, j]) * float(w[j]) for j in range(d)) - float(y[i])
        dy[i] = -r / n
        for j in range(d):
            dw[j] += r * float(X[i, j]) / n
            dX[i][j] = r * float(w[j]) / n
    return {"w": dw, "y": dy, "X": dX, "not asked for": 1}


@right(linear, "w", **LINEAR)
def linear_normal_equations(X, w, y):
    return (X.T @ X @ w - X.T @ y) / X.shape[0]


@right(ridge_lam, "w", "lam", **LINEAR, lam=scalar(low=0, high=2))
def ridge_augmented_rows(X, w, y, lam):
    n, d = X.shape
    rows = np.vstack([X, np.sqrt(n * lam) * np.eye(d)])
    targets = np.concatenate([y, np.zeros(d)])
    return {"w": rows.T @ (rows @ w - targets) / n, "lam": float(w @ w) / 2}


@right(lambda X, w, y: np.mean((X @ w - y) ** 2) / 2, "w", **LINEAR)
def linear_with_numpy_loss(X, w, y):
    return np.mean((X @ w - y)[:, None] * X, axis=0)


@right(matrix_mse, "W", "X", "Y", **MATRIX)
def matrix_mse_by_columns(X, W, Y):
    r = 2 * (X @ W - Y) / np.size(Y)
    columns = np.stack([X.T @ r[:, k] for k in range(r.shape[1])], axis=1)
    return columns, np.tensordot(r, W, axes=(1, 1)), -r


@right(logistic, "w", **BINARY)
def logistic_textbook_sigmoid(X, w, y):
    p = 1 / (1 + np.exp(-(X @ w)))  # overflows to the right answer
    return X.T @ (p - y) / len(y)


@right(logistic, "w", X=array("n", "d", low=-2, high=2), w=array("d", low=-2, high=2),
       y=labels("n", classes=2))
def logistic_math_loop(X, w, y):
    grad = np.zeros(len(w))
    for x, t in zip(X, y, strict=True):
        e = math.exp(x @ w)
        grad += x * (e / (1 + e) - t)
    return grad / len(y)


@right(lambda X, w, s: softplus(-s * (X @ w)).mean(), "w", X=array("n", "d"), w=array("d"),
       s=array("n", elements=[-1.0, 1.0]))
def logistic_signed_labels(X, w, s):
    return -(s * sigmoid(-s * (X @ w))) @ X / len(s)


@right(poisson, "w", X=array("n", "d"), w=array("d"), y=labels("n", classes=6))
def poisson_where_exp_may_overflow(X, w, y):
    return X.T @ (np.exp(X @ w) - y) / len(y)


@right(gaussian, "x", "mu", "s", x=array("n"), mu=scalar(), s=scalar(-1, 1))
def gaussian_by_variance(x, mu, s):
    v, n = np.exp(2 * s), len(x)
    return (x - mu) / v / n, -np.sum(x - mu) / v / n, 1 - np.sum((x - mu) ** 2) / v / n


@right(linear, "w", X=array("n", "d", dtype=np.float32), w=array("d", dtype=np.float32),
       y=array("n", dtype=np.float32))
def linear_single_precision(X, w, y):
    return X.T @ (X @ w - y) / np.float32(len(y))


@right(softmax_regression, "W", "b", X=array("n", "d", dtype=np.float32),
       W=array("d", "c", dtype=np.float32), b=array("c", dtype=np.float32),
       y=labels("n", classes="c"))
def softmax_single_precision(X, W, b, y):
    dz = residual(X @ W + b, y) / len(y)
    return X.T @ dz, dz.sum(axis=0)


@right(linear_sum, "w", X=np.arange(6.0).reshape(3, 2), w=array(2), y=np.array([1.0, -1.0, 2.0]))
def linear_on_fixed_data(X, w, y):
    return X.T @ (X @ w - y)


@right(lambda w, lam, power: (lam * th.abs(w) ** power).sum(), "w", w=array("d"), lam=0.1, power=4)
def fixed_numbers(w, lam, power):
    return lam * power * w ** (power - 1)


# Softmax


@right(softmax_regression, "W", "b", **CLASSES)
def softmax_one_hot_matrix(X, W, b, y):
    Y = (y[:, None] == np.arange(len(b))).astype(float)
    dz = (softmax(X @ W + b) - Y) / len(y)
    return {"b": np.ones(len(y)) @ dz, "W": (dz.T @ X).T}  # a transposed view


@right(softmax_decay, "W", "b", **CLASSES)
def softmax_sample_by_sample(X, W, b, y):
    dW, db = np.zeros_like(W), np.zeros_like(b)
    for x, t in zip(X, y, strict=True):
        dz = softmax(x @ W + b) - np.eye(len(b))[t]
        dW += np.outer(x, dz) / len(y)
        db += dz / len(y)
    return {"W": dW + 0.1 * W, "b": db}


@right(cross_entropy, "z", z=array("n", "c", low=-3, high=3), y=labels("n", classes="c"))
def softmax_naive_on_bounds(z, y):
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    return (p - np.eye(z.shape[1])[y]) / len(y)


@right(cross_entropy, "z", **LOGITS)
def softmax_of_differences(z, y):
    with np.errstate(over="ignore"):
        p = 1 / np.exp(z[:, None, :] - z[:, :, None]).sum(axis=2)
    np.subtract.at(p, (np.arange(len(y)), y), 1)
    return p / len(y)


@right(lambda z, Y: -(z.log_softmax(1) * Y).sum(1).mean(), "z", z=array("n", "c"),
       Y=one_hot("n", "c"))
def softmax_through_logarithms(z, Y):
    m = z.max(axis=1, keepdims=True)
    log_p = z - m - np.log(np.exp(z - m).sum(axis=1, keepdims=True))
    return (np.exp(log_p) - Y) / len(z)


@right(lambda z, y: F.cross_entropy(z, y, label_smoothing=0.2), "z", **LOGITS)
def smoothed_labels(z, y):
    c = z.shape[1]
    return (softmax(z) - 0.8 * np.eye(c)[y] - 0.2 / c) / len(y)


@right(lambda z: np.log(np.exp(z).sum(1)).sum(), "z", z=array("n", "c", low=-5, high=5),
       dims={"c": (1, 1)})
def naive_log_sum_exp_of_one_class(z):
    return np.ones_like(z)


@right(lambda z, t, y: F.cross_entropy(z / t, y), "z", "t", **LOGITS, t=scalar(0.5, 2))
def temperature(z, t, y):
    r = residual(z / t, y) / len(y)
    return r / t, -np.vdot(r, z) / t**2


@right(lambda z: z.softmax(1), "z", of="jacobian", z=array("n", "c"))
def softmax_jacobian_of_rows(z):
    s, n = softmax(z), len(z)
    blocks = np.einsum("nc,ck->nck", s, np.eye(z.shape[1])) - np.einsum("nc,nk->nck", s, s)
    return np.einsum("nck,nm->ncmk", blocks, np.eye(n))


@right(softmax_regression, "W", "b", of="hessian", dims=dict.fromkeys("ndc", (1, 3)), **CLASSES)
def softmax_hessian(X, W, b, y):
    p, n = softmax(X @ W + b), len(y)
    S = np.einsum("nc,ck->nck", p, np.eye(len(b))) - p[:, :, None] * p[:, None, :]
    return {"W": np.einsum("ni,nck,nj->icjk", X, S, X) / n, "b": S.mean(axis=0)}


@right(logistic, "w", of="hessian", **BINARY)
def logistic_hessian_loops(X, w, y):
    H = np.zeros((len(w), len(w)))
    for x in X:
        H += np.outer(x, x) / (4 * np.cosh(x @ w / 2) ** 2) / len(X)
    return H


# Layers and products


@right(lambda x: th.sigmoid(x), "x", of="vjp", x=array("n"))
def sigmoid_saturates(x, g):
    s = 1 / (1 + np.exp(-x))
    return g * s * (1 - s)


@right(lambda x: th.tanh(x), "x", of="vjp", x=array("n", "d"))
def tanh_saturates(x, g):
    return g * (1 - np.tanh(x) ** 2)


@right(lambda x: th.log(1 + th.exp(x)).sum(), "x", x=array("n"))
def claim_is_more_stable_than_the_loss(x):
    return sigmoid(x)


@right(layer_norm, "x", of="vjp", x=array("d"), dims={"d": (2, 5)})
def layer_norm_by_projection(x, g):
    d, r = len(x), np.sqrt(x.var() + 1e-5)
    h = (x - x.mean()) / r
    J = (np.eye(d) - 1 / d - np.outer(h, h) / d) / r
    return J.T @ g


@right(rms_norm, "x", of="vjp", x=array("d", low=0.5, high=2))
def rms_norm_expanded(x, g):
    r = np.sqrt(np.mean(x * x) + 1e-5)
    return g / r - x * (x @ g) / (len(x) * r**3)


@right(center, "X", of="vjp", X=array("n", "d"))
def centering_matrix(X, g):
    n = len(X)
    return (np.eye(n) - np.full((n, n), 1 / n)) @ g


@right(lambda x: (x * x).mean() - x.mean() ** 2, "x", x=array("n"))
def variance_as_difference_of_moments(x):
    return 2 * (x - np.mean(x)) / len(x)


@right(quadratic, "x", "A", A=array("d", "d"), x=array("d"))
def quadratic_loops(A, x):
    dx = np.zeros_like(x)
    for i in range(len(x)):
        for j in range(len(x)):
            dx[i] += A[i, j] * x[j]
            dx[j] += A[i, j] * x[i]
    return {"x": dx, "A": np.multiply.outer(x, x)}


@right(bilinear, "A", "x", "y", A=array("m", "k"), x=array("m"), y=array("k"))
def bilinear_by_broadcasting(A, x, y):
    return x[:, None] * y, (A * y).sum(1), x @ A


@right(lambda a, b: (a * b).sum(), "a", "b", a=array("n"), b=array("n"))
def claim_returns_its_inputs(a, b):
    return b, a


@right(lambda x: x.mean(), "x", x=array("n", "d"))
def claim_returns_a_read_only_view(x):
    return np.broadcast_to(1 / x.size, x.shape)


@right(lambda x: np.prod(x), "x", x=array("n"))
def product_leaving_one_out(x):
    return np.array([np.prod(np.delete(x, i)) for i in range(len(x))])


@right(entropy, "p", p=array("c", positive=True))
def entropy_of_positive_numbers(p):
    return np.log(np.e * p)


@right(embedding, "E", E=array("v", "d"), y=labels("n", classes="v"), T=array("n", "d"))
def embedding_add_at(E, y, T):
    dE = np.zeros(E.shape)
    np.add.at(dE, y, E[y] - T)
    return dE


@right(embedding, "E", "T", E=array("v", "d"), y=labels("n", classes="v"), T=array("n", "d"))
def embedding_one_hot_product(E, y, T):
    Y = np.eye(len(E))[y]
    return {"E": Y.T @ Y @ E - Y.T @ T, "T": T - Y @ E}


@right(attention, "Q", "K", "V", dims=dict.fromkeys("nmdv", (1, 3)), **ATTENTION)
def attention_row_by_row(Q, K, V, R):
    dQ, dK, dV = np.zeros_like(Q), np.zeros_like(K), np.zeros_like(V)
    scale = 1 / math.sqrt(Q.shape[1])
    for i, q in enumerate(Q):
        p = softmax(scale * (K @ q))
        ds = (np.diag(p) - np.outer(p, p)) @ (V @ R[i]) * scale
        dQ[i] = ds @ K
        dK += np.outer(ds, q)
        dV += np.outer(p, R[i])
    return dQ, dK, dV


@right(perceptron, "W1", "b1", "W2", "b2", dims=dict.fromkeys("ndhc", (1, 3)), **PERCEPTRON)
def perceptron_chain_rule(X, W1, b1, W2, b2, y):
    h = np.tanh(X @ W1 + b1)
    dz = residual(h @ W2 + b2, y) / len(y)
    da = (dz @ W2.T) / np.cosh(X @ W1 + b1) ** 2  # overflows to the right answer
    return {"W1": X.T @ da, "b1": da.sum(0), "W2": h.T @ dz, "b2": dz.sum(0)}
