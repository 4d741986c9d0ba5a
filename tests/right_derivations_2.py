"""The board of right derivations, second part: kinks, losses that mislead an oracle, and claims
that are written in an odd way. None of them may be called wrong.
"""

import math
import warnings

import numpy as np
from board import BINARY, LINEAR, LOGITS, Entry, board, huber, lasso, linear, residual, sigmoid
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import tinygrad_hw as th
from tinygrad_hw.check import array, scalar
from tinygrad_hw.nn import functional as F

RIGHT: list[Entry] = []


def right(loss, *names, **rest):
    return board(RIGHT)(loss, dict.fromkeys(names, "ok"), **rest)


def three_numbers():
    return arrays(np.float64, 3, elements=st.floats(-4, 4, width=32))


# Kinks, where any slope between the two sides is right


@right(lambda x: th.relu(x).sum(), "x", x=array("n", "d"))
def relu_with_slope_one_at_zero(x):
    return np.where(x >= 0, 1.0, 0.0)


@right(lambda x: th.abs(x).sum(), "x", x=array("n"))
def abs_with_any_slope_at_zero(x):
    return np.where(x == 0, 0.3, np.sign(x))


@right(lambda x: x.amax(), "x", x=array("n"))
def max_gives_ties_to_the_first(x):
    grad = np.zeros_like(x)
    grad[np.argmax(x)] = 1
    return grad


@right(lambda x: np.max(x), "x", x=array("n"))
def max_shares_ties(x):
    winners = x == x.max()
    return winners / winners.sum()


@right(lambda a, b: th.maximum(a, b).sum(), "a", "b", a=array("n"), b=array("n"))
def maximum_of_two(a, b):
    return {"a": (a > b) * 1.0, "b": (a <= b) * 1.0}


@right(lambda X, w, s: th.relu(1 - s * (X @ w)).mean(), "w", X=array("n", "d"), w=array("d"),
       s=array("n", elements=[-1.0, 1.0]))
def hinge(X, w, s):
    return -(X.T @ (s * (s * (X @ w) < 1))) / len(s)


@right(huber, "x", x=array("n"))
def huber_as_clip(x):
    return np.clip(x, -1, 1)


@right(lambda x: np.sum(np.where(np.abs(x) < 1, x**2 / 2, np.abs(x) - 0.5)), "x", x=array("n"))
def huber_of_numpy(x):
    return x / np.maximum(1, np.abs(x))


@right(lasso, "w", X=array("n", "d", low=-2, high=2), w=array("d", low=-1, high=1),
       y=array("n", low=-2, high=2))
def lasso_with_minus_one_at_zero(X, w, y):
    return X.T @ (X @ w - y) / len(y) + 0.1 * np.where(w > 0, 1, -1)


@right(lambda x: (th.relu(x) - th.relu(-x)).sum(), "x", x=array("n"))
def identity_by_two_relus(x):
    return np.ones_like(x)  # also at 0, where autodiff says 0


@right(lambda x: (x * th.abs(x)).sum(), "x", x=array("n"))
def signed_square(x):
    return 2 * np.abs(x)


@right(lambda x: (x @ x).sqrt(), "x", x=array("n"))
def norm_with_zero_at_zero(x):
    r = np.sqrt(x @ x)
    return x / r if r > 0 else 0 * x


@right(lambda x: th.clamp(x, -1, 1).sum(), "x", x=array("n"))
def clamp_with_flat_edges(x):
    return (np.abs(x) < 1) * 1.0


@right(lambda x: th.where(x > 0, x, 2 * x + 1).sum(), "x", x=array("n"))
def jump_at_zero(x):
    return np.where(x > 0, 1.0, 2.0)


@right(lambda X, w, s: (th.relu(1 - s * (X @ w)) ** 2).mean(), "w", of="hessian",
       X=array("n", "d"), w=array("d"), s=array("n", elements=[-1.0, 1.0]))
def squared_hinge_hessian(X, w, s):
    inside = s * (X @ w) < 1
    return 2 * X[inside].T @ X[inside] / len(s)


# Losses in NumPy that are not analytic, some of which do not say so


@right(lambda X, w, y: np.linalg.norm(X @ w - y) ** 2 / 2, "w", **LINEAR)
def loss_by_linalg_norm(X, w, y):
    return X.T @ (X @ w - y)


@right(lambda x: np.vdot(x, x) / 2, "x", x=array("n"))
def loss_by_vdot_which_conjugates(x):
    return x


@right(lambda x: np.sum(np.abs(x) ** 3), "x", x=array("n"))
def loss_by_abs_which_drops_the_imaginary_part(x):
    return 3 * x * np.abs(x)


@right(lambda x: sum(math.tanh(a) for a in x), "x", x=array("n"))
def loss_by_math(x):
    return [1 - math.tanh(a) ** 2 for a in x]


@right(lambda x: np.sort(x)[::-1] @ np.arange(len(x)), "x", x=array("n"))
def loss_by_sort(x):
    return np.argsort(np.argsort(-x, kind="stable")).astype(float)


# Claims and inputs of an odd kind


@right(lambda v, X, w, y: linear(X, w, y), "v", "w", **LINEAR, v=array("n", "d"))
def input_that_the_loss_ignores(X, w, y, v):
    return {"v": 0 * v, "w": X.T @ (X @ w - y) / len(y)}


@right(lambda **inputs: linear(**inputs), "w", **LINEAR)
def claim_takes_keywords(*, half=0.5, **inputs):
    X, w, y = (inputs[name] for name in ("X", "w", "y"))
    return half * 2 / len(y) * (X.T @ (X @ w - y))


@right(lambda z, y: F.cross_entropy(z, y), "z", **LOGITS)
def claim_warns(z, y):
    warnings.warn("this function will be renamed", DeprecationWarning, stacklevel=1)
    return residual(z, y) / len(y)


@right(lambda X, w, y: (th.exp(X @ w) - y * (X @ w)).mean(), "w", X=array("n", "d", low=-1, high=1),
       w=array("d", low=-1, high=1), y=array("n", low=0, high=5, dtype=np.int64))
def counts_in_integers(X, w, y):
    return ((np.exp(X @ w) - y) / len(y)) @ X


@right(lambda A, B: A @ B, "A", "B", of="vjp", A=array("b", "n", "k"), B=array("b", "k", "m"),
       dims=dict.fromkeys("bnkm", (1, 3)))
def batched_product(A, B, g):
    return np.einsum("bnm,bkm->bnk", g, B), np.einsum("bnk,bnm->bkm", A, g)


@right(lambda X, W: X @ W, "W", of="jacobian", X=array("n", "d"), W=array("d", "c"),
       dims=dict.fromkeys("ndc", (1, 3)))
def product_jacobian(X, W):
    return np.einsum("nd,ck->ncdk", X, np.eye(W.shape[1]))


@right(lambda x: (x * x).sum(), "x", of="vjp", x=array("n"))
def pullback_of_a_number(x, g):
    return 2 * g * x


@right(lambda X, w, y: (X @ w - y).square().mean(), "X", of="hessian", X=array(2, 2), w=array(2),
       y=array(2))
def hessian_of_a_matrix(X, w, y):
    return np.einsum("nm,i,j->nimj", np.eye(2), w, w)


@right(lambda x, y: (th.sin(x) * y).sum(), "x", x=three_numbers(), y=three_numbers())
def inputs_by_hypothesis_strategies(x, y):
    return np.cos(x) * y


@right(lambda X, w, y, t: (t * th.stack([X @ w, 0 * (X @ w)]).logsumexp(0) - y * (X @ w)).mean(),
       "t", "w", t=scalar(), **BINARY)
def number_as_a_zero_dimensional_array(X, w, y, t):
    z = X @ w
    return {"t": np.array(np.mean(np.logaddexp(0, z))), "w": X.T @ (t * sigmoid(z) - y) / len(y)}
