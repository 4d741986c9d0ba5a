"""Making tensors from data, and tensors of constants."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_hw.dtypes import DType, as_dtype, float32, float64
from tinygrad_hw.methods import on_cpu, sizes
from tinygrad_hw.tape import Traced, raw
from tinygrad_hw.tensor import Tensor, rebuilt


def made(array: NDArray[Any], requires_grad: bool = False, device: Any = None) -> Tensor:
    """A leaf around `array`, which is not copied."""
    on_cpu(device)
    leaf = rebuilt(Tensor, array, False)
    if requires_grad:
        leaf.requires_grad = True
    return leaf


def as_array(data: Any, dtype: DType = None, copy: bool | None = True) -> NDArray[Any]:
    """`data` as an array: Python floats and lists of them become float32, arrays keep theirs."""
    source = raw(data)
    if dtype is not None:
        return np.array(source, dtype=as_dtype(dtype), copy=copy)
    array = np.array(source, copy=copy)
    as_dtype(array.dtype)
    first = source
    while isinstance(first, (list, tuple)) and first:
        first = first[0]
    if array.dtype == float64 and not isinstance(first, (np.ndarray, np.generic, Traced)):
        return array.astype(float32)
    return array


def tensor(
    data: Any, *, dtype: DType = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """A new tensor with a copy of `data`: a number, nested lists, an array or a tensor.

    Python floats and lists of them become float32, whole numbers int64, and NumPy arrays keep
    their dtype, unless `dtype` says otherwise.

    Raises:
        ValueError: ragged lists.
        TypeError: what is not a number.
        RuntimeError: `requires_grad` of an integer tensor.

    >>> import tinygrad_hw as th
    >>> th.tensor([[1, 2], [3, 4]], dtype=th.float64)
    tensor([[1., 2.],
            [3., 4.]], dtype=float64)
    """
    return made(as_array(data, dtype), requires_grad, device)


def as_tensor(data: Any, dtype: DType = None, device: Any = None) -> Tensor:
    """`data` as a tensor that shares its memory where it can; a tensor of that dtype is itself."""
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(dtype)
    return made(as_array(data, dtype, copy=None), device=device)


def from_numpy(array: NDArray[Any]) -> Tensor:
    """A tensor on the memory of `array`: what is written to either is seen in both."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy takes an array, not {type(array).__name__}: use th.tensor")
    as_dtype(array.dtype)
    return made(array)


def zeros(
    *size: Any, dtype: DType = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    return made(np.zeros(sizes(size), as_dtype(dtype or float32)), requires_grad, device)


def ones(
    *size: Any, dtype: DType = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    return made(np.ones(sizes(size), as_dtype(dtype or float32)), requires_grad, device)


def empty(
    *size: Any, dtype: DType = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Whatever was in memory: write every element before it is read."""
    return made(np.empty(sizes(size), as_dtype(dtype or float32)), requires_grad, device)


def full(
    size: Any,
    fill_value: float,
    *,
    dtype: DType = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of one value; its dtype is the value's where none is given."""
    return made(np.full(sizes((size,)), as_array(fill_value, dtype)), requires_grad, device)


def arange(
    start: float,
    end: float | None = None,
    step: float = 1,
    *,
    dtype: DType = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """start, start + step, … below end (from 0 where only one number is given)."""
    low, high = (0, start) if end is None else (start, end)
    if not step or (high - low) * step < 0:
        raise RuntimeError(f"arange: steps of {step} do not lead from {low} to {high}")
    array = np.arange(low, high, step)
    if dtype is not None or array.dtype == float64:
        array = array.astype(as_dtype(dtype or float32))
    return made(array, requires_grad, device)


def linspace(
    start: float,
    end: float,
    steps: int,
    *,
    dtype: DType = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` numbers from start to end, both included, evenly apart."""
    return made(
        np.linspace(start, end, steps).astype(as_dtype(dtype or float32)), requires_grad, device
    )


def eye(
    n: int,
    m: int | None = None,
    *,
    dtype: DType = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    return made(np.eye(n, m, dtype=as_dtype(dtype or float32)), requires_grad, device)


def zeros_like(input: Tensor, *, dtype: DType = None, requires_grad: bool = False) -> Tensor:
    return zeros(input.shape, dtype=dtype or input.dtype, requires_grad=requires_grad)


def ones_like(input: Tensor, *, dtype: DType = None, requires_grad: bool = False) -> Tensor:
    return ones(input.shape, dtype=dtype or input.dtype, requires_grad=requires_grad)


def empty_like(input: Tensor, *, dtype: DType = None, requires_grad: bool = False) -> Tensor:
    return empty(input.shape, dtype=dtype or input.dtype, requires_grad=requires_grad)


def full_like(
    input: Tensor, fill_value: float, *, dtype: DType = None, requires_grad: bool = False
) -> Tensor:
    return full(
        input.shape, fill_value, dtype=dtype or input.dtype, requires_grad=requires_grad
    )
