"""The board of wrong derivations, second part: Jacobians, Hessians and pullbacks, wrong axes, what
is wrong only in a region, and what is wrong only on a computer.
"""

import numpy as np
from board import (
    BINARY,
    LINEAR,
    LOGITS,
    Entry,
    board,
    center,
    cross_entropy,
    embedding,
    half_square,
    huber,
    layer_norm,
    linear,
    linear_sum,
    logistic,
    quadratic,
    rms_norm,
    sigmoid,
    softmax,
    softplus,
    variance,
)

import tinygrad_hw as th
from tinygrad_hw.check import array, labels, one_hot, scalar
from tinygrad_hw.nn import functional as F

WRONG: list[Entry] = []
wrong = board(WRONG)


def log_sum_exp(z):
    return z.logsumexp(0)


def row_softmax(z):
    return z.softmax(-1)


# Jacobians and Hessians


@wrong(row_softmax, {"z": "diagonal-only"}, of="jacobian", z=array("c"))
def softmax_jacobian_diagonal(z):
    s = softmax(z)
    return np.diag(s * (1 - s))


@wrong(row_softmax, {"z": "region off the diagonal"}, of="jacobian", z=array("c"))
def softmax_jacobian_sign_off_diagonal(z):
    s = softmax(z)
    J = np.outer(s, s)
    np.fill_diagonal(J, s * (1 - s))
    return J


@wrong(lambda A, x: A @ x, {"x": "transpose"}, of="jacobian", A=array("m", "d"), x=array("d"))
def matrix_jacobian_transposed(A, x):
    return A.T


@wrong(lambda A, x: th.tanh(A @ x), {"x": "transpose"}, of="jacobian", A=array("d", "d"),
       x=array("d"))
def layer_jacobian_transposed(A, x):
    return ((1 - np.tanh(A @ x) ** 2)[:, None] * A).T


@wrong(
    lambda x: x / (x @ x).sqrt(),
    {"x": "diagonal-only"},
    of="jacobian",
    x=array("d", low=0.5, high=2),
)
def unit_vector_jacobian_diagonal(x):
    r = np.linalg.norm(x)
    return np.diag(1 / r - x**2 / r**3)


@wrong(log_sum_exp, {"z": "diagonal-only"}, of="hessian", z=array("c"))
def log_sum_exp_hessian_diagonal(z):
    p = softmax(z)
    return np.diag(p - p**2)


@wrong(logistic, {"w": "scale n"}, of="hessian", **BINARY)
def logistic_hessian_mean_forgotten(X, w, y):
    p = sigmoid(X @ w)
    return X.T @ np.diag(p * (1 - p)) @ X


@wrong(
    lambda X, w, y, lam: logistic(X, w, y) + lam / 2 * (w * w).sum(),
    {"w": "unexplained | missing-term /lam/"},
    of="hessian",
    **BINARY,
    lam=scalar(0.5, 2),
)
def logistic_hessian_decay_forgotten(X, w, y, lam):
    p = sigmoid(X @ w)
    return X.T * (p * (1 - p)) @ X / len(y)


@wrong(logistic, {"w": "unexplained"}, of="hessian", **BINARY)
def logistic_hessian_weighted_by_p(X, w, y):
    p = sigmoid(X @ w)
    return X.T * p @ X / len(y)


@wrong(quadratic, {"x": "unexplained | missing-term /A/"}, of="hessian",
       A=array("d", "d"), x=array("d"))
def quadratic_hessian_half(A, x):
    return A


# Pullbacks


@wrong(row_softmax, {"z": "diagonal-only"}, of="vjp", z=array("n", "c"))
def softmax_vjp_diagonal(z, g):
    s = softmax(z)
    return g * s * (1 - s)


@wrong(center, {"X": "missing-term mean over n"}, of="vjp", X=array("n", "d"))
def centering_taken_for_identity(X, g):
    return g


@wrong(center, {"X": "unexplained | wrong-axis"}, of="vjp", X=array("n", "d"))
def centering_over_features(X, g):
    return g - g.mean(axis=1, keepdims=True)


@wrong(lambda X, W: X @ W, {"X": "ok", "W": "transpose"}, of="vjp", X=array("n", "d"),
       W=array("d", "c"))
def product_vjp_transposed(X, W, g):
    return {"X": g @ W.T, "W": g.T @ X}


@wrong(lambda x: th.sigmoid(x), {"x": "unexplained"}, of="vjp", x=array("n"))
def sigmoid_vjp_takes_input_for_output(x, g):
    return g * x * (1 - x)


@wrong(lambda x: th.tanh(x), {"x": "sign"}, of="vjp", x=array("n", "d"))
def tanh_vjp_sign(x, g):
    return g * (np.tanh(x) ** 2 - 1)


@wrong(lambda x: th.tanh(x), {"x": "unexplained"}, of="vjp", x=array("n", "d"))
def tanh_vjp_square_forgotten(x, g):
    return g * (1 - np.tanh(x))


@wrong(softplus, {"z": "region /2/"}, of="vjp", z=array("n"))
def softplus_vjp_shortcut_too_early(z, g):
    return g * np.where(z > 2, 1.0, sigmoid(z))


@wrong(layer_norm, {"x": "unexplained"}, of="vjp", x=array("d"), dims={"d": (2, 5)})
def layer_norm_deviation_held_fixed(x, g):
    return (g - g.mean()) / np.sqrt(x.var() + 1e-5)


@wrong(rms_norm, {"x": "unexplained"}, of="vjp", x=array("d", low=0.5, high=2))
def rms_norm_scale_held_fixed(x, g):
    return g / np.sqrt(np.mean(x**2) + 1e-5)


# Wrong axes


@wrong(
    lambda X, W, b, Y: ((X @ W + b - Y) ** 2).mean(),
    {"W": "ok", "b": "wrong-axis sum over c instead of n ? shape"},
    X=array("n", "d"),
    W=array("d", "c"),
    b=array("c"),
    Y=array("n", "c"),
)
def bias_summed_over_outputs(X, W, b, Y):
    r = 2 * (X @ W + b - Y) / Y.size
    return {"W": X.T @ r, "b": r.sum(axis=1)}


@wrong(lambda A, b: ((A + b) ** 2).sum() / 2, {"A": "ok", "b": "wrong-axis"}, A=array("n", "n"),
       b=array("n"))
def square_bias_summed_over_columns(A, b):
    return {"A": A + b, "b": (A + b).sum(axis=1)}


@wrong(linear, {"w": "wrong-axis sum over d ? shape"}, **LINEAR)
def features_summed_too(X, w, y):
    return np.mean((X @ w - y)[:, None] * X, axis=0).sum()


@wrong(lambda X, s: X * s, {"X": "ok", "s": "wrong-axis sum over d"}, of="vjp", X=array("n", "d"),
       s=array("d"))
def gains_share_one_sum(X, s, g):
    return {"X": g * s, "s": np.full_like(s, (g * X).sum())}


@wrong(
    lambda X, s: X * s.unsqueeze(1),
    {"X": "ok", "s": "wrong-axis sum over n instead of d ? shape"},
    of="vjp",
    X=array("n", "d"),
    s=array("n"),
)
def row_scales_summed_over_rows(X, s, g):
    return {"X": g * s[:, None], "s": (g * X).sum(axis=0)}


@wrong(lambda T, R: (T * R.transpose(1, 2)).sum(), {"T": "wrong-axis n and c swapped | transpose"},
       T=array("h", "n", "c"), R=array("h", "c", "n"))
def heads_not_transposed_back(T, R):
    return R


# Regions


@wrong(linear, {"w": "region d = 1 | shape d = 1 ? shape"}, **LINEAR, dims={"n": (2, 5)})
def one_feature_squeezed(X, w, y):
    return X.squeeze().T @ (X @ w - y) / len(y)


@wrong(linear, {"w": "region d = 1"}, **LINEAR, dims={"n": (2, 5)})
def one_feature_shortcut_without_mean(X, w, y):
    r = X @ w - y
    if len(w) == 1:
        return np.array([X[:, 0] @ r])
    return X.T @ r / len(y)


@wrong(linear_sum, {"w": "region n = 1"}, **LINEAR)
def single_sample_shortcut_with_two(X, w, y):
    if len(y) == 1:
        return 2 * (X[0] @ w - y[0]) * X[0]
    return X.T @ (X @ w - y)


@wrong(lambda z, y: F.cross_entropy(z, y, reduction="sum"), {"z": "region c = 1"}, **LOGITS)
def one_class_taken_for_binary(z, y):
    p = softmax(z) if z.shape[1] > 1 else sigmoid(z)
    return p - np.eye(z.shape[1])[y]


@wrong(linear_sum, {"w": "region n > 3"}, **LINEAR)
def debugging_slice_left_in(X, w, y):
    X, y = X[:3], y[:3]
    return X.T @ (X @ w - y)


@wrong(half_square, {"x": "region x < -0.99"}, x=array("n"))
def gradient_clipped_below(x):
    return np.maximum(x, -0.99)


@wrong(huber, {"x": "region x < -1"}, x=array("n"))
def huber_clipped_above_only(x):
    return np.minimum(x, 1)


# at 0 too: a slope of 0 is not between 0.1 and 1
@wrong(lambda x: th.maximum(x, 0.1 * x).sum(), {"x": "region x <= 0"}, x=array("n", "d"))
def leaky_slope_forgotten(x):
    return np.where(x > 0, 1.0, 0.0)


@wrong(lambda x: np.prod(x), {"x": "region x = 0"}, x=array("n"))
def product_divided_by_factor(x):
    return np.prod(x) / x


@wrong(lambda x: (x**3).sum(), {"x": "region x = 0"}, x=array("n"))
def cube_divided_back(x):
    return 3 * x**3 / x


@wrong(embedding, {"E": "region y repeated"}, E=array("v", "d"), y=labels("n", classes="v"),
       T=array("n", "d"))
def embedding_assigned_not_added(E, y, T):
    dE = np.zeros_like(E)
    dE[y] += E[y] - T
    return dE


@wrong(variance, {"x": "region"}, x=array("n"), dims={"n": (2, 5)})
def variance_through_deviation(x):
    s = x.std()  # d(s²) = 2 s ds, which is 0/0 where all are equal
    return 2 * s * ((x - x.mean()) / (len(x) * s))


# Right on paper: overflow, precision, aliasing


@wrong(cross_entropy, {"z": "unstable large z"}, **LOGITS)
def naive_softmax(z, y):
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    p[np.arange(len(y)), y] -= 1
    return p / len(y)


@wrong(log_sum_exp, {"z": "unstable large z"}, z=array("c"))
def naive_log_sum_exp(z):
    return np.exp(z - np.log(np.sum(np.exp(z))))


@wrong(lambda x: softplus(x).sum(), {"x": "unstable large x"}, x=array("n"))
def naive_sigmoid(x):
    return np.exp(x) / (1 + np.exp(x))


@wrong(lambda x: th.tanh(x), {"x": "unstable large x"}, of="vjp", x=array("n"))
def naive_tanh(x, g):
    t = (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x))
    return g * (1 - t * t)


@wrong(logistic, {"w": "unstable /large/"}, **BINARY)
def naive_logistic_regression(X, w, y):
    e = np.exp(X @ w)
    return X.T @ (e / (1 + e) - y) / len(y)


@wrong(cross_entropy, {"z": "mutates-input z"}, **LOGITS)
def maximum_subtracted_in_place(z, y):
    z -= z.max(axis=1, keepdims=True)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    return (p - np.eye(z.shape[1])[y]) / len(y)


@wrong(lambda X, w, y: linear(center(X), w, y), {"w": "mutates-input X"}, **LINEAR)
def features_centered_in_place(X, w, y):
    X -= X.mean(axis=0)
    return X.T @ (X @ w - y) / len(y)


@wrong(
    lambda z, Y: (z.logsumexp(1) - (z * Y).sum(1)).mean(),
    {"z": "mutates-input Y"},
    z=array("n", "c"),
    Y=one_hot("n", "c"),
)
def targets_overwritten(z, Y):
    Y -= softmax(z)
    return -Y / len(Y)


@wrong(linear, {"w": "dtype float32"}, **LINEAR)
def result_in_single_precision(X, w, y):
    return (X.T @ (X @ w - y) / len(y)).astype(np.float32)


@wrong(logistic, {"w": "dtype float32"}, **BINARY)
def accumulated_in_single_precision(X, w, y):
    grad = np.zeros(len(w), dtype=np.float32)
    for x, p, t in zip(X, sigmoid(X @ w), y, strict=True):
        grad += x * (p - t)
    return grad / len(y)


@wrong(cross_entropy, {"z": "dtype float32"}, **LOGITS)
def single_precision_inside(z, y):
    p = softmax(z.astype(np.float32))
    return (p - np.eye(z.shape[1])[y]) / len(y)


@wrong(linear, {"w": "raises AttributeError"}, **LINEAR)
def torch_method_of_numpy_array(X, w, y):
    return X.t() @ (X @ w - y) / len(y)


@wrong(linear, {"w": "raises ValueError"}, **LINEAR)
def product_without_transposition(X, w, y):
    return X @ (X @ w - y) / len(y)


@wrong(
    lambda x: ((x - x.mean()) ** 2).sum() / max(x.shape[0] - 1, 1),
    {"x": "raises ZeroDivisionError"},
    x=array("n"),
)
def one_sample_divides_by_zero(x):
    return [2 * (a - x.mean()) * (1 / (len(x) - 1)) for a in x]


@wrong(lambda x: ((x - x[0]) ** 2).sum(), {"x": "raises IndexError"}, x=array("n"))
def one_entry_indexed_out_of_range(x):
    grad = 2 * (x - x[0])
    grad[0] = -2 * (x[1] - x[0]) - grad[2:].sum()
    return grad
