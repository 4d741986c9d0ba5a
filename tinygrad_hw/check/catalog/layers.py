"""One layer at a time: affine maps under sigmoid, softplus and tanh; softmax and its loss."""

from __future__ import annotations

import numpy as np

from tinygrad_hw import closed_form as cf
from tinygrad_hw.check.derivation import derivation
from tinygrad_hw.check.inputs import Array, array, labels
from tinygrad_hw.functions.shapes import stack
from tinygrad_hw.nn import functional as F
from tinygrad_hw.tensor import Tensor


def sigmoid(z: Array) -> Array:
    """σ(z), by an exponential that cannot overflow and keeps both tails."""
    e = np.exp(-abs(z))
    y: Array = np.where(z >= 0, 1, e) / (1 + e)
    return y


def tanh_slope(z: Array) -> Array:
    """tanh'(z) = 1 - tanh²(z), without the difference."""
    e = np.exp(-2 * abs(z))
    slope: Array = 4 * e / (1 + e) ** 2
    return slope


def softplus(z: Tensor) -> Tensor:
    """log(1 + eᶻ) = log(e⁰ + eᶻ), without overflow and smooth at 0: max(z, 0) + log(1 + e⁻|z|)
    has two kinks there that cancel, but not for autodiff."""
    return stack([0 * z, z]).logsumexp(dim=0)


def layer_pullback(X: Array, W: Array, dz: Array) -> dict[str, Array]:
    """From the cotangent of z = XW + b to those of X, W and b."""
    return {"X": dz @ W.T, "W": X.T @ dz, "b": dz.sum(axis=0)}


PULLBACK = (
    r"\bar{X} = \bar{Z} W^\top,\quad \bar{W} = X^\top \bar{Z},\quad "
    r"\bar{b} = \sum_{i=1}^n \bar{z}^{(i)}"
)
LAYER_SHAPES = "X (n, d), W (d, m), b (m,), the cotangent g (n, m); the pullbacks as X, W and b"


@derivation(
    lambda X, W, b: F.sigmoid(X @ W + b),
    of="vjp",
    name="sigmoid-layer",
    title="A sigmoid layer: the pullback through Y = σ(XW + b)",
    wrt=("X", "W", "b"),
    X=array("n", "d"),
    W=array("d", "m"),
    b=array("m"),
    equation=r"\bar{Z} = G \odot Y \odot (1 - Y),\quad Y = \sigma(XW + b),\quad " + PULLBACK,
    shapes=LAYER_SHAPES,
    assumptions="σ(z) = 1/(1 + exp(-z)) for each element; G is the cotangent of Y",
    source="I. Goodfellow, Y. Bengio and A. Courville, Deep Learning (2016), section 3.10",
    stable="σ'(z) = e/(1 + e)² with e = exp(-|z|): nothing overflows, and unlike y(1 - y) it keeps "
    "its digits where y is close to 1.",
)
def sigmoid_layer(X: Array, W: Array, b: Array, g: Array) -> dict[str, Array]:
    e = np.exp(-abs(X @ W + b))
    return layer_pullback(X, W, g * e / (1 + e) ** 2)


@derivation(
    lambda X, W, b: softplus(X @ W + b),
    of="vjp",
    name="softplus-layer",
    title="A softplus layer: the pullback through Y = log(1 + exp(XW + b))",
    wrt=("X", "W", "b"),
    X=array("n", "d"),
    W=array("d", "m"),
    b=array("m"),
    equation=r"\bar{Z} = G \odot \sigma(XW + b),\quad Y = \log(1 + e^{XW + b}),\quad " + PULLBACK,
    shapes=LAYER_SHAPES,
    assumptions="Softplus for each element; G is the cotangent of Y",
    source="C. Dugas, Y. Bengio, F. Bélisle, C. Nadeau and R. Garcia, Incorporating Second-Order "
    "Functional Knowledge for Better Option Pricing, NIPS 2000; I. Goodfellow, Y. Bengio and "
    "A. Courville, Deep Learning (2016), section 3.10",
    stable="The value is max(z, 0) + log1p(exp(-|z|)), for exp(z) overflows from z = 710 on; the "
    "slope is a sigmoid that uses exp(-|z|).",
)
def softplus_layer(X: Array, W: Array, b: Array, g: Array) -> dict[str, Array]:
    return layer_pullback(X, W, g * sigmoid(X @ W + b))


@derivation(
    lambda X, W, b: F.tanh(X @ W + b),
    of="vjp",
    name="tanh-layer",
    title="A tanh layer: the pullback through Y = tanh(XW + b)",
    wrt=("X", "W", "b"),
    X=array("n", "d"),
    W=array("d", "m"),
    b=array("m"),
    equation=r"\bar{Z} = G \odot (1 - Y \odot Y),\quad Y = \tanh(XW + b),\quad " + PULLBACK,
    shapes=LAYER_SHAPES,
    assumptions="tanh for each element; G is the cotangent of Y",
    source="Y. LeCun, L. Bottou, G. B. Orr and K.-R. Müller, Efficient BackProp, in Neural "
    "Networks: Tricks of the Trade (1998)",
    stable="tanh'(z) = 4e/(1 + e)² with e = exp(-2|z|): 1/cosh² divides by infinity for large |z|, "
    "and 1 - y² loses its digits where |y| is close to 1.",
)
def tanh_layer(X: Array, W: Array, b: Array, g: Array) -> dict[str, Array]:
    return layer_pullback(X, W, g * tanh_slope(X @ W + b))


# Softmax and its loss, for the logits


@derivation(
    lambda z: z.softmax(dim=0),
    of="jacobian",
    name="softmax-jacobian",
    title="Softmax: the Jacobian for the logits",
    wrt="z",
    z=array("c"),
    equation=r"\frac{\partial \hat{y}_k}{\partial z_l} = \hat{y}_k (\delta_{kl} - \hat{y}_l),"
    r"\quad J = \mathrm{diag}(\hat{y}) - \hat{y} \hat{y}^\top",
    shapes="z and ŷ (c,); the Jacobian (c, c), its axes k, l",
    assumptions="ŷ = exp(z) / Σ exp(z). The Jacobian is symmetric, and each row sums to 0",
    source="C. M. Bishop, Pattern Recognition and Machine Learning (2006), section 4.3.4; "
    "P. Blanchard, D. J. Higham and N. J. Higham, Accurately Computing the Log-Sum-Exp and Softmax "
    "Functions, IMA Journal of Numerical Analysis 41(4), 2021, for the stable form",
    stable="Softmax of z - max z cannot overflow, and 1 - ŷ_k as the sum of the other "
    "probabilities keeps its digits where ŷ_k is close to 1.",
)
def softmax_jacobian(z: Array) -> Array:
    return cf.softmax_jacobian_z(z)


@derivation(
    lambda z, y: F.cross_entropy(z, y),
    name="softmax-cross-entropy",
    title="Softmax cross-entropy: the gradient for the logits",
    wrt="z",
    z=array("n", "c"),
    y=labels("n", classes="c"),
    equation=r"f = -\frac{1}{n} \sum_{i=1}^n \log \hat{y}^{(i)}_{y^{(i)}},\quad "
    r"\frac{\partial f}{\partial z_k^{(i)}} = \frac{1}{n} (\hat{y}_k^{(i)} - \delta_{k y^{(i)}})",
    shapes="z and ŷ (n, c), labels y (n,); the gradient (n, c)",
    assumptions="ŷ is softmax of each row of z; y holds class numbers from 0 to c - 1; f is the "
    "mean over the samples",
    source="C. M. Bishop, Pattern Recognition and Machine Learning (2006), section 4.3.4",
    stable="Softmax of z - max z cannot overflow, and ŷ - y divides by no probability, "
    "while the chain rule through log does.",
)
def softmax_cross_entropy(z: Array, y: Array) -> Array:
    one_hot = np.eye(z.shape[1], dtype=z.dtype)[y]
    gradient: Array = (cf.softmax(z) - one_hot) / len(z)
    return gradient


@derivation(
    lambda z, y: F.cross_entropy(z, y),
    of="hessian",
    name="cross-entropy-hessian",
    title="Softmax cross-entropy: the Hessian for the logits",
    wrt="z",
    z=array("n", "c"),
    y=labels("n", classes="c"),
    equation=r"\frac{\partial^2 f}{\partial z_k^{(i)} \partial z_l^{(j)}} = "
    r"\frac{\delta_{ij}}{n} \hat{y}_k^{(i)} (\delta_{kl} - \hat{y}_l^{(i)})",
    shapes="z and ŷ (n, c), labels y (n,); the Hessian (n, c, n, c), its axes i, k, j, l",
    assumptions="f is the mean over the samples. Two samples do not interact, and the labels drop "
    "out",
    source="C. M. Bishop, Pattern Recognition and Machine Learning (2006), section 4.3.4",
    stable="It is softmax's Jacobian over n, with 1 - ŷ_k as the sum of the other probabilities.",
)
def cross_entropy_hessian(z: Array) -> Array:
    n, c = z.shape
    H = np.zeros((n, c, n, c), z.dtype)
    i = np.arange(n)
    H[i, :, i, :] = cf.cross_entropy_hessian_z(z)
    return H


@derivation(
    lambda z, y: F.cross_entropy(z, y, label_smoothing=0.1),
    name="label-smoothing",
    title="Cross-entropy with smoothed labels: the gradient for the logits",
    wrt="z",
    z=array("n", "c"),
    y=labels("n", classes="c"),
    equation=r"\tilde{y}_k^{(i)} = (1 - \epsilon) \delta_{k y^{(i)}} + \frac{\epsilon}{c},\quad "
    r"f = -\frac{1}{n} \sum_{i,k} \tilde{y}_k^{(i)} \log \hat{y}_k^{(i)},\quad "
    r"\frac{\partial f}{\partial z_k^{(i)}} = \frac{1}{n} (\hat{y}_k^{(i)} - \tilde{y}_k^{(i)})",
    shapes="z and ŷ (n, c), labels y (n,); the gradient (n, c)",
    assumptions="ε = 0.1, spread evenly over all c classes, the label's own among them, as in "
    "PyTorch",
    source="C. Szegedy, V. Vanhoucke, S. Ioffe, J. Shlens and Z. Wojna, Rethinking the Inception "
    "Architecture for Computer Vision, CVPR 2016, section 7",
    stable="Softmax of z - max z cannot overflow, and ŷ - ỹ divides by no probability. The loss "
    "meets log ŷ of every class, so log-softmax must not underflow to log 0.",
)
def label_smoothing(z: Array, y: Array) -> Array:
    c = z.shape[1]
    smoothed = 0.9 * np.eye(c, dtype=z.dtype)[y] + 0.1 / c
    gradient: Array = (cf.softmax(z) - smoothed) / len(z)
    return gradient
