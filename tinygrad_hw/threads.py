"""How many threads compute: one setting for the kernels' rows and for NumPy's BLAS.

The two never compute at once, so that they may have the same number. The OpenBLAS that NumPy's
wheels carry is set by its own functions; of any other BLAS the threads are set by its environment
variable before Python starts.
"""

from __future__ import annotations

import ctypes
import warnings
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_hw.kernels import rows

LIBRARIES = ("numpy.libs", "numpy/.dylibs")  # beside and in the package, on Linux or Windows, macOS
SYMBOLS = ("scipy_openblas_{}64_", "scipy_openblas_{}", "openblas_{}64_", "openblas_{}")


@cache
def openblas() -> Callable[[str], Any] | None:
    """Finds a function of NumPy's OpenBLAS by its name; None where NumPy has another BLAS."""
    for folder in LIBRARIES:
        for path in (Path(np.__file__).parents[1] / folder).glob("*openblas*"):
            library = ctypes.CDLL(str(path))  # loaded already: this is another hold of it
            for symbol in SYMBOLS:
                if hasattr(library, symbol.format("set_num_threads")):
                    return partial(function, library, symbol)
    return None


def function(library: Any, symbol: str, name: str) -> Any:
    return getattr(library, symbol.format(name))


def set_num_threads(n: int) -> None:
    """Let kernels and products of matrices use up to `n` threads each; small ones use one anyway.

    Raises:
        TypeError: `n` is no integer.
        RuntimeError: `n` is not positive.

    Warns:
        RuntimeWarning: NumPy has a BLAS that cannot be set while it runs.

    >>> import tinygrad_hw as th
    >>> before = th.get_num_threads()
    >>> th.set_num_threads(1)
    >>> th.get_num_threads()
    1
    >>> th.set_num_threads(before)
    """
    if not isinstance(n, int) or isinstance(n, bool):
        raise TypeError(f"set_num_threads takes an integer, not {type(n).__name__}")
    if n < 1:
        raise RuntimeError(f"set_num_threads takes a positive number of threads, not {n}")
    rows.limit = n
    find = openblas()
    if find:
        find("set_num_threads")(ctypes.c_int(n))
    else:
        warnings.warn(
            "NumPy's BLAS is no OpenBLAS of its own, and keeps its threads: set its environment "
            "variable (OPENBLAS_NUM_THREADS, MKL_NUM_THREADS or VECLIB_MAXIMUM_THREADS) before "
            "Python starts.",
            RuntimeWarning,
            stacklevel=2,
        )


def get_num_threads() -> int:
    """How many threads a large kernel may use: what was set, or else NUMBA_NUM_THREADS or the
    number of cores that this process may run on."""
    return rows.threads()
