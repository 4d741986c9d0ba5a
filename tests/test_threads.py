"""One setting for the threads of the kernels and of NumPy's BLAS; no result depends on it."""

import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import tinygrad_hw as th
from tinygrad_hw import kernels, threads
from tinygrad_hw.kernels import products, rows
from tinygrad_hw.threads import openblas


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch):
    find = openblas()
    before = find and find("get_num_threads")()
    monkeypatch.setattr(rows, "limit", rows.limit)
    yield
    if find:
        find("set_num_threads")(before)


@pytest.mark.skipif(openblas() is None, reason="NumPy has no OpenBLAS of its own")
@pytest.mark.parametrize("n", [1, 2])
def test_kernels_and_blas_have_one_setting(n):
    th.set_num_threads(n)
    assert th.get_num_threads() == n
    assert openblas()("get_num_threads")() == n


def test_rows_are_cut_for_as_many_threads_as_were_set():
    for n in (1, 3):
        th.set_num_threads(n)
        who = rows.over_rows(lambda part: threading.get_ident(), 8, 8 * rows.THREAD)
        assert len(who) == n


def test_an_error_waits_for_the_other_threads():
    """They write to arrays of the caller's."""
    ended = []

    def work(part):
        if part.start == 0:
            raise ValueError("of the first part")
        time.sleep(0.1)
        ended.append(part)

    th.set_num_threads(3)
    with pytest.raises(ValueError, match="of the first part"):
        rows.over_rows(work, 3, 3 * rows.THREAD)
    assert len(ended) == 2


@pytest.mark.parametrize("n", [0, -1])
def test_no_threads_are_refused(n):
    with pytest.raises(RuntimeError, match=f"not {n}"):
        th.set_num_threads(n)


@pytest.mark.parametrize("n", [1.5, "2", True, None])
def test_a_number_of_threads_is_an_integer(n):
    with pytest.raises(TypeError, match=type(n).__name__):
        th.set_num_threads(n)


def test_another_blas_keeps_its_threads_and_this_is_said(monkeypatch):
    monkeypatch.setattr(threads, "openblas", lambda: None)
    with pytest.warns(RuntimeWarning, match="OPENBLAS_NUM_THREADS"):
        th.set_num_threads(2)
    assert th.get_num_threads() == 2


def test_unless_set_the_environment_counts(monkeypatch):
    monkeypatch.setattr(rows, "limit", None)
    monkeypatch.setenv("NUMBA_NUM_THREADS", "5")
    assert th.get_num_threads() == 5
    monkeypatch.delenv("NUMBA_NUM_THREADS")
    assert th.get_num_threads() >= 1


@pytest.mark.parametrize("n", [7, 1024, 1025, 5000])
def test_loops_do_not_depend_on_the_threads(monkeypatch, n):
    loop = products.Loop("linear_grad", "product_loops")  # BLAS may add in another order
    monkeypatch.setattr(products, "LINEAR_GRAD", loop)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 30)).astype(np.float32)
    w = rng.normal(size=(10, 30)).astype(np.float32)
    g = rng.normal(size=(n, 10)).astype(np.float32)
    pixels = rng.integers(0, 256, (500, 30), np.uint8)
    index = rng.integers(-500, 500, n)

    def results():
        found = kernels.linear(x, w), kernels.linear_grad(g, x), kernels.take_pixels(pixels, index)
        return [y.tobytes() for y in found]

    alone = results()
    monkeypatch.setattr(rows, "THREAD", 100)
    for count in (1, 2, 3, 8):
        th.set_num_threads(count)
        assert results() == alone
    np.testing.assert_allclose(kernels.linear_grad(g, x), g.T @ x, rtol=1e-4, atol=1e-3)
    scaled = pixels[index] / np.float32(255)
    np.testing.assert_array_equal(kernels.take_pixels(pixels, index), scaled)
    index[n // 2] = 500
    with pytest.raises(IndexError, match="row 500 "):
        kernels.take_pixels(pixels, index)


def test_bytes_that_cannot_be_written_are_gathered_by_the_kernel(tmp_path, monkeypatch):
    loop = kernels.products.TAKE_PIXELS[np.dtype(np.float32)]
    if loop is None:
        pytest.skip("Numba cannot be used here")
    calls = []

    def counted(*args):
        calls.append(args)
        return loop(*args)

    monkeypatch.setitem(kernels.products.TAKE_PIXELS, np.dtype(np.float32), counted)
    whole = np.random.default_rng(0).integers(0, 256, (50, 12), np.uint8)
    whole.tofile(tmp_path / "pixels")
    for pixels in (
        np.memmap(tmp_path / "pixels", np.uint8, "r", shape=whole.shape),
        np.frombuffer(whole.tobytes(), np.uint8).reshape(whole.shape),
    ):
        index = np.array([3, 3, 49, -1, 0])
        found = kernels.take_pixels(pixels, index)
        np.testing.assert_array_equal(found, whole[index] / np.float32(255))
    assert len(calls) == 2


FORKS = """
import os
import numpy as np
import tinygrad_hw as th
from tinygrad_hw import kernels
th.set_num_threads(3)
x = np.ones((400_000, 10), np.float32)
y = kernels.softmax(x)
child = os.fork()
assert (kernels.softmax(x) == y).all()
if not child:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_starts_threads_of_its_own():
    command = [sys.executable, "-W", "ignore", "-c", FORKS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
