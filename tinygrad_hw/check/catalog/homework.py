"""The homework's equations. The claims are the functions of `tinygrad_hw.closed_form`, whose
docstrings say where the source slips; samples are rows here, where the source's Problem 1 has
columns.
"""

from __future__ import annotations

import numpy as np

from tinygrad_hw import closed_form as cf
from tinygrad_hw.check.derivation import derivation
from tinygrad_hw.check.inputs import Array, array, one_hot
from tinygrad_hw.functions.shapes import cat
from tinygrad_hw.tensor import Tensor

SOURCE = (
    "A. Ajith, Y. Bani, C. Khamesra, CS 541 Deep Learning, Week 3 Homework (Worcester Polytechnic "
    "Institute, 2022), "
)

# Problem 1: Newton's method on the mean squared error


def mse(X: Tensor, y: Tensor, w: Tensor) -> Tensor:
    """f_mse = (1/2n)‖Xw - y‖²."""
    return ((X @ w - y) ** 2).mean() / 2


@derivation(
    mse,
    name="homework-2-gradient",
    title="The gradient in Newton's step (2), of half the mean squared error",
    wrt="w",
    X=array("n", "d"),
    y=array("n"),
    w=array("d"),
    equation=r"\nabla_w f_{mse} = \frac{1}{n} X^\top (Xw - y)",
    shapes="X (n, d), y (n,), w (d,); the gradient (d,)",
    assumptions="f_mse = (1/2n)‖Xw - y‖²: the source's gradient implies the half",
    source=SOURCE + 'above (3), there called "the cost function"',
    stable="The residual Xw - y is formed first: Xᵀ(Xw) - Xᵀy subtracts two larger numbers, and "
    "XᵀX squares the condition number.",
)
def mse_gradient(X: Array, y: Array, w: Array) -> Array:
    return cf.mse_grad(X, y, w)


@derivation(
    mse,
    of="hessian",
    name="homework-2-hessian",
    title="The Hessian in Newton's step (2), of half the mean squared error",
    wrt="w",
    X=array("n", "d"),
    y=array("n"),
    w=array("d"),
    equation=r"H = \nabla_w^2 f_{mse} = \frac{1}{n} X^\top X",
    shapes="X (n, d), y (n,), w (d,); the Hessian (d, d)",
    assumptions="None of X: H exists for every X, its inverse only where X has rank d",
    source=SOURCE + "below (2)",
    stable="To take Newton's step, solve the least-squares problem from X: H has the square of its "
    "condition number.",
)
def mse_hessian(X: Array) -> Array:
    return cf.mse_hessian(X)


@derivation(
    mse,
    name="homework-3",
    title="Equation (3), w⁽¹⁾ = w*: seen from w*, the gradient is H (w - w*)",
    wrt="w",
    # Whole numbers: features that are all but dependent would leave few digits of w*.
    X=array("n", "d", low=-3, high=3, dtype=np.int64),
    y=array("n", low=-3, high=3),
    w=array("d", low=-3, high=3),
    equation=r"\nabla_w f_{mse} = H (w - w^*),\quad w^* = (X^\top X)^{-1} X^\top y"
    r"\quad\Rightarrow\quad w - H^{-1} \nabla_w f_{mse} = w^*",
    shapes="X (n, d), y (n,), w and w* (d,), H (d, d)",
    assumptions="X has rank d for the inverse. Where it has not, w* is the shortest of the many "
    "optima, and the gradient is still H (w - w*). X holds whole numbers here, so that its rank is "
    "no matter of rounding",
    source=SOURCE + "equation (3)",
    stable="w* is a least-squares solution taken from X itself, for XᵀX has the square of its "
    "condition number.",
)
def newton_lands_on_the_optimum(X: Array, y: Array, w: Array) -> Array:
    optimum, *_ = np.linalg.lstsq(X, y, rcond=1e-9)  # cf.mse_optimum, where X has rank d
    gradient: Array = cf.mse_hessian(X) @ (w - optimum)
    return gradient


# Problem 2: softmax regression. In (5) and (6), class l, whose weights move, stands first.


def probability(k: int, w: Tensor, V: Tensor, X: Tensor) -> Tensor:
    """ŷ_k of every sample, where w are the weights of class 0 and V those of the others."""
    return cat([(X @ w).unsqueeze(1), X @ V], dim=1).softmax(dim=1)[:, k]


def jacobian_for_first_class(w: Array, V: Array, X: Array) -> Array:
    W = np.column_stack([w, V])
    return cf.softmax_jacobian_W(X, W, np.zeros(W.shape[1]))[..., 0]


@derivation(
    lambda w, V, X: probability(0, w, V, X),
    of="jacobian",
    name="homework-5",
    title="Equation (5): how a class's probability moves with its own weights, l = k",
    wrt="w",
    w=array("d"),
    V=array("d", "m"),
    X=array("n", "d"),
    equation=r"\nabla_{w^{(l)}} \hat{y}_l^{(i)} = x^{(i)} \hat{y}_l^{(i)} (1 - \hat{y}_l^{(i)})",
    shapes="X (n, d), w = w⁽ˡ⁾ (d,), the other classes' weights V (d, m); the Jacobian (n, d)",
    assumptions="No bias: it adds to the logits and changes nothing else",
    source=SOURCE + "equation (5)",
    stable="Softmax of z - max z cannot overflow, and 1 - ŷ_l as the sum of the other "
    "probabilities keeps its digits where ŷ_l is close to 1.",
)
def own_class(w: Array, V: Array, X: Array) -> Array:
    return jacobian_for_first_class(w, V, X)[:, 0]


@derivation(
    lambda w, V, X: probability(1, w, V, X),
    of="jacobian",
    name="homework-6",
    title="Equation (6): how a class's probability moves with another's weights, l ≠ k",
    wrt="w",
    w=array("d"),
    V=array("d", "m"),
    X=array("n", "d"),
    equation=r"\nabla_{w^{(l)}} \hat{y}_k^{(i)} = -x^{(i)} \hat{y}_k^{(i)} \hat{y}_l^{(i)},"
    r"\quad l \neq k",
    shapes="X (n, d), w = w⁽ˡ⁾ (d,), the other classes' weights V (d, m), class k's in its first "
    "column; the Jacobian (n, d)",
    assumptions="No bias: it adds to the logits and changes nothing else",
    source=SOURCE + "equation (6)",
    stable="Softmax of z - max z cannot overflow; the product of two probabilities loses nothing.",
)
def other_class(w: Array, V: Array, X: Array) -> Array:
    return jacobian_for_first_class(w, V, X)[:, 1]


@derivation(
    lambda W, b, X: (X @ W + b).softmax(dim=1),
    of="jacobian",
    name="homework-5-6",
    title="Equations (5) and (6) as one Jacobian, for all classes and with the bias",
    wrt="W",
    W=array("d", "c"),
    b=array("c"),
    X=array("n", "d"),
    equation=r"\frac{\partial \hat{y}_k^{(i)}}{\partial W_{jl}} = "
    r"x_j^{(i)} \hat{y}_k^{(i)} (\delta_{kl} - \hat{y}_l^{(i)})",
    shapes="X (n, d), W (d, c), b (c,); the Jacobian (n, c, d, c), its axes i, k, j, l",
    assumptions="w⁽ˡ⁾ is the column W[:, l]",
    source=SOURCE + "equations (4) to (6)",
    stable="Softmax of z - max z cannot overflow, and 1 - ŷ_l as the sum of the other "
    "probabilities keeps its digits where ŷ_l is close to 1.",
)
def softmax_regression_jacobian(X: Array, W: Array, b: Array) -> Array:
    return cf.softmax_jacobian_W(X, W, b)


def negative_log_likelihood(W: Tensor, b: Tensor, X: Tensor, y: Tensor) -> Tensor:
    """-Σ_i Σ_k y_k⁽ⁱ⁾ log ŷ_k⁽ⁱ⁾."""
    return -(y * (X @ W + b).log_softmax(dim=1)).sum()


def cross_entropy(W: Tensor, b: Tensor, X: Tensor, y: Tensor) -> Tensor:
    """f_CE, the mean over the samples."""
    return negative_log_likelihood(W, b, X, y) / len(X)


@derivation(
    cross_entropy,
    name="homework-7",
    title="Equation (7): the gradient of cross-entropy for the weights",
    wrt="W",
    W=array("d", "c"),
    b=array("c"),
    X=array("n", "d"),
    y=one_hot("n", "c"),
    equation=r"\nabla_{w^{(l)}} f_{CE} = -\frac{1}{n} \sum_{i=1}^n x^{(i)} "
    r"(y_l^{(i)} - \hat{y}_l^{(i)}),\quad \nabla_W f_{CE} = \frac{1}{n} X^\top (\hat{Y} - Y)",
    shapes="X (n, d), y and ŷ (n, c), W (d, c), b (c,); the gradient (d, c)",
    assumptions="Each row of y sums to 1; f_CE is the mean over the samples",
    source=SOURCE + "equation (7)",
    stable="Softmax of z - max z cannot overflow, and ŷ - y divides by no probability, "
    "while the lines before (7) do.",
)
def cross_entropy_gradient_W(X: Array, y: Array, W: Array, b: Array) -> Array:
    return cf.cross_entropy_grad_W(X, y, W, b)


@derivation(
    cross_entropy,
    name="homework-8",
    title="Equation (8): the gradient of cross-entropy for the bias",
    wrt="b",
    W=array("d", "c"),
    b=array("c"),
    X=array("n", "d"),
    y=one_hot("n", "c"),
    equation=r"\nabla_b f_{CE} = -\frac{1}{n} \sum_{i=1}^n (y^{(i)} - \hat{y}^{(i)})",
    shapes="X (n, d), y and ŷ (n, c), W (d, c), b (c,); the gradient (c,)",
    assumptions="Each row of y sums to 1; f_CE is the mean over the samples",
    source=SOURCE + "equation (8), which gives component l",
    stable="Softmax of z - max z cannot overflow, and ŷ - y divides by no probability.",
)
def cross_entropy_gradient_b(X: Array, y: Array, W: Array, b: Array) -> Array:
    return cf.cross_entropy_grad_b(X, y, W, b)


# Problem 3: cross-entropy is negative log-likelihood


@derivation(
    negative_log_likelihood,
    name="homework-9",
    title="Equation (9): the gradients of the negative log-likelihood, n times (7) and (8)",
    wrt=("W", "b"),
    W=array("d", "c"),
    b=array("c"),
    X=array("n", "d"),
    y=one_hot("n", "c"),
    equation=r"-\log P(D \mid W, b) = -\sum_{i=1}^n \sum_{k=1}^c y_k^{(i)} \log \hat{y}_k^{(i)}"
    r" = n f_{CE},\quad \nabla_W = X^\top (\hat{Y} - Y),"
    r"\quad \nabla_b = \sum_{i=1}^n (\hat{y}^{(i)} - y^{(i)})",
    shapes="X (n, d), y and ŷ (n, c), W (d, c), b (c,); the gradients (d, c) and (c,)",
    assumptions="The samples are independent, each row of y sums to 1. This is the sum over the "
    "samples: f_CE in (7) and (8) has a 1/n that the source's (9) leaves out",
    source=SOURCE + "equation (9)",
    stable="log ŷ is taken as z - max z - log Σ exp(z - max z): the logarithm of a probability "
    "that has underflowed is -inf.",
)
def log_likelihood_gradient(X: Array, y: Array, W: Array, b: Array) -> dict[str, Array]:
    n = len(X)
    return {
        "W": n * cf.cross_entropy_grad_W(X, y, W, b),
        "b": n * cf.cross_entropy_grad_b(X, y, W, b),
    }
