"""The loops of functions that NumPy does not have.

Importing this module imports Numba; `jit.Loop` does, on first use.
"""

from __future__ import annotations

import math

from tinygrad_hw.kernels.loops import Column, compiled


@compiled
def erf_all(x: Column, out: Column) -> None:
    for i in range(x.size):
        out[i] = math.erf(x[i])
