"""Normalizations over the batch and over the features: their pullbacks."""

from __future__ import annotations

import numpy as np

from tinygrad_hw.check.derivation import derivation
from tinygrad_hw.check.inputs import Array, array
from tinygrad_hw.tensor import Tensor

EPS = 1e-5  # what the layers add to a variance


def normalize(x: Tensor, dim: int) -> Tensor:
    """(x - mean) / sqrt(variance + ε) along `dim`; the variance divides by the count."""
    centred = x - x.mean(dim, keepdim=True)
    return centred / ((centred * centred).mean(dim, keepdim=True) + EPS).sqrt()


def normalized(x: Array, axis: int) -> tuple[Array, Array]:
    """x̂, and the deviation that x was divided by."""
    centred = x - x.mean(axis, keepdims=True)
    deviation = np.sqrt((centred * centred).mean(axis, keepdims=True) + EPS)
    return centred / deviation, deviation


def normalize_pullback(x_hat: Array, deviation: Array, dx_hat: Array, axis: int) -> Array:
    """From the cotangent of x̂ to that of x: what moves the mean or the scale has no effect."""
    along_mean = dx_hat.mean(axis, keepdims=True)
    along_scale = x_hat * (dx_hat * x_hat).mean(axis, keepdims=True)
    dx: Array = (dx_hat - along_mean - along_scale) / deviation
    return dx


@derivation(
    lambda x, gamma, beta: gamma * normalize(x, dim=0) + beta,
    of="vjp",
    name="batch-norm",
    title="Batch normalization in training: the pullback through γ x̂ + β",
    wrt=("x", "gamma", "beta"),
    x=array("n", "d"),
    gamma=array("d"),
    beta=array("d"),
    equation=r"\hat{x}_{ij} = \frac{x_{ij} - \mu_j}{\sqrt{\sigma_j^2 + \epsilon}},\quad "
    r"\bar{x}_{ij} = \frac{\gamma_j}{\sqrt{\sigma_j^2 + \epsilon}} \left( g_{ij} - "
    r"\frac{1}{n} \sum_r g_{rj} - \hat{x}_{ij} \frac{1}{n} \sum_r g_{rj} \hat{x}_{rj} \right),"
    r"\quad \bar{\gamma}_j = \sum_i g_{ij} \hat{x}_{ij},\quad \bar{\beta}_j = \sum_i g_{ij}",
    shapes="x and the cotangent g (n, d), γ, β, μ and σ² (d,); the pullbacks as x, γ and β",
    assumptions="Training mode: μ and σ² are the batch's and depend on x; σ² divides by n, not "
    "n - 1; ε = 1e-5",
    source="S. Ioffe and C. Szegedy, Batch Normalization: Accelerating Deep Network Training by "
    "Reducing Internal Covariate Shift, ICML 2015, section 3",
    stable="The variance is the mean of squares about the mean, for mean(x²) - μ² cancels; ε keeps "
    "a constant feature from dividing by 0.",
)
def batch_norm(x: Array, gamma: Array, g: Array) -> dict[str, Array]:
    x_hat, deviation = normalized(x, axis=0)
    return {
        "x": normalize_pullback(x_hat, deviation, g * gamma, axis=0),
        "gamma": (g * x_hat).sum(axis=0),
        "beta": g.sum(axis=0),
    }


@derivation(
    lambda x, gamma, beta: gamma * normalize(x, dim=1) + beta,
    of="vjp",
    name="layer-norm",
    title="Layer normalization: the pullback through γ x̂ + β",
    wrt=("x", "gamma", "beta"),
    x=array("n", "d"),
    gamma=array("d"),
    beta=array("d"),
    equation=r"\hat{x}_{ij} = \frac{x_{ij} - \mu_i}{\sqrt{\sigma_i^2 + \epsilon}},\quad "
    r"\bar{x}_{ij} = \frac{1}{\sqrt{\sigma_i^2 + \epsilon}} \left( \gamma_j g_{ij} - "
    r"\frac{1}{d} \sum_r \gamma_r g_{ir} - "
    r"\hat{x}_{ij} \frac{1}{d} \sum_r \gamma_r g_{ir} \hat{x}_{ir} \right),"
    r"\quad \bar{\gamma}_j = \sum_i g_{ij} \hat{x}_{ij},\quad \bar{\beta}_j = \sum_i g_{ij}",
    shapes="x and the cotangent g (n, d), γ and β (d,), μ and σ² (n,); the pullbacks as x, γ and β",
    assumptions="Each sample is normalized over its own d features, σ² divides by d; γ and β are "
    "shared by the samples; ε = 1e-5",
    source="J. L. Ba, J. R. Kiros and G. E. Hinton, Layer Normalization, arXiv:1607.06450 (2016)",
    stable="The variance is the mean of squares about the mean, for mean(x²) - μ² cancels; ε keeps "
    "a constant sample from dividing by 0.",
)
def layer_norm(x: Array, gamma: Array, g: Array) -> dict[str, Array]:
    x_hat, deviation = normalized(x, axis=1)
    return {
        "x": normalize_pullback(x_hat, deviation, g * gamma, axis=1),
        "gamma": (g * x_hat).sum(axis=0),
        "beta": g.sum(axis=0),
    }


@derivation(
    lambda x, gamma: gamma * x / ((x * x).mean(1, keepdim=True) + EPS).sqrt(),
    of="vjp",
    name="rms-norm",
    title="RMS normalization: the pullback through γ x / rms(x)",
    wrt=("x", "gamma"),
    x=array("n", "d"),
    gamma=array("d"),
    equation=r"\rho_i = \sqrt{\frac{1}{d} \sum_r x_{ir}^2 + \epsilon},\quad "
    r"\hat{x}_{ij} = \frac{x_{ij}}{\rho_i},\quad \bar{x}_{ij} = \frac{1}{\rho_i} \left( "
    r"\gamma_j g_{ij} - \hat{x}_{ij} \frac{1}{d} \sum_r \gamma_r g_{ir} \hat{x}_{ir} \right),"
    r"\quad \bar{\gamma}_j = \sum_i g_{ij} \hat{x}_{ij}",
    shapes="x and the cotangent g (n, d), γ (d,), ρ (n,); the pullbacks as x and γ",
    assumptions="No mean is subtracted; ε = 1e-5 stands under the root",
    source="B. Zhang and R. Sennrich, Root Mean Square Layer Normalization, NeurIPS 2019",
    stable="ε under the root keeps a sample of zeros from dividing by 0, in the value and in the "
    "slope of the root.",
)
def rms_norm(x: Array, gamma: Array, g: Array) -> dict[str, Array]:
    rms = np.sqrt((x * x).mean(axis=1, keepdims=True) + EPS)
    x_hat, dx_hat = x / rms, g * gamma
    along_scale = x_hat * (dx_hat * x_hat).mean(axis=1, keepdims=True)
    return {"x": (dx_hat - along_scale) / rms, "gamma": (g * x_hat).sum(axis=0)}
