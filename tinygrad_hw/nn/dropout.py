"""Dropout as a module."""

from __future__ import annotations

import tinygrad_hw.nn.functional as F
from tinygrad_hw.nn.functional.dropout import checked_share
from tinygrad_hw.nn.module import Module
from tinygrad_hw.tensor import Tensor


class Dropout(Module):
    """In training, zeroes elements with probability `p` and divides the others by 1 - p; in
    evaluation it does nothing."""

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        self.p, self.inplace = checked_share(p), inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"
