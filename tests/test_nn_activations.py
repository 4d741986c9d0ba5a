"""Activation functions beside the installed PyTorch: values, two orders of gradients, kinks."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from parity import FLOATS, Function, agree, numpy, seeds, shapes, torch, values

import tinygrad_hw as th
import tinygrad_hw.nn.functional as F
from tinygrad_hw import nn


def call(name: str, **options: Any) -> Function:
    return lambda L, x: getattr(L.nn.functional, name)(x, **options)


CASES: dict[str, Function] = {
    name: call(name)
    for name in [
        "celu",
        "elu",
        "gelu",
        "hardshrink",
        "hardsigmoid",
        "hardswish",
        "hardtanh",
        "leaky_relu",
        "logsigmoid",
        "mish",
        "relu",
        "relu6",
        "selu",
        "sigmoid",
        "silu",
        "softplus",
        "softshrink",
        "softsign",
        "tanh",
        "tanhshrink",
    ]
} | {
    "gelu, tanh": call("gelu", approximate="tanh"),
    "leaky_relu, steep": call("leaky_relu", negative_slope=-1.5),
    "elu, alpha": call("elu", alpha=1.5),
    "celu, alpha": call("celu", alpha=0.5),
    "softplus, beta": call("softplus", beta=2, threshold=1.4),
    "softplus, negative beta": call("softplus", beta=-0.5),
    "hardtanh, bounds": call("hardtanh", min_val=-0.5, max_val=2),
    "threshold": call("threshold", threshold=0.5, value=7),
    "softshrink, lambd": call("softshrink", lambd=1),
    "hardshrink, lambd": call("hardshrink", lambd=0),
}
ONCE = {"hardsigmoid"}  # PyTorch has no second derivative of it, and the first in float32 only
KINKED = {"elu, alpha", "selu", "celu", "celu, alpha", "elu"}  # whose second slope jumps at 0


@pytest.mark.parametrize("name", CASES)
@given(data=st.data(), seed=seeds)
def test_activations(name: str, data: Any, seed: int) -> None:
    x = data.draw(values(shapes(), kinks=name not in KINKED))
    agree(CASES[name], x, seed=seed, orders=0 if name in ONCE else 2)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", CASES)
def test_activations_at_kinks_and_extremes(name: str, dtype: str) -> None:
    x = [0, -0.0, 0.5, -0.5, 1, -1, 2, -2, 3, -3, 6, -6, 19.9, 20, 20.1, -20, 80, -80, 1e3, -1e3]
    orders = int(name not in ONCE or dtype == "float32")
    agree(CASES[name], np.array(x, dtype), orders=orders)
    agree(CASES[name], np.array([1e10, -1e10, 1e-30, -1e-30], dtype), orders=orders)


@pytest.mark.parametrize("name", CASES)
def test_nan_stays_nan_and_infinity_is_pytorchs(name: str) -> None:
    x = np.array([np.nan, np.inf, -np.inf])
    with np.errstate(all="ignore"):
        ours = CASES[name](th, th.tensor(x)).array
    np.testing.assert_array_equal(ours, numpy(CASES[name](torch, torch.tensor(x))))


@given(data=st.data(), seed=seeds)
def test_prelu(data: Any, seed: int) -> None:
    x = data.draw(values(shapes(least=1)))
    channels = x.shape[1] if x.ndim > 1 else 1
    w = data.draw(values(st.sampled_from([(1,), (channels,)])))
    agree(lambda L, x, w: L.nn.functional.prelu(x, w), x, w, seed=seed, orders=1)
    x[x == 0] = 1  # where PyTorch's second derivative is not that of its first
    agree(lambda L, x, w: L.nn.functional.prelu(x, w), x, w, seed=seed)
    agree(lambda L, x, w: L.nn.functional.prelu(x, w), np.array([1.0, -1]), np.array(0.3))


@given(data=st.data(), seed=seeds)
def test_glu(data: Any, seed: int) -> None:
    x = data.draw(values(shapes(least=1, min_dims=1)))
    dim = data.draw(st.integers(-x.ndim, x.ndim - 1))
    x = np.concatenate([x, x + 1], dim)
    agree(lambda L, x: L.nn.functional.glu(x, dim), x, seed=seed)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin"])
@given(data=st.data(), seed=seeds)
def test_softmax_of_a_dim_and_a_dtype(name: str, data: Any, seed: int) -> None:
    x = data.draw(values(shapes(least=1)))
    dim = data.draw(st.integers(-max(x.ndim, 1), max(x.ndim, 1) - 1))
    agree(lambda L, x: getattr(L.nn.functional, name)(x, dim), x, seed=seed)
    f = lambda L, x: getattr(L.nn.functional, name)(x, dim, dtype=L.float64)  # noqa: E731
    agree(f, x.astype(np.float32), seed=seed, orders=1)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 2, 3), (1, 2, 2, 3)])
@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin"])
def test_softmax_without_a_dim_warns_and_takes_pytorchs(name: str, shape: Any) -> None:
    x = np.random.default_rng(0).normal(size=shape)
    with pytest.warns(UserWarning, match="dim"):
        expected = numpy(getattr(torch.nn.functional, name)(torch.tensor(x)))
    module = {"softmax": nn.Softmax, "log_softmax": nn.LogSoftmax, "softmin": nn.Softmin}[name]()
    for f in (getattr(F, name), module):
        with pytest.warns(UserWarning, match="dim") as caught:
            np.testing.assert_allclose(f(th.tensor(x)).array, expected, rtol=1e-12)
        assert caught[0].filename == __file__


# ------------------------------------------------------------------------------------ in place

UNDERSCORED = ["celu", "elu", "hardtanh", "leaky_relu", "relu", "selu"]
IN_PLACE = [*UNDERSCORED, "hardsigmoid", "hardswish", "mish", "relu6", "silu"]


@pytest.mark.parametrize("name", IN_PLACE)
def test_in_place_records_as_pytorchs(name: str) -> None:
    def f(L: Any, x: Any) -> Any:
        y = x * 1
        z = getattr(L.nn.functional, name)(y, inplace=True)
        assert z is y
        return y * 2

    x = np.array([-4.0, -0.5, 0.25, 7.0])
    agree(f, x, orders=int(name not in ONCE))
    if name in UNDERSCORED:
        agree(lambda L, x: getattr(L.nn.functional, f"{name}_")(x * 1), x, orders=1)
    for L in (th, torch):
        with pytest.raises(RuntimeError):
            getattr(L.nn.functional, name)(L.tensor(x, requires_grad=True), inplace=True)
        plain = L.tensor(x)
        getattr(L.nn.functional, name)(plain, inplace=True)
        np.testing.assert_allclose(
            numpy(plain), numpy(getattr(torch.nn.functional, name)(torch.tensor(x))), rtol=1e-12
        )


# ------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("name", CASES)
def test_whole_numbers_are_refused_where_pytorch_refuses_them(name: str) -> None:
    x = np.array([-1, 0, 2])
    try:
        expected: Any = numpy(CASES[name](torch, torch.tensor(x)))
    except NotImplementedError:
        with pytest.raises(NotImplementedError, match="int64"):
            CASES[name](th, th.tensor(x))
        return
    ours = CASES[name](th, th.tensor(x)).array
    assert ours.dtype == expected.dtype
    np.testing.assert_allclose(ours, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (lambda L, F: F.hardtanh(L.ones(2), 2, 1), ValueError),
        (lambda L, F: F.softshrink(L.ones(2), -1), RuntimeError),
        (lambda L, F: F.celu(L.ones(2), 0.0), RuntimeError),
        (lambda L, F: F.gelu(L.ones(2), approximate="fast"), RuntimeError),
        (lambda L, F: F.glu(L.ones(3)), RuntimeError),
        (lambda L, F: F.glu(L.tensor(1.0)), RuntimeError),
        (lambda L, F: F.prelu(L.ones(2, 3), L.ones(2)), RuntimeError),
        (lambda L, F: F.prelu(L.ones(2, 3), L.ones(1, 3)), RuntimeError),
        (lambda L, F: F.softmax(L.ones(2), 3), IndexError),
        (lambda L, F: F.softmax(L.tensor([1, 2]), 0), RuntimeError),
        (lambda L, F: L.nn.Hardtanh(2, -2), AssertionError),
    ],
)
def test_refusals_are_of_pytorchs_types(call: Any, kind: Any) -> None:
    for L in (torch, th):
        with pytest.raises(kind):
            call(L, L.nn.functional)


# -------------------------------------------------------------------------------------- modules

MODULES = """ReLU() ReLU(True) ReLU6() ReLU6(inplace=True) LeakyReLU() LeakyReLU(.2,True) ELU()
    ELU(2,True) SELU() SELU(True) CELU() CELU(1.5,True) GELU() GELU('tanh') SiLU() SiLU(True) Mish()
    Mish(True) Softplus() Softplus(2,10) Softsign() Softshrink() Softshrink(1) Hardshrink(.3)
    Tanhshrink() Hardtanh() Hardtanh(-2,2,True) Hardsigmoid() Hardsigmoid(True) Hardswish()
    LogSigmoid() Sigmoid() Tanh() Softmax(1) Softmin(dim=0) LogSoftmax(-1) PReLU() PReLU(4,.1)
    Threshold(1,2) Threshold(.1,20,True) GLU() GLU(0) Identity() Identity(4,x=3)"""


@pytest.mark.parametrize("code", MODULES.split())
def test_modules_print_and_compute_as_pytorchs(code: str) -> None:
    ours, theirs = eval(f"nn.{code}"), eval(f"torch.nn.{code}")
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    x = np.random.default_rng(1).normal(size=(2, 4)).astype(np.float32) * 3
    y = theirs(torch.tensor(x))
    np.testing.assert_allclose(ours(th.tensor(x)).detach().numpy(), numpy(y), rtol=1e-5, atol=1e-6)


def test_old_names_of_the_bounds_warn() -> None:
    for L in (th, torch):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            module = L.nn.Hardtanh(min_value=-3, max_value=1)
        assert [w.category for w in caught] == [FutureWarning] * 2
        assert repr(module) == "Hardtanh(min_val=-3, max_val=1)"


def test_a_softplus_is_exact_where_its_naive_form_overflows() -> None:
    x = th.tensor([1000.0, -1000.0], requires_grad=True)
    F.softplus(x).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [1, 0]
    assert nn.LogSigmoid()(x).tolist() == [0, -1000]
