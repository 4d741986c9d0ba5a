"""Softmax regression with an L2 penalty to its optimum: our NewtonCG and scikit-learn's solvers.

All minimize the mean cross-entropy + L2 / 2 * |W|² on the same images, from zero, and must end at
the same loss, which the same lines compute for all, in float64. Ours stops at the Euclidean norm of
the gradient, scikit-learn at its largest element, a fraction of that: it is given a tenth of the
tolerance, which makes the Euclidean norms comparable.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from itertools import chain, repeat
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks import data
from benchmarks.contest import Contender, Contest, Outcome
from benchmarks.data import Array
from benchmarks.peers import lazily

L2, TOLERANCE = 2e-4, 1e-5


def contests(quick: bool, threads: int) -> Iterator[Contest]:
    n = 2000 if quick else 10_000  # on all 60,000 a solver takes minutes
    X, y = (array[:n] for array in data.arrays())
    yield Contest(
        "to the optimum", f"{n:,} images", "s", 1,
        {
            "tinygrad_hw, NewtonCG": ours(X, y),
            "scikit-learn, newton-cg": lazily(theirs, "newton-cg", X, y),
            "scikit-learn, lbfgs": lazily(theirs, "lbfgs", X, y),
        },
        rtol=1e-4, rounds=1 if quick else 2, note=f"float32, {data.training_set().name}",
    )


def rounds(X: Array, y: Array) -> Iterator[tuple[Array, Array]]:
    """A thousand images for the round that compiles, then all of them in each."""
    return chain([(X[:1000], y[:1000])], repeat((X, y)))


def ours(X: Array, y: Array) -> Contender:
    import tinygrad_hw as th
    from tinygrad_hw import optim
    from tinygrad_hw.nn import functional as F

    data_of_round = rounds(X, y)

    def run() -> Outcome:
        X, y = next(data_of_round)
        images, labels = th.from_numpy(X), th.from_numpy(y)
        W, b = (th.zeros(*n, dtype=images.dtype, requires_grad=True) for n in ((10, 784), (10,)))

        def loss() -> Any:
            return F.cross_entropy(F.linear(images, W, b), labels) + L2 / 2 * (W * W).sum()

        begin = perf_counter()
        newton = optim.NewtonCG([W, b], tolerance_grad=TOLERANCE)
        for _ in range(100):
            newton.step(loss)
            if not newton.state[W]["step_size"]:
                break
        seconds = perf_counter() - begin
        return seconds, loss_at(X, y, W.detach().numpy(), b.detach().numpy())

    return run


def theirs(solver: str, X: Array, y: Array) -> Contender:
    from sklearn.linear_model import LogisticRegression

    data_of_round = rounds(X, y)

    def run() -> Outcome:
        X, y = next(data_of_round)
        model = LogisticRegression(
            C=1 / (L2 * len(X)), solver=solver, tol=TOLERANCE / 10, max_iter=10_000
        )
        begin = perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a search that ends at float32's precision
            model.fit(X, y)
        return perf_counter() - begin, loss_at(X, y, model.coef_, model.intercept_)

    return run


def loss_at(X: Array, y: Array, W: Array, b: Array) -> float:
    """The loss in float64, by parts: all images would take 376 MB."""
    W, b, total = W.T.astype(float), b.astype(float), 0.0
    for i in range(0, len(X), 10_000):
        z = X[i : i + 10_000] @ W + b
        z -= z.max(axis=1, keepdims=True)
        right = z[np.arange(len(z)), y[i : i + 10_000]]
        total += (np.log(np.exp(z).sum(axis=1)) - right).sum()
    return total / len(X) + L2 / 2 * (W**2).sum()
