"""Random tensors, and the generator they are drawn from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_hw.creation import made
from tinygrad_hw.dtypes import DType, as_dtype, float32, int64
from tinygrad_hw.methods import sizes
from tinygrad_hw.tensor import Tensor

if TYPE_CHECKING:
    from typing import Self


class Generator:
    """A stream of random numbers (NumPy's PCG64) that can be seeded, saved and restored.

    >>> import tinygrad_hw as th
    >>> g = th.Generator().manual_seed(0)
    >>> state = g.get_state()
    >>> first = th.rand(3, generator=g)
    >>> g.set_state(state)
    >>> bool((th.rand(3, generator=g) == first).all())
    True
    """

    def __init__(self, device: Any = None) -> None:
        self.made: np.random.Generator | None = None

    @property
    def numpy(self) -> np.random.Generator:
        """NumPy's generator underneath, seeded by the system where nobody seeded it."""
        if self.made is None:  # not before: NumPy loads its random module on first use
            self.made = np.random.default_rng()
        return self.made

    def manual_seed(self, seed: int) -> Self:
        self.made = np.random.default_rng(seed)
        return self

    def get_state(self) -> dict[str, Any]:
        """The state, as a dictionary that JSON can hold."""
        return dict(self.numpy.bit_generator.state)

    def set_state(self, state: dict[str, Any]) -> None:
        self.numpy.bit_generator.state = state


default_generator = Generator()


def manual_seed(seed: int) -> Generator:
    """Seed the generator that everything draws from where no other is given."""
    return default_generator.manual_seed(seed)


def draws(generator: Generator | None) -> np.random.Generator:
    return (generator or default_generator).numpy


def rand(
    *size: Any,
    generator: Generator | None = None,
    dtype: DType = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Uniform on [0, 1)."""
    array = draws(generator).random(sizes(size), as_dtype(dtype or float32))
    return made(np.asarray(array), requires_grad, device)


def randn(
    *size: Any,
    generator: Generator | None = None,
    dtype: DType = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Standard normal."""
    array = draws(generator).standard_normal(sizes(size), as_dtype(dtype or float32))
    return made(np.asarray(array), requires_grad, device)


def randint(
    low: int,
    high: Any = None,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: DType = None,
    device: Any = None,
) -> Tensor:
    """Whole numbers from low (0 where left out) to high - 1: `randint(10, (2, 3))`."""
    if size is None:
        low, high, size = 0, low, high
    if high is None:
        low, high = 0, low
    if low >= high:
        raise RuntimeError(f"randint: there is no whole number from {low} to below {high}")
    array = draws(generator).integers(low, high, sizes((size,)), as_dtype(dtype or int64))
    return made(np.asarray(array), device=device)


def randint_like(
    input: Tensor, low: int, high: int | None = None, *, dtype: DType = None
) -> Tensor:
    """Whole numbers as `randint` draws them, in the shape and dtype of `input`."""
    low, high = (0, low) if high is None else (low, high)
    return randint(low, high, input.shape).to(dtype or input.dtype)


def randperm(
    n: int, *, generator: Generator | None = None, dtype: DType = None, device: Any = None
) -> Tensor:
    """The numbers 0 to n - 1 in random order."""
    order = draws(generator).permutation(*sizes((n,)))
    return made(order.astype(as_dtype(dtype or int64)), device=device)


def rand_like(input: Tensor, *, dtype: DType = None, requires_grad: bool = False) -> Tensor:
    return rand(input.shape, dtype=dtype or input.dtype, requires_grad=requires_grad)


def randn_like(input: Tensor, *, dtype: DType = None, requires_grad: bool = False) -> Tensor:
    return randn(input.shape, dtype=dtype or input.dtype, requires_grad=requires_grad)
