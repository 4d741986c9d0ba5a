"""The same tensor in another dtype, or as a copy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

import numpy as np

from tinygrad_hw.device import KINDS, on_cpu
from tinygrad_hw.device import device as Device
from tinygrad_hw.dtypes import DType, as_dtype
from tinygrad_hw.rules import elementwise as ew
from tinygrad_hw.tape import Traced, wrap

if TYPE_CHECKING:
    from tinygrad_hw.tensor import Tensor


preserve_format, contiguous_format, channels_last = (
    "preserve_format",
    "contiguous_format",
    "channels_last",
)


def by_rows(memory_format: Any) -> None:
    """Refuse other layouts than rows first."""
    if memory_format not in (None, preserve_format, contiguous_format):
        raise RuntimeError(f"memory_format={memory_format} is not covered: arrays are rows first")


def clone(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """A copy, through which gradients flow."""
    by_rows(memory_format)
    return ew.clone(input)


def contiguous(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """The tensor itself where its elements lie row by row, else such a copy."""
    by_rows(memory_format)
    return input if input.array.flags.c_contiguous else ew.clone(input, order="C")


def to(
    input: Tensor,
    *targets: Any,
    dtype: DType = None,
    device: Any = None,
    non_blocking: bool = False,
    copy: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """The tensor in another dtype, or in that of another tensor; itself where it has it, unless
    `copy`. The device is the CPU.

    Raises:
        RuntimeError: another device.
    """
    by_rows(memory_format)
    flags = [target for target in targets if isinstance(target, bool)]  # non_blocking, copy
    copy = flags[1] if len(flags) > 1 else copy
    wanted = wanted_dtype(targets, dtype, device)
    dtype = input.array.dtype if wanted is None else as_dtype(wanted)
    if input.array.dtype == dtype:
        return ew.clone(input) if copy else input
    return ew.cast(input if dtype.kind == "f" else wrap(input.array), dtype=dtype)


def wanted_dtype(targets: Any, dtype: DType, device: Any) -> DType:
    """The dtype that the arguments of `to` ask for, None if none; the device has to be the CPU."""
    for target in targets:
        if isinstance(target, Traced):
            dtype = target.array.dtype
        elif is_device(target):
            device = target
        elif target is not None and not isinstance(target, bool):  # non_blocking, copy
            dtype = target
    on_cpu(device)
    return dtype


def is_device(target: Any) -> Any:
    """Whether `to(target)` asks for a device: "cpu", "cuda:0", th.device("cpu")."""
    return isinstance(target, Device) or str(target).partition(":")[0] in KINDS


def cpu(input: Tensor) -> Tensor:
    return input


def half(input: Tensor) -> Tensor:
    return to(input, np.float16)


def double(input: Tensor) -> Tensor:
    return to(input, np.float64)


def float(input: Tensor) -> Tensor:
    return to(input, np.float32)


def short(input: Tensor) -> Tensor:
    return to(input, np.int16)


def long(input: Tensor) -> Tensor:
    return to(input, np.int64)


def int(input: Tensor) -> Tensor:
    return to(input, np.int32)


def byte(input: Tensor) -> Tensor:
    return to(input, np.uint8)


def char(input: Tensor) -> Tensor:
    return to(input, np.int8)


def as_bool(input: Tensor) -> Tensor:
    return to(input, np.bool_)


def type_as(input: Tensor, other: Tensor) -> Tensor:
    return to(input, other.array.dtype)


TYPE_NAMES = {
    "float16": "Half",
    "float32": "Float",
    "float64": "Double",
    "uint8": "Byte",
    "int8": "Char",
    "int16": "Short",
    "int32": "Int",
    "int64": "Long",
    "bool": "Bool",
}


@overload
def type(input: Tensor) -> str: ...
@overload
def type(input: Tensor, dtype: Any, non_blocking: bool = False) -> Tensor: ...


def type(input: Tensor, dtype: Any = None, non_blocking: bool = False) -> Any:
    """The tensor in another dtype, also given as `th.FloatTensor` or its name; without one, the
    name of this tensor's type: "torch.FloatTensor"."""
    if dtype is None:
        return f"torch.{TYPE_NAMES[input.array.dtype.name]}Tensor"
    return to(input, of_type_name(dtype) if isinstance(dtype, str) else dtype)


def of_type_name(name: str) -> Any:
    """The dtype of "torch.FloatTensor"; any other name as it is."""
    known = {f"torch.{kind}Tensor": dtype for dtype, kind in TYPE_NAMES.items()}
    return known.get(name, name)
