"""Several steps of the chain rule at once: attention, and a perceptron of two layers."""

from __future__ import annotations

import math

import numpy as np

from tinygrad_hw import closed_form as cf
from tinygrad_hw.check.catalog.layers import layer_pullback, softmax_cross_entropy, tanh_slope
from tinygrad_hw.check.derivation import derivation
from tinygrad_hw.check.inputs import Array, array, labels
from tinygrad_hw.nn import functional as F
from tinygrad_hw.tensor import Tensor


def attend(Q: Tensor, K: Tensor, V: Tensor) -> Tensor:
    return (Q @ K.T / math.sqrt(Q.shape[1])).softmax(dim=1) @ V


@derivation(
    attend,
    of="vjp",
    name="attention",
    title="Scaled dot-product attention: the pullback for queries, keys and values",
    wrt=("Q", "K", "V"),
    Q=array("n", "d"),
    K=array("m", "d"),
    V=array("m", "v"),
    equation=r"O = AV,\quad A = \mathrm{softmax}(S),\quad S = \frac{1}{\sqrt{d}} QK^\top,\quad "
    r"\bar{V} = A^\top G,\quad \bar{A} = G V^\top,\quad "
    r"\bar{S}_{ij} = A_{ij} \left( \bar{A}_{ij} - \sum_r A_{ir} \bar{A}_{ir} \right),\quad "
    r"\bar{Q} = \frac{1}{\sqrt{d}} \bar{S} K,\quad \bar{K} = \frac{1}{\sqrt{d}} \bar{S}^\top Q",
    shapes="Q (n, d), K (m, d), V (m, v), scores S and A (n, m), O and its cotangent G (n, v); the "
    "pullbacks as Q, K and V",
    assumptions="One head, no mask; softmax over the keys, so each row of A sums to 1",
    source="A. Vaswani et al., Attention Is All You Need, NIPS 2017, section 3.2.1, equation (1)",
    stable="Each row of scores is taken less its maximum before exp; softmax's pullback is written "
    "with A, and never divides by Σ exp again.",
)
def attention(Q: Array, K: Array, V: Array, g: Array) -> dict[str, Array]:
    scale = np.sqrt(Q.dtype.type(Q.shape[1]))
    A = cf.softmax(Q @ K.T / scale)
    dA = g @ V.T
    dS = A * (dA - (A * dA).sum(axis=1, keepdims=True)) / scale
    return {"Q": dS @ K, "K": dS.T @ Q, "V": A.T @ g}


def perceptron(W1: Tensor, b1: Tensor, W2: Tensor, b2: Tensor, X: Tensor, y: Tensor) -> Tensor:
    hidden = F.tanh(X @ W1 + b1)
    return F.cross_entropy(hidden @ W2 + b2, y)


@derivation(
    perceptron,
    name="two-layer-perceptron",
    title="A perceptron of two layers by the chain rule: tanh, then softmax cross-entropy",
    wrt=("W1", "b1", "W2", "b2"),
    W1=array("d", "h"),
    b1=array("h"),
    W2=array("h", "c"),
    b2=array("c"),
    X=array("n", "d"),
    y=labels("n", classes="c"),
    equation=r"H = X W_1 + b_1,\quad A = \tanh(H),\quad Z = A W_2 + b_2,\quad "
    r"\bar{Z} = \frac{1}{n} (\hat{Y} - Y),\quad \bar{W}_2 = A^\top \bar{Z},\quad "
    r"\bar{b}_2 = \sum_i \bar{z}^{(i)},\quad \bar{H} = \bar{Z} W_2^\top \odot (1 - A \odot A),"
    r"\quad \bar{W}_1 = X^\top \bar{H},\quad \bar{b}_1 = \sum_i \bar{h}^{(i)}",
    shapes="X (n, d), W1 (d, h), b1 (h,), H and A (n, h), W2 (h, c), b2 (c,), Z (n, c), labels y "
    "(n,); the gradients as the parameters",
    assumptions="A bar marks the loss's gradient for a step's value; the loss is the mean over the "
    "samples; Y holds the labels as one-hot rows",
    source="D. E. Rumelhart, G. E. Hinton and R. J. Williams, Learning Representations by "
    "Back-Propagating Errors, Nature 323, 1986; I. Goodfellow, Y. Bengio and A. Courville, Deep "
    "Learning (2016), section 6.5",
    stable="Softmax and cross-entropy are differentiated as one step, ŷ - y; 1 - a² is taken as "
    "4e/(1 + e)² with e = exp(-2|h|), which keeps its digits where |a| is close to 1.",
)
def two_layer_perceptron(
    W1: Array, b1: Array, W2: Array, b2: Array, X: Array, y: Array
) -> dict[str, Array]:
    H = X @ W1 + b1
    A = np.tanh(H)
    second = layer_pullback(A, W2, softmax_cross_entropy(A @ W2 + b2, y))
    first = layer_pullback(X, W1, second["X"] * tanh_slope(H))
    return {"W1": first["W"], "b1": first["b"], "W2": second["W"], "b2": second["b"]}
