"""Standardization: along some axes to mean 0 and variance 1."""

from __future__ import annotations

from typing import Any

from tinygrad_hw.op import Op
from tinygrad_hw.rules.elementwise import sqrt
from tinygrad_hw.rules.reductions import mean


def standardized(x: Any, *, dim: tuple[int, ...], eps: float) -> Any:
    return (x - mean(x, dim=dim, keepdim=True)) / deviation(x, dim, eps)


def deviation(x: Any, dim: tuple[int, ...], eps: float) -> Any:
    """√(variance + ε), what `standardize` divides by."""
    centered = x - mean(x, dim=dim, keepdim=True)
    return sqrt(mean(centered * centered, dim=dim, keepdim=True) + eps)


def pullback(g: Any, y: Any, x: Any, dim: tuple[int, ...], eps: float) -> Any:
    """Only what is neither constant nor along y passes (Ioffe and Szegedy, 2015, section 3)."""
    level = mean(g, dim=dim, keepdim=True)
    along = mean(g * y, dim=dim, keepdim=True)
    return (g - level - y * along) / deviation(x, dim, eps)


standardize = Op(  # (x - mean) / √(variance + ε); the variance divides by the number of elements
    standardized, pullback, name="standardize"
)
