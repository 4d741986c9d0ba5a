"""Names of element types, NumPy's dtypes under PyTorch's names, and the dtype in which two meet."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np

DType: TypeAlias = Any  # a dtype, or whatever np.dtype() takes

float16, float32, float64 = np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.float64)
int8, int16, int32, int64 = (np.dtype(t) for t in (np.int8, np.int16, np.int32, np.int64))
uint8 = np.dtype(np.uint8)
bool_ = np.dtype(np.bool_)
half, float_, double, short, int_, long = float16, float32, float64, int16, int32, int64

PYTHON = {float: float64, int: int64, bool: bool_}
KINDS = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}  # a higher kind wins over a lower one
NUMBERS = {bool: 0, int: 1, float: 2, complex: 3}


class Default:
    """What Python's floats become; there is one, as in PyTorch, for the whole process."""

    dtype = float32


def get_default_dtype() -> np.dtype[Any]:
    """The dtype of factories such as `th.zeros`, of Python floats, and of integers divided."""
    return Default.dtype


def set_default_dtype(d: DType) -> None:
    """Let `get_default_dtype()` be `d`, a floating-point dtype.

    Raises:
        TypeError: a dtype that is not floating-point.
    """
    dtype = as_dtype(d)
    if dtype.kind != "f":
        raise TypeError(f"the default dtype is a floating-point one, not {dtype}")
    Default.dtype = dtype


def as_dtype(dtype: DType) -> np.dtype[Any]:
    """A NumPy dtype; Python's `float` means float64, as in PyTorch and NumPy.

    Raises:
        TypeError: what tensors do not hold.
    """
    found = PYTHON.get(dtype) if isinstance(dtype, type) else None
    result = np.dtype(dtype) if found is None else found
    if result.kind not in "fiub":
        raise TypeError(f"tensors hold floats, integers and booleans, not {result}")
    return result


def of_number(kind: type) -> np.dtype[Any]:
    """The dtype of Python's numbers of a kind."""
    return (bool_, int64, Default.dtype, np.dtype(complex))[NUMBERS[kind]]


def promote_types(type1: DType, type2: DType) -> np.dtype[Any]:
    """The dtype in which arrays of two dtypes meet: as NumPy's, but an integer beside a float
    takes the float's, however wide the integer is."""
    a, b = np.dtype(type1), np.dtype(type2)
    if KINDS[a.kind] == KINDS[b.kind] or "c" in (a.kind, b.kind):
        return np.promote_types(a, b)
    return a if KINDS[a.kind] > KINDS[b.kind] else b


def common_dtype(arrays: Iterable[Any], numbers: Iterable[Any] = ()) -> np.dtype[Any]:
    """The dtype in which arrays and Python numbers meet, as in PyTorch.

    Arrays decide; 0-d arrays only where they are of a higher kind (bool < integer < float), and
    Python numbers only where they are of a higher kind still: `int64 (3,) + float64 ()` is
    float64, but `float32 (3,) + float64 ()` is float32, and so is `int64 (3,) + 1.5`.
    """
    dtypes: tuple[list[np.dtype[Any]], list[np.dtype[Any]]] = ([], [])
    for a in arrays:
        dtypes[a.ndim == 0].append(a.dtype)
    of_numbers = [of_number(type(n)) for n in numbers]
    found: np.dtype[Any] | None = None
    for group in (*dtypes, of_numbers):
        if not group:
            continue
        lower = functools.reduce(promote_types, group)
        if found is None:
            found = lower
        elif KINDS[lower.kind] > KINDS[found.kind]:
            found = promote_types(found, lower)
    return Default.dtype if found is None else found


def can_cast(from_: DType, to: DType) -> bool:
    """Whether elements may be written to an array of another dtype: one of no lower kind."""
    return KINDS[np.dtype(from_).kind] <= KINDS[np.dtype(to).kind]


def result_type(*values: Any) -> np.dtype[Any]:
    """The dtype in which tensors, arrays and Python numbers meet."""
    found = [getattr(v, "array", v) for v in values]
    numbers = [v for v in found if type(v) in NUMBERS]
    return common_dtype([np.asarray(v) for v in found if type(v) not in NUMBERS], numbers)


def promoted(inputs: Sequence[Any]) -> list[Any]:
    """The inputs of an op, arrays in their common dtype; numbers as they are, for NumPy's own
    arithmetic takes them as weak."""
    arrays = [a for a in inputs if isinstance(a, np.ndarray)]
    dtype = common_dtype(arrays, [a for a in inputs if type(a) in NUMBERS])
    return [a.astype(dtype, copy=False) if isinstance(a, np.ndarray) else a for a in inputs]
