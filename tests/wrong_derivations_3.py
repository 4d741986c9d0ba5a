"""The board of wrong derivations, third part: several mistakes at once, and subtle ones that no
kind describes. Those are to be found, and not to be explained by what they are not.
"""

import numpy as np
from board import (
    CLASSES,
    LINEAR,
    LOGITS,
    PERCEPTRON,
    Entry,
    board,
    cross_entropy,
    gaussian,
    layer_norm,
    linear,
    perceptron,
    quadratic,
    residual,
    ridge,
    ridge_lam,
    softmax,
    softmax_regression,
)

import tinygrad_hw as th
from tinygrad_hw.check import array, scalar
from tinygrad_hw.nn import functional as F

WRONG: list[Entry] = []
wrong = board(WRONG)


# Two mistakes in one name


@wrong(
    ridge,
    {"w": "unexplained | scale n + missing-term 0.1*w | scale n + missing-term -0.1*n*w"},
    **LINEAR,
    dims={"n": (2, 5)},
)
def mean_and_decay_forgotten(X, w, y):
    return X.T @ (X @ w - y)


@wrong(ridge_lam, {"w": "unexplained | sign -1 + extra-term lam*w"}, **LINEAR, lam=scalar(0.5, 2))
def residual_reversed_beside_decay(X, w, y, lam):
    return X.T @ (y - X @ w) / len(y) + lam * w


# Several names, each with its own mistake


@wrong(
    perceptron,
    {"W1": "unexplained", "b1": "scale 1/n", "W2": "transpose", "b2": "sign"},
    **PERCEPTRON,
)
def perceptron_four_mistakes(X, W1, b1, W2, b2, y):
    h = np.tanh(X @ W1 + b1)
    dz = residual(h @ W2 + b2, y) / len(y)
    dh = dz @ W2.T
    da = dh * (1 - h**2)
    # tanh's derivative is forgotten in W1's line
    return {"W1": X.T @ dh, "b1": da.mean(axis=0), "W2": dz.T @ h, "b2": -dz.sum(axis=0)}


@wrong(
    lambda X, W, b, Y: ((X @ W + b - Y) ** 2).sum() / 2 + 0.05 * (W * W).sum(),
    {"X": "ok", "W": "missing-term 0.1*W", "b": "scale 1/n"},
    X=array("n", "d"),
    W=array("d", "c"),
    b=array("c"),
    Y=array("n", "c"),
)
def affine_decay_and_mean(X, W, b, Y):
    r = X @ W + b - Y
    return r @ W.T, X.T @ r, r.mean(axis=0)


# Subtle ones: to be found, and not to be explained by what they are not


@wrong(quadratic, {"x": "unexplained | missing-term /[Ax].*[Ax]/"}, A=array("d", "d"), x=array("d"))
def product_rule_half(A, x):
    return A @ x


@wrong(quadratic, {"x": "unexplained"}, A=array("d", "d"), x=array("d"))
def symmetry_assumed(A, x):
    return 2 * A @ x


@wrong(cross_entropy, {"z": "unexplained ? wrong-axis"}, **LOGITS)
def softmax_over_the_batch(z, y):
    p = softmax(z, axis=0)
    p[np.arange(len(y)), y] -= 1
    return p / len(y)


@wrong(cross_entropy, {"z": "unexplained"}, **LOGITS)
def labels_counted_from_one(z, y):
    p = softmax(z)
    p[np.arange(len(y)), y - 1] -= 1
    return p / len(y)


@wrong(
    cross_entropy, {"z": "unexplained | region /n > 1/ | region off the label"}, **LOGITS
)
def labels_taken_from_every_row(z, y):
    p = softmax(z)
    p[:, y] -= 1
    return p / len(y)


@wrong(
    softmax_regression,
    {"W": "unexplained", "b": "unexplained"},
    **CLASSES,
)
def perceptron_rule(X, W, b, y):
    z = X @ W + b
    Y = np.eye(len(b))
    dz = (Y[z.argmax(axis=1)] - Y[y]) / len(y)
    return {"W": X.T @ dz, "b": dz.sum(axis=0)}


@wrong(
    lambda z, y: F.cross_entropy(z, y, label_smoothing=0.2),
    {"z": "unexplained"},
    **LOGITS,
)
def smoothing_ignored(z, y):
    return residual(z, y) / len(y)


@wrong(
    lambda X, w, y, u: (u * (X @ w - y) ** 2).sum() / u.sum() / 2,
    {"w": "unexplained"},
    **LINEAR,
    u=array("n", low=0.5, high=2),
)
def weights_normalized_by_n(X, w, y, u):
    return X.T @ (u * (X @ w - y)) / len(y)


@wrong(
    lambda X, w, y, u: (u * (X @ w - y) ** 2).mean() / 2,
    {"w": "unexplained"},
    **LINEAR,
    u=array("n", low=0.5, high=2),
)
def weights_squared(X, w, y, u):
    X, y = u[:, None] * X, u * y
    return X.T @ (X @ w - y) / len(y)


@wrong(lambda x, w: th.tanh(w * x).sum(), {"w": "unexplained", "x": "ok"}, x=array("n"),
       w=array("n"))
def inner_derivative_forgotten(x, w):
    slope = 1 - np.tanh(w * x) ** 2
    return {"w": slope, "x": slope * w}


@wrong(ridge, {"w": "unexplained | region the first entry"}, **LINEAR)
def first_weight_not_decayed(X, w, y):
    decay = 0.1 * w
    decay[0] = 0  # "no decay for the intercept", which the loss decays
    return X.T @ (X @ w - y) / len(y) + decay


@wrong(
    lambda a, b: (a @ b) / ((a @ a) * (b @ b)).sqrt(),
    {"a": "unexplained"},
    a=array("d", low=0.5, high=2),
    b=array("d", low=-2, high=2),
)
def cosine_norm_held_fixed(a, b):
    return b / (np.linalg.norm(a) * np.linalg.norm(b))


@wrong(gaussian, {"mu": "ok", "s": "unexplained"}, x=array("n"), mu=scalar(), s=scalar(-1, 1))
def deviation_for_its_logarithm(x, mu, s):
    sigma = np.exp(s)
    r = (x - mu) / sigma
    return {"mu": -r.mean() / sigma, "s": (1 - np.mean(r**2)) / sigma}


@wrong(linear, {"w": "unexplained | region the last entry"}, **LINEAR)
def last_entry_off(X, w, y):
    grad = X.T @ (X @ w - y) / len(y)
    grad[-1] += 0.1
    return grad


@wrong(linear, {"w": "unexplained"}, **LINEAR)
def gradient_clipped_by_norm(X, w, y):
    grad = X.T @ (X @ w - y) / len(y)
    return grad * min(1, 5 / max(np.linalg.norm(grad), 1e-30))


@wrong(cross_entropy, {"z": "unexplained | region /z/"}, **LOGITS)
def probabilities_kept_from_zero(z, y):
    p = np.clip(softmax(z), 1e-7, 1 - 1e-7)
    return (p - np.eye(z.shape[1])[y]) / len(y)


@wrong(layer_norm, {"x": "unexplained"}, of="vjp", x=array("d"))
def layer_norm_with_another_epsilon(x, g):
    r = np.sqrt(x.var() + 1e-8)
    h = (x - x.mean()) / r
    return (g - g.mean() - h * np.mean(g * h)) / r


@wrong(cross_entropy, {"z": "region y = 0"}, **LOGITS)
def label_zero_taken_for_padding(z, y):
    dz = residual(z, y) / len(y)
    dz[y == 0] = 0
    return dz


@wrong(
    lambda X, w, y, u: (u * (X @ w - y) ** 2).mean() / 2,
    {"w": "region /u < 0/"},
    **LINEAR,
    u=array("n"),
)
def roots_of_the_weights(X, w, y, u):
    root = np.sqrt(u)
    return (root[:, None] * X).T @ (root * (X @ w - y)) / len(y)


# the sum of a softmax's residuals over the classes is 0, so that no sum can be recognized
@wrong(softmax_regression, {"W": "ok", "b": "shape | wrong-axis"}, **CLASSES)
def bias_summed_over_classes(X, W, b, y):
    dz = residual(X @ W + b, y) / len(y)
    return {"W": X.T @ dz, "b": dz.sum(axis=1)}


# finite where it overflows: exp(z - inf) is 0, and only the value says that it is wrong
@wrong(lambda z: z.log_softmax(-1), {"z": "unstable large z"}, of="vjp", z=array("n", "c"),
       dims={"c": (2, 4)})
def overflow_hidden_as_zero(z, g):
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    return g - np.exp(log_p) * g.sum(axis=-1, keepdims=True)
