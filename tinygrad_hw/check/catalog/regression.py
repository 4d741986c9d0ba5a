"""Regressions, from least squares to counts, and the losses on a prediction."""

from __future__ import annotations

import numpy as np

from tinygrad_hw.check.catalog.layers import sigmoid, softplus
from tinygrad_hw.check.derivation import derivation
from tinygrad_hw.check.inputs import Array, array, labels, scalar
from tinygrad_hw.nn import functional as F
from tinygrad_hw.tensor import Tensor


def linear_gradient(X: Array, dz: Array) -> dict[str, Array]:
    """From the gradient for each sample's z = Xw + b to those for w and b."""
    return {"w": X.T @ dz, "b": dz.sum()}


@derivation(
    lambda w, b, X, y: F.mse_loss(X @ w + b, y),
    name="linear-regression",
    title="Linear regression: the gradient of the mean squared error",
    wrt=("w", "b"),
    w=array("d"),
    b=scalar(),
    X=array("n", "d"),
    y=array("n"),
    equation=r"f = \frac{1}{n} \Vert Xw + b - y \Vert^2,\quad "
    r"\nabla_w f = \frac{2}{n} X^\top (Xw + b - y),\quad "
    r"\frac{\partial f}{\partial b} = \frac{2}{n} \sum_{i=1}^n (x^{(i)\top} w + b - y^{(i)})",
    shapes="X (n, d), y (n,), w (d,), b a number; the gradients (d,) and a number",
    assumptions="The mean of squares without a half, so a factor 2 stays",
    source="C. M. Bishop, Pattern Recognition and Machine Learning (2006), section 3.1",
    stable="The residual is formed first: Xᵀ(Xw) - Xᵀy subtracts two larger numbers.",
)
def linear_regression(w: Array, b: Array, X: Array, y: Array) -> dict[str, Array]:
    return linear_gradient(X, 2 * (X @ w + b - y) / len(X))


def ridge_loss(w: Tensor, b: Tensor, X: Tensor, y: Tensor, lam: Tensor) -> Tensor:
    return F.mse_loss(X @ w + b, y) + lam * (w * w).sum()


@derivation(
    ridge_loss,
    name="ridge",
    title="Ridge regression: least squares with an L2 penalty on the weights",
    wrt=("w", "b"),
    w=array("d"),
    b=scalar(),
    X=array("n", "d"),
    y=array("n"),
    lam=scalar(positive=True),
    equation=r"f = \frac{1}{n} \Vert Xw + b - y \Vert^2 + \lambda \Vert w \Vert^2,\quad "
    r"\nabla_w f = \frac{2}{n} X^\top (Xw + b - y) + 2 \lambda w,\quad "
    r"\frac{\partial f}{\partial b} = \frac{2}{n} \sum_{i=1}^n (x^{(i)\top} w + b - y^{(i)})",
    shapes="X (n, d), y (n,), w (d,), b and λ numbers; the gradients (d,) and a number",
    assumptions="λ multiplies ‖w‖² without a half, beside a mean over the samples; the intercept b "
    "is not penalized",
    source="A. E. Hoerl and R. W. Kennard, Ridge Regression: Biased Estimation for Nonorthogonal "
    "Problems, Technometrics 12(1), 1970; T. Hastie, R. Tibshirani and J. Friedman, The Elements "
    "of Statistical Learning, 2nd ed. (2009), section 3.4.1",
    stable="The residual is formed first: Xᵀ(Xw) - Xᵀy subtracts two larger numbers.",
)
def ridge(w: Array, b: Array, X: Array, y: Array, lam: Array) -> dict[str, Array]:
    gradient = linear_gradient(X, 2 * (X @ w + b - y) / len(X))
    gradient["w"] += 2 * lam * w
    return gradient


def logistic_loss(w: Tensor, b: Tensor, X: Tensor, y: Tensor) -> Tensor:
    z = X @ w + b
    return (softplus(z) - y * z).mean()


@derivation(
    logistic_loss,
    name="logistic-regression",
    title="Logistic regression: the gradient of the binary cross-entropy",
    wrt=("w", "b"),
    w=array("d"),
    b=scalar(),
    X=array("n", "d"),
    y=labels("n", classes=2),
    equation=r"f = \frac{1}{n} \sum_{i=1}^n \left[ \log(1 + e^{z^{(i)}}) - y^{(i)} z^{(i)} "
    r"\right],\quad z = Xw + b,\quad \nabla_w f = \frac{1}{n} X^\top (\sigma(z) - y),\quad "
    r"\frac{\partial f}{\partial b} = \frac{1}{n} \sum_{i=1}^n (\sigma(z^{(i)}) - y^{(i)})",
    shapes="X (n, d), y and z (n,), w (d,), b a number; the gradients (d,) and a number",
    assumptions="y is 0 or 1; f is -(1/n) Σ [y log σ(z) + (1 - y) log(1 - σ(z))] rewritten",
    source="C. M. Bishop, Pattern Recognition and Machine Learning (2006), section 4.3.2",
    stable="Loss and gradient are taken from z: log σ(z) is -inf where σ(z) underflows, and "
    "exp(-z) overflows in 1/(1 + exp(-z)), so σ uses exp(-|z|) on both sides.",
)
def logistic_regression(w: Array, b: Array, X: Array, y: Array) -> dict[str, Array]:
    return linear_gradient(X, (sigmoid(X @ w + b) - y) / len(X))


def poisson_loss(w: Tensor, b: Tensor, X: Tensor, y: Tensor) -> Tensor:
    eta = X @ w + b
    return (eta.exp() - y * eta).mean()


@derivation(
    poisson_loss,
    name="poisson-regression",
    title="Poisson regression: the gradient of the mean negative log-likelihood of counts",
    wrt=("w", "b"),
    w=array("d", low=-1, high=1),
    b=scalar(-1, 1),
    X=array("n", "d", low=-2, high=2),
    y=array("n", low=0, high=9, dtype=np.int64),
    equation=r"f = \frac{1}{n} \sum_{i=1}^n \left[ e^{\eta^{(i)}} - y^{(i)} \eta^{(i)} \right],"
    r"\quad \eta = Xw + b,\quad \nabla_w f = \frac{1}{n} X^\top (e^\eta - y),\quad "
    r"\frac{\partial f}{\partial b} = \frac{1}{n} \sum_{i=1}^n (e^{\eta^{(i)}} - y^{(i)})",
    shapes="X (n, d), counts y and η (n,), w (d,), b a number; the gradients (d,) and a number",
    assumptions="Log link, log y! left out, for it does not depend on w. X, w and b are bounded, "
    "because the mean e^η is infinite in float64 from η = 710 on, in every form",
    source="P. McCullagh and J. A. Nelder, Generalized Linear Models, 2nd ed. (1989), chapter 6",
    stable="η stays the parameter: log e^η, taken back from the mean, is -inf where that has "
    "underflowed. Against overflow only scaled features help.",
)
def poisson_regression(w: Array, b: Array, X: Array, y: Array) -> dict[str, Array]:
    return linear_gradient(X, (np.exp(X @ w + b) - y) / len(X))


# The losses on a prediction


@derivation(
    lambda y_hat, y: F.mse_loss(y_hat, y),
    name="mse",
    title="Mean squared error: the gradient for the prediction",
    wrt="y_hat",
    y_hat=array("n", "k"),
    y=array("n", "k"),
    equation=r"f = \frac{1}{nk} \Vert \hat{Y} - Y \Vert_F^2,\quad "
    r"\nabla_{\hat{Y}} f = \frac{2}{nk} (\hat{Y} - Y)",
    shapes="ŷ and y (n, k); the gradient (n, k)",
    assumptions="The mean is over all elements, samples and outputs, as in PyTorch's mse_loss",
    source="I. Goodfellow, Y. Bengio and A. Courville, Deep Learning (2016), section 5.1.4",
    stable="The difference is taken before it is squared: ŷ² - 2ŷy + y² cancels.",
)
def mse(y_hat: Array, y: Array) -> Array:
    return 2 * (y_hat - y) / y.size


def huber_loss(y_hat: Tensor, y: Tensor, delta: Tensor) -> Tensor:
    r = y_hat - y
    inner = r.clamp(-delta, delta)
    return (inner * (r - inner / 2)).mean()  # r²/2 inside, δ(|r| - δ/2) outside


@derivation(
    huber_loss,
    name="huber",
    title="Huber loss: squared near zero, linear beyond δ",
    wrt="y_hat",
    y_hat=array("n"),
    y=array("n"),
    delta=scalar(0.5, 2.0),
    equation=r"f = \frac{1}{n} \sum_{i=1}^n h_\delta(\hat{y}_i - y_i),\quad "
    r"h_\delta(r) = r^2/2 \; (|r| \leq \delta) \; \mathrm{or} \; \delta (|r| - \delta/2),\quad "
    r"\frac{\partial f}{\partial \hat{y}_i} = "
    r"\frac{1}{n} \min(\max(\hat{y}_i - y_i, -\delta), \delta)",
    shapes="ŷ and y (n,), δ a number; the gradient (n,)",
    assumptions="δ > 0. The slope is continuous at |r| = δ; only the curvature jumps there",
    source="P. J. Huber, Robust Estimation of a Location Parameter, Annals of Mathematical "
    "Statistics 35(1), 1964",
    stable="The clipped residual is bounded by δ, so that no residual is squared beyond it.",
)
def huber(y_hat: Array, y: Array, delta: Array) -> Array:
    gradient: Array = np.clip(y_hat - y, -delta, delta) / len(y)
    return gradient
