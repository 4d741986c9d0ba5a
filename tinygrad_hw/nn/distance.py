"""Distances as modules."""

from __future__ import annotations

import tinygrad_hw.nn.functional as F
from tinygrad_hw.nn.module import Module
from tinygrad_hw.tensor import Tensor


class CosineSimilarity(Module):
    """x₁ · x₂ / (max(‖x₁‖, ε) max(‖x₂‖, ε)) along `dim`."""

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim, self.eps = dim, eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return F.cosine_similarity(x1, x2, self.dim, self.eps)
