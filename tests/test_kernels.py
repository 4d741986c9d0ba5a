"""The kernels against long double, against their own NumPy lines, and against PyTorch.

An ulp is the dtype's eps times the true result, or times the largest term where the result is a sum
of terms of either sign; no less than the least subnormal; and no less than 2**-52 where a total's
logarithm is part of the result, for totals are float64 in either dtype.
"""

import importlib.util
import itertools
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import STEP

from tinygrad_hw import kernels
from tinygrad_hw.kernels import jit, loops, rows

FLOATS = [np.float32, np.float64]
REDUCTIONS = ["none", "sum", "mean"]
LOOPS = [loop for loop in vars(kernels).values() if isinstance(loop, jit.Loop)]
ALONG = [kernels.softmax, kernels.log_softmax, kernels.logsumexp]


@pytest.fixture(autouse=True)
def _compiled():
    """What is tested here is the loops: Numba is in use."""
    assert kernels.SOFTMAX[np.dtype(np.float32)] is not None


def in_numpy(function, *args, **kwargs):
    """What the function gives where Numba cannot be used."""
    with pytest.MonkeyPatch.context() as patch:
        for loop in LOOPS:
            for dtype in jit.COMPILED_DTYPES:
                patch.setitem(loop, dtype, None)
        return function(*args, **kwargs)


# ------------------------------------------------------------------------------- what is drawn

SCALES = [0.0, 1e-3, 1.0, 15.0, 40.0, 100.0, 1e4, 1e30, 3e38]


@st.composite
def arrays(draw, min_dims=0, max_dims=4):
    """Of any shape, of size 0 too, in either float dtype, whole rows of it near or far apart, and
    contiguous, transposed, reversed, strided or read-only."""
    dtype = draw(st.sampled_from(FLOATS))
    shape = draw(st.lists(st.sampled_from([0, 1, 2, 3, 5, 17, 40]), min_size=0, max_size=max_dims))
    shape = (shape + [3] * min_dims)[: max(min_dims, len(shape))]
    while np.prod(shape) > 20_000:
        shape[int(np.argmax(shape))] = 2
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    layout = draw(st.sampled_from(["plain", "transposed", "reversed", "strided", "read-only"]))
    full = [2 * n for n in shape] if layout == "strided" else shape
    x = rng.uniform(-1, 1, full) * rng.choice(SCALES, size=[*full[:-1], 1][: len(full)])
    x = np.asarray(x).astype(dtype)
    if layout == "transposed":
        x = x.T
    elif layout == "reversed":
        x = x[tuple(slice(None, None, -1) for _ in full)] if full else x
    elif layout == "strided":
        x = x[tuple(slice(None, None, 2) for _ in full)]
    elif layout == "read-only":
        x.setflags(write=False)
    return x


@st.composite
def batches(draw):
    """Logits and targets, one in five of them to be ignored; small, or large enough for blocks."""
    z = draw(arrays(min_dims=2, max_dims=2))
    if draw(st.booleans()) and z.size:
        z = np.tile(z, (1 + 20_000 // z.size, 1))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    dtype = draw(st.sampled_from(["i1", "u1", "i4", "i8", "u8"]))
    ignore = draw(st.sampled_from([-100, 0, 3])) if dtype[0] == "i" else 0
    classes = z.shape[1]
    target = rng.integers(0, classes, len(z)) if classes else np.full(len(z), ignore)
    target[rng.random(len(z)) < 0.2] = ignore
    target = target.astype(dtype)
    return z, target[::-1] if draw(st.booleans()) else target, ignore


# ------------------------------------------------------------------- the truth, in long double


def true_along(function, x, dim):
    """The result, the size of its terms, and how many ulps it may be off.

    That x - max is rounded once makes |x - max| ulps of its exp (unless the row is calm), and of
    the logarithm of the total the mean of them.
    """
    x = x.astype(np.longdouble)
    with np.errstate(all="ignore"):
        top = x.max(axis=dim, keepdims=True, initial=-np.inf)
        d = x - top
        size = np.log(np.exp(d).sum(axis=dim, keepdims=True))
        p = np.exp(d - size)
        spread = (p * np.abs(d)).sum(axis=dim, keepdims=True)
    if function is kernels.softmax:
        calm = np.abs(x).max(axis=dim, keepdims=True, initial=0) <= kernels.CALM
        return p, 0.0, 4 + np.where(calm, 0, np.abs(d))
    if function is kernels.log_softmax:
        return d - size, np.maximum(np.abs(d), spread), 4
    return (top + size).squeeze(dim), np.maximum(np.abs(top), spread).squeeze(dim), 4


def true_losses(z, target, ignore):
    """Each row's loss, the size of its terms, its gradient and where the targets are."""
    kept = (target != ignore)[:, None]
    onehot = kept & (np.arange(z.shape[1]) == target[:, None])
    logp, terms, _ = true_along(kernels.log_softmax, z, 1)
    p, _, _ = true_along(kernels.softmax, z, 1)
    residual = np.where(onehot, -np.where(onehot, 0, p).sum(1, keepdims=True), p) * kept
    return np.where(onehot, -logp, 0).sum(1), np.where(onehot, terms, 0).sum(1), residual, onehot


def assert_ulps(y, true, most, terms=0.0, floor=0.0):
    """So many ulps from the true result at most; inf where that is beyond the dtype's range."""
    assert y.shape == np.shape(true)
    with np.errstate(all="ignore"):
        rounded = np.asarray(true).astype(y.dtype)
        ulp = np.finfo(y.dtype).eps * np.maximum(np.abs(true), terms)
        ulp = np.maximum(np.maximum(ulp, floor), np.finfo(y.dtype).smallest_subnormal)
        off = np.abs(y.astype(np.longdouble) - true) / ulp
    fine = (off <= most) | (y == rounded) | (np.isnan(y) & np.isnan(rounded))
    assert fine.all(), f"{off[~fine][:3]} ulps: {y[~fine][:3]} for {np.asarray(true)[~fine][:3]}"


def floor_of(function):
    return 0.0 if function is kernels.softmax else 2.0**-52


# ----------------------------------------------------------------------------- the properties


@given(x=arrays(min_dims=1), data=st.data())
@pytest.mark.parametrize("function", ALONG)
def test_right_along_a_dim(function, x, data):
    dim = data.draw(st.integers(-x.ndim, x.ndim - 1))
    before = x.copy()
    y = function(x, dim=dim)
    np.testing.assert_array_equal(x, before)
    assert y.dtype == x.dtype
    assert y.flags.c_contiguous
    assert y.flags.writeable
    assert not np.shares_memory(x, y)
    true, terms, most = true_along(function, x, dim)
    assert_ulps(y, true, most, terms, floor_of(function))


@given(x=arrays(min_dims=1), data=st.data())
def test_logsumexp_along_several_dims(x, data):
    dim = data.draw(st.sets(st.integers(0, x.ndim - 1), min_size=1).map(tuple))
    y = kernels.logsumexp(x, dim=dim, keepdim=True)
    assert y.shape == tuple(1 if i in dim else n for i, n in enumerate(x.shape))
    true, terms, most = true_along(kernels.logsumexp, x, dim)
    assert_ulps(y.squeeze(dim), true, most, terms, floor_of(kernels.logsumexp))
    np.testing.assert_array_equal(kernels.logsumexp(x, dim=dim), y.squeeze(dim))


@given(x=arrays(), data=st.data())
@pytest.mark.parametrize("function", ALONG)
def test_numpy_lines_equal_the_loop(function, x, data):
    dim = data.draw(st.integers(-max(x.ndim, 1), max(x.ndim, 1) - 1))
    y, lines = function(x, dim=dim), in_numpy(function, x, dim=dim)
    assert lines.dtype == y.dtype
    _, terms, _ = true_along(function, x, dim)
    assert_ulps(y, lines.astype(np.longdouble), 4, terms, floor_of(function))


@given(batch=batches(), reduction=st.sampled_from(REDUCTIONS))
def test_cross_entropy(batch, reduction):
    z, target, ignore = batch
    options = {"reduction": reduction, "ignore_index": ignore}
    loss = kernels.cross_entropy(z, target, **options)
    lines = in_numpy(kernels.cross_entropy, z, target, **options)
    assert loss.dtype == lines.dtype == z.dtype
    assert isinstance(loss, np.ndarray)
    true, terms, _, onehot = true_losses(z, target, ignore)
    floor = 2.0**-52
    if reduction != "none":
        n = onehot.sum() if reduction == "mean" else 1
        with np.errstate(invalid="ignore"):
            true, terms, floor = true.sum() / n, terms.sum() / n, floor * onehot.sum() / n
    assert_ulps(loss, true, 4, terms, floor)
    assert_ulps(loss, lines.astype(np.longdouble), 4, terms, floor)


@given(batch=batches(), reduction=st.sampled_from(REDUCTIONS), seed=st.integers(0, 99))
def test_cross_entropy_grad(batch, reduction, seed):
    z, target, ignore = batch
    shape = len(z) if reduction == "none" else ()
    g = np.asarray(np.random.default_rng(seed).normal(size=shape)).astype(z.dtype)
    before = z.copy(), target.copy(), g.copy()
    options = {"reduction": reduction, "ignore_index": ignore}
    y = kernels.cross_entropy_grad(g, z, target, **options)
    lines = in_numpy(kernels.cross_entropy_grad, g, z, target, **options)
    for now, then in zip((z, target, g), before, strict=True):
        np.testing.assert_array_equal(now, then)
    assert y.dtype == lines.dtype == z.dtype
    assert not np.shares_memory(y, z)
    _, _, residual, onehot = true_losses(z, target, ignore)
    scale = g.astype(np.longdouble) / (max(onehot.sum(), 1) if reduction == "mean" else 1)
    scale = scale[:, None] if reduction == "none" else scale
    floor = onehot * 2.0**-52 * np.abs(scale)  # p - 1, of a float64 total
    _, _, most = true_along(kernels.softmax, z, 1)
    most = np.where(onehot, most.max(axis=1, keepdims=True, initial=4), most)
    assert_ulps(y, scale * residual, most, floor=floor)
    assert_ulps(y, lines.astype(np.longdouble), 4, floor=floor)
    assert not y[target == ignore].any()


# ----------------------------------------------------------------------------- particular cases


def rows_of_special_values(dtype):
    """Every row of one to three of these."""
    far = np.finfo(dtype).max
    values = [0.0, -0.0, 1.0, -50.0, np.inf, -np.inf, np.nan, -np.nan, far, -far]
    for n in (1, 2, 3):
        yield np.array(list(itertools.product(values, repeat=n)), dtype)


@pytest.mark.parametrize("run", [lambda f, *a, **k: f(*a, **k), in_numpy], ids=["loops", "NumPy"])
@pytest.mark.parametrize("dtype", FLOATS)
def test_infinities_and_nan_as_pytorch(dtype, run):
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    for x in rows_of_special_values(dtype):
        logits = torch.tensor(x)
        close = {"rtol": 1e-6 if dtype is np.float32 else 1e-14, "atol": 1e-7}
        for function in ALONG:
            true = getattr(torch, function.__name__)(logits, 1)
            np.testing.assert_allclose(run(function, x, dim=1), true, **close)
        logits.requires_grad_()
        target = np.arange(len(x)) % x.shape[1]
        loss = functional.cross_entropy(logits, torch.tensor(target), reduction="none")
        y = run(kernels.cross_entropy, x, target, reduction="none")
        np.testing.assert_allclose(y, loss.detach(), **close)
        g = np.linspace(-1, 2, len(x)).astype(dtype)
        loss.backward(torch.tensor(g))
        y = run(kernels.cross_entropy_grad, g, x, target, reduction="none")
        np.testing.assert_allclose(y, logits.grad, **close)


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_sure_row_keeps_its_digits(dtype):
    """A loss of 1e-11 is 1e-11, not 0."""
    z, target = np.array([[25.0, 0.0, -1.0]], dtype), np.array([0])
    true = np.log1p(np.exp(-25.0) + np.exp(-26.0))
    eps = max(4 * np.finfo(dtype).eps, 2.0**-52 / true)
    np.testing.assert_allclose(kernels.cross_entropy(z, target), true, rtol=eps)
    gradient = kernels.cross_entropy_grad(1.0, z, target)
    np.testing.assert_allclose(gradient[0, 0], np.expm1(-true), rtol=eps)


def test_zero_dimensions():
    for dtype in FLOATS:
        x = np.array(3.0, dtype)
        for function, value in zip(ALONG, (1.0, 0.0, 3.0), strict=True):
            for dim in (0, -1):
                y = function(x, dim=dim)
                assert (y.shape, y.dtype, y) == ((), dtype, value)
            with pytest.raises(IndexError):
                function(x, dim=1)


@pytest.mark.parametrize("function", ALONG)
def test_a_dim_that_is_not_there(function):
    for dtype in (*FLOATS, np.complex128):
        with pytest.raises(IndexError):
            function(np.ones((2, 3), dtype), dim=2)


@pytest.mark.parametrize("function", ALONG)
def test_other_dtypes(function):
    x = np.random.default_rng(0).normal(size=(7, 5)) * 3
    half = function(x.astype(np.float16))
    assert half.dtype == np.float16
    np.testing.assert_array_equal(half, function(x.astype(np.float16).astype("f4")).astype("f2"))
    whole = function(x.astype(np.int32))
    assert whole.dtype == np.float32
    np.testing.assert_allclose(whole, function(x.astype(np.int32).astype("f4")), rtol=1e-6)
    swapped = function(x.astype(">f8"))
    np.testing.assert_allclose(swapped, function(x), rtol=1e-15, atol=1e-15)
    numbers = function(x.astype(np.complex64))
    assert numbers.dtype == np.complex64
    np.testing.assert_allclose(numbers, function(x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("ignore_index", [-100, 2])
def test_gradient_is_the_complex_step_of_the_loss(ignore_index):
    rng = np.random.default_rng(0)
    z, target = rng.normal(size=(6, 4)) * 5, np.array([0, 3, 2, 1, 2, 3])
    weights = rng.normal(size=6)
    for reduction, g in (("none", weights), ("sum", weights[0]), ("mean", weights[1])):
        options = {"reduction": reduction, "ignore_index": ignore_index}
        steps = np.empty_like(z)
        for index in np.ndindex(z.shape):
            moved = z.astype(complex)
            moved[index] += 1j * STEP
            steps[index] = np.sum(g * kernels.cross_entropy(moved, target, **options).imag) / STEP
        y = kernels.cross_entropy_grad(g, z, target, **options)
        np.testing.assert_allclose(y, steps, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("run", [lambda f, *a, **k: f(*a, **k), in_numpy], ids=["loops", "NumPy"])
@pytest.mark.parametrize("n", [4, 20_000])  # in one call, and by rows
def test_refusals(run, n):
    z, target = np.zeros((n, 3), np.float32), np.zeros(n, np.int64)
    calls = [
        lambda *args, **k: run(kernels.cross_entropy, *args, **k),
        lambda *args, **k: run(kernels.cross_entropy_grad, 1.0, *args, **k),
    ]
    for call, (wrong, dtype) in itertools.product(calls, [(3, "u1"), (-1, "i8"), (-100, "i2")]):
        bad = target.astype(dtype)
        bad[2:] = wrong
        message = rf"target {wrong} in row 2 is out of range for the 3 classes .*\({n}, 3\)"
        with pytest.raises(IndexError, match=message):
            call(z, bad, ignore_index=77)
        assert np.isfinite(call(z, bad, ignore_index=wrong)).all()
    for call in calls:
        with pytest.raises(ValueError, match=rf"\({n}, 3\).*\({n - 1},\)"):
            call(z, target[1:])
        with pytest.raises(ValueError, match="do not fit"):
            call(z[0], target)
        with pytest.raises(RuntimeError, match="float64"):
            call(z, target.astype(float))
        with pytest.raises(ValueError, match="'average'"):
            call(z, target, reduction="average")


def test_nothing_left_to_average():
    for n, classes in ((3, 2), (0, 2), (3, 0)):
        z, target = np.zeros((n, classes), np.float32), np.full(n, -100)
        for run in (lambda f, *a, **k: f(*a, **k), in_numpy):
            assert np.isnan(run(kernels.cross_entropy, z, target))
            assert run(kernels.cross_entropy, z, target, reduction="sum") == 0
            assert run(kernels.cross_entropy, z, target, reduction="none").tolist() == [0] * n
            y = run(kernels.cross_entropy_grad, 1.0, z, target)
            assert y.shape == z.shape
            assert not y.any()


@pytest.mark.parametrize("dtype", FLOATS)
def test_many_classes_and_many_rows(dtype):
    """The totals of long rows, and of many rows, are as right as short ones."""
    rng = np.random.default_rng(0)
    for shape in ((3, 50257), (100_000, 3)):
        z, target = rng.normal(size=shape).astype(dtype) * 4, rng.integers(0, shape[1], shape[0])
        loss, terms, _, _ = true_losses(z, target, -100)
        assert_ulps(kernels.cross_entropy(z, target), loss.mean(), 4, terms.mean())
        y = kernels.logsumexp(z)
        true, terms, most = true_along(kernels.logsumexp, z, 1)
        assert_ulps(y, true, most, terms, floor_of(kernels.logsumexp))


# ------------------------------------------------------------------------ threads and processes


@pytest.mark.parametrize("dtype", FLOATS)
def test_threads_do_not_change_a_bit(dtype, monkeypatch):
    rng = np.random.default_rng(0)
    z, target = rng.normal(size=(3001, 10)).astype(dtype) * 20, rng.integers(0, 10, 3001)
    g = rng.normal(size=3001).astype(dtype)

    def all_of_them():
        return [
            *(function(z) for function in ALONG),
            *(kernels.cross_entropy(z, target, reduction=r) for r in REDUCTIONS),
            kernels.cross_entropy_grad(g, z, target, reduction="none"),
            kernels.cross_entropy_grad(0.7, z, target),
        ]

    alone = all_of_them()
    monkeypatch.setattr(rows, "THREAD", 1000)
    for threads in (1, 2, 3, 8):
        monkeypatch.setattr(rows, "limit", threads)
        for y, then in zip(all_of_them(), alone, strict=True):
            assert y.tobytes() == then.tobytes()
    target[2000] = 10
    with pytest.raises(IndexError, match="target 10 in row 2000 "):
        kernels.cross_entropy(z, target)


def test_cuts_cover_the_rows(monkeypatch):
    monkeypatch.setattr(rows, "limit", 4)
    for n in (0, 1, 3, 4, 10, 101):
        parts = rows.over_rows(lambda part: part, n, n * rows.THREAD)
        assert [i for part in parts for i in range(n)[part]] == list(range(n))
        assert len(parts) == min(max(n, 1), 4)


def test_two_threads_at_once(monkeypatch):
    monkeypatch.setattr(rows, "THREAD", 1000)
    monkeypatch.setattr(rows, "limit", 3)
    z = np.random.default_rng(0).normal(size=(2000, 10))
    true, wrong = kernels.softmax(z), []

    def work():
        for _ in range(50):
            if not np.array_equal(kernels.softmax(z), true):
                wrong.append(threading.get_ident())

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


SCRIPT = """
import sys, warnings
warnings.simplefilter("error")
{before}
import numpy as np
from tinygrad_hw import kernels
assert "numba" not in sys.modules or {imported}, "numba was imported before the first call"
z, target = np.array([[0, 1, 2], [1e38, 3e38, -3e38]], np.float32), np.array([2, 0])
loss = kernels.cross_entropy(z, target, reduction="none")
gradient = kernels.cross_entropy_grad(np.float32(1), z, target)
assert np.allclose(loss, [0.40760598, 2e38]), loss
assert np.allclose(gradient[0], [0.04501529, 0.12236424, -0.16737953]), gradient
assert np.allclose(kernels.softmax(z)[0], [0.09003057, 0.24472848, 0.66524094])
assert np.allclose(kernels.log_softmax(z)[0], [-2.40760598, -1.40760598, -0.40760598])
assert np.allclose(kernels.logsumexp(z, dim=1), [2.40760598, 3e38])
print(kernels.SOFTMAX[z.dtype] is not None)
"""

NO_CACHE = """
from numba.core import caching
caching.CacheImpl._locator_classes = [caching.UserProvidedCacheLocator]
"""


@pytest.mark.parametrize(
    ("environment", "before", "compiled"),
    [
        ({}, "", True),
        ({"NUMBA_DISABLE_JIT": "1"}, "", False),
        ({}, "sys.modules['numba'] = None", False),
        ({"NUMBA_CACHE_DIR": "{file}/below"}, "", True),  # Numba then finds another folder
        ({"NUMBA_CACHE_DIR": "{file}/below"}, NO_CACHE, False),  # and here it finds none
    ],
    ids=["as it is", "JIT disabled", "no Numba", "bad cache folder", "no cache folder"],
)
def test_in_a_process_where(environment, before, compiled, tmp_path):
    """Nothing is written there, but a file is no folder: so it is for root too."""
    file = tmp_path / "file"
    file.touch()
    script = SCRIPT.format(before=before, imported="numba" in before)
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {k: v.format(file=file) for k, v in environment.items()},
        cwd=Path(kernels.__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stderr, done.stdout.strip()) == ("", str(compiled))


# ------------------------------------------------------------------------------------- mutants

MUTANTS = [
    ("softmax", "scale = x.dtype.type(1 / total[i])", "scale = x.dtype.type(1.01 / total[i])"),
    ("softmax", "total += x[i, j]", "total += x[i, j] * 1.01"),
    ("softmax", "e.flat[j] = calm_exp(x.flat[j])", "e.flat[j] = calm_exp(x.flat[j] * 0.99)"),
    ("softmax", "e.flat[j] = exp(e.flat[j])", "e.flat[j] = calm_exp(e.flat[j])"),
    ("softmax", "CALM = 40.0", "CALM = 1000.0"),
    ("softmax", "e[i, j] = x[i, j] - top", "e[i, j] = x[i, j]"),
    ("log_softmax", "z[i, j] - top - size", "z[i, j] - top + size"),
    ("logsumexp", "y[i] = shift[i] + log64(total[i])", "y[i] = log64(total[i])"),
    ("logsumexp", "y = k * 0.69", "y = k * 0.70"),
    ("logsumexp", "order = max(order", "order = min(order"),
    ("logsumexp", "y[i] = log64(unshifted)", "y[i] = np.nan"),
    ("small_loss", "loss[i] - z[i, k], 1", "loss[i] + z[i, k], 1"),
    ("small_loss", "loss[i], likely[i] = 0, e[i, k]", "loss[i], likely[i] = 0, 1"),
    ("small_loss", "loss[i], total[i], likely[i] = 0, 1", "loss[i], total[i], likely[i] = 1, 1"),
    ("small_loss", "kept += target[i] != ignore\n    return", "kept += 1\n    return"),
    ("small_grad", "at_target = (e[i, k] - total[i]) * scale", "at_target = -g"),
    ("small_grad", "e[i, j] *= factor", "e[i, j] *= factor * factor"),
    ("small_grad", "            e[i] = 0\n", "            e[i] += 0\n"),
    ("small_grad", "g /= kept", "g /= len(x)"),
]


def hold(kernel):
    """Asserts it of fixed batches: near, far and mixed logits, in short rows and in long."""
    rng = np.random.default_rng(0)
    for classes, scales in itertools.product((3, 40), ([5.0], [5.0, 300.0], [1e30])):
        z = rng.uniform(-1, 1, (50, classes)) * rng.choice(scales, (50, 1))
        z = z.astype(np.float32)
        target = rng.integers(0, classes, 50)
        target[::7] = -100
        loss, terms, residual, onehot = true_losses(z, target, -100)
        if kernel == "small_loss":
            assert_ulps(kernels.cross_entropy(z, target), loss.sum() / onehot.sum(), 4)
        elif kernel == "small_grad":
            most = np.maximum(4, true_along(kernels.softmax, z, 1)[2].max(axis=1, keepdims=True))
            y = kernels.cross_entropy_grad(0.7, z, target)
            assert_ulps(y, 0.7 * residual / onehot.sum(), most, floor=1e-18)
        else:
            function = getattr(kernels, kernel)
            true, terms, most = true_along(function, z, 1)
            assert_ulps(function(z), true, most, terms, floor_of(function))
            infinite = np.array([[np.inf] + [0.0] * (classes - 1)], np.float32)
            y = np.float32([np.inf if kernel == "logsumexp" else np.nan])
            np.testing.assert_array_equal(function(infinite).ravel()[:1], y)


@pytest.mark.parametrize("kernel", sorted({kernel for kernel, _, _ in MUTANTS}))
def test_the_loops_hold(kernel):
    hold(kernel)


@pytest.mark.parametrize(
    ("kernel", "code", "mutant"),
    # Each takes a second to compile.
    MUTANTS if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else MUTANTS[::4],
)
def test_mutants_are_caught(kernel, code, mutant, tmp_path, monkeypatch):
    source = Path(loops.__file__).read_text(encoding="utf-8")
    assert source.count(code) == 1
    file = tmp_path / "mutant.py"
    file.write_text(source.replace(code, mutant).replace("cache=True", "cache=False"), "utf-8")
    spec = importlib.util.spec_from_file_location("mutant", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, loops.__name__, module)
    for loop in LOOPS:
        for dtype in jit.COMPILED_DTYPES:
            monkeypatch.delitem(loop, dtype, raising=False)
    with pytest.raises(AssertionError):
        hold(kernel)


@pytest.mark.parametrize("depth", [80.0, 95.0, 100.0, 103.0, 200.0])
def test_a_loss_whose_target_is_far_below_the_top(depth):
    """Where exp of the target is subnormal or 0 in float32, the loss is still all there."""
    z = np.array([[0.0, -depth, -1.0]], np.float32)
    loss = kernels.cross_entropy(z, np.array([1]))
    assert loss == pytest.approx(depth + np.log(1 + np.exp(-1.0)), rel=2e-7)
