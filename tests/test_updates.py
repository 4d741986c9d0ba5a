"""The steps of SGD and Adam in place, by loops and by NumPy, against their formulas in float64."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_hw.kernels import updates

LAYOUTS = st.sampled_from(["C", "F", "strided"])
DTYPES = st.sampled_from([np.float32, np.float64, np.float16])
SHARES = st.sampled_from([0.0, 0.3, 0.9, 0.999])
SHAPES = st.sampled_from([(), (1,), (7,), (3, 5), (2, 3, 4), (0, 3)])


def like(x, layout, dtype):
    """x in memory of some layout."""
    if layout == "strided" and x.ndim:
        return np.repeat(x.astype(dtype), 2, axis=-1)[..., ::2]
    return np.array(x, dtype, order="F" if layout == "F" else "C")


def drawn(seed, shape, layout, dtype, n):
    rng = np.random.default_rng(seed)
    return [like(rng.normal(size=shape), layout, dtype) for _ in range(n)]


def assert_step(found, expected, dtype):
    """Every array to a few roundings of the sizes that meet in it, which are near 1."""
    for got, want in zip(found, expected, strict=True):
        assert got.dtype == dtype
        np.testing.assert_allclose(got, want, rtol=1e-6, atol=30 * np.finfo(dtype).eps)


@given(st.integers(0, 99), SHAPES, LAYOUTS, DTYPES, st.sampled_from([0.0, 0.1]))
def test_sgd(seed, shape, layout, dtype, decay):
    p, g = drawn(seed, shape, layout, dtype, 2)
    x, d = p.astype(np.float64), g.astype(np.float64)
    before = g.copy()
    updates.sgd(p, g, lr=0.3, decay=decay)
    assert_step([p], [x - 0.3 * (d + decay * x)], dtype)
    np.testing.assert_array_equal(g, before)


@given(
    st.integers(0, 99), SHAPES, LAYOUTS, DTYPES, st.sampled_from([0.0, 0.1]), SHARES, SHARES,
    st.booleans(),
)  # fmt: skip
def test_sgd_with_momentum(seed, shape, layout, dtype, decay, momentum, fresh, nesterov):
    p, g, v = drawn(seed, shape, layout, dtype, 3)
    x, d, w = (a.astype(np.float64) for a in (p, g, v))
    updates.sgd_momentum(
        p, g, v, lr=0.3, decay=decay, momentum=momentum, fresh=fresh, nesterov=nesterov
    )
    d = d + decay * x
    w = momentum * w + fresh * d
    assert_step([p, v], [x - 0.3 * (d + momentum * w if nesterov else w), w], dtype)


@given(
    st.integers(0, 99), SHAPES, LAYOUTS, st.sampled_from([np.float32, np.float64]),
    st.sampled_from([0.0, 0.1]), SHARES, SHARES, st.booleans(), st.sampled_from([1.0, 0.9]),
)  # fmt: skip
def test_adam(seed, shape, layout, dtype, decay, beta1, beta2, amsgrad, shrink):
    p, g, m, v, top = drawn(seed, shape, layout, dtype, 5)
    v, top = np.abs(v, out=v), np.abs(top, out=top)
    x, d, m64, v64, top64 = (a.astype(np.float64) for a in (p, g, m, v, top))
    updates.adam(
        p, g, m, v, top if amsgrad else None, rate=0.05, shrink=shrink, decay=decay, beta1=beta1,
        beta2=beta2, root=0.7, eps=0.5,
    )  # fmt: skip
    x = shrink * x
    d = d + decay * x
    m64 = beta1 * m64 + (1 - beta1) * d
    v64 = beta2 * v64 + (1 - beta2) * d**2
    if amsgrad:
        top64 = np.maximum(top64, v64)
    x = x - 0.05 * m64 / (np.sqrt(top64 if amsgrad else v64) / 0.7 + 0.5)
    assert_step([p, m, v, top], [x, m64, v64, top64], dtype)


@pytest.mark.parametrize("kind", ["gradient", "state"])
def test_a_nan_reaches_the_parameter_and_an_infinity_stays_what_it_was(kind):
    p, g, m = np.array([np.inf, 1.0, 2.0]), np.array([1.0, 1.0, 1.0]), np.zeros(3)
    (g if kind == "gradient" else m)[1] = np.nan
    updates.sgd_momentum(p, g, m, lr=0.1, decay=0, momentum=0.9, fresh=1, nesterov=False)
    np.testing.assert_array_equal(p, [np.inf, np.nan, 1.9])


def test_the_loops_run_where_numba_is():
    calls = []
    p = np.ones((3, 4), np.float32)
    for loop in (updates.SGD, updates.SGD_MOMENTUM, updates.ADAM):
        assert loop[p.dtype] is not None
    assert updates.ran(lambda *given: calls.append(given), (p, p), 0.5)
    assert calls[0][0].shape == (12,)
    assert np.shares_memory(calls[0][0], p)
    assert not updates.ran(lambda *given: calls.append(given), (p, p.T), 0.5)
    assert len(calls) == 1
