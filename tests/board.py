"""What the boards of right and wrong derivations share: an entry, the losses that several entries
derive, and the judge who compares a finding with what is expected of it.

An expectation is "kind factor", or a kind alone where any factor will do; `|` joins equally good
ones. After `?` stand those that are true but say less than one could: no mistake, and no merit. A
factor between slashes is a regular expression, and `kind a + kind b` names two mistakes, both of
which the finding must name. Factors are compared as formulas: "2/n" is "2*1/n".
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import tinygrad_hw as th
from tinygrad_hw.check import array, labels
from tinygrad_hw.nn import functional as F


@dataclass(frozen=True)
class Entry:
    """A derivation and, for each differentiated name, what the checker should find."""

    name: str
    loss: Callable[..., Any]
    claimed: Callable[..., Any]
    expected: dict[str, str]
    of: str
    dims: dict[str, tuple[int, int]] | None
    inputs: dict[str, Any]

    def arguments(self) -> dict[str, Any]:
        """The keywords of check_derivation."""
        return {"wrt": tuple(self.expected), "of": self.of, "dims": self.dims, **self.inputs}


def board(entries: list[Entry]) -> Callable[..., Any]:
    """The decorator that puts a claimed derivation on a board, named after its function."""

    def entry(loss, expected, of="gradient", dims=None, **inputs):
        def put(claimed):
            entries.append(Entry(claimed.__name__, loss, claimed, expected, of, dims, inputs))
            return claimed

        return put

    return entry


# The judge


def judge(finding: Any, expected: str) -> str:
    """"right", "blank" (nothing, or not the best, but nothing untrue), or "wrong"."""
    best, _, tolerated = expected.partition("?")
    if any(fits(finding, e) for e in best.split("|")):
        return "right"
    true = [*tolerated.split("|"), "unexplained"] if best.strip() != "ok" else []
    return "blank" if any(fits(finding, e) for e in true if e.strip()) else "wrong"


def fits(finding: Any, expected: str) -> bool:
    if "+" in expected:
        said = f"{finding.factor} {finding.message}".replace(" ", "")
        parts = [part.split() for part in expected.split("+")]
        kinds = {kind for kind, _ in parts}
        return finding.kind in kinds and all(factor in said for _, factor in parts)
    kind, _, factor = expected.strip().partition(" ")
    return finding.kind == kind and (not factor or same_factor(finding.factor, factor))


def same_factor(got: str | None, want: str) -> bool:
    if got is None:
        return False
    if want.startswith("/"):
        return re.search(want.strip("/"), got) is not None
    if got.split() == want.split():
        return True
    if re.search("[<>=]", got + want):  # a region's bound is a word, not a truth value
        return False
    got_formula, _, got_rest = got.partition(" summed ")
    want_formula, _, want_rest = want.partition(" summed ")
    try:
        same = all(
            np.isclose(value(got_formula, seed), value(want_formula, seed)) for seed in range(3)
        )
    except (SyntaxError, NameError, TypeError, AttributeError):  # words, not a formula
        return False
    return same and got_rest == want_rest


def value(formula: str, seed: int) -> float:
    """The formula with a random number for each letter, the same for the same letter and seed."""
    names = set(re.findall(r"[A-Za-z_]\w*", formula))
    numbers: dict[str, Any] = {
        name: np.random.default_rng([seed, *name.encode()]).uniform(1, 3) for name in names
    }
    for function in names & {"sign", "sqrt"}:
        numbers[function] = lambda x, f=function: x**0.5 if f == "sqrt" else np.cos(x)
    return float(eval(formula, {"__builtins__": {}}, numbers))


# The inputs and losses that several entries share

LINEAR = {"X": array("n", "d"), "w": array("d"), "y": array("n")}
BINARY = {"X": array("n", "d"), "w": array("d"), "y": labels("n", classes=2)}
CLASSES = {
    "X": array("n", "d"),
    "W": array("d", "c"),
    "b": array("c"),
    "y": labels("n", classes="c"),
}
LOGITS = {"z": array("n", "c"), "y": labels("n", classes="c")}
MATRIX = {"X": array("n", "d"), "W": array("d", "c"), "Y": array("n", "c")}
ATTENTION = {
    "Q": array("n", "d"),
    "K": array("m", "d"),
    "V": array("m", "v"),
    "R": array("n", "v"),
}
PERCEPTRON = {
    "X": array("n", "d"),
    "W1": array("d", "h"),
    "b1": array("h"),
    "W2": array("h", "c"),
    "b2": array("c"),
    "y": labels("n", classes="c"),
}


def softplus(z):
    return th.stack([z, 0 * z]).logsumexp(0)


def linear(X, w, y):
    return ((X @ w - y) ** 2).mean() / 2


def linear_sum(X, w, y):
    return ((X @ w - y) ** 2).sum() / 2


def ridge(X, w, y):
    return linear(X, w, y) + 0.05 * (w * w).sum()


def ridge_lam(X, w, y, lam):
    return linear(X, w, y) + lam / 2 * (w * w).sum()


def lasso(X, w, y):
    return linear(X, w, y) + 0.1 * th.abs(w).sum()


def logistic(X, w, y):
    z = X @ w
    return (softplus(z) - y * z).mean()


def poisson(X, w, y):
    z = X @ w
    return (th.exp(z) - y * z).mean()


def matrix_mse(X, W, Y):
    return ((X @ W - Y) ** 2).mean()


def softmax_regression(X, W, b, y):
    return F.cross_entropy(X @ W + b, y)


def softmax_decay(X, W, b, y):
    return F.cross_entropy(X @ W + b, y) + 0.05 * (W * W).sum()


def cross_entropy(z, y):
    return F.cross_entropy(z, y)


def huber(x):
    return th.where(th.abs(x) <= 1, x * x / 2, th.abs(x) - 0.5).sum()


def quadratic(A, x):
    return x @ A @ x


def bilinear(A, x, y):
    return x @ A @ y


def attention(Q, K, V, R):
    return ((Q @ K.T / Q.shape[1] ** 0.5).softmax(1) @ V * R).sum()


def perceptron(X, W1, b1, W2, b2, y):
    return F.cross_entropy(th.tanh(X @ W1 + b1) @ W2 + b2, y)


def gaussian(x, mu, s):
    """The negative log-likelihood with log standard deviation s, its constant dropped."""
    return (0.5 * (x - mu) ** 2 * th.exp(-2 * s) + s).mean()


def entropy(p):
    return (p * th.log(p)).sum()


def variance(x):
    return ((x - x.mean()) ** 2).mean()


def embedding(E, y, T):
    return ((E[y] - T) ** 2).sum() / 2


def half_square(x):
    return (x * x).sum() / 2


def layer_norm(x):
    centered = x - x.mean()
    return centered / ((centered**2).mean() + 1e-5).sqrt()


def rms_norm(x):
    return x / ((x * x).mean() + 1e-5).sqrt()


def center(X):
    return X - X.mean(0)


# NumPy pieces that right and wrong claims use


def softmax(z, axis=-1):
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def residual(z, y):
    """The probabilities minus the one-hot labels."""
    p = softmax(z)
    p[np.arange(len(y)), y] -= 1
    return p


def sigmoid(z):
    return 0.5 * (1 + np.tanh(z / 2))
