"""Layers that change the shape and no element."""

from __future__ import annotations

from collections.abc import Sequence

from tinygrad_hw.nn.module import Module
from tinygrad_hw.tensor import Tensor


class Flatten(Module):
    """The axes from `start_dim` to `end_dim` as one; by default everything but the batch axis."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Tensor) -> Tensor:
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """The axis `dim` as several, of the sizes `unflattened_size`; one of them may be -1.

    Raises:
        TypeError: `dim` is not a number, or `unflattened_size` not a tuple or list of numbers.
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        whole = isinstance(dim, int) and isinstance(unflattened_size, (tuple, list))
        if not whole or not all(isinstance(n, int) for n in unflattened_size):
            raise TypeError(
                f"Unflatten takes the number of an axis and a tuple of sizes, not {dim!r} and "
                f"{unflattened_size!r}"
            )
        self.dim, self.unflattened_size = dim, unflattened_size

    def forward(self, input: Tensor) -> Tensor:
        dim = self.dim % input.ndim
        shape = input.array.shape
        return input.reshape(*shape[:dim], *self.unflattened_size, *shape[dim + 1 :])

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
