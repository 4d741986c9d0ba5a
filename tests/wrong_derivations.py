"""The board of wrong derivations, first part: gradients off by a scale, a sign, a transposition, a
shape or a term. Each is what a student would write, with one mistake in it.
"""

import numpy as np
from board import (
    ATTENTION,
    BINARY,
    CLASSES,
    LINEAR,
    LOGITS,
    MATRIX,
    Entry,
    attention,
    bilinear,
    board,
    entropy,
    gaussian,
    lasso,
    linear,
    linear_sum,
    logistic,
    matrix_mse,
    poisson,
    residual,
    ridge,
    ridge_lam,
    sigmoid,
    softmax,
    softmax_decay,
    softmax_regression,
    variance,
)

import tinygrad_hw as th
from tinygrad_hw.check import array, labels, scalar
from tinygrad_hw.nn import functional as F

WRONG: list[Entry] = []
wrong = board(WRONG)

POSITIVE = scalar(low=0.5, high=2)
SMALL = {"X": array("n", "d", low=-1, high=1), "w": array("d", low=-1, high=1)}


# Scales


@wrong(linear, {"w": "scale n"}, **LINEAR)
def linear_mean_forgotten(X, w, y):
    return X.T @ (X @ w - y)


@wrong(linear_sum, {"w": "scale 1/n"}, **LINEAR)
def linear_averaged_not_summed(X, w, y):
    return X.T @ (X @ w - y) / len(y)


@wrong(linear, {"w": "scale 2"}, **LINEAR)
def linear_half_overlooked(X, w, y):
    return 2 / len(y) * X.T @ (X @ w - y)


@wrong(lambda X, W, Y: ((X @ W - Y) ** 2).mean(), {"W": "scale 1/2"}, **MATRIX)
def square_rule_two_forgotten(X, W, Y):
    return {"W": X.T @ (X @ W - Y) / Y.size}


@wrong(lambda X, w, y: ((X @ w - y) ** 2).mean(), {"w": "scale n/2"}, **LINEAR)
def two_and_mean_forgotten(X, w, y):
    return X.T @ (X @ w - y)


@wrong(lambda x: (x * x).mean(), {"x": "scale d"}, x=array("d"))
def mean_square_taken_for_sum(x):
    return 2 * x


@wrong(matrix_mse, {"W": "scale c"}, **MATRIX)
def matrix_mse_divided_by_rows_only(X, W, Y):
    n, _ = Y.shape
    return 2 / n * X.T @ (X @ W - Y)


@wrong(lambda X, W, Y: ((X @ W - Y) ** 2).sum(1).mean(), {"W": "scale 1/c"}, **MATRIX)
def squared_norms_averaged_over_everything(X, W, Y):
    return 2 * X.T @ (X @ W - Y) / Y.size


@wrong(matrix_mse, {"W": "scale n*c"}, **MATRIX)
def matrix_mse_mean_forgotten(X, W, Y):
    return 2 * X.T @ (X @ W - Y)


@wrong(lambda X, W, Y: ((X @ W - Y) ** 2).sum(), {"W": "scale 1/(n*c)"}, **MATRIX)
def matrix_sse_averaged(X, W, Y):
    return 2 * X.T @ (X @ W - Y) / (X.shape[0] * W.shape[1])


@wrong(softmax_regression, {"W": "scale n/c", "b": "scale n/c"}, **CLASSES)
def softmax_divided_by_classes(X, W, b, y):
    dz = residual(X @ W + b, y) / len(b)
    return X.T @ dz, dz.sum(axis=0)


@wrong(softmax_regression, {"W": "scale n", "b": "ok"}, **CLASSES)
def softmax_mean_in_bias_only(X, W, b, y):
    dz = residual(X @ W + b, y)
    return {"W": X.T @ dz, "b": dz.mean(axis=0)}


@wrong(linear_sum, {"w": "scale 2/n"}, **LINEAR)
def half_sum_taken_for_mean(X, w, y):
    return 2 * np.mean((X @ w - y)[:, None] * X, axis=0)


@wrong(linear, {"w": "scale 2*n"}, **LINEAR)
def half_mean_taken_for_sum(X, w, y):
    return 2 * (X @ w - y) @ X


@wrong(
    lambda x: ((x[:, None] - x) ** 2).sum() / x.shape[0] ** 2,
    {"x": "scale n**2"},
    x=array("n"),
    dims={"n": (2, 6)},
)
def pairs_not_averaged(x):
    return 4 * (len(x) * x - x.sum())


@wrong(attention, {"Q": "scale sqrt(d)", "K": "scale sqrt(d)", "V": "ok"}, **ATTENTION)
def attention_root_forgotten_in_backward(Q, K, V, R):
    P = softmax(Q @ K.T / np.sqrt(Q.shape[1]))
    dP = R @ V.T
    dS = P * (dP - (dP * P).sum(axis=1, keepdims=True))
    return {"Q": dS @ K, "K": dS.T @ Q, "V": P.T @ R}


@wrong(
    lambda q, K: (K @ q).sum() / q.shape[0] ** 0.5,
    {"q": "scale 1/sqrt(d)"},
    q=array("d"),
    K=array("m", "d"),
)
def scores_divided_by_d(q, K):
    return K.sum(axis=0) / len(q)


@wrong(poisson, {"w": "scale 1.01"}, **SMALL, y=array("n", low=0, high=5))
def poisson_with_a_leftover_factor(X, w, y):
    return 1.01 * X.T @ (np.exp(X @ w) - y) / len(y)


@wrong(linear, {"w": "scale 1.001"}, **LINEAR)
def linear_off_by_a_thousandth(X, w, y):
    return np.einsum("nd,n->d", X, X @ w - y) * 1.001 / len(y)


@wrong(lambda X, w, y, lam: lam * linear(X, w, y), {"w": "scale 1/lam"}, **LINEAR, lam=POSITIVE)
def loss_weight_forgotten(X, w, y, lam):
    return X.T @ (X @ w - y) / len(y)


@wrong(lambda X, w, y, lam: lam * linear(X, w, y), {"w": "scale lam"}, **LINEAR, lam=POSITIVE)
def loss_weight_twice(X, w, y, lam):
    r = lam * (X @ w - y)
    return lam * X.T @ r / len(y)


@wrong(lambda z, t, y: F.cross_entropy(z / t, y), {"z": "scale t"}, **LOGITS, t=POSITIVE)
def temperature_inner_derivative_forgotten(z, t, y):
    return residual(z / t, y) / len(y)


@wrong(variance, {"x": "scale n/(n-1)"}, x=array("n"), dims={"n": (2, 6)})
def variance_with_bessel(x):
    return 2 * (x - x.mean()) / (len(x) - 1)


@wrong(
    lambda x: ((x - x.mean()) ** 2).sum() / (x.shape[0] - 1),
    {"x": "scale (n-1)/n"},
    x=array("n"),
    dims={"n": (2, 6)},
)
def variance_without_bessel(x):
    return 2 * (x - x.mean()) / len(x)


@wrong(logistic, {"w": "scale -n"}, **BINARY)
def ascent_on_the_summed_likelihood(X, w, y):
    return X.T @ (y - sigmoid(X @ w))


# Signs


@wrong(logistic, {"w": "sign"}, **BINARY)
def logistic_residual_reversed(X, w, y):
    return X.T @ (y - sigmoid(X @ w)) / len(y)


@wrong(softmax_regression, {"W": "ok", "b": "sign"}, **CLASSES)
def softmax_bias_reversed(X, W, b, y):
    Y = np.eye(len(b))[y]
    p = softmax(X @ W + b)
    return {"W": X.T @ (p - Y) / len(y), "b": (Y - p).mean(axis=0)}


@wrong(gaussian, {"mu": "sign -1", "s": "ok"}, x=array("n"), mu=scalar(), s=scalar(-1, 1))
def gaussian_mean_inner_minus_forgotten(x, mu, s):
    r = (x - mu) / np.exp(s)
    return {"mu": (r / np.exp(s)).mean(), "s": 1 - (r**2).mean()}


# Transpositions


@wrong(
    lambda X, W, y: F.cross_entropy(F.linear(X, W), y),
    {"W": "transpose"},
    X=array("n", "d"),
    W=array("c", "d"),
    y=labels("n", classes="c"),
)
def torch_layout_forgotten(X, W, y):
    return X.T @ residual(X @ W.T, y) / len(y)


@wrong(
    lambda X, W, Y: ((X @ W - Y) ** 2).sum() / 2,
    {"W": "transpose"},
    X=array("n", "d"),
    W=array("d", "d"),
    Y=array("n", "d"),
)
def square_layer_transposed(X, W, Y):
    return (X @ W - Y).T @ X


@wrong(bilinear, {"A": "transpose", "x": "ok", "y": "ok"}, A=array("m", "k"), x=array("m"),
       y=array("k"))
def bilinear_outer_reversed(A, x, y):
    return {"A": np.outer(y, x), "x": A @ y, "y": A.T @ x}


# Shapes


@wrong(softmax_regression, {"W": "ok", "b": "shape"}, **CLASSES)
def bias_not_summed(X, W, b, y):
    dz = residual(X @ W + b, y) / len(y)
    return {"W": X.T @ dz, "b": dz}


@wrong(softmax_regression, {"W": "ok", "b": "shape"}, **CLASSES)
def bias_kept_as_row(X, W, b, y):
    dz = residual(X @ W + b, y) / len(y)
    return {"W": X.T @ dz, "b": dz.sum(axis=0, keepdims=True)}


@wrong(linear, {"w": "shape"}, **LINEAR)
def weights_as_column(X, w, y):
    r = (X @ w - y).reshape(-1, 1)
    return X.T @ r / len(y)


# Terms forgotten


@wrong(ridge, {"w": "missing-term 0.1*w"}, **LINEAR)
def ridge_decay_forgotten(X, w, y):
    return X.T @ (X @ w - y) / len(y)


@wrong(ridge_lam, {"w": "missing-term lam*w"}, **LINEAR, lam=POSITIVE)
def ridge_lam_forgotten(X, w, y, lam):
    return X.T @ (X @ w - y) / len(y)


@wrong(
    lambda X, W, b, y: softmax_regression(X, W, b, y) + (W * W).sum(),
    {"W": "missing-term 2*W", "b": "ok"},
    **CLASSES,
)
def softmax_decay_forgotten(X, W, b, y):
    dz = residual(X @ W + b, y) / len(y)
    return {"W": X.T @ dz, "b": dz.sum(axis=0)}


@wrong(lasso, {"w": "missing-term 0.1*sign(w)"}, **LINEAR)
def lasso_penalty_forgotten(X, w, y):
    return X.T @ (X @ w - y) / len(y)


@wrong(entropy, {"p": "missing-term 1"}, p=array("c", low=0.1, high=3))
def product_rule_of_p_log_p(p):
    return np.log(p)


@wrong(
    gaussian,
    {"mu": "ok", "s": "missing-term 1 ? extra-term -1"},
    x=array("n"),
    mu=scalar(),
    s=scalar(-1, 1),
)
def gaussian_normalizer_forgotten(x, mu, s):
    r = (x - mu) * np.exp(-s)
    return {"mu": -np.mean(r) * np.exp(-s), "s": -np.mean(r * r)}


@wrong(
    logistic, {"w": "missing-term -X*y/n summed over n | missing-term /^-[Xy.T@ ]*/n/"}, **BINARY
)
def logistic_label_term_forgotten(X, w, y):
    return X.T @ sigmoid(X @ w) / len(y)


@wrong(
    lambda z, y: (th.stack([z, 0 * z]).logsumexp(0) - y * z).mean(),
    {"z": "missing-term -y/n"},
    z=array("n"),
    y=labels("n", classes=2),
)
def logit_label_forgotten(z, y):
    return sigmoid(z) / len(z)


# Terms too many


@wrong(ridge_lam, {"w": "extra-term lam*w"}, **LINEAR, lam=POSITIVE)
def ridge_decay_twice(X, w, y, lam):
    grad = X.T @ (X @ w - y) / len(y) + lam * w
    return grad + lam * w


@wrong(softmax_regression, {"W": "extra-term 0.1*W", "b": "ok"}, **CLASSES)
def decay_that_the_loss_has_not(X, W, b, y):
    dz = residual(X @ W + b, y) / len(y)
    return {"W": X.T @ dz + 0.1 * W, "b": dz.sum(axis=0)}


@wrong(softmax_decay, {"W": "ok", "b": "extra-term 0.1*b"}, **CLASSES)
def bias_decayed_too(X, W, b, y):
    dz = residual(X @ W + b, y) / len(y)
    return {"W": X.T @ dz + 0.1 * W, "b": dz.sum(axis=0) + 0.1 * b}


@wrong(lambda p: (p * th.log(p) - p).sum(), {"p": "extra-term 1"}, p=array("c", low=0.1, high=3))
def second_term_of_p_log_p_minus_p_forgotten(p):
    return np.log(p) + 1
