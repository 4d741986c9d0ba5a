"""Which code runs a kernel: a compiled loop, or NumPy."""

from __future__ import annotations

import threading
from collections.abc import Callable
from importlib import import_module
from itertools import product
from pickle import UnpicklingError
from typing import Any

import numpy as np

COMPILED_DTYPES = np.dtype(np.float32), np.dtype(np.float64)
ONE_AT_A_TIME = threading.RLock()  # two threads may meet at a loop's first call


class Loop(dict[np.dtype[Any], Callable[..., Any] | None]):
    """For each dtype the loop of this name, compiled on first use, or None where NumPy serves.

    NumPy serves the dtypes that the loops do not know; all of them under NUMBA_DISABLE_JIT=1, where
    Numba cannot be imported, and on a processor with the feature `unless`; and where Numba can
    write to no cache folder, as each process would then spend seconds on compiling again.

    A loop is compiled for plain arrays alone: C-contiguous, aligned, writable (but for bytes, which
    may be a file mapped for reading). Handed any others it raises TypeError, so that Numba's own
    dispatch, which a call pays for anyway, is the check.
    """

    def __init__(self, name: str, module: str = "loops", unless: str = "") -> None:
        self.name, self.module, self.unless = name, module, unless

    def __missing__(self, dtype: np.dtype[Any]) -> Callable[..., Any] | None:
        with ONE_AT_A_TIME:
            loop = self[dtype] = self.compiled(dtype) if dtype in COMPILED_DTYPES else None
        return loop

    def compiled(self, dtype: np.dtype[Any]) -> Callable[..., Any] | None:
        try:
            from numba import from_dtype, types

            if numba_config().DISABLE_JIT or self.unless in set_features():
                return None
            loops = import_module(f"tinygrad_hw.kernels.{self.module}")
            real = from_dtype(dtype)
            forms: dict[str, list[Any]] = {
                "Rows": [types.Array(real, 2, "C")],
                "Column": [types.Array(real, 1, "C")],
                "Totals": [types.Array(types.float64, 1, "C")],
                "Labels": [types.Array(types.int64, 1, "C")],
                "Bytes": [types.Array(types.uint8, 2, "C", readonly=r) for r in (False, True)],
                "int": [types.int64],
                "float": [types.float64],
            }
            loop: Any = getattr(loops, self.name)
            arguments = {k: form for k, form in loop.__annotations__.items() if k != "return"}
            loop.disable_compile(False)
            for signature in product(*[forms[form] for form in arguments.values()]):
                loop.compile(signature)
            loop.disable_compile()
        except (ImportError, OSError, EOFError, UnpicklingError):
            return None  # no Numba; a cache on a full disk, or damaged
        except RuntimeError as error:
            if "cannot cache function" in str(error):
                return None
            raise
        compiled: Callable[..., Any] = loop
        return compiled


def set_features() -> set[str]:
    """What this processor can do, in LLVM's words."""
    from llvmlite.binding import get_host_cpu_features

    return {name for name, there in get_host_cpu_features().items() if there}


def numba_config() -> Any:
    """Numba's settings (which it defines at run time, out of sight of its types)."""
    from numba import config

    return config
