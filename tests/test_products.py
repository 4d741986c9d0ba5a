"""The loops of a thin layer against NumPy in float64, on every shape and kind of array."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_hw as th
from tinygrad_hw import kernels
from tinygrad_hw.kernels import products

LOOP = products.Loop("linear_grad", "product_loops")  # on every processor


@pytest.fixture(autouse=True, params=["loop", "as here"])
def _gradient(request, monkeypatch):
    """The loop of the gradient, and what serves on this processor."""
    if request.param == "loop":
        monkeypatch.setattr(products, "LINEAR_GRAD", LOOP)


SIZES = {"n": st.integers(0, 11), "d": st.integers(0, 40), "c": st.integers(1, 18)}
KINDS = st.sampled_from(["plain", "transposed", "strided", "reversed", "read-only"])
DTYPES = st.sampled_from([np.float32, np.float64])


def drawn(rng, shape, kind, dtype):
    """The same sort of numbers in every sort of memory."""
    x = rng.normal(size=shape).astype(dtype)
    if kind == "transposed":
        return np.asfortranarray(x)
    if kind == "strided":
        return np.repeat(x, 2, axis=1)[:, ::2]
    if kind == "reversed":
        return x[::-1]
    x.flags.writeable = kind != "read-only"
    return x


def assert_product(got, a, b, dtype):
    """Each entry to 4 ulp of the sum of its terms' sizes: sums may be taken in any order."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    bound = 4 * np.finfo(dtype).eps * (np.abs(a) @ np.abs(b))
    assert got.dtype == dtype
    assert got.shape == bound.shape
    assert (np.abs(got - a @ b) <= bound).all()


@given(**SIZES, kinds=st.tuples(KINDS, KINDS), dtype=DTYPES, seed=st.integers(0, 2**32 - 1))
def test_linear_and_its_gradient(n, d, c, kinds, dtype, seed):
    rng = np.random.default_rng(seed)
    x, w = drawn(rng, (n, d), kinds[0], dtype), drawn(rng, (c, d), kinds[1], dtype)
    g, bias = drawn(rng, (n, c), kinds[1], dtype), rng.normal(size=c).astype(dtype)
    assert_product(kernels.linear(x, w), x, w.T, dtype)
    with_one, with_bias = np.c_[x, np.ones(n, dtype)], np.c_[w, bias]
    assert_product(kernels.linear(x, w, bias), with_one, with_bias.T, dtype)
    assert_product(kernels.linear_grad(g, x), g.T, x, dtype)
    assert_product(kernels.sum_of_rows(x), np.ones(n, dtype), x, dtype)


@pytest.mark.parametrize("dtype", [np.float16, np.complex128, np.int64])
def test_rows_of_other_dtypes_and_shapes_are_summed_by_numpy(dtype):
    x = np.arange(24).reshape(2, 3, 4).astype(dtype)
    for rows in (x, x[0], x[0, 0]):
        np.testing.assert_array_equal(kernels.sum_of_rows(rows), rows.sum(0), strict=True)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(60_001, 10), (1024, 16), (1024, 1000), (70, 5000)])
def test_a_sum_of_rows_does_not_depend_on_the_number_of_threads(shape, dtype):
    x = np.random.default_rng(0).normal(size=shape).astype(dtype)
    before, sums = th.get_num_threads(), []
    try:
        for n in (1, 2):
            th.set_num_threads(n)
            sums.append(kernels.sum_of_rows(x))
    finally:
        th.set_num_threads(before)
    np.testing.assert_array_equal(*sums)


@pytest.mark.parametrize("n", [64, products.PART, products.PART + 1])
def test_results_are_memory_of_their_own_which_a_gradient_can_keep(n):
    x, g, w = (np.ones(shape, np.float32) for shape in ((n, 7), (n, 3), (3, 7)))
    for result in (kernels.linear(x, w), kernels.linear_grad(g, x)):
        assert result.base is None


@pytest.mark.parametrize("outputs", [3, 20])
@pytest.mark.parametrize("bias", [None, np.ones(1, np.float32)])
def test_a_layer_of_any_width_leaves_its_rows_in_order(outputs, bias):
    x, w = np.ones((5, 7), np.float32), np.ones((outputs, 7), np.float32)
    b = bias if bias is None else bias.repeat(outputs)
    assert kernels.linear(x, w, b).flags.c_contiguous


def test_infinities_and_nans_stay_where_they_are():
    x = np.ones((7, 3))
    x[2, 1], x[6, 0] = np.inf, np.nan
    w = np.arange(1.0, 16).reshape(5, 3)
    g = np.ones((7, 5))
    with np.errstate(invalid="ignore"):  # some BLAS kernels raise the flag for the nan that went in
        of_w, of_g = x @ w.T, g.T @ x
        np.testing.assert_array_equal(kernels.linear(x, w), of_w)
        np.testing.assert_array_equal(kernels.linear_grad(g, x), of_g)


def test_a_row_does_not_depend_on_its_neighbours():
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(9, 50)), rng.normal(size=(7, 50))
    whole = kernels.linear(x, w)
    for i in range(9):
        np.testing.assert_array_equal(kernels.linear(x[i : i + 2], w)[0], whole[i])


@pytest.mark.parametrize("shapes", [((2, 3), (4, 5)), ((2, 3), (4,)), ((3,), (2, 4)), ((2, 3), ())])
def test_shapes_that_do_not_fit_are_numpys_to_refuse(shapes):
    x, w = (np.ones(s) for s in shapes)
    with pytest.raises(ValueError, match="matmul"):
        kernels.linear(x, w)


def test_two_dtypes_are_not_mixed_up():
    x, w = np.ones((2, 3), np.float32), np.full((4, 3), 0.1)
    np.testing.assert_array_equal(kernels.linear(x, w), x @ w.T)


@given(st.lists(st.integers(-6, 5)), KINDS)
def test_take_pixels(index, kind):
    x = np.arange(0, 240, 2, dtype=np.uint8).reshape(6, 20)
    x = drawn(np.random.default_rng(0), x.shape, kind, float).astype(np.uint8, order="K") | x
    index = np.array(index, np.int64)
    got = kernels.take_pixels(x, index)
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, x[index] / np.float32(255))


def test_every_byte_is_divided_exactly():
    every = np.arange(256, dtype=np.uint8)[None]
    np.testing.assert_array_equal(
        kernels.take_pixels(every, np.zeros(1, np.int64)), every / np.float32(255)
    )


@pytest.mark.parametrize("row", [6, -7])
def test_take_pixels_refuses_rows_that_are_not_there(row):
    with pytest.raises(IndexError, match=f"{row}.*6"):
        kernels.take_pixels(np.zeros((6, 2), np.uint8), np.array([0, row]))


def test_the_loops_run_where_numba_is():
    """A fall back to NumPy by accident would pass every test above."""
    x = np.ones((8, 3), np.float32)
    kernels.linear(x, x[:4])
    kernels.linear_grad(x, x)
    kernels.take_pixels(np.zeros((2, 2), np.uint8), np.array([0]))
    for loop in (products.LINEAR, LOOP, products.TAKE_PIXELS):
        assert loop[x.dtype] is not None


FIRST_CALLS = """
import threading
import numpy as np
from tinygrad_hw import kernels
failures = []
def work():
    try:
        x, labels = np.ones((50, 4), np.float32), np.zeros(50, np.int64)
        kernels.cross_entropy(x, labels)
        kernels.cross_entropy_grad(1.0, x, labels)
        kernels.linear(x, x[:3])
    except BaseException as error:
        failures.append(error)
threads = [threading.Thread(target=work) for _ in range(8)]
for t in threads: t.start()
for t in threads: t.join()
assert not failures, failures
"""


def test_threads_may_meet_at_the_first_call():
    subprocess.run([sys.executable, "-c", FIRST_CALLS], check=True)
