"""How tensors print: as PyTorch prints them, the dtype without its prefix."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_hw.dtypes import bool_, float32, int64

THRESHOLD, EDGE, WIDTH, DIGITS = 1000, 3, 80, 4


def tensor_repr(tensor: Any) -> str:
    array = tensor.array
    suffixes = []
    if array.dtype not in ((float32, int64, bool_) if array.size else (float32,)):
        suffixes.append(f"dtype={array.dtype.name}")
    if tensor.node is not None:
        suffixes.append(f"grad_fn=<{tensor.node.name()}>")
    elif tensor.tracked:
        suffixes.append("requires_grad=True")
    if not array.size:
        shape = "" if array.ndim == 1 else f", size={array.shape}"
        return ", ".join([f"tensor([]{shape}", *suffixes]) + ")"
    return ", ".join([f"tensor({elements(array)}", *suffixes]) + ")"


def elements(array: NDArray[Any]) -> str:
    text = np.array2string(
        array,
        separator=", ",
        prefix="tensor(",
        max_line_width=WIDTH,
        threshold=THRESHOLD,
        edgeitems=EDGE,
        formatter={"all": formatter(shown(array))},
    )
    return text.replace(", ..., ", ",  ..., ")


def shown(array: NDArray[Any]) -> NDArray[Any]:
    """The elements that are printed: the edges, where there are too many."""
    if array.size > THRESHOLD:
        for axis, n in enumerate(array.shape):
            if n > 2 * EDGE:
                array = array.take([*range(EDGE), *range(n - EDGE, n)], axis=axis)
    return array


def formatter(array: NDArray[Any]) -> Any:
    """One format for all elements: whole numbers, four decimals, or powers of ten."""
    if array.dtype.kind != "f":
        width = max(len(str(v)) for v in array.flat)
        return lambda v: str(v).rjust(width)
    wide = array.astype(np.float64)
    magnitudes = np.abs(wide[np.isfinite(wide) & (wide != 0)])
    whole = bool((magnitudes == np.ceil(magnitudes)).all())
    form = f".{DIGITS}f"
    if whole:
        form = ".0f"
    if magnitudes.size:
        low, high = magnitudes.min(), magnitudes.max()
        if high / low > 1000 or high > 1e8 or (not whole and low < 1e-4):
            form, whole = f".{DIGITS}e", False

    def one(v: Any) -> str:
        return format(float(v), form) + ("." if whole and np.isfinite(v) else "")

    width = max(len(one(v)) for v in wide.flat) if wide.ndim else 0
    return lambda v: one(v).rjust(width)
