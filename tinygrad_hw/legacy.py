"""Names of old scripts: the types of tensors by dtype, as `th.FloatTensor`."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_hw import dtypes
from tinygrad_hw.creation import made
from tinygrad_hw.tensor import Tensor, of_data_or_sizes


class TensorType:
    """`th.FloatTensor(data)` makes a tensor of that dtype, `th.FloatTensor(2, 3)` an uninitialized
    one of that shape; `isinstance(x, th.FloatTensor)` asks for the dtype, `x.type(…)` converts."""

    def __init__(self, name: str, dtype: np.dtype[Any]) -> None:
        self.name, self.dtype = name, dtype

    def __call__(self, *data: Any, device: Any = None) -> Tensor:
        return made(of_data_or_sizes(data, self.dtype), device=device)

    def __instancecheck__(self, value: object) -> bool:
        return isinstance(value, Tensor) and value.array.dtype == self.dtype

    def __repr__(self) -> str:
        return f"torch.{self.name}"


FloatTensor = TensorType("FloatTensor", dtypes.float32)
DoubleTensor = TensorType("DoubleTensor", dtypes.float64)
HalfTensor = TensorType("HalfTensor", dtypes.float16)
LongTensor = TensorType("LongTensor", dtypes.int64)
IntTensor = TensorType("IntTensor", dtypes.int32)
ShortTensor = TensorType("ShortTensor", dtypes.int16)
CharTensor = TensorType("CharTensor", dtypes.int8)
ByteTensor = TensorType("ByteTensor", dtypes.uint8)
BoolTensor = TensorType("BoolTensor", dtypes.bool_)
