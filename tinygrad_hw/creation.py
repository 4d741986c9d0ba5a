"""Making tensors from data, and tensors of constants."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_hw.device import on_cpu
from tinygrad_hw.dtypes import (
    NUMBERS,
    Default,
    DType,
    as_dtype,
    float64,
    int64,
    of_number,
    promote_types,
)
from tinygrad_hw.functions.arguments import sizes, written
from tinygrad_hw.tape import Traced, raw
from tinygrad_hw.tensor import Tensor, leaf


def made(
    array: NDArray[Any],
    requires_grad: bool = False,
    device: Any = None,
    out: Tensor | None = None,
) -> Tensor:
    """A leaf around `array`, which is not copied; or `out` with its elements."""
    on_cpu(device)
    return written(leaf(array, requires_grad), out)


def kind(dtype: DType) -> np.dtype[Any]:
    """The dtype asked for, or the default."""
    return Default.dtype if dtype is None else as_dtype(dtype)


def as_array(data: Any, dtype: DType = None, copy: bool | None = True) -> NDArray[Any]:
    """`data` as an array: Python floats and lists of them get the default dtype, arrays keep
    theirs."""
    source = numbers_of(data) if isinstance(data, (list, tuple)) else raw(data)
    if dtype is not None:
        return np.array(source, dtype=as_dtype(dtype), copy=copy)
    array = np.array(source, copy=copy)
    if array.dtype.kind in "uO" and isinstance(source, (int, list, tuple)):
        large(source)
    as_dtype(array.dtype)
    if array.dtype != int64 and isinstance(source, (int, float, list, tuple)):
        return array.astype(met_in(source, array.dtype), copy=False)
    return array


def numbers_of(data: Any) -> Any:
    """Nested lists with the tensors among them, of one element each, as their numbers.

    Raises:
        ValueError: a tensor of several elements in a list.
    """
    if isinstance(data, (list, tuple)):
        return [numbers_of(x) for x in data]
    if isinstance(data, Traced):
        if data.array.size != 1:
            raise ValueError(
                f"a list of numbers has a tensor of shape {data.array.shape} in it: th.stack joins "
                "tensors of one shape."
            )
        return data.array.reshape(())
    return data


def large(data: Any) -> None:
    """Refuse whole numbers that int64 does not hold, where NumPy would take uint64 or objects."""
    for n in data if isinstance(data, (list, tuple)) else (data,):
        if isinstance(n, (list, tuple)):
            large(n)
        elif isinstance(n, int) and not -(2**63) <= n < 2**63:
            raise ValueError(f"{n} does not fit int64, the dtype of whole numbers")


def met_in(data: Any, dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype in which the numbers of nested lists meet; NumPy made them `dtype`."""
    found, rows = set(), [data]
    while rows:
        row = rows.pop()
        if isinstance(row, (list, tuple)):
            rows += row
        elif type(row) in NUMBERS:
            found.add(of_number(type(row)))
        else:
            found.add(getattr(row, "dtype", dtype))
    return functools.reduce(promote_types, found) if found else Default.dtype


def tensor(
    data: Any,
    *,
    dtype: DType = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
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
        on_cpu(device)
        return data if dtype is None else data.to(dtype)
    return made(as_array(data, dtype, copy=None), device=device)


def asarray(
    obj: Any,
    *,
    dtype: DType = None,
    device: Any = None,
    copy: bool | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """`obj` as a tensor: shared where it can be, unless `copy` says True."""
    if copy:
        return tensor(obj, dtype=dtype, device=device, requires_grad=requires_grad)
    found = as_tensor(obj, dtype, device)
    return found.requires_grad_() if requires_grad else found


def scalar_tensor(
    s: Any, *, dtype: DType = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """A 0-d tensor of the default dtype."""
    return made(np.array(s, kind(dtype)), requires_grad, device)


def from_numpy(array: NDArray[Any]) -> Tensor:
    """A tensor on the memory of `array`: what is written to either is seen in both."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy takes an array, not {type(array).__name__}: use th.tensor")
    as_dtype(array.dtype)
    return made(array)


def zeros(
    *shape: Any,
    size: Any = None,
    out: Tensor | None = None,
    dtype: DType = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Zeros; the sizes are given one by one or as one sequence, here and in its like."""
    return made(np.zeros(asked(shape, size), kind(dtype)), requires_grad, device, out)


def ones(
    *shape: Any,
    size: Any = None,
    out: Tensor | None = None,
    dtype: DType = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    return made(np.ones(asked(shape, size), kind(dtype)), requires_grad, device, out)


def empty(
    *shape: Any,
    size: Any = None,
    out: Tensor | None = None,
    dtype: DType = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Whatever was in memory: write every element before it is read."""
    return made(np.empty(asked(shape, size), kind(dtype)), requires_grad, device, out)


def full(
    size: Any,
    fill_value: float,
    *,
    out: Tensor | None = None,
    dtype: DType = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of one value; its dtype is the value's where none is given."""
    value = as_array(fill_value) if dtype is None else in_dtype(fill_value, as_dtype(dtype))
    if value.ndim:
        raise TypeError(f"full takes one number as fill_value, not shape {value.shape}")
    return made(np.full(sizes((size,)), value), requires_grad, device, out)


def in_dtype(number: Any, dtype: np.dtype[Any]) -> NDArray[Any]:
    """A number in a dtype, around the corner where it is too large, as in PyTorch."""
    with np.errstate(all="ignore"):
        return np.asarray(raw(number)).astype(dtype)


def asked(shape: tuple[Any, ...], size: Any) -> tuple[int, ...]:
    """The sizes, given as `zeros(2, 3)`, `zeros((2, 3))` or `zeros(size=(2, 3))`."""
    return sizes(shape if size is None else (size,))


def arange(
    start: Any,
    end: Any = None,
    step: Any = 1,
    *,
    out: Tensor | None = None,
    dtype: DType = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """start, start + step, … below end (from 0 where only one number is given); int64 where all
    three are whole, unless `dtype` says otherwise.

    Raises:
        RuntimeError: steps that do not lead from start to end.
    """
    low, high = (0, start) if end is None else (start, end)
    low, high, step = (x.item() if isinstance(x, Tensor) else x for x in (low, high, step))
    if dtype is not None and as_dtype(dtype) == int64:  # PyTorch counts in whole numbers
        low, high, step = int(low), int(high), int(step)
    if not step or (high - low) * step < 0:
        raise RuntimeError(f"arange: steps of {step} do not lead from {low} to {high}")
    array = np.arange(low, high, step)
    if dtype is not None and as_dtype(dtype).kind in "iu":  # counted as given, but whole steps
        array = int(low) + int(step) * np.arange(array.size)
    if dtype is not None or array.dtype == float64:
        array = array.astype(kind(dtype))
    return made(array, requires_grad, device, out)


def linspace(
    start: Any,
    end: Any,
    steps: int,
    *,
    out: Tensor | None = None,
    dtype: DType = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` numbers from start to end, both included, evenly apart."""
    if steps < 0:
        raise RuntimeError(f"linspace: {steps} steps are fewer than none")
    low, high = (x.item() if isinstance(x, Tensor) else x for x in (start, end))
    if kind(dtype).kind in "iu":
        low, high = int(low), int(high)
    i, step = np.arange(steps), (high - low) / max(steps - 1, 1)  # from the nearer end, as PyTorch
    array = np.where(i < steps // 2, low + step * i, high - step * (steps - 1 - i))
    array = array if steps > 1 else np.full(steps, low)
    return made(array.astype(kind(dtype)), requires_grad, device, out)


def logspace(
    start: Any,
    end: Any,
    steps: int,
    base: float = 10.0,
    *,
    out: Tensor | None = None,
    dtype: DType = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """base ** start to base ** end, the exponents evenly apart."""
    low, high = (x.item() if isinstance(x, Tensor) else x for x in (start, end))
    array = np.logspace(low, high, steps, base=base).astype(kind(dtype))
    return made(array, requires_grad, device, out)


def eye(
    n: int,
    m: int | None = None,
    *,
    out: Tensor | None = None,
    dtype: DType = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Ones on the diagonal of an (n, m) matrix, zeros elsewhere; m is n unless given."""
    if n < 0 or (m is not None and m < 0):
        raise RuntimeError(f"eye: the sizes {n}, {m} may not be negative")
    return made(np.eye(n, m, dtype=kind(dtype)), requires_grad, device, out)


def full_like(
    input: Tensor,
    fill_value: float,
    *,
    dtype: DType = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """A tensor of one value, of the shape and dtype of `input`."""
    value = in_dtype(fill_value, input.dtype if dtype is None else as_dtype(dtype))
    array = np.full(input.array.shape, value)
    return made(array, requires_grad, device)


def zeros_like(
    input: Tensor,
    *,
    dtype: DType = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    return full_like(input, 0, dtype=dtype, device=device, requires_grad=requires_grad)


def ones_like(
    input: Tensor,
    *,
    dtype: DType = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    return full_like(input, 1, dtype=dtype, device=device, requires_grad=requires_grad)


def empty_like(
    input: Tensor,
    *,
    dtype: DType = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    array = np.empty(input.array.shape, input.dtype if dtype is None else kind(dtype))
    return made(array, requires_grad, device)
