"""exp and log in plain arithmetic: the distance to the correctly rounded value, in ulps."""

import os
import re

import numpy as np
import pytest
from numba import njit

from tinygrad_hw import kernels
from tinygrad_hw.kernels import loops

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
PATTERNS = 1 << 32  # of 32 bits
CHUNK = 1 << 22


def ulps(y, true):
    """How many floats y is from `true` rounded to y's dtype; NaN must answer NaN. Both >= 0."""
    bits = np.dtype(f"i{y.itemsize}")
    with np.errstate(over="ignore", under="ignore"):
        true = true.astype(y.dtype)
    np.testing.assert_array_equal(np.isnan(y), np.isnan(true))
    apart = np.abs(y.view(bits) - true.view(bits))
    return int(apart[~np.isnan(y)].max(initial=0))


def worst_float32(patterns):
    x = patterns.astype(np.uint32).view(np.float32)
    with np.errstate(all="ignore"):
        true = np.exp(x.astype(np.float64))
    return ulps(kernels.exp(x), true)


def test_exp_of_every_float32():
    """All 2**32 patterns in the thorough profile; in the quick one every 997th, and whole runs
    around each change of regime: 0, the subnormal results, underflow, overflow, inf, the NaNs."""
    if THOROUGH:
        worst = max(
            worst_float32(np.arange(start, start + CHUNK)) for start in range(0, PATTERNS, CHUNK)
        )
    else:
        edges = np.float32([0, -0.0, 1, -1, 88.72284, -87.33655, -103.97208, 40, -40, 89, -104])
        centres = np.append(edges, np.float32([np.inf, -np.inf, np.nan, -np.nan])).view(np.uint32)
        runs = centres.astype(np.int64)[:, None] + np.arange(-2000, 2000)
        patterns = np.concatenate([runs.ravel() % PATTERNS, np.arange(0, PATTERNS, 997)])
        worst = worst_float32(patterns)
    assert worst <= 2


def test_exp_of_float64():
    if np.finfo(np.longdouble).nmant < 63:
        pytest.fail("this test wants a long double that is longer than double, as on x86")
    rng = np.random.default_rng(0)
    x = np.concatenate(
        [
            rng.uniform(-746, 710, 200_000),
            rng.uniform(-1, 1, 100_000) * 10.0 ** rng.integers(-20, 0, 100_000),
            rng.uniform(-745.2, -708, 50_000),  # subnormal results
            [709.782712893384, 709.7827128933841, 710, 1e4, 1.7e308, np.inf, np.nan],
            [-745.1332191019411, -745.1332191019412, -746, -1e4, -1.7e308, -np.inf, 0.0, -0.0],
        ]
    )
    with np.errstate(all="ignore"):
        true = np.exp(x.astype(np.longdouble))
    assert ulps(kernels.exp(x), true) <= 2


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_calm_exp_is_exp(dtype):
    """The shorter form, on its whole range, gives the same bits."""
    x = np.linspace(-loops.CALM, loops.CALM, 100_001).astype(dtype)
    calm = apply(loops.calm_exp32 if dtype is np.float32 else loops.calm_exp64, x)
    np.testing.assert_array_equal(calm, kernels.exp(x))


def test_log_of_totals():
    rng = np.random.default_rng(0)
    x = np.concatenate(
        [
            rng.uniform(1, 60_000, 100_000),
            1 + rng.uniform(0, 1, 100_000) * 10.0 ** rng.integers(-16, 0, 100_000),
            10.0 ** rng.uniform(0, 300, 10_000),
            np.nextafter(np.sqrt(2), [0, 9]),
        ]
    )
    assert ulps(apply(loops.log64, x), np.log(x.astype(np.longdouble))) <= 2
    special = apply(loops.log64, np.array([0.0, 1.0, np.inf, np.nan]))
    np.testing.assert_array_equal(special, [-np.inf, 0.0, np.inf, np.nan])


@pytest.mark.parametrize(("dtype", "lanes"), [(np.float32, "float"), (np.float64, "double")])
def test_exp_vectorizes(dtype, lanes):
    x = np.linspace(-1, 1, 64).astype(dtype)
    anew = njit(loops.exp_all.py_func, error_model="numpy")
    anew(x, np.empty_like(x))
    code = anew.inspect_llvm(anew.signatures[0])
    assert re.search(rf"fmul[a-z ]* <\d+ x {lanes}>", code)


def apply(function, x):
    """The compiled scalar function on each element."""

    @njit
    def each(x, out):
        for i in range(x.size):
            out[i] = function(x[i])

    out = np.empty_like(x)
    each(x, out)
    return out
