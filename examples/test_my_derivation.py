"""A hand-derived gradient as a test: `python -m pytest examples/test_my_derivation.py`.

It fails with the simplest example, and with what is wrong, as soon as somebody breaks the claim.
"""

import numpy as np

from tinygrad_hw.check import array, assert_derivation, one_hot, scalar


def ridge(w, X, y, lam):
    """‖Xw - y‖² / 2n + λ‖w‖² / 2"""
    return ((X @ w - y) ** 2).mean() / 2 + lam / 2 * (w * w).sum()


def ridge_gradient(w, X, y, lam):
    return X.T @ (X @ w - y) / len(y) + lam * w


def test_ridge():
    assert_derivation(
        ridge, ridge_gradient, wrt="w",
        w=array("d"), X=array("n", "d"), y=array("n"), lam=scalar(positive=True),
    )  # fmt: skip


def test_softmax_pullback():
    """A layer's backward: the cotangent g goes in, the gradient for the logits comes out."""

    def pullback(z, g):
        e = np.exp(z - z.max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
        return p * (g - (g * p).sum(axis=1, keepdims=True))

    assert_derivation(lambda z: z.softmax(1), pullback, wrt="z", of="vjp", z=array("n", "c"))


def test_squared_error_of_probabilities():
    """The targets are inputs too: one-hot rows, declared by their letters."""
    assert_derivation(
        lambda p, Y: ((p - Y) ** 2).sum(1).mean(),
        lambda p, Y: 2 * (p - Y) / len(p),
        wrt="p", p=array("n", "c", low=0, high=1), Y=one_hot("n", "c"),
    )  # fmt: skip
