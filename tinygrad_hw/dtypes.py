"""Names of element types: NumPy's dtypes under PyTorch's names."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

DType: TypeAlias = Any  # a dtype, or whatever np.dtype() takes

float16, float32, float64 = np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.float64)
int8, int16, int32, int64 = (np.dtype(t) for t in (np.int8, np.int16, np.int32, np.int64))
uint8 = np.dtype(np.uint8)
bool_ = np.dtype(np.bool_)
half, float_, double, short, int_, long = float16, float32, float64, int16, int32, int64

PYTHON = {float: float32, int: int64, bool: bool_}


def as_dtype(dtype: DType) -> np.dtype[Any]:
    """A NumPy dtype; Python's `float` means float32, as in PyTorch."""
    found = PYTHON.get(dtype) if isinstance(dtype, type) else None
    result = np.dtype(dtype) if found is None else found
    if result.kind not in "fiub":
        raise TypeError(f"tensors hold floats, integers and booleans, not {result}")
    return result
