"""Softmax and its family, along one dim."""

from __future__ import annotations

import warnings

from tinygrad_hw.dtypes import DType
from tinygrad_hw.tensor import Tensor


def softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: DType = None
) -> Tensor:
    """exp(x) / Σ exp(x) along `dim`, without overflow; of the input cast to `dtype`, if given.

    Raises:
        IndexError: there is no such `dim`.
    """
    if dim is None:
        dim = usual_dim("softmax", input, _stacklevel)
    return as_asked(input, dtype).softmax(dim)


def log_softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: DType = None
) -> Tensor:
    """log softmax(x) along `dim`, without overflow; of the input cast to `dtype`, if given."""
    if dim is None:
        dim = usual_dim("log_softmax", input, _stacklevel)
    return as_asked(input, dtype).log_softmax(dim)


def softmin(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: DType = None
) -> Tensor:
    """softmax(-x) along `dim`; -x is cast to `dtype`, if given."""
    if dim is None:
        dim = usual_dim("softmin", input, _stacklevel)
    return as_asked(-input, dtype).softmax(dim)


def as_asked(input: Tensor, dtype: DType) -> Tensor:
    return input if dtype is None else input.to(dtype)


def usual_dim(name: str, input: Tensor, stacklevel: int) -> int:
    """PyTorch's choice where none is made, and its warning."""
    dim = 0 if input.ndim in (0, 1, 3) else 1
    warnings.warn(
        f"{name} without dim takes dim={dim}: say dim=... instead", stacklevel=stacklevel
    )
    return dim
